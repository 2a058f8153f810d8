/**
 * The arithmetic of `int4` tensors: four bits a weight, one f16 scale for 32 columns of a row; weight = scale *
 * (nibble - 8). Eight rows lie side by side, four columns of each in 32 bytes. zig/format/int4.zig says the same to the
 * kernels.
 *
 * Legend: R rows (out_features), K columns (in_features), T tiles of eight rows, G groups of 32 columns.
 */
import { checked, checkSize, product, roundUp } from "./sizes.ts";

/** Columns that share one scale. */
export const INT4_GROUP_COLUMNS = 32;
/** Rows whose codes lie side by side. R is padded to a multiple of it. */
export const INT4_TILE_ROWS = 8;
/** The codes of a tile's group: four vectors of 32 bytes. */
export const INT4_CHUNK_BYTES = 128;
/** A nibble stands for nibble - 8. */
export const INT4_OFFSET = 8;
const VECTOR_BYTES = 32;

/** Where the parts lie, in bytes from the tensor's start: codes [T][G][128], then f16 scales [T][G][8]. */
export interface Int4Layout {
  readonly tiles: number;
  readonly groups: number;
  /** Always a multiple of 64. */
  readonly scales_offset: number;
  readonly bytes: number;
}

/** @throws SherryError argument_invalid when a size is not a positive integer or the bytes pass 2^53 - 1. */
export function int4Layout({
  rows,
  columns,
}: {
  readonly rows: number;
  readonly columns: number;
}): Int4Layout {
  checkSize("rows", rows);
  checkSize("columns", columns);
  const tiles = roundUp(rows, INT4_TILE_ROWS) / INT4_TILE_ROWS;
  const groups = roundUp(columns, INT4_GROUP_COLUMNS) / INT4_GROUP_COLUMNS;
  const chunks = product(tiles, groups);
  const scales_offset = product(chunks, INT4_CHUNK_BYTES);
  return { tiles, groups, scales_offset, bytes: checked(scales_offset + chunks * INT4_TILE_ROWS * 2) };
}

/** Where the scale of (row, group) lies among the scales, counted in scales. */
export function int4ScaleIndex(layout: Int4Layout, row: number, group: number): number {
  return (Math.floor(row / INT4_TILE_ROWS) * layout.groups + group) * INT4_TILE_ROWS + (row % INT4_TILE_ROWS);
}

/**
 * Where the nibble of a tile's row (0..7) and a group's column (0..31) lies in their chunk. Vector v (0..3) holds the eight
 * rows' columns 4 v .. 4 v + 3 in its low nibbles and their columns 16 + 4 v .. 16 + 4 v + 3 in its high ones.
 */
export function int4Place(row: number, column: number): { byte: number; shift: 0 | 4 } {
  const within = column % 16;
  return {
    byte: Math.floor(within / 4) * VECTOR_BYTES + row * 4 + (within % 4),
    shift: column < 16 ? 0 : 4,
  };
}
