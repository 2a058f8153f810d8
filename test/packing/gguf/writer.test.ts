/** Writing GGUF: the same bytes as an independent encoder's, deterministic, and nothing left behind by an error. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openGguf } from "../../../src/packing/gguf/reader.ts";
import { type GgufContents, type GgufValue, writeGguf } from "../../../src/packing/gguf/writer.ts";
import { asyncRefusal, type Refusal } from "../../format/refusal.ts";
import { inTemporaryFolder } from "../../format/sample-file.ts";
import { fileBytes, kv } from "./gguf-bytes.ts";

const METADATA = new Map<string, GgufValue>([
  ["general.architecture", { type: "string", value: "llama" }],
  ["a", { type: "uint8", value: 255 }],
  ["b", { type: "int16", value: -2 }],
  ["c", { type: "uint64", value: 2n ** 63n }],
  ["d", { type: "float32", value: 0.1 }],
  ["e", { type: "float64", value: 0.1 }],
  ["f", { type: "bool", value: 1 }],
  ["g", { type: "array", element: "string", values: ["\u00e9", ""] }],
  ["h", { type: "array", element: "int32", values: [-1, 7] }],
]);
const EXPECTED_METADATA = [
  kv.text("general.architecture", "llama"),
  kv.u8("a", 255),
  kv.i16("b", -2),
  kv.u64("c", 2n ** 63n),
  kv.f32("d", 0.1),
  kv.f64("e", 0.1),
  kv.bool("f", 1),
  kv.texts("g", ["\u00e9", ""]),
  kv.i32s("h", [-1, 7]),
];

const blocks = Uint8Array.from({ length: 42 }, (_, index) => index);
const contents: GgufContents = {
  metadata: METADATA,
  tensors: [
    {
      name: "w",
      type: "STQ1_0",
      dimensions: [256, 1],
      write: (sink) => {
        sink(blocks.subarray(0, 10));
        sink(blocks.subarray(10));
      },
    },
    { name: "n", type: "F32", dimensions: [2], write: async (sink) => sink(new Uint8Array(8).fill(9)) },
  ],
};

async function written(given: GgufContents): Promise<Uint8Array> {
  let bytes = new Uint8Array(0);
  await inTemporaryFolder(async (folder) => {
    const path = join(folder, "m.gguf");
    const { file_bytes } = await writeGguf(path, given);
    bytes = new Uint8Array(readFileSync(path));
    expect(bytes).toHaveLength(file_bytes);
    expect(readdirSync(folder)).toEqual(["m.gguf"]);
    openGguf(path).close();
  });
  return bytes;
}

describe("a written file", () => {
  const expected = (type_id: number, alignment: number, metadata = EXPECTED_METADATA) => {
    const data = new Uint8Array(2 * Math.max(64, alignment));
    const second = Math.ceil(42 / alignment) * alignment;
    data.set(blocks);
    data.fill(9, second, second + 8);
    return fileBytes({
      metadata,
      alignment,
      tensors: [
        { name: "w", dimensions: [256, 1], type_id, offset: 0 },
        { name: "n", dimensions: [2], type_id: 0, offset: second },
      ],
      data: data.subarray(0, second + alignment),
    });
  };

  test("has the bytes of the independent encoder, twice the same", async () => {
    const bytes = await written(contents);
    expect(bytes).toEqual(expected(43, 32));
    expect(await written(contents)).toEqual(bytes);
  });

  test("has the legacy id and another alignment when asked", async () => {
    expect(await written({ ...contents, legacy_stq1_id: true })).toEqual(expected(42, 32));
    const metadata = [...EXPECTED_METADATA, kv.u32("general.alignment", 128)];
    expect(await written({ ...contents, alignment: 128 })).toEqual(expected(43, 128, metadata));
  });

  test("may hold no tensor", async () => {
    expect(await written({ metadata: METADATA, tensors: [] })).toEqual(
      fileBytes({ metadata: EXPECTED_METADATA }),
    );
  });

  test("takes the place of an older one only when it is whole", async () => {
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, "m.gguf");
      writeFileSync(path, "older");
      const failing: GgufContents = {
        metadata: METADATA,
        tensors: [
          {
            name: "n",
            type: "F32",
            dimensions: [2],
            write: () => {
              throw new Error("the source broke");
            },
          },
        ],
      };
      await expect(writeGguf(path, failing)).rejects.toThrow("the source broke");
      expect(readFileSync(path, "utf8")).toBe("older");
      expect(readdirSync(folder)).toEqual(["m.gguf"]);
      await writeGguf(path, contents);
      expect(readFileSync(path).length).toBeGreaterThan(200);
    });
  });
});

describe("refusals", () => {
  const refuse = async (given: Partial<GgufContents>): Promise<Refusal[]> => {
    const found: Refusal[] = [];
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, "m.gguf");
      found.push(await asyncRefusal(() => writeGguf(path, { ...contents, ...given })));
      expect(existsSync(path)).toBe(false);
    });
    return found;
  };
  const tensor = (name: string, dimensions: readonly number[], bytes = 8) => ({
    ...{ name, dimensions, type: "F32" as const },
    write: (sink: (bytes: Uint8Array) => void) => sink(new Uint8Array(bytes)),
  });
  const value = (entry: GgufValue) => ({ metadata: new Map([["a", entry]]) });
  const cases: [string, Partial<GgufContents>, string][] = [
    ["alignment", { alignment: 48 }, "alignment: expected a power of two from 8 to 65536, received 48"],
    [
      "an alignment of its own",
      { metadata: new Map([["general.alignment", { type: "uint32", value: 32 }]]) },
      "metadata: expected no general.alignment, which the alignment option sets, received one",
    ],
    [
      "a name twice",
      { tensors: [tensor("a", [2]), tensor("a", [2])] },
      'tensor names: expected each once, and none empty, received "a"',
    ],
    [
      "no name",
      { tensors: [tensor("", [2])] },
      'tensor names: expected each once, and none empty, received ""',
    ],
    [
      "no dimensions",
      { tensors: [tensor("a", [])] },
      "the dimensions of tensor a: expected 1 to 4 sizes, the first a multiple of 1 for F32, received []",
    ],
    [
      "half a block",
      { tensors: [{ ...tensor("a", [255]), type: "Q6_K" }] },
      "the dimensions of tensor a: expected 1 to 4 sizes, the first a multiple of 256 for Q6_K, received [255]",
    ],
    [
      "too few bytes",
      { tensors: [tensor("a", [3])] },
      "the bytes of tensor a: expected 12 for F32 [3], received 8",
    ],
    [
      "too many bytes",
      { tensors: [tensor("a", [1])] },
      "the bytes of tensor a: expected 4 for F32 [1], received at least 8",
    ],
    [
      "an integer out of range",
      value({ type: "uint8", value: 256 }),
      "a value of type uint8: expected an unsigned integer of 8 bits, received 256",
    ],
    [
      "a fraction",
      value({ type: "int32", value: 0.5 }),
      "a value of type int32: expected a signed integer of 32 bits, received 0.5",
    ],
    [
      "a bool of 2",
      value({ type: "bool", value: 2 }),
      "a value of type bool: expected an unsigned integer of 1 bits, received 2",
    ],
    [
      "half a character",
      value({ type: "string", value: "\ud800" }),
      'a text of the metadata: expected whole characters, received "\\ud800"',
    ],
  ];
  test.each(cases)("%s", async (_name, given, message) => {
    expect(await refuse(given)).toEqual([{ code: "argument_invalid", message }]);
  });
});
