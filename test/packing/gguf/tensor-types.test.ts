/** Tensor types: sizes of blocks, and the ids 42 and 43 told apart by the room that a tensor has. */
import { describe, expect, test } from "bun:test";
import { memorySource } from "../../../src/format/byte-source.ts";
import { readGgufPart } from "../../../src/packing/gguf/part.ts";
import {
  blockSize,
  bytesOf,
  type GgufTensorType,
  resolveTensorType,
  tensorTypeId,
} from "../../../src/packing/gguf/tensor-types.ts";
import { refusal } from "../../format/refusal.ts";
import { fileBytes, kv } from "./gguf-bytes.ts";

test("blocks have ggml's sizes: bits a weight as documented", () => {
  const bits: [GgufTensorType, number, number][] = [
    ["F32", 0, 32],
    ["F16", 1, 16],
    ["Q4_0", 2, 4.5],
    ["Q8_0", 8, 8.5],
    ["Q6_K", 14, 6.5625],
    ["BF16", 30, 16],
    ["TQ1_0", 34, 1.6875],
    ["TQ2_0", 35, 2.0625],
    ["STQ1_0", 43, 1.3125],
  ];
  for (const [type, id, expected] of bits) {
    const block = blockSize(type);
    expect(tensorTypeId(type)).toBe(id);
    expect((block.bytes * 8) / block.columns).toBe(expected);
    expect(bytesOf(block, 512, 1024)).toBe(128 * expected);
    if (id !== 43) expect(resolveTensorType({ ...PLACE, type_id: id })).toBe(type);
  }
  expect(bytesOf(blockSize("STQ1_0"), 128, 256)).toBeNull();
});

const PLACE = {
  where: "m.gguf: tensor a",
  type_id: 0,
  columns: 256,
  elements: 1024,
  extent_bytes: 0,
  alignment: 32,
};

describe("the ids 42 and 43", () => {
  const stq1_bytes = 4 * 42;
  const q2_bytes = 4 * 72;
  const resolve = (type_id: number, extent_bytes: number, changes = {}) =>
    resolveTensorType({ ...PLACE, type_id, extent_bytes, ...changes });

  test("mean STQ1_0 where the room is STQ1_0's, padded or not", () => {
    for (const type_id of [42, 43]) {
      for (const extent_bytes of [stq1_bytes, 192, stq1_bytes + 31]) {
        expect(resolve(type_id, extent_bytes)).toBe("STQ1_0");
      }
    }
  });

  test("are refused where the room is Q2_0's", () => {
    for (const type_id of [42, 43]) {
      expect(refusal(() => resolve(type_id, q2_bytes))).toEqual({
        code: "checkpoint_unsupported",
        message:
          `m.gguf: tensor a: type ${type_id}: expected STQ1_0 (168 bytes), received 288 bytes of room, which make it ` +
          "Q2_0 (288 bytes); Q2_0 is not supported. Use a file of another quantization, or pack the original checkpoint",
      });
    }
  });

  test("are refused where the room is neither's, with both readings", () => {
    for (const extent_bytes of [0, 167, 200, 287, 320]) {
      expect(refusal(() => resolve(42, extent_bytes))).toEqual({
        code: "checkpoint_unsupported",
        message:
          "m.gguf: tensor a: type 42: expected room for exactly one of STQ1_0 (168 bytes) and Q2_0 (288 bytes), " +
          `received ${extent_bytes} bytes of room at an alignment of 32, which fit neither. ` +
          "The file is damaged or its tensors are of a type that is not supported",
      });
    }
  });

  test("where the padding hides which it is, 43 decides and 42 does not", () => {
    expect(resolve(43, 4096, { alignment: 4096 })).toBe("STQ1_0");
    expect(refusal(() => resolve(42, 4096, { alignment: 4096 })).message).toContain("which fit both");
  });

  test("columns that no STQ1_0 block divides can only be Q2_0", () => {
    const changes = { columns: 64, elements: 1024 };
    expect(refusal(() => resolve(42, q2_bytes, changes)).message).toContain(
      "expected STQ1_0 (impossible with 64 columns), received 288 bytes of room, which make it Q2_0 (288 bytes)",
    );
    expect(refusal(() => resolve(42, 100, { columns: 12, elements: 24 })).message).toContain(
      "STQ1_0 (impossible with 12 columns) and Q2_0 (impossible with 12 columns)",
    );
  });
});

describe("in files", () => {
  const file = (type_id: number, first_bytes: number, second_type_id = 0) =>
    fileBytes({
      metadata: [kv.text("general.architecture", "hunyuan-dense")],
      tensors: [
        { name: "w", dimensions: [256, 4], type_id, offset: 0 },
        { name: "n", dimensions: [8], type_id: second_type_id, offset: first_bytes },
      ],
      data: new Uint8Array(first_bytes + 32),
    });
  const read = (bytes: Uint8Array) =>
    readGgufPart(memorySource(bytes), "m.gguf").tensors.map((tensor) => [
      tensor.name,
      tensor.type,
      tensor.bytes,
    ]);

  test("STQ1_0 under both ids", () => {
    for (const type_id of [42, 43]) {
      expect(read(file(type_id, 192))).toEqual([
        ["w", "STQ1_0", 168],
        ["n", "F32", 32],
      ]);
    }
  });

  test("as the last tensor, its room ends with the file", () => {
    for (const data of [168, 192]) {
      const bytes = fileBytes({
        tensors: [{ name: "w", dimensions: [256, 4], type_id: 42, offset: 0 }],
        data: new Uint8Array(data),
      });
      expect(read(bytes)).toEqual([["w", "STQ1_0", 168]]);
    }
  });

  test("Q2_0 under 42 is refused", () => {
    expect(refusal(() => read(file(42, 288))).message).toContain("Q2_0 is not supported");
  });
});
