/**
 * GGUF's Q6_K blocks to the parts of a `q6k` tensor and back, byte for byte: the same codes, sub-scales and scales in
 * another order (docs/format.md). A Q6_K block is `ql[128]`, `qh[64]`, `scales[16]`, `d` (f16); in each of its two halves of
 * 128 columns, byte l of 32 speaks of columns l, 32 + l, 64 + l and 96 + l.
 * Source: ggml-common.h (block_q6_K), ggml-quants.c (dequantize_row_q6_K).
 *
 * Legend: R rows, K columns, N = K / 256 blocks of a row.
 */
import { SherryError } from "../errors.ts";
import { Q6K_CODES_BYTES, Q6K_SUB_SCALES, q6kLayout, q6kSubScalePlace } from "../format/q6k-layout.ts";

export const Q6K_BYTES = 210;
const HIGH_OFFSET = 128;
const SUB_SCALES_OFFSET = 192;
const SCALE_OFFSET = 208;
/** Of each half of a block: the low nibbles, the high pairs, our codes. */
const HALF = { low_bytes: 64, high_bytes: 32, codes_bytes: 96 } as const;
const F16_EXPONENT = 0x7c00;

/** A run of blocks taken apart: codes [blocks][192], sub-scales [blocks][16], f16 scale bits [blocks]. */
export interface Q6kParts {
  readonly codes: Uint8Array;
  readonly sub_scales: Uint8Array;
  readonly scales: Uint16Array;
}

/** Parts for that many blocks, all zero. */
export function emptyQ6kParts(blocks: number): Q6kParts {
  return {
    codes: new Uint8Array(blocks * Q6K_CODES_BYTES),
    sub_scales: new Uint8Array(blocks * Q6K_SUB_SCALES),
    scales: new Uint16Array(blocks),
  };
}

/**
 * Takes Q6_K blocks apart into `parts`, all of which is written.
 * @returns the index of the first block whose scale is an infinity or a NaN, which a tensor cannot have; null: none
 * @throws SherryError argument_invalid when the lengths do not fit together
 */
export function splitQ6kBlocks(blocks: Uint8Array, parts: Q6kParts): number | null {
  const count = checkParts(blocks, parts);
  let found: number | null = null;
  for (let block = 0; block < count; block += 1) {
    const start = block * Q6K_BYTES;
    for (let half = 0; half < 2; half += 1) {
      splitHalf(
        blocks,
        start + half * HALF.low_bytes,
        start + HIGH_OFFSET + half * HALF.high_bytes,
        parts.codes,
        block * Q6K_CODES_BYTES + half * HALF.codes_bytes,
      );
    }
    for (let number = 0; number < Q6K_SUB_SCALES; number += 1) {
      const place = block * Q6K_SUB_SCALES + q6kSubScalePlace(number);
      parts.sub_scales[place] = blocks[start + SUB_SCALES_OFFSET + number] ?? 0;
    }
    const bits = (blocks[start + SCALE_OFFSET] ?? 0) | ((blocks[start + SCALE_OFFSET + 1] ?? 0) << 8);
    if ((bits & F16_EXPONENT) === F16_EXPONENT) found ??= block;
    parts.scales[block] = bits;
  }
  return found;
}

/** The inverse of splitQ6kBlocks. @throws SherryError argument_invalid */
export function joinQ6kBlocks(parts: Q6kParts): Uint8Array<ArrayBuffer> {
  const count = parts.scales.length;
  const blocks = new Uint8Array(count * Q6K_BYTES);
  checkParts(blocks, parts);
  for (let block = 0; block < count; block += 1) {
    const start = block * Q6K_BYTES;
    for (let half = 0; half < 2; half += 1) {
      joinHalf(
        parts.codes,
        block * Q6K_CODES_BYTES + half * HALF.codes_bytes,
        blocks,
        start + half * HALF.low_bytes,
        start + HIGH_OFFSET + half * HALF.high_bytes,
      );
    }
    for (let number = 0; number < Q6K_SUB_SCALES; number += 1) {
      const place = block * Q6K_SUB_SCALES + q6kSubScalePlace(number);
      blocks[start + SUB_SCALES_OFFSET + number] = parts.sub_scales[place] ?? 0;
    }
    const bits = parts.scales[block] ?? 0;
    blocks[start + SCALE_OFFSET] = bits & 255;
    blocks[start + SCALE_OFFSET + 1] = bits >> 8;
  }
  return blocks;
}

/** Our first three vectors hold columns l, 32 + l, 64 + l, and in their upper bits column 96 + l. */
function splitHalf(blocks: Uint8Array, low_at: number, high_at: number, codes: Uint8Array, at: number): void {
  for (let l = 0; l < 32; l += 1) {
    const first = blocks[low_at + l] ?? 0;
    const second = blocks[low_at + 32 + l] ?? 0;
    const high = blocks[high_at + l] ?? 0;
    const last = (second >> 4) | ((high >> 6) << 4);
    codes[at + l] = (first & 15) | ((high & 3) << 4) | ((last & 3) << 6);
    codes[at + 32 + l] = (second & 15) | (((high >> 2) & 3) << 4) | (((last >> 2) & 3) << 6);
    codes[at + 64 + l] = (first >> 4) | (((high >> 4) & 3) << 4) | ((last >> 4) << 6);
  }
}

function joinHalf(codes: Uint8Array, at: number, blocks: Uint8Array, low_at: number, high_at: number): void {
  for (let l = 0; l < 32; l += 1) {
    const first = codes[at + l] ?? 0;
    const second = codes[at + 32 + l] ?? 0;
    const third = codes[at + 64 + l] ?? 0;
    const last = (first >> 6) | ((second >> 6) << 2) | ((third >> 6) << 4);
    blocks[low_at + l] = (first & 15) | ((third & 15) << 4);
    blocks[low_at + 32 + l] = (second & 15) | ((last & 15) << 4);
    blocks[high_at + l] =
      ((first >> 4) & 3) | (((second >> 4) & 3) << 2) | (((third >> 4) & 3) << 4) | ((last >> 4) << 6);
  }
}

/**
 * All bytes of a `q6k` tensor [R, K] from its Q6_K blocks, row after row; the caller owns them.
 * @throws SherryError argument_invalid when sizes and lengths do not fit; numbers_not_finite
 */
export function encodeQ6k(rows: number, columns: number, blocks: Uint8Array): Uint8Array<ArrayBuffer> {
  const layout = q6kLayout({ rows, columns });
  const parts = emptyQ6kParts(rows * layout.blocks);
  const found = splitQ6kBlocks(blocks, parts);
  if (found !== null) {
    throw new SherryError("numbers_not_finite", `the scale of Q6_K block ${found}`, {
      expected: "a finite number",
      received: "an infinity or a NaN",
      next_step: "The file is damaged; get it again",
    });
  }
  const bytes = new Uint8Array(layout.bytes);
  bytes.set(parts.codes, 0);
  bytes.set(parts.sub_scales, layout.sub_scales_offset);
  bytes.set(scaleBytes(parts.scales), layout.scales_offset);
  return bytes;
}

/**
 * The Q6_K blocks that a `q6k` tensor was made of, row after row.
 * @param bytes exactly the tensor's bytes, at any alignment
 * @throws SherryError argument_invalid
 */
export function decodeQ6k(rows: number, columns: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const layout = q6kLayout({ rows, columns });
  if (bytes.length !== layout.bytes) throw wrongLength("bytes of the tensor", layout.bytes, bytes.length);
  const cells = rows * layout.blocks;
  const { sub_scales_offset, scales_offset } = layout;
  return joinQ6kBlocks({
    codes: bytes.subarray(0, sub_scales_offset),
    sub_scales: bytes.subarray(sub_scales_offset, sub_scales_offset + cells * Q6K_SUB_SCALES),
    // A copy starts at an even address, which a view of sixteen bits needs.
    scales: new Uint16Array(bytes.slice(scales_offset).buffer),
  });
}

function scaleBytes(scales: Uint16Array): Uint8Array {
  return new Uint8Array(scales.buffer, scales.byteOffset, scales.byteLength);
}

/** How many blocks there are. */
function checkParts(blocks: Uint8Array, { codes, sub_scales, scales }: Q6kParts): number {
  const count = scales.length;
  if (blocks.length !== count * Q6K_BYTES) {
    throw wrongLength("bytes of Q6_K blocks", count * Q6K_BYTES, blocks.length);
  }
  if (codes.length !== count * Q6K_CODES_BYTES) {
    throw wrongLength("codes of Q6_K blocks", count * Q6K_CODES_BYTES, codes.length);
  }
  if (sub_scales.length !== count * Q6K_SUB_SCALES) {
    throw wrongLength("sub-scales of Q6_K blocks", count * Q6K_SUB_SCALES, sub_scales.length);
  }
  return count;
}

function wrongLength(what: string, expected: number, received: number): SherryError {
  return new SherryError("argument_invalid", what, {
    expected: String(expected),
    received: String(received),
  });
}
