/**
 * A Hugging Face folder, opened and held against its own config.json: every tensor that the architecture needs is there,
 * of its shape and of a type that can be read, before anything is packed.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { SherryError } from "../errors.ts";
import type { GenerationDefaults, ModelConfig } from "../format/directory.ts";
import { DIRECTORY_BYTES_MAX } from "../limits.ts";
import { parseGenerationDefaults, parseModelConfig } from "./checkpoint-config.ts";
import { type CheckpointTexts, readCheckpointTexts } from "./checkpoint-texts.ts";
import { type CheckpointTensor, CheckpointWeights } from "./checkpoint-weights.ts";
import { excerpt } from "./excerpt.ts";
import { readOptionalJson } from "./json-text.ts";
import { HEAD_NAME, planTensors, type TensorRole } from "./tensor-plan.ts";

export interface RoledTensor extends CheckpointTensor {
  readonly role: TensorRole;
}

export interface Checkpoint {
  readonly config: ModelConfig;
  readonly generation: GenerationDefaults;
  readonly texts: CheckpointTexts;
  /** In the order in which they are packed. */
  readonly tensors: readonly RoledTensor[];
  readonly warnings: readonly string[];
  /** Closes the files. Safe to call twice. */
  close(): void;
}

/** Names listed in one warning. */
const NAMES_LISTED_MAX = 8;

/**
 * @throws SherryError file_not_found, file_unreadable, checkpoint_invalid (files that are damaged, incomplete or
 *   contradict each other), checkpoint_unsupported (an architecture or feature that cannot be packed)
 */
export function openCheckpoint(folder: string): Checkpoint {
  checkFolder(folder);
  const config_json = readOptionalJson(join(folder, "config.json"), DIRECTORY_BYTES_MAX);
  if (config_json === null) {
    throw new SherryError("checkpoint_invalid", folder, {
      expected: "a Hugging Face folder with a config.json",
      received: "a folder without one",
    });
  }
  const generation_json = readOptionalJson(join(folder, "generation_config.json"), DIRECTORY_BYTES_MAX);
  // An architecture that cannot be packed is named before anything else is held against it.
  parseModelConfig(config_json, generation_json, true);
  const weights = CheckpointWeights.open(folder);
  try {
    const config = parseModelConfig(config_json, generation_json, weights.has(HEAD_NAME));
    const texts = readCheckpointTexts(folder);
    const planned = planTensors(config);
    const tensors = planned.map(({ name, role, shape }) => ({ ...weights.tensor(name, shape), role }));
    const unused = unusedNames(config, weights, new Set(planned.map((tensor) => tensor.name)));
    return {
      config,
      generation: parseGenerationDefaults(generation_json),
      texts,
      tensors,
      warnings: [...weights.warnings, ...texts.warnings, ...unused],
      close: () => weights.close(),
    };
  } catch (error) {
    weights.close();
    throw error;
  }
}

function checkFolder(folder: string): void {
  const status = statSync(folder, { throwIfNoEntry: false });
  if (status === undefined) {
    throw new SherryError("file_not_found", folder, {
      expected: "a Hugging Face folder",
      received: "nothing of that name",
      next_step: "Check the path",
    });
  }
  if (status.isDirectory()) return;
  throw new SherryError("checkpoint_unsupported", folder, {
    expected: "a Hugging Face folder (config.json, model.safetensors, tokenizer.json)",
    received: "a file",
    next_step: "Name the folder that holds the checkpoint",
  });
}

/**
 * What the checkpoint holds and the model does not use. Rotary tables are computed, so stored ones go unmentioned; any
 * other tensor of a layer that runs (a bias, a norm of another family) would change what the layer computes.
 * @throws SherryError checkpoint_unsupported naming the first such tensor
 */
function unusedNames(config: ModelConfig, weights: CheckpointWeights, used: ReadonlySet<string>): string[] {
  const unused = weights.names().filter((name) => !used.has(name) && !name.endsWith(".rotary_emb.inv_freq"));
  const needed = unused.find((name) => {
    const layer = /^model\.layers\.(\d+)\./.exec(name)?.[1];
    return layer === undefined
      ? /^(?:lm_head|model\.norm)\.bias$/.test(name)
      : Number(layer) < config.num_hidden_layers;
  });
  if (needed !== undefined) {
    throw new SherryError("checkpoint_unsupported", `tensor ${excerpt(needed)}`, {
      expected: `no such tensor in a ${config.architecture} model`,
      received: "one, without which the model would compute something else",
      next_step: "Check model_type in config.json; biases are not supported",
    });
  }
  const warnings: string[] = [];
  if (unused.includes(HEAD_NAME)) {
    warnings.push(
      `${HEAD_NAME} is not packed: config.json ties the head to the embedding (tie_word_embeddings)`,
    );
  }
  const unknown = unused.filter((name) => name !== HEAD_NAME);
  if (unknown.length > 0) {
    const listed = unknown.slice(0, NAMES_LISTED_MAX).map(excerpt).join(", ");
    const rest = unknown.length > NAMES_LISTED_MAX ? ` and ${unknown.length - NAMES_LISTED_MAX} more` : "";
    warnings.push(
      `Tensors that a ${config.architecture} model does not have are not packed: ${listed}${rest}`,
    );
  }
  return warnings;
}
