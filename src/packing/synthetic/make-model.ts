/**
 * Makes a model of any shape with seeded random weights on the 3:4 grid, for measuring a machine or trying one before
 * choosing a model: as a packed file, or as the Hugging Face folder that packs to the same tensors. Memory stays at a few
 * megabytes whatever the shape.
 */
import { SherryError } from "../../errors.ts";
import { encodeDirectory, parseDirectory } from "../../format/directory.ts";
import { tensorBytes } from "../../format/layout.ts";
import type { FileContents } from "../../format/writer.ts";
import { parseGenerationDefaults, parseModelConfig } from "../checkpoint-config.ts";
import { PACKER_VERSION, type PackProgress } from "../pack-options.ts";
import type { Advance } from "../row-tiles.ts";
import { type ScaleReach, scaleOptionText } from "../scale-option.ts";
import type { TensorRole } from "../tensor-plan.ts";
import { byteTokenizerConfig, byteTokenizerJson } from "./byte-tokenizer.ts";
import { type SyntheticTensor, syntheticTensors } from "./checkpoint-tensors.ts";
import { SHARD_BYTES_DEFAULT, writeModelFolder } from "./folder-output.ts";
import { describeStored, packedFileBytes, type TableKinds, writePackedModel } from "./packed-output.ts";
import { type ModelShape, SYNTHETIC_GENERATION_JSON, shapeConfigJson } from "./shapes.ts";

export interface MakeModelOptions extends TableKinds {
  readonly shape: ModelShape;
  /** The file or folder to write; null says what would be written. */
  readonly output: string | null;
  readonly form: "sherry" | "huggingface";
  readonly seed: number;
  readonly scale: ScaleReach;
  /** Of weights in one file of a Hugging Face folder. Default: 5 GB. */
  readonly shard_bytes?: number;
  readonly on_progress?: (progress: PackProgress) => void;
  /** Stops the work within a fraction of a second; the signal's reason is thrown and nothing is left behind. */
  readonly signal?: AbortSignal;
}

export interface MadeModel {
  readonly shape: string;
  readonly form: "sherry" | "huggingface";
  /** Null after a dry run. */
  readonly output: string | null;
  readonly label: string;
  /** Of the file, or of all files of the folder; null for a dry run of a folder. */
  readonly bytes: number | null;
  readonly weights: number;
  readonly tensors: number;
  /** Weights and bytes by what tensors are for, as this form stores them. */
  readonly roles: Readonly<Record<TensorRole, { readonly weights: number; readonly bytes: number }>>;
  /** The paper's file of the same shape with an f16 embedding; null where it gives none. */
  readonly published_file_bytes: number | null;
  readonly seconds: number;
}

/** How long the work may hold the thread before signals, timers and the progress display get their turn. */
const TURN_MS = 50;

/** @throws SherryError argument_invalid | file_unwritable; the signal's reason */
export async function makeModel(options: MakeModelOptions): Promise<MadeModel> {
  const started = performance.now();
  const { shape, output, form, seed, scale } = options;
  checkHead(options);
  const config_json = shapeConfigJson(shape);
  const config = parseModelConfig(config_json, SYNTHETIC_GENERATION_JSON, !shape.tie_word_embeddings);
  const tensors = syntheticTensors(config, seed, scale);
  const label = `random weights (${shape.name}, seed ${seed}), its text means nothing`;
  const { chat_template, ...tokenizer_config } = byteTokenizerConfig(shape.max_position_embeddings);
  const tokenizer_json = JSON.stringify(byteTokenizerJson());
  const contents: FileContents = {
    ...{ label, config, generation: parseGenerationDefaults(SYNTHETIC_GENERATION_JSON) },
    ...{ tokenizer: new TextEncoder().encode(tokenizer_json), tokenizer_config, chat_template },
    provenance: {
      packer: "sherry make-model",
      packer_version: PACKER_VERSION,
      linear: "sherry",
      embedding: options.embedding,
      scale: scaleOptionText(scale),
    },
  };
  // Sizes that no file can have are refused before anything is written.
  parseDirectory(encodeDirectory({ ...contents, tokenizer: null, tensors: [] }), "argument_invalid");
  const stored = tensors.map((tensor) => describeStored(tensor, options));
  const advanceIn = progressOf(options, tensors, started);
  let bytes: number | null = null;
  if (form === "sherry") {
    bytes =
      output === null
        ? packedFileBytes(stored, contents)
        : await writePackedModel(output, tensors, options, contents, advanceIn);
  } else if (output !== null) {
    const texts = {
      "config.json": config_json,
      "generation_config.json": SYNTHETIC_GENERATION_JSON,
      "tokenizer.json": tokenizer_json,
      "tokenizer_config.json": { ...tokenizer_config, chat_template },
      "README.md": `# ${shape.name} with random weights\n\nThis model has ${label}. It was made by sherry make-model.\n`,
    };
    bytes = await writeModelFolder(
      output,
      tensors,
      texts,
      options.shard_bytes ?? SHARD_BYTES_DEFAULT,
      advanceIn,
    );
  }
  const sizes = form === "sherry" ? stored.map(tensorBytes) : tensors.map((tensor) => tensor.bytes);
  return {
    ...{ shape: shape.name, form, output, label, bytes, tensors: tensors.length },
    weights: sumOf(tensors.map(weightsOf)),
    roles: rolesOf(tensors, sizes),
    published_file_bytes: shape.published_file_bytes,
    seconds: (performance.now() - started) / 1000,
  };
}

function checkHead({ head, shape, form, embedding }: MakeModelOptions): void {
  if (head !== null && shape.tie_word_embeddings) {
    throw new SherryError("argument_invalid", "head", {
      expected: "nothing: this model's head is its embedding",
      received: head,
      next_step: "Choose the kind with --embedding, or give the model a head of its own with --untied",
    });
  }
  const kinds = [embedding, ...(head === null ? [] : [head])];
  if (form === "huggingface" && kinds.some((kind) => kind !== "bf16")) {
    throw new SherryError("argument_invalid", "embedding and head of a Hugging Face folder", {
      expected: "bf16",
      received: kinds.join(", "),
      next_step: "Leave the kinds to sherry-pack, which stores the folder's tensors",
    });
  }
}

function progressOf(
  options: MakeModelOptions,
  tensors: readonly SyntheticTensor[],
  started: number,
): (tensor: string) => Advance {
  const weights_total = sumOf(tensors.map(weightsOf));
  let weights_done = 0;
  let turn_began = performance.now();
  return (tensor) => async (weights) => {
    weights_done += weights;
    const now = performance.now();
    if (now - turn_began < TURN_MS) return;
    options.on_progress?.({ tensor, weights_done, weights_total, elapsed_ms: now - started });
    await new Promise((resolve) => setImmediate(resolve));
    options.signal?.throwIfAborted();
    turn_began = performance.now();
  };
}

function rolesOf(tensors: readonly SyntheticTensor[], sizes: readonly number[]): MadeModel["roles"] {
  const of = (role: TensorRole) => {
    const chosen = tensors.flatMap((tensor, index) => (tensor.role === role ? [{ tensor, index }] : []));
    return {
      weights: sumOf(chosen.map(({ tensor }) => weightsOf(tensor))),
      bytes: sumOf(chosen.map(({ index }) => sizes[index] ?? 0)),
    };
  };
  return { linear: of("linear"), embedding: of("embedding"), head: of("head"), norm: of("norm") };
}

function weightsOf(tensor: SyntheticTensor): number {
  return tensor.bytes / 2;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
