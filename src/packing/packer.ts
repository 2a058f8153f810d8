/**
 * Checkpoint in, packed file out: one tensor after the other, a few rows at a time, so that memory stays below a
 * few row tiles and one tensor's scales whatever the checkpoint's size.
 */
import { SherryError } from "../errors.ts";
import { encodeDirectory, parseDirectory, type TensorKind, type TensorShape } from "../format/directory.ts";
import { tensorBytes } from "../format/layout.ts";
import { type FileContents, PackedFileWriter } from "../format/writer.ts";
import { PackingStatistics } from "../native/packing.ts";
import { prepareAsStored, prepareBlocks } from "./block-tensors.ts";
import { type Checkpoint, openCheckpoint, type RoledTensor } from "./checkpoint.ts";
import type { CheckpointTensor } from "./checkpoint-weights.ts";
import { prepareDense, prepareQ8 } from "./dense-tensors.ts";
import { STQ1_COLUMNS } from "./gguf/stq1.ts";
import { prepareInt4 } from "./int4-tensor.ts";
import {
  AUTO_TABLE,
  type LinearKind,
  PACKER_VERSION,
  type PackOptions,
  type TableOption,
} from "./pack-options.ts";
import { prepareQ6k } from "./q6k-tensor.ts";
import type { Advance } from "./row-tiles.ts";
import { scaleOptionText } from "./scale-option.ts";
import { checkSherryShape, prepareSherry } from "./sherry-tensor.ts";
import { prepareSplit8 } from "./split8-tensor.ts";
import { type PackedTensorSummary, type PackSummary, summarize } from "./summary.ts";
import type { PreparedTensor } from "./tensor-writers.ts";

/** How long the work may hold the thread before signals, timers and the progress display get their turn. */
const TURN_MS = 50;

/**
 * @throws SherryError argument_invalid (options that do not go together), file_not_found, file_unreadable,
 *   file_unwritable, checkpoint_invalid, checkpoint_unsupported, numbers_not_finite; the signal's reason
 */
export async function packCheckpoint(options: PackOptions): Promise<PackSummary> {
  const started = performance.now();
  const checkpoint = openCheckpoint(options.input);
  try {
    checkOptions(options, checkpoint);
    const contents = fileContents(options, checkpoint);
    // What the directory would refuse (a label that cannot be printed) is refused before hours of work, not after.
    parseDirectory(encodeDirectory({ ...contents, tokenizer: null, tensors: [] }), "argument_invalid");
    const target = options.output === null ? new Discarded() : PackedFileWriter.create(options.output);
    try {
      const tensors = await packTensors(options, checkpoint, target, started);
      options.signal?.throwIfAborted();
      const { file_bytes } = await target.finish(contents);
      const seconds = (performance.now() - started) / 1000;
      return summarize({ options, checkpoint, tensors, file_bytes, seconds });
    } catch (error) {
      target.abort();
      throw error;
    }
  } finally {
    checkpoint.close();
  }
}

type Target = Pick<PackedFileWriter, "addTensor" | "abort"> & {
  finish(contents: FileContents): Promise<{ readonly file_bytes: number | null }>;
};

/** Stands in for the file when nothing is to be written. */
class Discarded {
  async addTensor(...[tensor, write]: Parameters<PackedFileWriter["addTensor"]>) {
    await write(() => {});
    return { ...tensor, offset: 0, bytes: tensorBytes(tensor), sha256: "" };
  }

  async finish(): Promise<{ readonly file_bytes: null }> {
    return { file_bytes: null };
  }

  abort(): void {}
}

function checkOptions(options: PackOptions, checkpoint: Checkpoint): void {
  if (options.linear !== "sherry" && options.scale !== "auto") {
    throw new SherryError("argument_invalid", `scale with linear ${options.linear}`, {
      expected: "auto: only sherry tensors have a choice of scales",
      received: scaleOptionText(options.scale),
      next_step: "Leave --scale out, or pack with --linear sherry",
    });
  }
  if (options.head !== null && checkpoint.config.tie_word_embeddings) {
    throw new SherryError("argument_invalid", "head", {
      expected: "nothing: this model's head is its embedding",
      received: options.head,
      next_step: "Choose the kind with --embedding",
    });
  }
  if (options.linear === "sherry") {
    for (const tensor of checkpoint.tensors) if (tensor.role === "linear") checkSherryShape(tensor);
    checkBlockScales(options, checkpoint);
  }
}

/** STQ1_0 brings its scales along, one for 256 columns, and they are kept. */
function checkBlockScales({ scale }: PackOptions, { tensors }: Checkpoint): void {
  const kept = tensors.find(({ role, blocks }) => role === "linear" && blocks?.type === "STQ1_0");
  if (kept === undefined || scale === "auto" || scale.group_columns === STQ1_COLUMNS) return;
  throw new SherryError("argument_invalid", `scale of the STQ1_0 tensor ${kept.name}`, {
    expected: `auto or group:${STQ1_COLUMNS}, the scales that it has`,
    received: scaleOptionText(scale),
    next_step: "Leave --scale out",
  });
}

function fileContents(options: PackOptions, checkpoint: Checkpoint): FileContents {
  const { texts, config, generation } = checkpoint;
  return {
    label: options.label,
    config,
    generation,
    tokenizer: texts.tokenizer,
    tokenizer_config: texts.tokenizer_config,
    chat_template: texts.chat_template,
    provenance: {
      packer: "sherry-pack",
      packer_version: PACKER_VERSION,
      linear: options.linear,
      embedding: embeddingOption(options, checkpoint),
      scale: scaleOptionText(options.scale),
    },
  };
}

async function packTensors(
  options: PackOptions,
  checkpoint: Checkpoint,
  target: Target,
  started: number,
): Promise<PackedTensorSummary[]> {
  const { tensors } = checkpoint;
  const weights_total = tensors.reduce((sum, tensor) => sum + weightsOf(tensor.shape), 0);
  const result: PackedTensorSummary[] = [];
  let weights_done = 0;
  let turn_began = performance.now();
  for (const tensor of tensors) {
    options.signal?.throwIfAborted();
    const advance: Advance = async (weights) => {
      weights_done += weights;
      const now = performance.now();
      if (now - turn_began < TURN_MS) return;
      const elapsed_ms = now - started;
      options.on_progress?.({ tensor: tensor.name, weights_done, weights_total, elapsed_ms });
      await new Promise((resolve) => setImmediate(resolve));
      options.signal?.throwIfAborted();
      turn_began = performance.now();
    };
    const prepared = await prepare(tensor, options, checkpoint, advance);
    const statistics = new PackingStatistics();
    const { name, shape } = tensor;
    const { kind, scale, on_grid } = prepared;
    const column_order = kind === "sherry" ? (prepared.column_order ?? "natural") : null;
    const entry = await target.addTensor({ name, kind, shape, scale, column_order }, (sink) =>
      prepared.write(sink, statistics, advance),
    );
    const weights = weightsOf(shape);
    result.push({
      ...{ name, role: tensor.role, kind, shape, scale, on_grid, weights },
      source_type: tensor.blocks?.type ?? null,
      keeps_blocks: prepared.keeps_blocks ?? false,
      bytes: entry.bytes,
      bits_a_weight: (entry.bytes * 8) / weights,
      relative_rms_error: statistics.relative_rms_error,
      error_max: statistics.error_max,
    });
  }
  return result;
}

async function prepare(
  tensor: RoledTensor,
  options: PackOptions,
  checkpoint: Checkpoint,
  advance: Advance,
): Promise<PreparedTensor> {
  const kind = kindOf(tensor, options, checkpoint);
  if (kind === AUTO_TABLE) return prepareAsStored(tensor);
  const kept = tensor.blocks === undefined ? null : prepareBlocks(tensor.blocks, kind);
  if (kept !== null) return kept;
  if (kind === "sherry") return prepareSherry(tensor, options.scale, advance);
  return preparePlain(tensor, kind);
}

/** The kinds that weights are converted to one row after the other, without a look at the whole tensor first. */
export type PlainKind = Exclude<TensorKind, "sherry">;

export function preparePlain(tensor: CheckpointTensor, kind: PlainKind): PreparedTensor {
  if (kind === "q8") return prepareQ8(tensor);
  if (kind === "split8") return prepareSplit8(tensor);
  if (kind === "q6k") return prepareQ6k(tensor);
  return kind === "int4" ? prepareInt4(tensor) : prepareDense(tensor, kind);
}

function kindOf(tensor: RoledTensor, options: PackOptions, checkpoint: Checkpoint): LinearKind | TableOption {
  switch (tensor.role) {
    case "linear":
      return options.linear;
    case "embedding":
      return embeddingOption(options, checkpoint);
    case "head":
      return options.head ?? embeddingOption(options, checkpoint);
    case "norm":
      return "f32";
  }
}

/** GGUF files bring quantized embeddings along, and quantizing those again would lose more. */
function embeddingOption({ embedding }: PackOptions, { format }: Checkpoint): TableOption {
  return embedding ?? (format === "gguf" ? AUTO_TABLE : "f16");
}

function weightsOf(shape: TensorShape): number {
  return shape.length === 2 ? shape[0] * shape[1] : shape[0];
}
