/**
 * Llama 3's rotary scaling out of a GGUF file. Converters do not write its parameters but the tensor rope_freqs.weight:
 * what each frequency is divided by. The parameters are found again by trying those that are in use and computing the
 * tensor from them; one that none of them gives is refused, because guessed parameters would be silently wrong.
 * Source: llama.cpp's converter (LlamaModel.generate_extra_tensors); transformers, modeling_rope_utils.py.
 */
import type { JsonObject } from "../json-text.ts";
import { unsupported } from "./refusals.ts";
import { ROPE_FACTORS_NAME } from "./tensor-names.ts";

export interface Llama3Parameters {
  readonly factor: number;
  readonly low_freq_factor: number;
  readonly high_freq_factor: number;
  readonly original_max_position_embeddings: number;
}

/** What Llama 3.1, 3.2 and 3.3 publish; the factor is the tensor's largest value. */
const LOW_FREQ_FACTOR = 1;
const HIGH_FREQ_FACTOR = 4;
const ORIGINAL_CONTEXT = 8192;
/** The tensor was computed in f32, frequencies included; a wrong parameter is off by percents. */
const RELATIVE_TOLERANCE = 1e-4;

/** What each of the head_dim / 2 frequencies is divided by. */
export function llama3Factors(
  parameters: Llama3Parameters,
  rope_theta: number,
  head_dim: number,
): Float64Array {
  const { factor, low_freq_factor, high_freq_factor, original_max_position_embeddings } = parameters;
  return Float64Array.from({ length: head_dim / 2 }, (_, index) => {
    const wavelength = 2 * Math.PI * rope_theta ** ((2 * index) / head_dim);
    const turns = original_max_position_embeddings / wavelength;
    if (turns > high_freq_factor) return 1;
    if (turns < low_freq_factor) return factor;
    const smooth = (turns - low_freq_factor) / (high_freq_factor - low_freq_factor);
    return 1 / ((1 - smooth) / factor + smooth);
  });
}

/**
 * @param factors rope_freqs.weight [head_dim / 2]
 * @param original_context rope.scaling.original_context_length, where the file has it
 * @returns rope_scaling as config.json has it; null when nothing is scaled
 * @throws SherryError checkpoint_unsupported
 */
export function ropeScalingOfFactors(
  factors: Float32Array,
  rope_theta: number,
  head_dim: number,
  original_context: number | undefined,
): JsonObject | null {
  if (factors.length === head_dim / 2) {
    if (factors.every((value) => value === 1)) return null;
    const factor = factors.reduce((so_far, value) => Math.max(so_far, value), 1);
    for (const original of [original_context, ORIGINAL_CONTEXT]) {
      if (original === undefined) continue;
      const parameters: Llama3Parameters = {
        factor,
        low_freq_factor: LOW_FREQ_FACTOR,
        high_freq_factor: HIGH_FREQ_FACTOR,
        original_max_position_embeddings: original,
      };
      const expected = llama3Factors(parameters, rope_theta, head_dim);
      const near = (value: number, index: number) =>
        Math.abs(value / (expected[index] ?? 0) - 1) <= RELATIVE_TOLERANCE;
      if (factors.every(near)) return { rope_type: "llama3", ...parameters };
    }
  }
  throw unsupported(
    `tensor ${ROPE_FACTORS_NAME}`,
    `${head_dim / 2} factors that Llama 3's rotary scaling gives`,
    `${factors.length} other ones`,
    "Pack the original checkpoint, whose config.json names its scaling",
  );
}
