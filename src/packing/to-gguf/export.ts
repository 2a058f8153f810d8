/**
 * Packed file in, GGUF file out: the way back for models that came as GGUF, and a way to other programs for the rest.
 * Tensors keep their numbers exactly; one that GGUF has no type for is refused before anything is written.
 */
import { type ByteSource, openFileSource } from "../../format/byte-source.ts";
import type { Directory } from "../../format/directory.ts";
import { readPackedFile } from "../../format/reader.ts";
import { huggingFaceRow } from "../gguf/rows.ts";
import { ggufName } from "../gguf/tensor-names.ts";
import type { GgufTensorType } from "../gguf/tensor-types.ts";
import { type GgufSink, type GgufTensorToWrite, type GgufValue, writeGguf } from "../gguf/writer.ts";
import type { PackProgress } from "../pack-options.ts";
import { type BlockRows, blockRows } from "./block-rows.ts";
import { ggufArchitecture, modelMetadata, ropeFactorsTensor } from "./model-metadata.ts";
import { unrepresentable } from "./refusal.ts";
import { tokenizerMetadata } from "./tokenizer.ts";

export interface ExportOptions {
  /** A packed file. */
  readonly input: string;
  /** The GGUF file to write. */
  readonly output: string;
  /** Writes STQ1_0 as 42, for programs from before ggml gave that number away. */
  readonly legacy_stq1_id: boolean;
  readonly on_progress?: (progress: PackProgress) => void;
  /** Stops the work; the signal's reason is thrown and nothing is left behind. */
  readonly signal?: AbortSignal;
}

export interface ExportSummary {
  readonly input: string;
  readonly output: string;
  readonly file_bytes: number;
  readonly tensors: readonly {
    readonly name: string;
    readonly type: GgufTensorType;
    readonly dimensions: readonly number[];
  }[];
  readonly warnings: readonly string[];
  readonly seconds: number;
}

/** Rows that are turned at once: a tile of the kinds that have tiles. */
const PIECE_ROWS = 64;
/** How long the work may hold the thread before signals and the progress display get their turn. */
const TURN_MS = 50;
/** Tensors whose rows a llama's converter permutes. */
const PERMUTED_NAME = /\.self_attn\.[qk]_proj\.weight$/;

/**
 * @throws SherryError checkpoint_unsupported naming a tensor or a setting that GGUF cannot hold, tokenizer_unsupported and
 *   checkpoint_invalid for a tokenizer, format_invalid, format_unsupported, file_not_found, file_unreadable,
 *   file_unwritable; the signal's reason
 */
export async function exportGguf(options: ExportOptions): Promise<ExportSummary> {
  const started = performance.now();
  const source = openFileSource(options.input);
  try {
    const file = readPackedFile(source);
    const { directory } = file;
    const metadata = new Map<string, GgufValue>([
      ...modelMetadata(directory),
      ...tokenizerMetadata(directory, file.readTokenizer()),
    ]);
    const tensors = tensorsOf(directory, source, new Turns(options, directory, started));
    const { legacy_stq1_id } = options;
    const { file_bytes } = await writeGguf(options.output, { metadata, tensors, legacy_stq1_id });
    return {
      input: options.input,
      output: options.output,
      file_bytes,
      tensors: tensors.map(({ name, type, dimensions }) => ({ name, type, dimensions })),
      warnings: warningsOf(directory),
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    source.close();
  }
}

/** Gives signals and timers their turn, and tells how far the work is. */
class Turns {
  readonly #options: ExportOptions;
  readonly #started: number;
  readonly #weights_total: number;
  #weights_done = 0;
  #began = performance.now();

  constructor(options: ExportOptions, { tensors }: Directory, started: number) {
    this.#options = options;
    this.#started = started;
    this.#weights_total = tensors.reduce(
      (sum, { shape }) => sum + shape.reduce((product: number, size) => product * size, 1),
      0,
    );
  }

  async advance(tensor: string, weights: number): Promise<void> {
    const { signal, on_progress } = this.#options;
    this.#weights_done += weights;
    signal?.throwIfAborted();
    const now = performance.now();
    if (now - this.#began < TURN_MS) return;
    on_progress?.({
      tensor,
      weights_done: this.#weights_done,
      weights_total: this.#weights_total,
      elapsed_ms: now - this.#started,
    });
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
    this.#began = performance.now();
  }
}

function tensorsOf(directory: Directory, source: ByteSource, turns: Turns): GgufTensorToWrite[] {
  const { config } = directory;
  const architecture = ggufArchitecture(config);
  const tensors = directory.tensors.map((entry): GgufTensorToWrite => {
    const name = ggufName(architecture, entry.name);
    if (name === undefined) {
      throw unrepresentable(`tensor ${entry.name}`, `a tensor of a ${architecture} model`, "another one");
    }
    const rows = blockRows(entry, source);
    const is_permuted = architecture === "llama" && PERMUTED_NAME.test(entry.name);
    const advance = (row_count: number) => turns.advance(entry.name, row_count * rows.columns);
    return {
      name,
      type: rows.type,
      dimensions: entry.shape.length === 2 ? [rows.columns, rows.rows] : [rows.columns],
      write: (sink) =>
        is_permuted ? writeHeads(rows, config.head_dim, sink, advance) : writeRows(rows, sink, advance),
    };
  });
  const factors = ropeFactorsTensor(config);
  return factors === null ? tensors : [...tensors, factors];
}

type AdvanceRows = (row_count: number) => Promise<void>;

async function writeRows(rows: BlockRows, sink: GgufSink, advance: AdvanceRows): Promise<void> {
  for (let row = 0; row < rows.rows; row += PIECE_ROWS) {
    const row_count = Math.min(PIECE_ROWS, rows.rows - row);
    sink(rows.read(row, row_count));
    await advance(row_count);
  }
}

/** Head after head, the rows of each in the order that a llama's converter gives them. */
async function writeHeads(
  rows: BlockRows,
  head_dim: number,
  sink: GgufSink,
  advance: AdvanceRows,
): Promise<void> {
  for (let first = 0; first < rows.rows; first += head_dim) {
    const head = rows.read(first, head_dim);
    const row_bytes = head.length / head_dim;
    for (let stored = 0; stored < head_dim; stored += 1) {
      const from = huggingFaceRow(stored, head_dim) * row_bytes;
      sink(head.subarray(from, from + row_bytes));
    }
    await advance(head_dim);
  }
}

/** What the packed file says and GGUF has no word for, where nothing that is computed depends on it. */
function warningsOf({ generation, tokenizer_config }: Directory): string[] {
  const warnings: string[] = [];
  const { do_sample, temperature } = generation;
  if (!do_sample && temperature !== null) {
    warnings.push(
      `The temperature ${temperature} is left out: the model proposes greedy decoding, which GGUF says by having none`,
    );
  }
  const kept = /^(?:bos|eos|unk|pad)_token$|^add_(?:bos|eos)_token$/;
  const others = Object.keys(tokenizer_config).filter((name) => !kept.test(name));
  if (others.length > 0) {
    warnings.push(`tokenizer_config.json: ${others.length} fields that GGUF has no keys for are left out`);
  }
  return warnings;
}
