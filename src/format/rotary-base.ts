/**
 * The base of the rotary frequencies: rope_theta, or for "dynamic_alpha" rope_theta * alpha^(head_dim / (head_dim - 2)),
 * which stretches the slowest pair's wavelength by alpha. Source: transformers, HunYuanDenseV1RotaryEmbedding.
 */
import type { ModelConfig } from "./directory-schema.ts";

/** Not finite when head_dim is 2 or the power overflows; parseDirectory refuses such a file. */
export function rotaryBase(config: Pick<ModelConfig, "head_dim" | "rope_theta" | "rope_scaling">): number {
  const { head_dim, rope_theta, rope_scaling } = config;
  if (rope_scaling?.type !== "dynamic_alpha") return rope_theta;
  return rope_theta * rope_scaling.alpha ** (head_dim / (head_dim - 2));
}
