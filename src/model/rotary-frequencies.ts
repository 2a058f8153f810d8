/**
 * Inverse frequencies of the rotary position embedding (Su et al. 2021): theta^(-2j/D) for pair j, with the scalings
 * that Llama checkpoints name. "llama3" (Llama 3.1): long wavelengths are divided by `factor`, short ones kept, those
 * between blended. "linear": every frequency divided by `factor`.
 */
import type { ModelConfig, RopeScaling } from "../format/directory.ts";

function scaled(frequency: number, scaling: RopeScaling): number {
  if (scaling.type === "linear") return frequency / scaling.factor;
  const { factor, low_freq_factor, high_freq_factor, original_max_position_embeddings } = scaling;
  const wavelength = (2 * Math.PI) / frequency;
  if (wavelength < original_max_position_embeddings / high_freq_factor) return frequency;
  if (wavelength > original_max_position_embeddings / low_freq_factor) return frequency / factor;
  const smooth =
    (original_max_position_embeddings / wavelength - low_freq_factor) / (high_freq_factor - low_freq_factor);
  return ((1 - smooth) * frequency) / factor + smooth * frequency;
}

/** Float64 [head_dim / 2], radians a position. */
export function inverseFrequencies(
  config: Pick<ModelConfig, "head_dim" | "rope_theta" | "rope_scaling">,
): Float64Array {
  const { head_dim, rope_theta, rope_scaling } = config;
  return Float64Array.from({ length: head_dim / 2 }, (_, pair) => {
    const frequency = rope_theta ** ((-2 * pair) / head_dim);
    return rope_scaling === null ? frequency : scaled(frequency, rope_scaling);
  });
}
