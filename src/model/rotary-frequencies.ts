/**
 * Inverse frequencies of the rotary position embedding (Su et al. 2021): base^(-2j/D) for pair j, with the scalings that
 * checkpoints name. "llama3" (Llama 3.1): long wavelengths are divided by `factor`, short ones kept, those between
 * blended. "linear": every frequency divided by `factor`. "dynamic_alpha" (Hunyuan): a larger base, see rotary-base.ts.
 */
import type { ModelConfig, RopeScaling } from "../format/directory.ts";
import { rotaryBase } from "../format/rotary-base.ts";

function scaled(frequency: number, scaling: RopeScaling): number {
  switch (scaling.type) {
    case "dynamic_alpha":
      return frequency;
    case "linear":
      return frequency / scaling.factor;
    case "llama3": {
      const { factor, low_freq_factor, high_freq_factor, original_max_position_embeddings } = scaling;
      const wavelength = (2 * Math.PI) / frequency;
      if (wavelength < original_max_position_embeddings / high_freq_factor) return frequency;
      if (wavelength > original_max_position_embeddings / low_freq_factor) return frequency / factor;
      const smooth =
        (original_max_position_embeddings / wavelength - low_freq_factor) /
        (high_freq_factor - low_freq_factor);
      return ((1 - smooth) * frequency) / factor + smooth * frequency;
    }
  }
}

/** Float64 [head_dim / 2], radians a position. */
export function inverseFrequencies(
  config: Pick<ModelConfig, "head_dim" | "rope_theta" | "rope_scaling">,
): Float64Array {
  const { head_dim, rope_scaling } = config;
  const base = rotaryBase(config);
  return Float64Array.from({ length: head_dim / 2 }, (_, pair) => {
    const frequency = base ** ((-2 * pair) / head_dim);
    return rope_scaling === null ? frequency : scaled(frequency, rope_scaling);
  });
}
