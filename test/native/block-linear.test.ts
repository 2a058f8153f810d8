/**
 * Matrix products with weights that came as GGUF blocks, and with int4, through the boundary on every level: the same
 * bits as a plain evaluation of the blocks themselves. Integer sums are exact, and the few float operations are done here
 * in the stated order (zig/kernels/sherry_linear.zig, q6k_linear.zig, int4_linear.zig), so nothing needs a tolerance.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Kernels, preparedBytes, usableCpuLevels } from "../../src/native/kernels.ts";
import { NativeMemory } from "../../src/native/memory.ts";
import { type ColumnOrder, type LinearWeight, type NativeRange, rangeOf } from "../../src/native/weight.ts";
import { blocksToCodes } from "../../src/packing/gguf/stq1.ts";
import { encodeQ6k } from "../../src/packing/q6k-blocks.ts";
import { encodeSherryCodes } from "../../src/packing/sherry-codes.ts";
import { int4Tensor, randomNumbers } from "../format/sample-tensors.ts";
import { fusedMultiplyAdd } from "./fused-multiply-add.ts";
import { int8Activations } from "./int8-activations.ts";

/** From the notes on STQ1_0: lane p of an entry in bits 2p and 2p + 1, as 0, 1, 2 for -1, 0, +1. */
const CODEBOOK = (
  "a9 89 29 09 a6 86 26 06 9a 92 1a 12 6a 62 4a 42 " + "01 21 81 a1 04 24 84 a4 10 18 90 98 40 48 60 68"
)
  .split(" ")
  .map((entry) => Number.parseInt(entry, 16));

const at = (numbers: ArrayLike<number>, index: number): number => {
  const value = numbers[index];
  if (value === undefined) throw new RangeError(`no element ${index}`);
  return value;
};
const { fround } = Math;

interface Term {
  readonly sum: number;
  readonly weight_scale: number;
  readonly activation_scale: number;
}

/** y of one row and token of groups of 256: over the blocks in order, (f32(S) * w) * s fused with the addition. */
function addBlocks(terms: readonly Term[]): number {
  return terms.reduce(
    (y, { sum, weight_scale, activation_scale }) =>
      fusedMultiplyAdd(fround(fround(sum) * weight_scale), activation_scale, y),
    0,
  );
}

/** y of one row and token: the sum over segments in order of f32(S) * (s * w), every operation rounded to f32. */
function addTerms(terms: readonly Term[]): number {
  return terms.reduce(
    (y, { sum, weight_scale, activation_scale }) =>
      fround(y + fround(fround(sum) * fround(activation_scale * weight_scale))),
    0,
  );
}

/** Eight lanes, term n in lane n % 8, folded: zig/kernels/lanes.zig. */
function addInLanes(terms: readonly number[]): number {
  const lanes = Array.from({ length: 8 }, (_, lane) =>
    terms.filter((_, index) => index % 8 === lane).reduce((sum, term) => fround(sum + term), 0),
  );
  const four = [0, 1, 2, 3].map((lane) => fround(at(lanes, lane) + at(lanes, lane + 4)));
  return fround(fround(at(four, 0) + at(four, 2)) + fround(at(four, 1) + at(four, 3)));
}

/** A weight (-1, 0, +1) of an STQ1_0 block, found as its description says. */
function stq1Weight(block: Uint8Array, column: number): number {
  const group = Math.floor(column / 64) * 16 + (column % 16);
  const lane = Math.floor((column % 64) / 16);
  const nibbles = at(block, group >> 1);
  const code = group % 2 === 0 ? nibbles & 15 : nibbles >> 4;
  const sign = (at(block, 32 + (group >> 3)) >> (group % 8)) & 1;
  return ((at(CODEBOOK, (sign << 4) | code) >> (2 * lane)) & 3) - 1;
}

function halfAt(bytes: Uint8Array, offset: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getFloat16(offset, true);
}

/** Dot products of a row's blocks with int8 activations, one for each block. */
function stq1Row(blocks: Uint8Array, values: Int8Array): { sum: number; weight_scale: number }[] {
  return Array.from({ length: blocks.length / 42 }, (_, index) => {
    const block = blocks.subarray(index * 42, index * 42 + 42);
    let sum = 0;
    for (let column = 0; column < 256; column += 1) {
      sum += stq1Weight(block, column) * at(values, index * 256 + column);
    }
    return { sum, weight_scale: halfAt(block, 40) };
  });
}

function q6kRow(blocks: Uint8Array, values: Int8Array): { sum: number; weight_scale: number }[] {
  return Array.from({ length: blocks.length / 210 }, (_, index) => {
    const block = blocks.subarray(index * 210, index * 210 + 210);
    let sum = 0;
    for (let column = 0; column < 256; column += 1) {
      const [half, quarter, l] = [column >> 7, (column % 128) >> 5, column % 32];
      const nibbles = at(block, half * 64 + (quarter % 2) * 32 + l);
      const low = quarter < 2 ? nibbles & 15 : nibbles >> 4;
      const high = (at(block, 128 + half * 32 + l) >> (2 * quarter)) & 3;
      const sub_scale = (at(block, 192 + (column >> 4)) << 24) >> 24;
      sum += sub_scale * (low + 16 * high - 32) * at(values, index * 256 + column);
    }
    return { sum, weight_scale: halfAt(block, 208) };
  });
}

/** Random bytes, their f16 scale at `scale_at` replaced by a small number. */
function randomBlocks(
  count: number,
  bytes: number,
  scale_at: number,
  is_signed: boolean,
  seed: number,
): Uint8Array {
  const random = randomNumbers(seed);
  const blocks = Uint8Array.from({ length: count * bytes }, () => Math.floor(random() * 256));
  const view = new DataView(blocks.buffer);
  for (let block = 0; block < count; block += 1) {
    view.setFloat16(block * bytes + scale_at, random() - (is_signed ? 0.5 : 0), true);
  }
  return blocks;
}

describe.each(usableCpuLevels())("level %s", (cpu_level) => {
  let kernels: Kernels;
  let memory: NativeMemory;
  let used = 0;
  beforeAll(() => {
    kernels = Kernels.create({ cpu_level, thread_count: 2 });
    memory = NativeMemory.allocate(8 << 20);
  });
  afterAll(() => {
    kernels.close();
    memory.free();
  });

  const place = (bytes: number): NativeRange => {
    const offset = used;
    used += Math.ceil(bytes / 64) * 64;
    return rangeOf(memory, offset, bytes);
  };
  const viewOf = (range: NativeRange) =>
    memory.view(Number(range.address) - Number(memory.at(0, 1)), range.bytes);
  const put = (bytes: Uint8Array): NativeRange => {
    const range = place(bytes.length);
    viewOf(range).set(bytes);
    return range;
  };

  /** y [tokens][rows] of random activations, and these. */
  function multiply(weight: LinearWeight, tokens: number, column_order: ColumnOrder) {
    const random = randomNumbers(tokens);
    const x = Float32Array.from({ length: tokens * weight.columns }, () => random() * 4 - 2);
    const x_range = put(new Uint8Array(x.buffer));
    const prepared = place(preparedBytes(tokens, weight.columns));
    kernels.prepare(x_range, tokens, weight.columns, prepared, column_order);
    const y_range = place(tokens * weight.rows * 4);
    kernels.linear(weight, { x: x_range, prepared, column_order }, tokens, y_range);
    const y = new Float32Array(viewOf(y_range).slice().buffer);
    const activations = Array.from({ length: tokens }, (_, token) =>
      int8Activations(x.subarray(token * weight.columns, (token + 1) * weight.columns)),
    );
    return { y, activations };
  }

  // One token, and one and several groups of up to eight that share tables; the last two have more columns than one call of
  // a kernel takes for as many tokens.
  test.each([
    [1, 3],
    [3, 3],
    [70, 3],
    [9, 33],
    [2, 65],
  ])(
    "STQ1_0 as strided sherry, %d tokens, %d blocks a row: the dot product of the original blocks",
    (tokens, row_blocks) => {
      const [rows, columns] = [70, row_blocks * 256];
      const blocks = randomBlocks(rows * row_blocks, 42, 40, false, 5);
      const range = put(encodeSherryCodes(rows, columns, blocksToCodes(blocks, "a test")));
      const group = { granularity: "group", group_columns: 256, scale_element: "f16" } as const;
      const weight = { kind: "sherry", range, rows, columns, ...group, column_order: "strided" } as const;
      const { y, activations } = multiply(weight, tokens, "strided");
      const expected = activations.flatMap(({ values, scales }) =>
        Array.from({ length: rows }, (_, row) => {
          const sums = stq1Row(blocks.subarray(row * row_blocks * 42, (row + 1) * row_blocks * 42), values);
          return addBlocks(sums.map((sum, block) => ({ ...sum, activation_scale: at(scales, block) })));
        }),
      );
      expect([...y]).toEqual(expected);
    },
  );

  test.each([1, 5])("Q6_K as q6k, %d tokens: the sums of the original blocks", (tokens) => {
    const [rows, columns] = [9, 2560];
    const blocks = randomBlocks(rows * 10, 210, 208, true, 6);
    const range = put(encodeQ6k(rows, columns, blocks));
    const { y, activations } = multiply({ kind: "q6k", range, rows, columns }, tokens, "natural");
    const expected = activations.flatMap(({ values, scales }) =>
      Array.from({ length: rows }, (_, row) => {
        const sums = q6kRow(blocks.subarray(row * 2100, (row + 1) * 2100), values);
        return addInLanes(
          sums.map(({ sum, weight_scale }, block) =>
            fround(fround(sum) * fround(weight_scale * at(scales, block))),
          ),
        );
      }),
    );
    expect([...y]).toEqual(expected);
  });

  test.each([1, 6])("int4, %d tokens: the sums of its groups", (tokens) => {
    const [rows, columns] = [19, 300];
    const { content, weights } = int4Tensor("w", rows, columns, 7);
    const range = put(content);
    const { y, activations } = multiply({ kind: "int4", range, rows, columns }, tokens, "natural");
    const expected = activations.flatMap(({ values, scales }) =>
      Array.from({ length: rows }, (_, row) =>
        addTerms(
          Array.from({ length: 10 }, (_, group) => {
            const chunk = Math.floor(row / 8) * 10 + group;
            const weight_scale = halfAt(content, 3 * 10 * 128 + (chunk * 8 + (row % 8)) * 2);
            let sum = 0;
            for (let column = group * 32; column < Math.min(columns, group * 32 + 32); column += 1) {
              // Exact: a product of an integer and the scale divided by it again.
              sum += (at(weights, row * columns + column) / weight_scale) * at(values, column);
            }
            return { sum, weight_scale, activation_scale: at(scales, Math.floor(group / 8)) };
          }),
        ),
      ),
    );
    expect([...y]).toEqual(expected);
  });

  test.each([
    ["q6k", 512],
    ["int4", 300],
  ] as const)("embedding rows of %s are its weights", (kind, columns) => {
    const rows = 11;
    const blocks = randomBlocks(rows * 2, 210, 208, true, 8);
    const int4 = int4Tensor("w", rows, columns, 9);
    const range = put(kind === "q6k" ? encodeQ6k(rows, columns, blocks) : int4.content);
    const ids = Uint32Array.of(10, 0, 7);
    const out = place(ids.length * columns * 4);
    kernels.embedding({ kind, range, rows, columns }, ids, out);
    const received = new Float32Array(viewOf(out).slice().buffer);
    const one = new Int8Array(columns);
    const expected = [...ids].flatMap((id) =>
      Array.from({ length: columns }, (_, column) => {
        if (kind === "int4") return at(int4.weights, id * columns + column);
        one.fill(0);
        one[column] = 1;
        const { sum, weight_scale } = q6kRow(blocks.subarray(id * 420, (id + 1) * 420), one)[column >> 8] ?? {
          sum: Number.NaN,
          weight_scale: 1,
        };
        return sum * weight_scale;
      }),
    );
    expect(received.findIndex((value, index) => value !== at(expected, index))).toBe(-1);
  });
});
