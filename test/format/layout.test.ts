/** The layout's numbers against zig/format.zig's, the padding of real shapes, and every refusal. */
import { describe, expect, test } from "bun:test";
import { totalCost } from "../../src/format/accounting.ts";
import {
  byteOfRow,
  decodeCode,
  denseBytes,
  q8Layout,
  rowOfByte,
  scaleIndex,
  sherryLayout,
  signBit,
  type TensorDescription,
  tensorAlignment,
  tensorBytes,
} from "../../src/format/layout.ts";
import { refusal } from "./refusal.ts";

const BY_TENSOR = { granularity: "tensor", group_columns: 0, element: "f32" } as const;
const BY_CHANNEL = { granularity: "channel", group_columns: 0, element: "f32" } as const;
const BY_32 = { granularity: "group", group_columns: 32, element: "bf16" } as const;
const BY_128 = { granularity: "group", group_columns: 128, element: "f16" } as const;
const BY_256 = { granularity: "group", group_columns: 256, element: "f32" } as const;

// Printed by a Zig test over zig/format.zig's SherryLayout.init and Q8Layout.init with the same arguments.
// Columns: rows, columns, scale, then tiles, chunks, codes_bytes, scales_offset, groups, scales_count, bytes.
const SHERRY_GOLDEN = [
  [2048, 2048, BY_TENSOR, 32, 64, 655_360, 655_360, 1, 1, 655_364],
  [2048, 2048, BY_128, 32, 64, 655_360, 655_360, 16, 32_768, 720_896],
  [8192, 2048, BY_CHANNEL, 128, 64, 2_621_440, 2_621_440, 1, 8192, 2_654_208],
  [2048, 8192, BY_256, 32, 256, 2_621_440, 2_621_440, 32, 65_536, 2_883_584],
  [1536, 4096, BY_32, 24, 128, 983_040, 983_040, 128, 196_608, 1_376_256],
  [288, 768, BY_CHANNEL, 5, 24, 38_400, 38_400, 1, 320, 39_680],
  [768, 288, BY_256, 12, 9, 34_560, 34_560, 2, 1536, 40_704],
  [172, 64, BY_128, 3, 2, 1920, 1920, 1, 192, 2304],
  [64, 172, BY_32, 1, 6, 1920, 1920, 6, 384, 2688],
  [1, 4, BY_CHANNEL, 1, 1, 320, 320, 1, 64, 576],
  [65, 36, BY_32, 2, 2, 1280, 1280, 2, 256, 1792],
] as const;

// Columns: rows, columns, padded_columns, groups, scales_offset, bytes.
const Q8_GOLDEN = [
  [2048, 2048, 2048, 64, 4_194_304, 4_456_448],
  [288, 768, 768, 24, 221_184, 235_008],
  [172, 64, 64, 2, 11_008, 11_696],
  [64, 172, 192, 6, 12_288, 13_056],
  [1, 4, 32, 1, 64, 66],
  [65, 36, 64, 2, 4160, 4420],
] as const;

describe("the same numbers as zig/format.zig", () => {
  test.each(SHERRY_GOLDEN)("sherry %d x %d", (rows, columns, scale, ...numbers) => {
    const [tiles, chunks, codes_bytes, scales_offset, groups, scales_count, bytes] = numbers;
    expect(sherryLayout({ rows, columns, ...scale })).toEqual({
      tiles,
      chunks,
      codes_bytes,
      scales_offset,
      groups,
      scales_count,
      bytes,
    });
  });

  test.each(Q8_GOLDEN)("q8 %d x %d", (rows, columns, padded_columns, groups, scales_offset, bytes) => {
    expect(q8Layout({ rows, columns })).toMatchObject({ padded_columns, groups, scales_offset, bytes });
  });

  test("the rows of an index vector", () => {
    const low = Array.from({ length: 32 }, (_, byte) => rowOfByte(byte, 0));
    expect(low).toEqual([
      0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23,
      28, 29, 30, 31,
    ]);
    for (let row = 0; row < 64; row += 1) {
      expect(rowOfByte(byteOfRow(row), Math.floor(row / 32))).toBe(row);
    }
  });

  test("the 32 codes, index by index, positive then negative", () => {
    const characters = Array.from({ length: 32 }, (_, value) =>
      decodeCode(value >> 1, value & 1)
        .map((weight) => ({ "-1": "-", "0": "0", "1": "+" })[String(weight)])
        .join(""),
    );
    expect(characters.join(" ")).toBe(
      "0+++ 0--- 0++- 0--+ 0+-+ 0-+- 0+-- 0-++ +0++ -0-- +0+- -0-+ +0-+ -0+- +0-- -0++ " +
        "++0+ --0- ++0- --0+ +-0+ -+0- +-0- -+0+ +++0 ---0 ++-0 --+0 +-+0 -+-0 +--0 -++0",
    );
  });

  test("scales and sign bits", () => {
    const layout = sherryLayout({ rows: 172, columns: 300, ...BY_128 });
    expect(scaleIndex(layout, BY_128, 0, 0)).toBe(0);
    expect(scaleIndex(layout, BY_128, 70, 130)).toBe(262);
    expect(scaleIndex(layout, BY_128, 171, 299)).toBe(555);
    expect(scaleIndex(layout, BY_CHANNEL, 171, 299)).toBe(171);
    expect(scaleIndex(layout, BY_TENSOR, 171, 299)).toBe(0);
    expect([0, 1, 7].map(signBit)).toEqual([7, 6, 0]);
  });
});

// The same table is in docs/format.md. Extra bytes beyond 1.25 bit a weight: of codes, of f32 scales by channel, of f16
// scales by group of 128.
const PADDING_OF_REAL_SHAPES = [
  ["2048/8192 q, o", 2048, 2048, 0, 0, 0],
  ["2048/8192 gate, up", 8192, 2048, 0, 0, 0],
  ["2048/8192 down", 2048, 8192, 0, 0, 0],
  ["1536/4096 q, o", 1536, 1536, 0, 0, 0],
  ["1536/4096 gate, up", 4096, 1536, 0, 0, 0],
  ["1536/4096 down", 1536, 4096, 0, 0, 0],
  ["288/768 q, o", 288, 288, 1440, 128, 192],
  ["288/768 gate, up", 768, 288, 0, 0, 0],
  ["288/768 down", 288, 768, 3840, 128, 384],
  ["64/172 q, o", 64, 64, 0, 0, 0],
  ["64/172 gate, up", 172, 64, 200, 80, 40],
  ["64/172 down", 64, 172, 200, 0, 0],
] as const;

describe("what real shapes cost", () => {
  test.each(PADDING_OF_REAL_SHAPES)("%s [%d, %d]", (_, rows, columns, codes, by_channel, by_group) => {
    const extra = (scale: TensorDescription["scale"]) => {
      const cost = totalCost([{ kind: "sherry", shape: [rows, columns], scale, column_order: "natural" }]);
      expect(cost.code_bits).toBe(rows * columns * 1.25);
      return cost.padding_bits / 8;
    };
    expect(extra(BY_TENSOR)).toBe(codes);
    expect(extra(BY_CHANNEL)).toBe(codes + by_channel);
    expect(extra(BY_128)).toBe(codes + by_group);
  });

  test("costs add up to the bytes for every kind", () => {
    const descriptions: TensorDescription[] = [
      { kind: "sherry", shape: [172, 64], scale: BY_32, column_order: "natural" },
      { kind: "q8", shape: [35, 44], scale: null, column_order: null },
      { kind: "q6k", shape: [3, 512], scale: null, column_order: null },
      { kind: "int4", shape: [9, 44], scale: null, column_order: null },
      { kind: "f32", shape: [64], scale: null, column_order: null },
      { kind: "bf16", shape: [3, 5], scale: null, column_order: null },
    ];
    for (const description of descriptions) {
      const { code_bits, scale_bits, padding_bits } = totalCost([description]);
      expect(code_bits + scale_bits + padding_bits).toBe(tensorBytes(description) * 8);
    }
    expect(totalCost(descriptions.slice(1, 2))).toEqual({
      weights: 1540,
      code_bits: 1540 * 8,
      scale_bits: 35 * 2 * 16,
      padding_bits: 35 * 20 * 8,
    });
    // 1,152 bytes of codes and 96 of sub-scales, then 32 of zeros before 12 of scales.
    expect(totalCost(descriptions.slice(2, 3))).toEqual({
      weights: 1536,
      code_bits: 1536 * 6,
      scale_bits: 96 * 8 + 6 * 16,
      padding_bits: 32 * 8,
    });
    // Seven rows and twenty columns of each row do not exist.
    expect(totalCost(descriptions.slice(3, 4))).toEqual({
      weights: 396,
      code_bits: 396 * 4,
      scale_bits: 18 * 16,
      padding_bits: (16 * 64 - 396) * 4 + 14 * 16,
    });
  });

  test("alignment: a page from 65,536 bytes on", () => {
    expect([1, 65_535, 65_536].map(tensorAlignment)).toEqual([64, 64, 4096]);
  });
});

describe("refusals", () => {
  test.each([
    [{ rows: 0, columns: 4, ...BY_TENSOR }, "rows: expected an integer of at least 1, received 0"],
    [{ rows: 1.5, columns: 4, ...BY_TENSOR }, "rows: expected an integer of at least 1, received 1.5"],
    [{ rows: 8, columns: -4, ...BY_TENSOR }, "columns: expected an integer of at least 1, received -4"],
    [
      { rows: 8, columns: 6, ...BY_TENSOR },
      "columns of a sherry tensor: expected a multiple of 4, received 6",
    ],
    [
      { rows: 8, columns: 8, ...BY_TENSOR, group_columns: 32 as const },
      "group_columns of scales by tensor: expected 0, received 32",
    ],
    [
      { rows: 8, columns: 8, ...BY_128, group_columns: 0 as const },
      "group_columns of scales by group: expected 32, 64, 128 or 256, received 0",
    ],
    [
      { rows: 2 ** 30, columns: 2 ** 30, ...BY_TENSOR },
      "the size of a tensor: expected at most 2^53 - 1 bytes, received 180143985094819840",
    ],
  ])("sherryLayout %p", (description, message) => {
    expect(refusal(() => sherryLayout(description))).toEqual({ code: "argument_invalid", message });
  });

  test("rows so many that rounding up overflows", () => {
    const description = { rows: Number.MAX_SAFE_INTEGER, columns: 4, ...BY_TENSOR };
    expect(refusal(() => sherryLayout(description)).message).toContain("at most 2^53 - 1 bytes");
  });

  test("q8 and dense", () => {
    expect(refusal(() => q8Layout({ rows: 0, columns: 1 })).message).toContain("rows");
    expect(refusal(() => q8Layout({ rows: 1, columns: Number.NaN })).message).toContain("received NaN");
    expect(refusal(() => q8Layout({ rows: 2 ** 27, columns: 2 ** 27 })).message).toContain("2^53 - 1");
    expect(refusal(() => denseBytes([0], "f32")).message).toContain("a dimension");
    expect(refusal(() => denseBytes([2 ** 27, 2 ** 27], "f16")).message).toContain("2^53 - 1");
    expect(denseBytes([3, 5], "bf16")).toBe(30);
  });

  test("kinds, shapes, scales and column orders that do not go together", () => {
    const natural = { scale: BY_128, column_order: "natural" } as const;
    const none = { scale: null, column_order: null } as const;
    const messageOf = (description: TensorDescription) => refusal(() => tensorBytes(description)).message;
    expect(refusal(() => tensorBytes({ kind: "sherry", shape: [8, 8], ...natural, scale: null }))).toEqual({
      code: "argument_invalid",
      message: "the scale of the sherry tensor: expected a description of its scales, received null",
    });
    expect(messageOf({ kind: "f16", shape: [8, 8], ...none, scale: BY_128 })).toBe(
      "the scale of the f16 tensor: expected null, received a description of scales",
    );
    expect(messageOf({ kind: "sherry", shape: [8, 8], ...natural, column_order: null })).toBe(
      "the column order of the sherry tensor: expected natural or strided, received null",
    );
    for (const kind of ["q8", "q6k", "int4", "f32"] as const) {
      expect(messageOf({ kind, shape: [8, 256], ...none, column_order: "strided" })).toBe(
        `the column order of the ${kind} tensor: expected null, received strided`,
      );
    }
    for (const kind of ["q8", "q6k", "int4"] as const) {
      expect(messageOf({ kind, shape: [8], ...none })).toBe(
        `the shape of the ${kind} tensor: expected [rows, columns], received [8]`,
      );
    }
    expect(messageOf({ kind: "sherry", shape: [8, 96], ...natural, column_order: "strided" })).toBe(
      "columns in strided order: expected a multiple of 64, received 96",
    );
    expect(tensorBytes({ kind: "sherry", shape: [8, 192], ...natural, column_order: "strided" })).toBe(
      tensorBytes({ kind: "sherry", shape: [8, 192], ...natural }),
    );
  });
});
