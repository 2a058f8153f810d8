/** The safetensors header: what is accepted, every refusal with its message, and hostile bytes by the thousand. */
import { describe, expect, test } from "bun:test";
import fast_check from "fast-check";
import { SherryError } from "../../src/errors.ts";
import { memorySource } from "../../src/format/byte-source.ts";
import { readSafetensorsHeader } from "../../src/packing/safetensors.ts";
import { refusal } from "../format/refusal.ts";
import { encodeSafetensors } from "../toy-model.ts";

const DAMAGED = "The file is damaged or was not downloaded whole; get it again";

/** A file of that header text and `data_bytes` bytes behind it. */
function fileOf(header: string, data_bytes: number): Uint8Array {
  const json = new TextEncoder().encode(header);
  const file = new Uint8Array(8 + json.length + data_bytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  return file;
}

const read = (file: Uint8Array) => readSafetensorsHeader(memorySource(file), "model.safetensors");
const readHeader = (header: string, data_bytes = 16) => read(fileOf(header, data_bytes));
const entry = (dtype: string, shape: unknown, data_offsets: unknown) => ({ dtype, shape, data_offsets });
const readEntry = (value: unknown, data_bytes = 16) => readHeader(JSON.stringify({ a: value }), data_bytes);

describe("a sound header", () => {
  test("gives tensors in the order of their offsets, counted from the file's start", () => {
    const header = JSON.stringify({
      __metadata__: { format: "pt" },
      b: entry("BF16", [2, 3], [4, 16]),
      a: entry("F32", [], [0, 4]),
    });
    const data_offset = 8 + header.length;
    expect([...readHeader(header).values()]).toEqual([
      { name: "a", dtype: "F32", shape: [], offset: data_offset, bytes: 4 },
      { name: "b", dtype: "BF16", shape: [2, 3], offset: data_offset + 4, bytes: 12 },
    ]);
  });

  test("may be padded with spaces, and may hold tensors without elements", () => {
    const header = JSON.stringify({ a: entry("U8", [0, 5], [0, 0]), b: entry("I64", [2], [0, 16]) });
    expect([...readHeader(`${header}     `).keys()]).toEqual(["a", "b"]);
  });

  test("the names __proto__ and constructor are names like any other", () => {
    const header = '{"__proto__":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}';
    expect([...readHeader(header).keys()]).toEqual(["__proto__"]);
  });
});

describe("refusals", () => {
  const range = (begin: number, end: number) => entry("U8", [end - begin], [begin, end]);
  const cases: [string, () => unknown, string, string][] = [
    [
      "an empty file",
      () => read(new Uint8Array(0)),
      "model.safetensors: expected a safetensors file, received 0 bytes",
      DAMAGED,
    ],
    [
      "a header longer than the file",
      () => read(fileOf("{}", 0).fill(3, 0, 1)),
      "model.safetensors: the header's length: expected 2 to 100000000 bytes within the file's 10, received 3",
      DAMAGED,
    ],
    [
      "a header of 2^64 - 1 bytes",
      () => read(fileOf("{}", 0).fill(255, 0, 8)),
      "model.safetensors: the header's length: expected 2 to 100000000 bytes within the file's 10, received 18446744073709551615",
      DAMAGED,
    ],
    [
      "no object",
      () => readHeader("[]"),
      "model.safetensors: the header: expected JSON that begins with {, received byte 91",
      DAMAGED,
    ],
    [
      "no JSON",
      () => readHeader("{nonsense}"),
      "model.safetensors: the header: expected JSON in UTF-8, received a text that is no JSON",
      "The file is damaged; get it again",
    ],
    [
      "a name twice",
      () => readHeader('{"a":{"dtype":"U8","shape":[16],"data_offsets":[0,16]},"\\u0061":{"dtype":"U8"}}'),
      'model.safetensors: the header: expected each key of an object once, received "\\u0061" twice',
      "",
    ],
    [
      "an entry that is no object",
      () => readEntry(7),
      "model.safetensors: tensor a: expected an object, received 7",
      DAMAGED,
    ],
    [
      "an unknown key",
      () => readEntry({ ...range(0, 16), stride: [1] }),
      "model.safetensors: tensor a: expected dtype, shape and data_offsets, received stride",
      DAMAGED,
    ],
    [
      "no type",
      () => readEntry({ shape: [], data_offsets: [] }),
      "model.safetensors: tensor a: dtype: expected a text, received nothing",
      DAMAGED,
    ],
    [
      "an unknown type",
      () => readEntry(entry("F4", [32], [0, 16])),
      "model.safetensors: tensor a: dtype: expected F32, F16 or BF16, received F4",
      "Convert the checkpoint to one of these types",
    ],
    [
      "a negative size",
      () => readEntry(entry("U8", [-16], [0, 16])),
      "model.safetensors: tensor a: shape: expected an array of whole numbers, received [-16]",
      DAMAGED,
    ],
    [
      "a fractional offset",
      () => readEntry(entry("U8", [16], [0.5, 16])),
      "model.safetensors: tensor a: data_offsets: expected an array of whole numbers, received [0.5,16]",
      DAMAGED,
    ],
    [
      "a range backwards",
      () => readEntry(entry("U8", [0], [16, 0])),
      "model.safetensors: tensor a: data_offsets: expected [begin, end], received [16,0]",
      DAMAGED,
    ],
    [
      "three offsets",
      () => readEntry(entry("U8", [0], [0, 0, 0])),
      "model.safetensors: tensor a: data_offsets: expected [begin, end], received [0,0,0]",
      DAMAGED,
    ],
    [
      "too many dimensions",
      () => readEntry(entry("U8", new Array(17).fill(1), [0, 1])),
      "model.safetensors: tensor a: shape: expected at most 16 sizes, received 17",
      DAMAGED,
    ],
    [
      "a shape of other size",
      () => readEntry(entry("F32", [2, 3], [0, 16])),
      "model.safetensors: tensor a: expected 24 bytes for F32 [2, 3], received a range of 16",
      DAMAGED,
    ],
    [
      "a shape whose product overflows",
      () => readEntry(entry("F32", [2 ** 53 - 1, 2 ** 53 - 1], [0, 16])),
      `model.safetensors: tensor a: expected ${4 * (2 ** 53 - 1) ** 2} bytes for F32 [9007199254740991, 9007199254740991], received a range of 16`,
      DAMAGED,
    ],
    [
      "an overlap",
      () => readHeader(JSON.stringify({ a: range(0, 9), b: range(8, 16) })),
      "model.safetensors: tensor b: expected a range from 9 on, received one that overlaps the tensor before it",
      DAMAGED,
    ],
    [
      "a gap",
      () => readHeader(JSON.stringify({ a: range(0, 7), b: range(8, 16) })),
      "model.safetensors: tensor b: expected a range from 7 on, received one after a gap",
      DAMAGED,
    ],
    [
      "a metadata value",
      () => readHeader('{"__metadata__":{"a":1}}', 0),
      "model.safetensors: __metadata__: expected an object of texts, received an object",
      DAMAGED,
    ],
    [
      "a long name",
      () => readHeader(JSON.stringify({ ["n".repeat(257)]: range(0, 16) })),
      `model.safetensors: tensor ${"n".repeat(120)}...: expected a name of 1 to 256 characters, received 257`,
      DAMAGED,
    ],
  ];
  test.each(cases)("%s", (_, work, message, next_step) => {
    const refused = refusal(work);
    expect(refused.message).toBe(next_step === "" ? message : `${message}. ${next_step}`);
    expect(refused.code).toBe(message.includes("F4") ? "checkpoint_unsupported" : "checkpoint_invalid");
  });

  test("ranges behind the file's end, and bytes behind the last range", () => {
    const header = JSON.stringify({ a: range(0, 16) });
    const size = 8 + header.length;
    expect(refusal(() => readHeader(header, 15)).message).toBe(
      `model.safetensors: tensor a: expected a range within the file's ${size + 15} bytes, received one that ends at ${size + 16}. ${DAMAGED}`,
    );
    expect(refusal(() => readHeader(header, 17)).message).toBe(
      `model.safetensors: expected a file of ${size + 16} bytes, as its header says, received ${size + 17} bytes. ${DAMAGED}`,
    );
  });

  test("more tensors than any model has", () => {
    const entries = Array.from({ length: 65_537 }, (_, index) => [`t${index}`, entry("U8", [0], [0, 0])]);
    const header = JSON.stringify(Object.fromEntries(entries));
    expect(refusal(() => readHeader(header, 0)).message).toBe(
      `model.safetensors: tensors: expected at most 65536, received 65537. ${DAMAGED}`,
    );
  });
});

describe("hostile bytes", () => {
  const sound = encodeSafetensors([
    { name: "first", shape: [2, 2], dtype: "F32", bytes: new Uint8Array(16) },
    { name: "second", shape: [3], dtype: "BF16", bytes: new Uint8Array(6) },
  ]);

  /** Reads it; whatever it is, the answer is tensors within the file or a typed refusal. */
  function check(file: Uint8Array): void {
    try {
      for (const tensor of read(file).values()) {
        expect(tensor.offset + tensor.bytes).toBeLessThanOrEqual(file.length);
      }
    } catch (error) {
      if (!(error instanceof SherryError)) throw error;
      expect(["checkpoint_invalid", "checkpoint_unsupported"]).toContain(error.code);
      expect(error.message.length).toBeLessThan(1_000);
    }
  }

  test("a file cut anywhere, and each byte changed", () => {
    for (let length = 0; length < sound.length; length += 1) {
      expect(refusal(() => read(sound.slice(0, length))).code).toBe("checkpoint_invalid");
      for (const bits of [1, 0x80, 0xff]) {
        const changed = Uint8Array.from(sound);
        changed[length] = (changed[length] ?? 0) ^ bits;
        check(changed);
      }
    }
  });

  test("headers of any JSON, and of almost the right shape", () => {
    const integer = fast_check.oneof(
      fast_check.integer({ min: -2, max: 40 }),
      fast_check.double(),
      fast_check.maxSafeInteger(),
    );
    const almost = fast_check.record(
      {
        dtype: fast_check.oneof(
          fast_check.constantFrom("F32", "BF16", "U8", "F64", "?"),
          fast_check.string(),
        ),
        shape: fast_check.array(integer, { maxLength: 4 }),
        data_offsets: fast_check.array(integer, { maxLength: 3 }),
      },
      { requiredKeys: [] },
    );
    const headers = fast_check.oneof(
      fast_check.json(),
      fast_check
        .dictionary(fast_check.string(), almost, { maxKeys: 4 })
        .map((value) => JSON.stringify(value)),
    );
    fast_check.assert(
      fast_check.property(headers, fast_check.nat({ max: 64 }), (header, data_bytes) =>
        check(fileOf(header, data_bytes)),
      ),
      { numRuns: 3_000, seed: 20_260_107 },
    );
  });

  test("nesting as deep as the header is long", () => {
    check(fileOf(`{"a":${"[".repeat(1_000_000)}`, 0));
    check(fileOf(`{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, 0));
  });
});
