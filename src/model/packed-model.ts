/**
 * A packed model ready to compute: the mapped file, its weights, and buffers for one batch. It belongs to one thread
 * (the worker that opened it) and serves any number of sequences, one pass at a time.
 */
import { SherryError } from "../errors.ts";
import type { ByteSource } from "../format/byte-source.ts";
import type { Directory } from "../format/directory.ts";
import { readPackedFile } from "../format/reader.ts";
import { BATCH_TOKENS_MAX, CONTEXT_TOKENS_MAX, SEQUENCES_TOGETHER_MAX } from "../limits.ts";
import { type CoarseHead, coarseHeadBytes, makeCoarseHead } from "../native/coarse-head.ts";
import { HeadCandidates } from "../native/head.ts";
import { type CpuLevel, Kernels } from "../native/kernels.ts";
import { NativeMemory } from "../native/memory.ts";
import { type KeyValueElement, type LinearWeight, rangeOf } from "../native/weight.ts";
import { allocateActivations } from "./activations.ts";
import { type ForwardState, forward, rowsOf, type TopOutput } from "./forward.ts";
import { KeyValueCache } from "./key-value-cache.ts";
import { LayerCalls } from "./layer-calls.ts";
import { inverseFrequencies } from "./rotary-frequencies.ts";
import { SCORED_TOKENS_MAX, ScoreBuffers, type ScoredTokens } from "./score-buffers.ts";
import { checkSteps, checkTokens, checkTop, type SequenceStep, type StepResult } from "./sequence-steps.ts";
import { bindWeights } from "./weights.ts";

/**
 * The likeliest tokens that forwardTop finds at most. Beyond it so many rows are rescored that all logits cost little more
 * (docs/head.md).
 */
const TOP_TOKENS_MAX = 256;

/** Positions of a sequence's cache unless asked otherwise, where the model allows as many. */
export const CONTEXT_TOKENS_DEFAULT = 4_096;

export interface PackedModelOptions {
  readonly thread_count?: number | undefined;
  readonly cpu_level?: CpuLevel | "auto" | undefined;
  /** Tokens of prompt and answer together; at most the model's max_position_embeddings. Default: 4096 or that. */
  readonly context_tokens?: number | undefined;
  /** Keeps the file's pages in memory (mlock), so that no pause of use makes the next token wait for a disk. Default: no. */
  readonly lock_memory?: boolean | undefined;
  /** How keys and values are kept: q8 takes about half of f16's memory and is less exact. Default: f16. */
  readonly key_value_element?: KeyValueElement | undefined;
  /**
   * Lets a draw for one sequence read two bits a weight of a `split8` head first (docs/head.md, "A coarser first pass"): faster
   * where few tokens are likely, a quarter of the head's bytes more memory, the same tokens but for a chance that is
   * measured rather than proven. Default: no.
   */
  readonly coarse_head?: boolean | undefined;
}

/** The reader has held every range against the file's size before it reads, and the memory checks again. */
function mappedSource(memory: NativeMemory): ByteSource {
  return { bytes: memory.bytes, read: (offset, length) => memory.view(offset, length).slice() };
}

function chooseContext(asked: number | undefined, max_position_embeddings: number): number {
  const limit = Math.min(max_position_embeddings, CONTEXT_TOKENS_MAX);
  if (asked === undefined) return Math.min(CONTEXT_TOKENS_DEFAULT, limit);
  if (Number.isInteger(asked) && asked >= 1 && asked <= limit) return asked;
  throw new SherryError("argument_invalid", "context_tokens", {
    expected: `an integer from 1 to ${limit}, this model's limit`,
    received: String(asked),
  });
}

/** The coarse plane of a model's head, in memory that `cleanup` frees. @throws SherryError argument_invalid | out_of_memory */
function openCoarseHead(lm_head: LinearWeight, kernels: Kernels, cleanup: (() => void)[]): CoarseHead {
  if (lm_head.kind !== "split8") {
    throw new SherryError("argument_invalid", "coarse_head", {
      expected: "a model whose head is of kind split8",
      received: `one of kind ${lm_head.kind}`,
      next_step: "Load the model without it, or pack it with a split8 head",
    });
  }
  const bytes = coarseHeadBytes(lm_head);
  const memory = NativeMemory.allocate(bytes);
  cleanup.push(() => memory.free());
  return makeCoarseHead(kernels, lm_head, rangeOf(memory, 0, bytes));
}

export class PackedModel {
  readonly directory: Directory;
  readonly file_bytes: number;
  readonly context_tokens: number;
  readonly cpu_level: CpuLevel;
  readonly thread_count: number;
  readonly key_value_element: KeyValueElement;
  /** The logits of the last pass that asked for them, f32 [V]; overwritten by the next. */
  readonly logits: Float32Array;
  /** The likeliest tokens of the last forwardTop, with what finding them cost; overwritten by the next. */
  readonly top: HeadCandidates;
  /** What forwardTop can be asked for at most: 0 unless the head is `split8`, and never the whole vocabulary. */
  readonly top_tokens_max: number;
  readonly #state: ForwardState;
  readonly #coarse_head: CoarseHead | null;
  readonly #tokenizer: Uint8Array | null;
  readonly #free: () => void;
  readonly #logitsRow: (row: number) => Float32Array;
  #score_buffers: ScoreBuffers | null = null;

  /**
   * Maps and checks `path`. `close` frees everything.
   * @throws SherryError format_invalid | format_unsupported | file_unreadable | argument_invalid | out_of_memory
   */
  static open(path: string, options: PackedModelOptions = {}): PackedModel {
    const memory = NativeMemory.map(path);
    const cleanup = [() => memory.free()];
    try {
      if (options.lock_memory === true) memory.lock();
      const kernels = Kernels.create({
        ...(options.cpu_level === undefined ? {} : { cpu_level: options.cpu_level }),
        ...(options.thread_count === undefined ? {} : { thread_count: options.thread_count }),
      });
      cleanup.push(() => kernels.close());
      return new PackedModel(memory, kernels, cleanup, options);
    } catch (error) {
      for (const undo of cleanup.reverse()) undo();
      throw error;
    }
  }

  private constructor(
    memory: NativeMemory,
    kernels: Kernels,
    cleanup: (() => void)[],
    options: PackedModelOptions,
  ) {
    const file = readPackedFile(mappedSource(memory));
    const { config } = file.directory;
    this.directory = file.directory;
    this.file_bytes = file.file_bytes;
    this.context_tokens = chooseContext(options.context_tokens, config.max_position_embeddings);
    this.cpu_level = kernels.cpu_level;
    this.thread_count = kernels.thread_count;
    this.key_value_element = options.key_value_element ?? "f16";
    this.#tokenizer = file.readTokenizer();
    const weights = bindWeights(file, memory);
    const { activations, logitsRow, free } = allocateActivations(config, BATCH_TOKENS_MAX);
    cleanup.push(free);
    this.#logitsRow = logitsRow;
    this.logits = logitsRow(0);
    this.top = new HeadCandidates(TOP_TOKENS_MAX, SEQUENCES_TOGETHER_MAX);
    this.top_tokens_max =
      weights.lm_head.kind === "split8" ? Math.min(TOP_TOKENS_MAX, config.vocab_size - 1) : 0;
    this.#coarse_head =
      options.coarse_head === true ? openCoarseHead(weights.lm_head, kernels, cleanup) : null;
    this.#state = {
      ...{ config, weights, kernels, activations },
      layer_calls: new LayerCalls(),
      inverse_frequencies: inverseFrequencies(config),
    };
    this.#free = () => {
      for (const undo of cleanup.splice(0).reverse()) undo();
    };
  }

  /** tokenizer.json's bytes; null when the file carries none. */
  get tokenizer(): Uint8Array | null {
    return this.#tokenizer;
  }

  /** A cache for one more sequence; the caller frees it. `capacity` defaults to the context. */
  createCache(capacity: number = this.context_tokens): KeyValueCache {
    return new KeyValueCache(this.directory.config, this.key_value_element, capacity);
  }

  /**
   * Computes up to BATCH_TOKENS_MAX tokens at the cache's next positions. When `wants_logits`, `logits` then holds those
   * of the last token. `onLayer` runs before every layer; what it throws ends the pass and leaves the cache as it was. Without
   * it a pass enters native code fewer times: half a per cent of the time of one token.
   * @throws SherryError argument_invalid | context_exceeded | numbers_not_finite
   */
  forward(
    cache: KeyValueCache,
    ids: Uint32Array,
    wants_logits: boolean,
    onLayer: (() => void) | null = null,
  ): void {
    this.#checkTokens(cache, ids, BATCH_TOKENS_MAX);
    forward(this.#state, [{ cache, ids }], { logits: wants_logits ? [0] : [], top: null }, onLayer);
  }

  /**
   * As `forward`, but with the `count` likeliest tokens after the last one in `top` rather than all logits in `logits`: the
   * same logits to the bit, mostly for half the bytes of the head (docs/head.md).
   * @throws SherryError argument_invalid (a count above top_tokens_max, too) | context_exceeded | numbers_not_finite |
   *   out_of_memory
   */
  forwardTop(
    cache: KeyValueCache,
    ids: Uint32Array,
    count: number,
    onLayer: (() => void) | null = null,
  ): void {
    this.#checkTokens(cache, ids, BATCH_TOKENS_MAX);
    checkTop(count, this.top_tokens_max);
    forward(this.#state, [{ cache, ids }], { logits: [], top: this.#topOutput([0], [count]) }, onLayer);
  }

  /**
   * Computes the next tokens of several sequences in one pass over the weights: at most SEQUENCES_TOGETHER_MAX of them,
   * BATCH_TOKENS_MAX tokens in all. Every sequence gets the bits that it gets alone. `onLayer` as in `forward`.
   * @returns what each wants, in their order
   * @throws SherryError argument_invalid | context_exceeded | numbers_not_finite | out_of_memory; no cache has changed its
   *   length then
   */
  forwardTogether(steps: readonly SequenceStep[], onLayer: (() => void) | null = null): StepResult[] {
    const { vocab_size } = this.directory.config;
    checkSteps(steps, { vocab_size, top_tokens_max: this.top_tokens_max });
    const logits: number[] = [];
    const sequences: number[] = [];
    const wanted: number[] = [];
    for (const [sequence, { wants }] of steps.entries()) {
      if (wants === "logits") logits.push(sequence);
      else if (wants !== "nothing") {
        sequences.push(sequence);
        wanted.push(wants.top);
      }
    }
    forward(this.#state, steps, { logits, top: this.#topOutput(sequences, wanted) }, onLayer);
    return steps.map(({ wants }, sequence): StepResult => {
      if (wants === "nothing") return { kind: "nothing" };
      if (wants === "logits") {
        const row = logits.indexOf(sequence);
        return { kind: "logits", row, logits: this.#logitsRow(row) };
      }
      return { kind: "top", top: this.top.of(sequences.indexOf(sequence)) };
    });
  }

  /** Of counts that were checked, and with them the head's kind. */
  #topOutput(sequences: readonly number[], wanted: readonly number[]): TopOutput | null {
    if (sequences.length === 0) return null;
    const { lm_head } = this.#state.weights;
    if (lm_head.kind !== "split8") throw new RangeError(`a ${lm_head.kind} head finds no likeliest tokens`);
    return { sequences, wanted, candidates: this.top, lm_head, coarse_head: this.#coarse_head };
  }

  /**
   * Computes up to SCORED_TOKENS_MAX tokens at the cache's next positions, with what the model says after each of them.
   * The first call takes the memory for it. `onLayer` as in `forward`.
   * @throws SherryError argument_invalid | context_exceeded | numbers_not_finite | out_of_memory
   */
  forwardScored(cache: KeyValueCache, ids: Uint32Array, onLayer: (() => void) | null = null): ScoredTokens {
    this.#checkTokens(cache, ids, SCORED_TOKENS_MAX);
    this.#score_buffers ??= new ScoreBuffers(this.directory.config.vocab_size);
    const buffers = this.#score_buffers;
    forward(this.#state, [{ cache, ids }], { tokens: ids.length, logits: buffers.logits }, onLayer);
    return buffers.read(this.#state.kernels, ids.length);
  }

  #checkTokens(cache: KeyValueCache, ids: Uint32Array, tokens_max: number): void {
    checkTokens({ cache, ids }, tokens_max, this.directory.config.vocab_size);
  }

  /** The likeliest token by the last logits, of a row of them. @throws SherryError numbers_not_finite */
  argmax(row = 0): number {
    const { kernels, activations } = this.#state;
    const { vocab_size } = this.directory.config;
    return kernels.argmax(rowsOf(activations.logits, row, 1, vocab_size), vocab_size);
  }

  /** Frees the map, the buffers and the threads; caches are freed by their owners. Safe to call twice. */
  close(): void {
    this.#score_buffers?.free();
    this.#score_buffers = null;
    this.#free();
  }
}
