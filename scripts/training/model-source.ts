/**
 * The model that a run trains: a llama of given sizes with random weights, or one of a Hugging Face folder. Its
 * config.json is held against the runtime's own reader, so that what is trained can also be served.
 */
import { join } from "node:path";
import { SherryError } from "../../src/errors.ts";
import type { ModelConfig } from "../../src/format/directory.ts";
import { DIRECTORY_BYTES_MAX } from "../../src/limits.ts";
import { openCheckpoint } from "../../src/packing/checkpoint.ts";
import { parseModelConfig } from "../../src/packing/checkpoint-config.ts";
import { type JsonObject, readOptionalJson } from "../../src/packing/json-text.ts";
import { rowTiles } from "../../src/packing/row-tiles.ts";
import type { TensorRole } from "../../src/packing/tensor-plan.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { END_TOKEN } from "../tokenizer/files.ts";
import type { ModelSizes } from "./config-schema.ts";

export interface ModelDescription {
  readonly config: ModelConfig;
  /** As they are written beside the exported weights. */
  readonly config_json: JsonObject;
  readonly generation_json: JsonObject;
}

/** What a story model says without further settings: some choice, nothing far down the tail. */
const GENERATION_JSON: JsonObject = { do_sample: true, temperature: 0.3, top_p: 0.9 };

/** @throws SherryError checkpoint_invalid | checkpoint_unsupported for sizes that contradict each other */
export function describeNewModel(sizes: ModelSizes, tokenizer: Tokenizer): ModelDescription {
  const end_token_id = tokenizer.tokenId(END_TOKEN);
  const config_json: JsonObject = {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_act: "silu",
    attention_bias: false,
    mlp_bias: false,
    ...sizes,
    vocab_size: tokenizer.vocab_size,
    ...(end_token_id === undefined ? {} : { eos_token_id: end_token_id }),
    torch_dtype: "float32",
  };
  const config = parseModelConfig(config_json, null, !sizes.tie_word_embeddings);
  return { config, config_json, generation_json: GENERATION_JSON };
}

/** @throws SherryError as `openCheckpoint`; checkpoint_unsupported for a family other than llama */
export function describeFolder(folder: string): ModelDescription {
  const checkpoint = openCheckpoint(folder);
  try {
    checkFamily(checkpoint.config);
    const json = (name: string) => readOptionalJson(join(folder, name), DIRECTORY_BYTES_MAX);
    return {
      config: checkpoint.config,
      config_json: { ...json("config.json"), torch_dtype: "float32" },
      generation_json: json("generation_config.json") ?? {},
    };
  } finally {
    checkpoint.close();
  }
}

/** Copies a folder's weights into `target(name)`. @throws SherryError as `openCheckpoint`; numbers_not_finite */
export function loadFolderWeights(
  folder: string,
  target: (name: string, role: TensorRole) => Float32Array,
): void {
  const checkpoint = openCheckpoint(folder);
  try {
    for (const tensor of checkpoint.tensors) {
      const weights = target(tensor.name, tensor.role);
      for (const tile of rowTiles(tensor)) weights.set(tile.weights, tile.row * tile.columns);
    }
  } finally {
    checkpoint.close();
  }
}

function checkFamily({ architecture, query_key_norm }: ModelConfig): void {
  if (architecture === "llama" && query_key_norm === "none") return;
  throw new SherryError("checkpoint_unsupported", "model_type of the model to train", {
    expected: "llama",
    received: architecture,
    next_step: "Train other families with scripts/torch",
  });
}
