/**
 * The arithmetic of `split8` tensors: an int8 matrix with one f32 scale a row, each value kept as two nibbles in planes of
 * their own, so that a head can be scored by one of them (docs/head.md). value + 120 + dither of the column = 16 * high +
 * low. zig/format/split8.zig says the same to the kernels.
 *
 * Legend: R rows (out_features), K columns (in_features).
 */
import { checked, checkSize, product, roundUp } from "./sizes.ts";

/** Columns of 32 bytes of a plane. K is padded to a multiple of it. */
export const SPLIT8_CHUNK_COLUMNS = 64;
const CHUNK_BYTES = SPLIT8_CHUNK_COLUMNS / 2;
/** Values lie within +-120. */
export const SPLIT8_MAGNITUDE_MAX = 120;
/** "SHERRY_8" in ASCII. */
const DITHER_SEED = 0x5348_4552_5259_5f38n;
/** Columns whose dithers one output of the generator holds. */
const DITHER_COLUMNS = 16;
const PLANE_ALIGNMENT = 64;

/** Where the parts lie, in bytes from the tensor's start: high nibbles, low nibbles, f32 scales [R]. */
export interface Split8Layout {
  readonly padded_columns: number;
  /** Bytes of one row of one plane. */
  readonly row_bytes: number;
  /** Bytes of a plane without the zeros after it. */
  readonly plane_bytes: number;
  readonly low_offset: number;
  readonly scales_offset: number;
  readonly bytes: number;
}

/** @throws SherryError argument_invalid when a size is not a positive integer or the bytes pass 2^53 - 1. */
export function split8Layout({
  rows,
  columns,
}: {
  readonly rows: number;
  readonly columns: number;
}): Split8Layout {
  checkSize("rows", rows);
  checkSize("columns", columns);
  const padded_columns = roundUp(columns, SPLIT8_CHUNK_COLUMNS);
  const row_bytes = padded_columns / 2;
  const plane_bytes = product(rows, row_bytes);
  const low_offset = roundUp(plane_bytes, PLANE_ALIGNMENT);
  const scales_offset = product(low_offset, 2);
  const bytes = checked(scales_offset + product(rows, 4));
  return { padded_columns, row_bytes, plane_bytes, low_offset, scales_offset, bytes };
}

/** Where the nibble of a column lies in a row of a plane. */
export function split8Place(column: number): { byte: number; shift: 0 | 4 } {
  const within = column % SPLIT8_CHUNK_COLUMNS;
  return {
    byte: Math.floor(column / SPLIT8_CHUNK_COLUMNS) * CHUNK_BYTES + (within % CHUNK_BYTES),
    shift: within < CHUNK_BYTES ? 0 : 4,
  };
}

/**
 * The dithers (0 to 15) of columns 0 .. count - 1: the nibbles, lowest first, of the outputs of SplitMix64.
 * Source of the generator: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
 */
export function split8Dithers(count: number): Uint8Array {
  const dithers = new Uint8Array(count);
  let state = DITHER_SEED;
  for (let first = 0; first < count; first += DITHER_COLUMNS) {
    state = BigInt.asUintN(64, state + 0x9e37_79b9_7f4a_7c15n);
    let mixed = BigInt.asUintN(64, (state ^ (state >> 30n)) * 0xbf58_476d_1ce4_e5b9n);
    mixed = BigInt.asUintN(64, (mixed ^ (mixed >> 27n)) * 0x94d0_49bb_1331_11ebn);
    mixed ^= mixed >> 31n;
    for (let column = first; column < Math.min(first + DITHER_COLUMNS, count); column += 1) {
      dithers[column] = Number(mixed & 15n);
      mixed >>= 4n;
    }
  }
  return dithers;
}
