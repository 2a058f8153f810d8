/** Layouts of q6k and int4 and the strided order against zig/format's numbers; no bit serves twice; refusals. */
import { describe, expect, test } from "bun:test";
import { originalColumn } from "../../src/format/column-order.ts";
import { INT4_CHUNK_BYTES, int4Layout, int4Place, int4ScaleIndex } from "../../src/format/int4-layout.ts";
import {
  putQ6kCode,
  Q6K_CODES_BYTES,
  q6kCode,
  q6kLayout,
  q6kSubScalePlace,
} from "../../src/format/q6k-layout.ts";
import { refusal } from "./refusal.ts";

// Printed by a Zig test over format.q6k.Layout.init and format.int4.Layout.init with the same arguments.
// Columns: rows, columns, blocks, sub_scales_offset, scales_offset, bytes.
const Q6K_GOLDEN = [
  [128_256, 2048, 8, 197_001_216, 213_417_984, 215_470_080],
  [32_002, 1536, 6, 36_866_304, 39_938_496, 40_322_520],
  [1, 256, 1, 192, 256, 258],
  [3, 512, 2, 1152, 1280, 1292],
  [65, 768, 3, 37_440, 40_576, 40_966],
] as const;
// Columns: rows, columns, tiles, groups, scales_offset, bytes.
const INT4_GOLDEN = [
  [128_256, 2048, 16_032, 64, 131_334_144, 147_750_912],
  [32_002, 3200, 4001, 100, 51_212_800, 57_614_400],
  [1, 1, 1, 1, 128, 144],
  [9, 33, 2, 2, 512, 576],
  [64, 172, 8, 6, 6144, 6912],
] as const;

describe("q6k", () => {
  test.each(Q6K_GOLDEN)("%d x %d", (rows, columns, blocks, sub_scales_offset, scales_offset, bytes) => {
    expect(q6kLayout({ rows, columns })).toEqual({ blocks, sub_scales_offset, scales_offset, bytes });
  });

  test("every code has bits of its own: any of them put in is found again, and they fill the block", () => {
    const codes = new Uint8Array(1 + Q6K_CODES_BYTES);
    const expected = Array.from({ length: 256 }, (_, column) => (column * 37 + (column >> 3)) % 64);
    for (const [column, code] of expected.entries()) putQ6kCode(codes, 1, column, code);
    expect(expected.map((_, column) => q6kCode(codes, 1, column))).toEqual(expected);
    codes.fill(0);
    for (let column = 0; column < 256; column += 1) putQ6kCode(codes, 1, column, 63);
    expect(codes).toEqual(new Uint8Array(1 + Q6K_CODES_BYTES).fill(255, 1));
  });

  test("sub-scales: even sixteens first", () => {
    expect([0, 1, 2, 3, 14, 15].map(q6kSubScalePlace)).toEqual([0, 8, 1, 9, 7, 15]);
  });

  test("refusals", () => {
    expect(refusal(() => q6kLayout({ rows: 3, columns: 500 }))).toEqual({
      code: "argument_invalid",
      message: "columns of a q6k tensor: expected a multiple of 256, received 500",
    });
    expect(refusal(() => q6kLayout({ rows: 0, columns: 256 })).message).toContain("rows");
    expect(refusal(() => q6kLayout({ rows: 1, columns: 0 })).message).toContain("columns");
    expect(refusal(() => q6kLayout({ rows: 2 ** 30, columns: 2 ** 30 })).message).toContain("2^53 - 1");
  });
});

describe("int4", () => {
  test.each(INT4_GOLDEN)("%d x %d", (rows, columns, tiles, groups, scales_offset, bytes) => {
    expect(int4Layout({ rows, columns })).toEqual({ tiles, groups, scales_offset, bytes });
  });

  test("every nibble of a chunk belongs to one row and column", () => {
    const seen = new Set<string>();
    for (let row = 0; row < 8; row += 1) {
      for (let column = 0; column < 32; column += 1) {
        const { byte, shift } = int4Place(row, column);
        expect(byte).toBeLessThan(INT4_CHUNK_BYTES);
        seen.add(`${byte} ${shift}`);
      }
    }
    expect(seen.size).toBe(256);
    // What zig/format/int4.zig says of these.
    expect(int4Place(3, 6)).toEqual({ byte: 46, shift: 0 });
    expect(int4Place(7, 31)).toEqual({ byte: 127, shift: 4 });
  });

  test("scales: eight rows of a group together", () => {
    const layout = int4Layout({ rows: 20, columns: 70 });
    expect(int4ScaleIndex(layout, 7, 1)).toBe(15);
    expect(int4ScaleIndex(layout, 8, 1)).toBe(32);
  });

  test("refusals", () => {
    expect(refusal(() => int4Layout({ rows: 1.5, columns: 4 })).message).toContain("rows");
    expect(refusal(() => int4Layout({ rows: 1, columns: 0 })).message).toContain("columns");
    expect(refusal(() => int4Layout({ rows: 2 ** 30, columns: 2 ** 30 })).message).toContain("2^53 - 1");
  });
});

describe("the strided order", () => {
  test("four neighbours lie 16 apart, within 64 columns, each original column once", () => {
    const originals = Array.from({ length: 128 }, (_, column) => originalColumn("strided", column));
    expect(originals.slice(0, 9)).toEqual([0, 16, 32, 48, 1, 17, 33, 49, 2]);
    expect(originals.slice(60, 69)).toEqual([15, 31, 47, 63, 64, 80, 96, 112, 65]);
    expect(originals.toSorted((left, right) => left - right)).toEqual(originals.map((_, index) => index));
  });

  test("the natural order changes nothing", () => {
    expect(originalColumn("natural", 77)).toBe(77);
  });
});
