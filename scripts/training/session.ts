/**
 * Everything that a run holds while it trains, allocated once: kernels, model, data and buffers.
 *
 * Legend: B sequences of a pass, T tokens of a sequence, N = B T, V vocabulary.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { SherryError } from "../../src/errors.ts";
import { bestCpuLevel } from "../../src/native/kernels.ts";
import { defaultThreadCount } from "../../src/native/threads.ts";
import type { TrainingBuffer } from "../../src/native/training-buffer.ts";
import { TrainingKernels } from "../../src/native/training-kernels.ts";
import {
  type ActivationGradients,
  type Activations,
  allocateActivations,
  allocateGradients,
} from "./activations.ts";
import type { TrainingConfig } from "./config-schema.ts";
import { Diagnostics } from "./diagnostics.ts";
import { wireInduction } from "./induction-start.ts";
import {
  describeFolder,
  describeNewModel,
  loadFolderWeights,
  type ModelDescription,
} from "./model-source.ts";
import { openTokenData } from "./open-data.ts";
import { linearShapes, Parameters } from "./parameters.ts";
import { checkLinearShapes } from "./quantized-layers.ts";
import { SampleWriter } from "./samples.ts";
import { arenasLambda } from "./schedules.ts";
import { Teacher } from "./teacher.ts";
import type { TokenData } from "./token-data.ts";
import {
  readTokenizerFiles,
  TOKENIZER_FOLDER,
  type TokenizerFiles,
  trainTokenizer,
  writeTokenizerFiles,
} from "./tokenizer-files.ts";
import { TrainingMemory } from "./training-memory.ts";

export interface Session {
  readonly config: TrainingConfig;
  readonly kernels: TrainingKernels;
  readonly tokenizer: TokenizerFiles;
  readonly model: ModelDescription;
  readonly parameters: Parameters;
  readonly data: TokenData;
  /** Tokens of the held-out text that evaluations predict. */
  readonly held_out_ids: Uint32Array;
  readonly activations: Activations;
  readonly scratch: ActivationGradients;
  /** dL/d logits [N][V]; the logits' own buffer unless a teacher reads them too. */
  readonly logit_gradient: TrainingBuffer;
  readonly diagnostics: Diagnostics;
  readonly samples: SampleWriter;
  readonly teacher: Teacher | null;
  close(): void;
}

/** What a caller hears while a session is set up and runs. */
export type Notify = (message: string) => void;

/**
 * @param folder of the run: the tokenizer is read from it when it is there, else made and written to it
 * @throws SherryError argument_invalid, checkpoint_*, tokenizer_*, out_of_memory, file_*
 */
export function openSession(config: TrainingConfig, folder: string, notify: Notify): Session {
  const tokenizer = openTokenizer(config, folder, notify);
  const model =
    "from" in config.model
      ? describeFolder(config.model.from)
      : describeNewModel(config.model.shape, tokenizer.tokenizer);
  checkSizes(config, model, tokenizer);
  const kernels = TrainingKernels.create({
    cpu_level: bestCpuLevel(),
    thread_count: config.threads ?? defaultThreadCount(),
  });
  const memory = new TrainingMemory();
  const close = () => {
    memory.free();
    kernels.close();
  };
  try {
    return { ...assemble(config, kernels, memory, tokenizer, model), close };
  } catch (error) {
    close();
    throw error;
  }
}

function assemble(
  config: TrainingConfig,
  kernels: TrainingKernels,
  memory: TrainingMemory,
  tokenizer: TokenizerFiles,
  model: ModelDescription,
): Omit<Session, "close"> {
  const { batch, evaluation, quantization } = config;
  const parameters = new Parameters(kernels, memory, model.config, quantization);
  if ("from" in config.model) {
    loadFolderWeights(config.model.from, (name) => parameters.named(name).weights.values);
    parameters.shareWithResidual(arenasLambda(0, config.steps, quantization.arenas));
  } else {
    parameters.initialize(config.seed, model.config.num_hidden_layers);
    if (config.model.start === "induction") {
      wireInduction(model.config, (name) => parameters.named(name).weights.values, config.seed);
    }
  }
  const data = openTokenData(config, tokenizer.tokenizer);
  const activations = allocateActivations(memory, model.config, batch, true);
  const { tokens } = activations;
  const teacher =
    config.distillation === null
      ? null
      : new Teacher(kernels, memory, config.distillation, model.config, batch);
  return {
    ...{ config, kernels, tokenizer, model, parameters, data, activations, teacher },
    held_out_ids: heldOutIds(tokenizer, data, evaluation.tokens),
    scratch: allocateGradients(memory, model.config, tokens),
    logit_gradient: teacher === null ? activations.logits : memory.buffer(tokens * model.config.vocab_size),
    diagnostics: new Diagnostics(kernels, memory, parameters, quantization, config.diagnostics, tokens),
    samples: new SampleWriter(
      kernels,
      memory,
      model.config,
      tokenizer.tokenizer,
      config.samples,
      config.seed,
    ),
  };
}

function openTokenizer(config: TrainingConfig, folder: string, notify: Notify): TokenizerFiles {
  const own_folder = join(folder, TOKENIZER_FOLDER);
  if (existsSync(own_folder)) return readTokenizerFiles(own_folder);
  const made = makeTokenizer(config, notify);
  writeTokenizerFiles(own_folder, made);
  return made;
}

function makeTokenizer(config: TrainingConfig, notify: Notify): TokenizerFiles {
  const { tokenizer, model } = config;
  if ("from" in model) return readTokenizerFiles(model.from);
  if (tokenizer === null)
    throw new SherryError("internal", "tokenizer", { expected: "a checked configuration" });
  if ("from" in tokenizer) return readTokenizerFiles(tokenizer.from);
  const { vocab_size, documents } = tokenizer;
  notify(`Training a tokenizer of ${vocab_size} tokens on ${documents} documents`);
  return trainTokenizer(config, vocab_size, documents, model.shape.max_position_embeddings, () => {});
}

/** The first tokens of the text as the runtime's scoring sees it. */
function heldOutIds({ tokenizer }: TokenizerFiles, { held_out_text }: TokenData, count: number): Uint32Array {
  const ids = tokenizer.encode(held_out_text, { add_special_tokens: true });
  if (ids.length >= 2) return Uint32Array.from(ids.slice(0, count));
  throw new SherryError("argument_invalid", "data", {
    expected: "held-out texts of at least two tokens",
    received: String(ids.length),
  });
}

function checkSizes(config: TrainingConfig, model: ModelDescription, { tokenizer }: TokenizerFiles): void {
  const { max_position_embeddings, vocab_size } = model.config;
  const { sequence_tokens } = config.batch;
  if (sequence_tokens > max_position_embeddings) {
    throw new SherryError("argument_invalid", "batch.sequence_tokens", {
      expected: `at most the model's max_position_embeddings (${max_position_embeddings})`,
      received: String(sequence_tokens),
    });
  }
  if (tokenizer.vocab_size > vocab_size) {
    throw new SherryError("argument_invalid", "model.from", {
      expected: `a tokenizer of at most ${vocab_size} tokens, the model's vocab_size`,
      received: String(tokenizer.vocab_size),
    });
  }
  checkLinearShapes(linearShapes(model.config), config.quantization);
}
