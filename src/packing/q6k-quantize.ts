/**
 * Floats to GGUF's Q6_K blocks. The choice of scales is ours and simple: in each 16 columns the weight of largest
 * magnitude, sign included, is what code 0 (-32) stands for; the block's scale makes the largest of the sixteen
 * sub-scales 127. Codes are then rounded with the scales as they are stored, halves away from zero.
 */
import { Q6K_BLOCK_COLUMNS, Q6K_OFFSET, Q6K_SUB_COLUMNS, Q6K_SUB_SCALES } from "../format/q6k-layout.ts";
import type { PackingStatistics } from "../native/packing.ts";
import { Q6K_BYTES } from "./q6k-blocks.ts";

const SUB_SCALE_MAX = 127;
const CODE_MAX = 63;
const HIGH_OFFSET = 128;
const SUB_SCALES_OFFSET = 192;
const SCALE_OFFSET = 208;

const half = new Float16Array(1);
const half_bits = new Uint16Array(half.buffer);

/** The weight of largest magnitude among 16, its sign kept; the first of equals. */
function extreme(weights: Float32Array, begin: number): number {
  let result = 0;
  for (let index = begin; index < begin + Q6K_SUB_COLUMNS; index += 1) {
    const weight = weights[index] ?? 0;
    if (Math.abs(weight) > Math.abs(result)) result = weight;
  }
  return result;
}

function roundAway(value: number): number {
  return Math.sign(value) * Math.floor(Math.abs(value) + 0.5);
}

/**
 * @param weights finite, a whole number of blocks of 256
 * @param blocks 210 bytes a block, all of which is written
 * @returns the index of the first weight of a block whose scale is past f16's range, or null
 */
export function quantizeQ6k(
  weights: Float32Array,
  blocks: Uint8Array,
  statistics: PackingStatistics,
): number | null {
  const codes = new Uint8Array(Q6K_BLOCK_COLUMNS);
  const steps = new Float64Array(Q6K_SUB_SCALES);
  for (let begin = 0; begin < weights.length; begin += Q6K_BLOCK_COLUMNS) {
    const start = (begin / Q6K_BLOCK_COLUMNS) * Q6K_BYTES;
    let widest = 0;
    for (let number = 0; number < Q6K_SUB_SCALES; number += 1) {
      const step = extreme(weights, begin + number * Q6K_SUB_COLUMNS) / -Q6K_OFFSET;
      steps[number] = step;
      widest = Math.max(widest, Math.abs(step));
    }
    half[0] = widest / SUB_SCALE_MAX;
    const scale = half[0];
    if (scale === Number.POSITIVE_INFINITY) return begin;
    for (let number = 0; number < Q6K_SUB_SCALES; number += 1) {
      // Rounding the scale down to f16 could push the largest sub-scale past int8.
      const wanted = scale === 0 ? 0 : roundAway((steps[number] ?? 0) / scale);
      const sub_scale = Math.max(-SUB_SCALE_MAX, Math.min(SUB_SCALE_MAX, wanted));
      blocks[start + SUB_SCALES_OFFSET + number] = sub_scale & 0xff;
      quantizeSub(weights, begin + number * Q6K_SUB_COLUMNS, scale * sub_scale, codes, number, statistics);
    }
    blocks[start + SCALE_OFFSET] = (half_bits[0] ?? 0) & 0xff;
    blocks[start + SCALE_OFFSET + 1] = (half_bits[0] ?? 0) >> 8;
    placeCodes(codes, blocks, start);
  }
  return null;
}

function quantizeSub(
  weights: Float32Array,
  begin: number,
  step: number,
  codes: Uint8Array,
  number: number,
  { sums }: PackingStatistics,
): void {
  for (let index = 0; index < Q6K_SUB_COLUMNS; index += 1) {
    const weight = weights[begin + index] ?? 0;
    const wanted = step === 0 ? Q6K_OFFSET : roundAway(weight / step) + Q6K_OFFSET;
    const code = Math.max(0, Math.min(CODE_MAX, wanted));
    codes[number * Q6K_SUB_COLUMNS + index] = code;
    const error = Math.abs(weight - step * (code - Q6K_OFFSET));
    sums[0] = (sums[0] ?? 0) + error * error;
    sums[1] = (sums[1] ?? 0) + weight * weight;
    sums[2] = Math.max(sums[2] ?? 0, error);
  }
}

/** In each half of 128 columns, byte l of 32 holds columns l, 32 + l, 64 + l and 96 + l (ggml-common.h, block_q6_K). */
function placeCodes(codes: Uint8Array, blocks: Uint8Array, start: number): void {
  for (let part = 0; part < 2; part += 1) {
    for (let l = 0; l < 32; l += 1) {
      const code = (quarter: number) => codes[part * 128 + quarter * 32 + l] ?? 0;
      blocks[start + part * 64 + l] = (code(0) & 15) | ((code(2) & 15) << 4);
      blocks[start + part * 64 + 32 + l] = (code(1) & 15) | ((code(3) & 15) << 4);
      blocks[start + HIGH_OFFSET + part * 32 + l] =
        (code(0) >> 4) | ((code(1) >> 4) << 2) | ((code(2) >> 4) << 4) | ((code(3) >> 4) << 6);
    }
  }
}
