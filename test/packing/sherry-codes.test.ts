/** Codes to a tensor's bytes and back: against the unpacker, tile by tile and at once, odd sizes, and what is refused. */
import { describe, expect, test } from "bun:test";
import { decodeCode, sherryLayout, TILE_ROWS } from "../../src/format/layout.ts";
import { unpackTensor } from "../../src/format/unpack.ts";
import {
  collectScales,
  decodeSherryCodes,
  decodeTileCodes,
  encodeSherryCodes,
  encodeTileCodes,
  SCALE_BY_256,
  type SherryCodes,
  tileCodesBytes,
} from "../../src/packing/sherry-codes.ts";
import { refusal } from "../format/refusal.ts";
import { randomNumbers } from "../format/sample-tensors.ts";

const SHAPES = [
  [1, 4],
  [31, 32],
  [33, 36],
  [64, 256],
  [65, 260],
  [130, 1028],
] as const;

function randomCodes(rows: number, columns: number, seed: number): SherryCodes {
  const random = randomNumbers(seed);
  return {
    codes: Uint8Array.from({ length: (rows * columns) / 4 }, () => Math.floor(random() * 32)),
    // Any finite f16 that is not negative.
    scales: Uint16Array.from({ length: rows * Math.ceil(columns / 256) }, () =>
      Math.floor(random() * 0x7c00),
    ),
  };
}

describe.each(SHAPES)("%d x %d", (rows, columns) => {
  const given = randomCodes(rows, columns, rows + columns);
  const bytes = encodeSherryCodes(rows, columns, given);

  test("the bytes mean the codes", () => {
    const description = { kind: "sherry", shape: [rows, columns], scale: SCALE_BY_256 } as const;
    const groups = Math.ceil(columns / 256);
    const scales = new Float16Array(given.scales.buffer);
    const expected = Float32Array.from({ length: rows * columns }, (_, index) => {
      const [row, column] = [Math.floor(index / columns), index % columns];
      const code = given.codes[index >> 2] ?? 0;
      const scale = scales[row * groups + (column >> 8)] ?? 0;
      return (decodeCode(code & 15, code >> 4)[column % 4] ?? 0) * scale;
    });
    const unpacked = unpackTensor({ ...description, column_order: "natural" }, bytes);
    expect(unpacked.findIndex((weight, index) => weight !== expected[index])).toBe(-1);
  });

  test("and give the codes back, from any address", () => {
    expect(decodeSherryCodes(rows, columns, bytes)).toEqual(given);
    const moved = new Uint8Array(bytes.length + 1);
    moved.set(bytes, 1);
    expect(decodeSherryCodes(rows, columns, moved.subarray(1))).toEqual(given);
  });

  test("tile by tile it is the same, whatever the tile held before", () => {
    const { scales_offset, scales_count } = sherryLayout({ rows, columns, ...SCALE_BY_256 });
    const tile = new Uint8Array(tileCodesBytes(columns)).fill(0xa5);
    for (let row = 0; row < rows; row += TILE_ROWS) {
      const codes = given.codes.subarray(
        (row * columns) / 4,
        (Math.min(rows, row + TILE_ROWS) * columns) / 4,
      );
      encodeTileCodes(codes, columns, tile);
      const start = (row / TILE_ROWS) * tile.length;
      expect(tile).toEqual(bytes.subarray(start, start + tile.length));
      const decoded = new Uint8Array(codes.length).fill(0xa5);
      decodeTileCodes(tile, columns, decoded);
      expect(decoded).toEqual(new Uint8Array(codes));
    }
    const stored = new Uint16Array(bytes.slice(scales_offset).buffer);
    expect(stored.length).toBe(scales_count);
    expect(collectScales(rows, columns, stored)).toEqual(new Uint16Array(given.scales));
  });
});

describe("refusals", () => {
  const { codes, scales } = randomCodes(3, 8, 1);
  const tile = new Uint8Array(320);

  test.each([
    [() => encodeTileCodes(codes, 8, new Uint8Array(319)), "bytes of a tile: expected 320, received 319"],
    [
      () => encodeTileCodes(codes.subarray(1), 8, tile),
      "codes of a tile: expected 1 to 64 rows of 2, received 5",
    ],
    [
      () => encodeTileCodes(new Uint8Array(0), 8, tile),
      "codes of a tile: expected 1 to 64 rows of 2, received 0",
    ],
    [
      () => decodeTileCodes(tile, 8, new Uint8Array(130)),
      "codes of a tile: expected 1 to 64 rows of 2, received 130",
    ],
    [() => encodeSherryCodes(4, 8, { codes, scales }), "codes: expected 8, received 6"],
    [() => encodeSherryCodes(3, 8, { codes, scales: new Uint16Array(4) }), "scales: expected 3, received 4"],
    [() => decodeSherryCodes(3, 8, tile), "bytes of the tensor: expected 448, received 320"],
    [() => collectScales(3, 8, scales), "scales of the tensor: expected 64, received 3"],
    [
      () => encodeSherryCodes(3, 6, { codes, scales }),
      "columns of a sherry tensor: expected a multiple of 4, received 6",
    ],
  ])("%#", (work, message) => {
    expect(refusal(work)).toEqual({ code: "argument_invalid", message });
  });
});
