/** Small models with a tokenizer for measuring: random weights, packed in any kind. */

import type { PackOptions } from "../../src/packing/pack-options.ts";
import { packCheckpoint } from "../../src/packing/packer.ts";
import { parseScaleReach } from "../../src/packing/scale-option.ts";
import { makeModel } from "../../src/packing/synthetic/make-model.ts";
import { chooseShape, type ShapeSizes } from "../../src/packing/synthetic/shapes.ts";
import type { ReferenceConfig } from "../model/reference-forward.ts";

const SIZES: ShapeSizes = {
  num_hidden_layers: 2,
  hidden_size: 64,
  intermediate_size: 96,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
  vocab_size: 300,
  max_position_embeddings: 128,
};

/** The fields of its config.json that the reference reads. */
export const SCORING_CONFIG: ReferenceConfig = {
  ...SIZES,
  model_type: "llama",
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  tie_word_embeddings: true,
};

/** Writes a checkpoint at `folder`. */
export async function makeScoringFolder(
  folder: string,
  seed = 1,
  changes: Partial<ShapeSizes> = {},
): Promise<void> {
  await makeModel({
    shape: chooseShape("llama", { ...SIZES, ...changes }, true),
    output: folder,
    form: "huggingface",
    seed,
    scale: parseScaleReach("channel"),
    embedding: "bf16",
    head: null,
  });
}

export async function packAs(
  input: string,
  output: string,
  kinds: Pick<PackOptions, "linear" | "embedding">,
): Promise<string> {
  await packCheckpoint({ input, output, head: null, scale: "auto", label: null, ...kinds });
  return output;
}
