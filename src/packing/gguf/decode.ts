/**
 * Rows of a GGUF tensor to f32, plainly, block by block. Every result is exact: a block's scale in f16 (11 bits), a
 * sub-scale (8 bits) and a weight (at most 8 bits, or 6 where there is a sub-scale) multiply to at most 24 bits.
 * Source of the layouts: ggml-common.h (blocks) and ggml-quants.c (dequantize_row_*); STQ1_0 is in stq1.ts.
 */
import { SherryError } from "../../errors.ts";
import { readElement } from "../../format/unpack.ts";
import { codebookWeights, STQ1_GROUPS } from "./stq1.ts";
import { blockSize, bytesOf, type GgufTensorType } from "./tensor-types.ts";

/** Writes the weights of the block at byte `start` to `weights` from `at` on. */
type BlockDecoder = (view: DataView, start: number, weights: Float32Array, at: number) => void;

const DECODERS: Readonly<Record<GgufTensorType, BlockDecoder>> = {
  F32: (view, start, weights, at) => {
    weights[at] = readElement(view, start, "f32");
  },
  F16: (view, start, weights, at) => {
    weights[at] = readElement(view, start, "f16");
  },
  BF16: (view, start, weights, at) => {
    weights[at] = readElement(view, start, "bf16");
  },
  Q8_0: decodeQ8,
  Q4_0: decodeQ4,
  Q6_K: decodeQ6K,
  STQ1_0: decodeStq1,
  TQ1_0: decodeTq1,
  TQ2_0: decodeTq2,
};

/**
 * Decodes whole rows.
 * @param bytes exactly the rows' bytes
 * @param columns weights of a row, a whole number of blocks
 * @param weights takes the rows, one after the other; its length says how many there are
 * @returns the index of the first weight that is not finite; null when all are
 * @throws SherryError argument_invalid when the lengths do not fit together
 */
export function decodeRows(
  bytes: Uint8Array,
  type: GgufTensorType,
  columns: number,
  weights: Float32Array,
): number | null {
  const block = blockSize(type);
  const expected = weights.length % columns === 0 ? bytesOf(block, columns, weights.length) : null;
  if (expected !== bytes.length) {
    throw new SherryError("argument_invalid", `rows of ${type}`, {
      expected: `${expected ?? "a whole number of"} bytes for ${weights.length} weights in rows of ${columns}`,
      received: String(bytes.length),
    });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decode = DECODERS[type];
  for (let at = 0, start = 0; at < weights.length; at += block.columns, start += block.bytes) {
    decode(view, start, weights, at);
  }
  const found = weights.findIndex((weight) => !Number.isFinite(weight));
  return found < 0 ? null : found;
}

/** d f16, then 32 int8. */
function decodeQ8(view: DataView, start: number, weights: Float32Array, at: number): void {
  const scale = view.getFloat16(start, true);
  for (let index = 0; index < 32; index += 1) weights[at + index] = scale * view.getInt8(start + 2 + index);
}

/** d f16, then 16 bytes: low nibbles are weights 0..15, high nibbles 16..31; 8 stands for zero. */
function decodeQ4(view: DataView, start: number, weights: Float32Array, at: number): void {
  const scale = view.getFloat16(start, true);
  for (let index = 0; index < 16; index += 1) {
    const nibbles = view.getUint8(start + 2 + index);
    weights[at + index] = scale * ((nibbles & 15) - 8);
    weights[at + 16 + index] = scale * ((nibbles >> 4) - 8);
  }
}

/**
 * 128 bytes of low nibbles, 64 of upper bit pairs, 16 int8 sub-scales (one for 16 weights), d f16. Each half of 128
 * weights has 64 + 32 bytes; its quarter q of 32 weights is nibble q / 2 of the bytes from 32 (q % 2) on, with bit pair
 * q; 32 stands for zero.
 */
function decodeQ6K(view: DataView, start: number, weights: Float32Array, at: number): void {
  const scale = view.getFloat16(start + 208, true);
  for (let half = 0; half < 2; half += 1) {
    for (let quarter = 0; quarter < 4; quarter += 1) {
      for (let index = 0; index < 32; index += 1) {
        const low_bits = view.getUint8(start + half * 64 + (quarter % 2) * 32 + index);
        const high_bits = view.getUint8(start + 128 + half * 32 + index);
        const low = quarter < 2 ? low_bits & 15 : low_bits >> 4;
        const high = (high_bits >> (2 * quarter)) & 3;
        const column = half * 128 + quarter * 32 + index;
        const sub_scale = view.getInt8(start + 192 + Math.floor(column / 16));
        weights[at + column] = scale * sub_scale * ((low | (high << 4)) - 32);
      }
    }
  }
}

const CODEBOOK_WEIGHTS = Array.from({ length: 32 }, (_, entry) => codebookWeights(entry));

/** See stq1.ts: lane p of group g is weight chunk * 64 + g % 16 + 16 p. */
function decodeStq1(view: DataView, start: number, weights: Float32Array, at: number): void {
  const scale = view.getFloat16(start + 40, true);
  for (let group = 0; group < STQ1_GROUPS; group += 1) {
    const nibbles = view.getUint8(start + (group >> 1));
    const code = group % 2 === 0 ? nibbles & 15 : nibbles >> 4;
    const sign = (view.getUint8(start + 32 + (group >> 3)) >> (group & 7)) & 1;
    const column = at + (group >> 4) * 64 + (group & 15);
    const entry = CODEBOOK_WEIGHTS[(sign << 4) | code] ?? [0, 0, 0, 0];
    for (let lane = 0; lane < 4; lane += 1) weights[column + 16 * lane] = scale * (entry[lane] ?? 0);
  }
}

const POWERS_OF_3 = [1, 3, 9, 27, 81];

/**
 * 48 bytes of five ternary digits each, 4 bytes of four, d f16. A byte is a fraction of 256 whose digits in base 3 are
 * the weights: multiplying by 3^n modulo 256 brings digit n to the front. Byte m of a run of `run` bytes holds, as digit
 * n, weight n * run + m of the run's 5 * run.
 */
function decodeTq1(view: DataView, start: number, weights: Float32Array, at: number): void {
  const scale = view.getFloat16(start + 52, true);
  let column = at;
  const decodeRun = (offset: number, run: number, digits: number) => {
    for (let digit = 0; digit < digits; digit += 1) {
      for (let index = 0; index < run; index += 1) {
        const fraction = (view.getUint8(start + offset + index) * (POWERS_OF_3[digit] ?? 0)) & 255;
        weights[column] = scale * (((fraction * 3) >> 8) - 1);
        column += 1;
      }
    }
  };
  decodeRun(0, 32, 5);
  decodeRun(32, 16, 5);
  decodeRun(48, 4, 4);
}

/** 64 bytes of four 2-bit weights (1 stands for zero), d f16. Byte m of a half of 32 holds weights m, 32 + m, ... */
function decodeTq2(view: DataView, start: number, weights: Float32Array, at: number): void {
  const scale = view.getFloat16(start + 64, true);
  for (let half = 0; half < 2; half += 1) {
    for (let lane = 0; lane < 4; lane += 1) {
      for (let index = 0; index < 32; index += 1) {
        const bits = (view.getUint8(start + half * 32 + index) >> (2 * lane)) & 3;
        weights[at + half * 128 + lane * 32 + index] = scale * (bits - 1);
      }
    }
  }
}
