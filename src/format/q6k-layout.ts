/**
 * The arithmetic of `q6k` tensors: the numbers of GGUF's Q6_K blocks (ggml-common.h, block_q6_K) in another order. A block
 * is 256 columns of a row: 256 six-bit codes, sixteen int8 sub-scales (one for 16 columns) and one f16 scale; weight =
 * scale * sub-scale * (code - 32). zig/format/q6k.zig says the same to the kernels.
 *
 * Legend: R rows (out_features), K columns (in_features), N = K / 256 blocks of a row.
 */
import { checked, checkMultiple, checkSize, product, roundUp } from "./sizes.ts";

export const Q6K_BLOCK_COLUMNS = 256;
/** Columns that share a sub-scale. */
export const Q6K_SUB_COLUMNS = 16;
export const Q6K_SUB_SCALES = Q6K_BLOCK_COLUMNS / Q6K_SUB_COLUMNS;
/** The codes of a block: two halves of 128 columns, three vectors of 32 bytes each. */
export const Q6K_CODES_BYTES = 192;
export const Q6K_HALF_COLUMNS = 128;
const HALF_BYTES = Q6K_CODES_BYTES / 2;
const VECTOR_BYTES = 32;
/** A code stands for code - 32. */
export const Q6K_OFFSET = 32;

/** Where the parts lie, in bytes from the tensor's start: codes [R][N][192], sub-scales [R][N][16], f16 scales [R][N]. */
export interface Q6kLayout {
  /** N */
  readonly blocks: number;
  readonly sub_scales_offset: number;
  readonly scales_offset: number;
  readonly bytes: number;
}

/** @throws SherryError argument_invalid when a size is not a positive integer, K is no multiple of 256, or past 2^53. */
export function q6kLayout({ rows, columns }: { readonly rows: number; readonly columns: number }): Q6kLayout {
  checkSize("rows", rows);
  checkSize("columns", columns);
  checkMultiple("columns of a q6k tensor", columns, Q6K_BLOCK_COLUMNS);
  const blocks = columns / Q6K_BLOCK_COLUMNS;
  const cells = product(rows, blocks);
  const sub_scales_offset = product(cells, Q6K_CODES_BYTES);
  const scales_offset = roundUp(checked(sub_scales_offset + cells * Q6K_SUB_SCALES), 64);
  return { blocks, sub_scales_offset, scales_offset, bytes: checked(scales_offset + cells * 2) };
}

/**
 * The code (0..63) of a block's column (0..255); `codes_at` is where the block's codes start. Byte i of vector m (0..2) of a
 * half holds in its low six bits the code of the half's column 32 m + i, and in its upper two bits the bits 2 m and 2 m + 1
 * of the code of column 96 + i.
 */
export function q6kCode(bytes: Uint8Array, codes_at: number, column: number): number {
  const start = codes_at + Math.floor(column / Q6K_HALF_COLUMNS) * HALF_BYTES;
  const within = column % Q6K_HALF_COLUMNS;
  if (within < HALF_BYTES) return (bytes[start + within] ?? 0) & 63;
  const upperBits = (vector: number) =>
    (bytes[start + vector * VECTOR_BYTES + within - HALF_BYTES] ?? 0) >> 6;
  return upperBits(0) | (upperBits(1) << 2) | (upperBits(2) << 4);
}

/** Puts a code (0..63) where q6kCode finds it; the bytes held zeros there. */
export function putQ6kCode(bytes: Uint8Array, codes_at: number, column: number, code: number): void {
  const start = codes_at + Math.floor(column / Q6K_HALF_COLUMNS) * HALF_BYTES;
  const within = column % Q6K_HALF_COLUMNS;
  if (within < HALF_BYTES) {
    bytes[start + within] = (bytes[start + within] ?? 0) | code;
    return;
  }
  for (let vector = 0; vector < 3; vector += 1) {
    const at = start + vector * VECTOR_BYTES + within - HALF_BYTES;
    bytes[at] = (bytes[at] ?? 0) | (((code >> (2 * vector)) & 3) << 6);
  }
}

/** Where the sub-scale of a block's columns 16 n .. 16 n + 15 lies among the block's sixteen: even n first, then odd. */
export function q6kSubScalePlace(number: number): number {
  return (number % 2) * (Q6K_SUB_SCALES / 2) + Math.floor(number / 2);
}
