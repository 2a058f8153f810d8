/**
 * A checkpoint, opened and held against its own config: every tensor that the architecture needs is there, of its shape
 * and of a type that can be read, before anything is packed. It is a Hugging Face folder, or a GGUF file.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { SherryError } from "../errors.ts";
import { openFileSource } from "../format/byte-source.ts";
import type { GenerationDefaults, ModelConfig } from "../format/directory.ts";
import { DIRECTORY_BYTES_MAX } from "../limits.ts";
import { parseGenerationDefaults, parseModelConfig } from "./checkpoint-config.ts";
import { type CheckpointTexts, ggufTexts, readCheckpointTexts } from "./checkpoint-texts.ts";
import { type CheckpointTensor, CheckpointWeights, type TensorStore } from "./checkpoint-weights.ts";
import { excerpt } from "./excerpt.ts";
import { openGgufModel } from "./gguf/model.ts";
import { GgufWeights } from "./gguf-tensors.ts";
import { type JsonObject, readOptionalJson } from "./json-text.ts";
import { HEAD_NAME, planTensors, type TensorRole } from "./tensor-plan.ts";

export interface RoledTensor extends CheckpointTensor {
  readonly role: TensorRole;
}

export interface Checkpoint {
  readonly format: "huggingface" | "gguf";
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
 * @param path a Hugging Face folder, or a GGUF file (of a split model the first one)
 * @throws SherryError file_not_found, file_unreadable, checkpoint_invalid (files that are damaged, incomplete or
 *   contradict each other), checkpoint_unsupported (an architecture or feature that cannot be packed), tokenizer_invalid
 *   and tokenizer_unsupported (a GGUF file's tokenizer)
 */
export function openCheckpoint(path: string): Checkpoint {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) {
    throw new SherryError("file_not_found", path, {
      expected: "a Hugging Face folder or a GGUF file",
      received: "nothing of that name",
      next_step: "Check the path",
    });
  }
  return status.isDirectory() ? openFolder(path) : openGgufFile(path);
}

function openFolder(folder: string): Checkpoint {
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
  return closingOnError(weights, () => ({
    format: "huggingface",
    ...assemble(config_json, generation_json, weights, () => readCheckpointTexts(folder)),
  }));
}

function openGgufFile(path: string): Checkpoint {
  checkMagic(path);
  const model = openGgufModel(path);
  const weights = new GgufWeights(model);
  return closingOnError(weights, () => ({
    format: "gguf",
    ...assemble(model.config, model.generation_config, weights, () => ggufTexts(model.tokenizer)),
  }));
}

function closingOnError<T>(weights: TensorStore, work: () => T): T {
  try {
    return work();
  } catch (error) {
    weights.close();
    throw error;
  }
}

function assemble(
  config_json: JsonObject,
  generation_json: JsonObject | null,
  weights: TensorStore,
  readTexts: () => CheckpointTexts,
): Omit<Checkpoint, "format"> {
  const config = parseModelConfig(config_json, generation_json, weights.has(HEAD_NAME));
  const texts = readTexts();
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
}

/** @throws SherryError checkpoint_unsupported for a file that is no GGUF file; file_unreadable */
function checkMagic(path: string): void {
  const magic = readMagic(path);
  if (magic === "GGUF") return;
  // The first letters of our own magic behind its first byte.
  const is_packed = magic.endsWith("SHE");
  throw new SherryError("checkpoint_unsupported", path, {
    expected: "a Hugging Face folder (config.json, model.safetensors, tokenizer.json) or a GGUF file",
    received: is_packed ? "a packed file" : "another file",
    next_step: is_packed
      ? "To turn it into a GGUF file, add --to-gguf"
      : "Name the folder that holds the checkpoint",
  });
}

function readMagic(path: string): string {
  const source = openFileSource(path);
  try {
    return String.fromCharCode(...source.read(0, Math.min(4, source.bytes)));
  } finally {
    source.close();
  }
}

/**
 * What the checkpoint holds and the model does not use. Rotary tables are computed, so stored ones go unmentioned; any
 * other tensor of a layer that runs (a bias, a norm of another family) would change what the layer computes.
 * @throws SherryError checkpoint_unsupported naming the first such tensor
 */
function unusedNames(config: ModelConfig, weights: TensorStore, used: ReadonlySet<string>): string[] {
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
