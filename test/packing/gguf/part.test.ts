/** One GGUF file's header: what is accepted, and every refusal with its message. */
import { describe, expect, test } from "bun:test";
import { memorySource } from "../../../src/format/byte-source.ts";
import { readGgufPart } from "../../../src/packing/gguf/part.ts";
import { refusal } from "../../format/refusal.ts";
import { DAMAGED, F32_TENSOR, fileBytes, kv, type RawFile, type RawTensor, SOUND } from "./gguf-bytes.ts";

const read = (bytes: Uint8Array) => readGgufPart(memorySource(bytes), "m.gguf");
const readFile = (file: RawFile) => read(fileBytes(file));
const damaged = (message: string) => ({ code: "checkpoint_invalid", message: `${message}. ${DAMAGED}` });

describe("a sound file", () => {
  test.each([2, 3])("of version %p gives tensors with their places", (version) => {
    const bytes = fileBytes({ ...SOUND, version });
    const part = read(bytes);
    const data_offset = bytes.length - 132;
    expect(part.version).toBe(version);
    expect(part.alignment).toBe(32);
    expect(part.tensors.map(({ source, ...tensor }) => tensor)).toEqual([
      {
        name: "a",
        type: "F32",
        dimensions: [4, 2],
        shape: [2, 4],
        file_name: "m.gguf",
        offset: data_offset,
        bytes: 32,
      },
      {
        name: "b",
        type: "F16",
        dimensions: [3],
        shape: [3],
        file_name: "m.gguf",
        offset: data_offset + 32,
        bytes: 6,
      },
      {
        ...{ name: "c", type: "Q8_0", dimensions: [32, 1, 2], shape: [2, 1, 32] },
        ...{ file_name: "m.gguf", offset: data_offset + 64, bytes: 68 },
      },
    ]);
  });

  test("may have another alignment, another order of tensors, and no padding at its end", () => {
    const part = readFile({
      metadata: [kv.u32("general.alignment", 64)],
      alignment: 64,
      tensors: [
        { name: "second", dimensions: [1], type_id: 0, offset: 64 },
        { name: "first", dimensions: [2], type_id: 30, offset: 0 },
      ],
      data: new Uint8Array(68),
    });
    expect(part.tensors.map((tensor) => [tensor.name, tensor.bytes])).toEqual([
      ["second", 4],
      ["first", 4],
    ]);
    expect(read(fileBytes({})).tensors).toEqual([]);
  });
});

describe("refusals", () => {
  const tensor = (changes: Partial<RawTensor>, data = 32): RawFile => ({
    tensors: [{ ...F32_TENSOR, ...changes }],
    data: new Uint8Array(data),
  });
  const two = (changes: Partial<RawTensor>, data = 64): RawFile => ({
    tensors: [F32_TENSOR, { name: "b", dimensions: [8], type_id: 0, offset: 32, ...changes }],
    data: new Uint8Array(data),
  });
  const cases: [string, RawFile, string][] = [
    [
      "too many tensors",
      { tensor_count: 2n ** 63n },
      "the count of tensors: expected at most 8, received 9223372036854775808",
    ],
    [
      "more tensors than room",
      { tensor_count: 1, metadata: [kv.u8("a", 1)] },
      "the count of tensors: expected at most 0, received 1",
    ],
    [
      "too many entries",
      { metadata_count: 2n ** 64n - 1n },
      "the count of metadata entries: expected at most 0, received 18446744073709551615",
    ],
    [
      "a key twice",
      { metadata: [kv.u8("a", 1), kv.u8("a", 2)] },
      "a: expected each key once, received it twice",
    ],
    [
      "a key that is too long",
      { metadata: [(b) => b.u64(70_000).raw(new Uint8Array(70_000))] },
      "the length of key 0 of the metadata: expected at most 65535, received 70000",
    ],
    [
      "a key that is no text",
      { metadata: [(b) => b.u64(5).raw([1, 2, 255, 4, 5]).u32(0).raw([0])] },
      "key 0 of the metadata: expected a text in UTF-8, received other bytes",
    ],
    [
      "a type of value",
      { metadata: [(b) => b.text("a").u32(13).u64(0)] },
      "a: type: expected 0 to 12, received 13",
    ],
    ["a bool", { metadata: [kv.bool("a", 2)] }, "a: expected 0 or 1 for a bool, received 2"],
    [
      "an array that claims too much",
      {
        metadata: [
          (b) =>
            b
              .text("a")
              .u32(9)
              .u32(12)
              .u64(2n ** 60n),
        ],
      },
      "the elements of a: expected at most 0, received 1152921504606846976",
    ],
    [
      "texts that claim too much",
      { metadata: [(b) => b.text("a").u32(9).u32(8).u64(9).raw(new Uint8Array(64))] },
      "the elements of a: expected at most 8, received 9",
    ],
    [
      "a text within an array that claims too much",
      { metadata: [(b) => b.text("a").u32(9).u32(8).u64(1).u64(5).raw([1])] },
      "the length of the elements of a: expected at most 1, received 5",
    ],
    [
      "alignment 48",
      { metadata: [kv.u32("general.alignment", 48)] },
      "general.alignment: expected a power of two, received 48",
    ],
    [
      "alignment 0",
      { metadata: [kv.u32("general.alignment", 0)] },
      "general.alignment: expected an integer from 8 to 65536, received 0",
    ],
    ["an empty name", tensor({ name: "" }), "the name of tensor 0: expected a name, received an empty text"],
    [
      "a name that is too long",
      tensor({ name: "n".repeat(257) }),
      "the length of the name of tensor 0: expected at most 256, received 257",
    ],
    ["no dimension", tensor({ dimensions: [] }), "tensor a: expected 1 to 4 dimensions, received 0"],
    [
      "five dimensions",
      tensor({ dimensions: [1, 1, 1, 1, 1] }),
      "tensor a: expected 1 to 4 dimensions, received 5",
    ],
    [
      "a dimension of 0",
      tensor({ dimensions: [4, 0] }),
      "tensor a: dimension 1: expected 1 to 16777216, received 0",
    ],
    [
      "a huge dimension",
      tensor({ dimensions: [2n ** 63n] }),
      "tensor a: dimension 0: expected 1 to 16777216, received 9223372036854775808",
    ],
    [
      "a huge product",
      tensor({ dimensions: [2 ** 24, 2 ** 24, 2 ** 24, 2 ** 24] }),
      "tensor a: expected fewer than 2^50 elements, received [16777216, 16777216, 16777216, 16777216]",
    ],
    [
      "a huge offset",
      tensor({ offset: 2n ** 63n }),
      "tensor a: offset: expected one within the file, received 9223372036854775808",
    ],
    [
      "half a block",
      tensor({ type_id: 8, dimensions: [33] }),
      "tensor a: columns: expected a multiple of 32 for Q8_0, received 33",
    ],
    ["a tensor twice", two({ name: "a" }), "tensor a: expected each tensor once, received it twice"],
    [
      "an overlap",
      two({ offset: 16 }),
      "tensor b: offset: expected 32, received 16, an overlap with the tensor before it",
    ],
    [
      "the same place",
      two({ offset: 0 }),
      "tensor b: offset: expected 32, received 0, an overlap with the tensor before it",
    ],
    ["a gap", two({ offset: 64 }, 96), "tensor b: offset: expected 32, received 64, a gap before it"],
    [
      "a tensor beyond the end",
      two({}, 63),
      "tensor b: expected 32 bytes of F32, received the file's end after 31",
    ],
    ["bytes behind the last tensor", tensor({}, 33), "expected the file's end at 128, received 129 bytes"],
  ];
  test.each(cases)("%s", (_name, file, message) => {
    expect(refusal(() => readFile(file))).toEqual(damaged(`m.gguf: ${message}`));
  });

  test("what is no GGUF file of a known version", () => {
    expect(refusal(() => read(new Uint8Array(0)))).toEqual(
      damaged("m.gguf: the magic: expected 4 bytes at offset 0, received the file's end after 0"),
    );
    expect(refusal(() => read(new TextEncoder().encode("FUGG....")))).toEqual(
      damaged('m.gguf: expected a GGUF file, which begins with "GGUF", received the first word 47475546'),
    );
    for (const [version, shown] of [
      [1, "1"],
      [4, "4"],
      [0x03000000, "3, big-endian"],
    ] as const) {
      expect(refusal(() => readFile({ version }))).toEqual({
        code: "checkpoint_unsupported",
        message: `m.gguf: version: expected 2 or 3, little-endian, received ${shown}. Convert the model with a current converter`,
      });
    }
  });

  test("types that are not decoded, by their names", () => {
    for (const [type_id, name] of [
      [12, "Q4_K"],
      [10, "Q2_K"],
      [39, "MXFP4"],
      [44, "the unknown id 44"],
      [4_000_000_000, "the unknown id 4000000000"],
    ] as const) {
      expect(refusal(() => readFile(tensor({ type_id })))).toEqual({
        code: "checkpoint_unsupported",
        message:
          "m.gguf: tensor a: type: expected one of F32, F16, BF16, Q8_0, Q4_0, Q6_K, STQ1_0, TQ1_0, TQ2_0, " +
          `received ${name}. Use a file of another quantization, or pack the original checkpoint`,
      });
    }
  });
});
