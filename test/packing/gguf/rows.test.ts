/** Rows of a GGUF tensor in Hugging Face's order, and the llama permutation against its converter's definition. */
import { describe, expect, test } from "bun:test";
import { memorySource } from "../../../src/format/byte-source.ts";
import type { GgufTensor } from "../../../src/packing/gguf/part.ts";
import { huggingFaceRow, matrixOf, readRows, storedRow } from "../../../src/packing/gguf/rows.ts";
import { refusal } from "../../format/refusal.ts";

/** The converter's reshape(heads, 2, half).swapaxes(1, 2), on row numbers. */
function permuted(rows: readonly number[], heads: number): number[] {
  const half = rows.length / heads / 2;
  const result: number[] = [];
  for (let head = 0; head < heads; head += 1) {
    for (let pair = 0; pair < half; pair += 1) {
      for (const part of [0, 1]) result.push(rows[(head * 2 + part) * half + pair] ?? -1);
    }
  }
  return result;
}

/** A tensor of F32 rows [rows][2], its values given in the order they are stored. */
function tensorOf(stored_rows: readonly number[], extra_dimensions: readonly number[] = []): GgufTensor {
  const values = Float32Array.from(stored_rows.flatMap((row) => [row, -row]));
  const source = memorySource(Uint8Array.from([9, 9, 9, 9, ...new Uint8Array(values.buffer)]));
  return {
    ...{ name: "blk.0.attn_q.weight", type: "F32", file_name: "m.gguf", source, offset: 4 },
    dimensions: [2, stored_rows.length, ...extra_dimensions],
    shape: [stored_rows.length, 2],
    bytes: values.byteLength,
  };
}

const firstColumn = (bytes: Uint8Array) =>
  [...new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)].filter(
    (_, index) => index % 2 === 0,
  );

describe("the permutation", () => {
  test.each([
    [4, 8],
    [1, 2],
    [3, 64],
    [2, 128],
  ])("of %p heads of %p is the converter's, and its inverse undoes it", (heads, head_dim) => {
    const rows = Array.from({ length: heads * head_dim }, (_, row) => row);
    const stored = permuted(rows, heads);
    for (const row of rows) {
      expect(stored[storedRow(row, head_dim)]).toBe(row);
      expect(huggingFaceRow(storedRow(row, head_dim), head_dim)).toBe(row);
      expect(huggingFaceRow(row, head_dim)).toBe(stored[row] ?? -1);
    }
  });

  test("is undone by readRows, for every range", () => {
    const rows = Array.from({ length: 24 }, (_, row) => row);
    const tensor = tensorOf(permuted(rows, 3));
    for (let first = 0; first < 24; first += 1) {
      for (let count = 1; first + count <= 24; count += 1) {
        expect(firstColumn(readRows(tensor, first, count, 8))).toEqual(rows.slice(first, first + count));
      }
    }
  });
});

test("rows without a permutation come as they are stored", () => {
  expect(firstColumn(readRows(tensorOf([5, 3, 1]), 1, 2, null))).toEqual([3, 1]);
});

test("a vector is one row; more dimensions than two are refused unless they are 1", () => {
  expect(matrixOf({ ...tensorOf([1]), dimensions: [7] })).toEqual({ rows: 1, columns: 7 });
  expect(matrixOf({ ...tensorOf([1]), dimensions: [7, 3, 1] })).toEqual({ rows: 3, columns: 7 });
  expect(refusal(() => matrixOf(tensorOf([1], [8])))).toEqual({
    code: "checkpoint_unsupported",
    message:
      "m.gguf: tensor blk.0.attn_q.weight: expected a matrix or a vector, received [2, 1, 8]. " +
      "Mixtures of experts are not supported",
  });
});

test("rows outside, and rows that are no whole heads", () => {
  const tensor = tensorOf([1, 2, 3, 4]);
  for (const [first, count] of [
    [-1, 1],
    [0, 0],
    [3, 2],
  ] as const) {
    expect(refusal(() => readRows(tensor, first, count, null))).toEqual({
      code: "argument_invalid",
      message: `rows of tensor blk.0.attn_q.weight: expected some of 0 to 3, received ${count} from ${first} on`,
    });
  }
  for (const head_dim of [8, 3]) {
    expect(refusal(() => readRows(tensor, 0, 1, head_dim))).toEqual({
      code: "checkpoint_invalid",
      message: `m.gguf: rows of tensor blk.0.attn_q.weight: expected a multiple of the head's ${head_dim}, which is even, received 4`,
    });
  }
});
