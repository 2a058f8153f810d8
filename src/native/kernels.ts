/**
 * The computing functions, one method each, with the checks on this side of the boundary: every buffer long enough,
 * every size sensible. Zig checks again. A method returns when the result is written.
 *
 * Legend: B tokens, C hidden_size, K in_features, R out_features, H query heads, G key-value heads, D head_dim,
 * V vocabulary.
 */
import { type Pointer, ptr } from "bun:ffi";
import { SherryError } from "../errors.ts";
import { THREAD_COUNT_MAX } from "../limits.ts";
import type { CallList, CallValues, ListedSymbol } from "./call-list.ts";
import { library } from "./library.ts";
import { multiply } from "./products.ts";
import { need } from "./ranges.ts";
import type { SequenceTable } from "./sequences.ts";
import { checkStatus } from "./status.ts";
import { defaultThreadCount } from "./threads.ts";
import {
  COLUMN_ORDER_CODES,
  type ColumnOrder,
  ELEMENT_CODES,
  type LinearInput,
  type LinearWeight,
  type NativeRange,
  type TableWeight,
} from "./weight.ts";

/** Instruction set levels, each with those before it; the index is zig/cpu.zig's value. */
export const CPU_LEVELS = ["scalar", "avx2", "avx512"] as const;
export type CpuLevel = (typeof CPU_LEVELS)[number];

export interface KernelOptions {
  /** "auto", the default, is the best level that this machine runs. */
  readonly cpu_level?: CpuLevel | "auto";
  /** Default: the CPUs that this process may use, by affinity and control group. */
  readonly thread_count?: number;
}

/** The bytes of a prepared buffer for B tokens of K columns. */
export function preparedBytes(tokens: number, columns: number): number {
  const out = new BigUint64Array(1);
  checkStatus(
    library().symbols.sherry_prepared_bytes(tokens, columns, ptr(out)),
    "sizing prepared activations",
  );
  return Number(out[0]);
}

/** The levels that this machine runs, the best one last. @throws the loader's errors */
export function usableCpuLevels(): readonly CpuLevel[] {
  return CPU_LEVELS.slice(0, library().symbols.sherry_cpu_level_best() + 1);
}

/** The highest level that this machine runs. @throws the loader's errors */
export function bestCpuLevel(): CpuLevel {
  return usableCpuLevels().at(-1) ?? "scalar";
}

/** One instruction set level with one thread pool. Not to be used from two threads at once; `close` frees it. */
export class Kernels {
  readonly cpu_level: CpuLevel;
  readonly thread_count: number;
  readonly #symbols = library().symbols;
  #context: Pointer | null;
  /** Where calls are written down; null while they are made. */
  #list: CallList | null = null;

  private constructor(context: Pointer, cpu_level: CpuLevel, thread_count: number) {
    this.#context = context;
    this.cpu_level = cpu_level;
    this.thread_count = thread_count;
  }

  /** @throws SherryError cpu_unsupported | argument_invalid | out_of_memory | native_failed, or the loader's. */
  static create(options: KernelOptions = {}): Kernels {
    const { symbols } = library();
    const cpu_level =
      options.cpu_level === undefined || options.cpu_level === "auto" ? bestCpuLevel() : options.cpu_level;
    const thread_count = options.thread_count ?? defaultThreadCount();
    if (!Number.isInteger(thread_count) || thread_count < 1 || thread_count > THREAD_COUNT_MAX) {
      throw new SherryError("argument_invalid", "thread_count", {
        expected: `an integer from 1 to ${THREAD_COUNT_MAX}`,
        received: String(thread_count),
      });
    }
    const out = new BigUint64Array(1);
    const status = symbols.sherry_context_create(CPU_LEVELS.indexOf(cpu_level), thread_count, ptr(out));
    checkStatus(status, `starting kernels of level ${cpu_level} with ${thread_count} threads`);
    // The status says that a context was written; its address becomes the branded number that FFI calls take.
    return new Kernels(Number(out[0]) as Pointer, cpu_level, thread_count);
  }

  get context(): Pointer {
    if (this.#context === null) throw new SherryError("closed", "the kernels were closed");
    return this.#context;
  }

  /** Ends the threads. Safe to call twice. */
  close(): void {
    if (this.#context === null) return;
    checkStatus(this.#symbols.sherry_context_destroy(this.#context), "closing the kernels");
    this.#context = null;
  }

  /**
   * Writes down in `list` the calls that `work` asks for instead of making them; `run` makes them. All buffers that they name must
   * outlive that. @throws SherryError internal, when `work` wants a result at once
   */
  record(list: CallList, work: () => void): void {
    this.#list = list;
    try {
      work();
    } finally {
      this.#list = null;
    }
  }

  /** Makes the calls begin .. end of a list. @throws SherryError what the first one that failed would have thrown */
  run(list: CallList, begin: number, end: number): void {
    list.run(this.context, begin, end);
  }

  /** `what` names the method, and `subject` is what it computes with: it is there until the call, or its list, is no more. */
  #call<S extends ListedSymbol>(
    what: string,
    subject: LinearWeight | SequenceTable | null,
    symbol: S,
    values: CallValues<S>,
  ): void {
    if (this.#list !== null) {
      this.#list.add(symbol, labelOf(what, subject), values, subject);
      return;
    }
    // CallValues are what this function takes, which the compiler cannot see of a function that it does not know.
    const native = this.#symbols[symbol] as unknown as (
      context: Pointer,
      ...values: readonly number[]
    ) => number;
    const status = native(this.context, ...values);
    if (status !== 0) checkStatus(status, labelOf(what, subject));
  }

  /** For calls whose buffers or results belong to the caller's moment. */
  #refuseList(what: string): void {
    if (this.#list === null) return;
    throw new SherryError("internal", what, {
      expected: "a call that is made at once",
      received: "a list of calls",
    });
  }

  /**
   * x f32 [B][K] to int8 and tables, the columns in the order of the weights that will read them ("strided": K is a
   * multiple of 64). @throws SherryError numbers_not_finite
   */
  prepare(
    x: NativeRange,
    tokens: number,
    columns: number,
    prepared: NativeRange,
    column_order: ColumnOrder = "natural",
  ): void {
    const address = need("prepare: x", x, tokens * columns * 4);
    const order = COLUMN_ORDER_CODES[column_order];
    const values = [address, tokens, columns, order, prepared.address, prepared.bytes] as const;
    this.#call("prepare", null, "sherry_prepare", values);
  }

  /** y f32 [B][R] = input [B][K] times weight^T. */
  linear(weight: LinearWeight, input: LinearInput, tokens: number, y: NativeRange): void {
    multiply((symbol, values) => this.#call("linear", weight, symbol, values), weight, input, tokens, y);
  }

  /** Rows `ids` of a table [V, C]: out f32 [B][C]. */
  embedding(table: TableWeight, ids: Uint32Array, out: NativeRange): void {
    this.#refuseList("embedding");
    const tokens = ids.length;
    const address = need("embedding: out", out, tokens * table.columns * 4);
    const status = this.#symbols.sherry_embedding(
      this.context,
      table.range.address,
      table.range.bytes,
      ELEMENT_CODES[table.kind],
      table.rows,
      table.columns,
      ptr(ids),
      tokens,
      address,
    );
    checkStatus(status, "embedding");
  }

  /** y = RMS norm of x, both f32 [vectors][size]; y may be x. */
  rmsNorm(
    x: NativeRange,
    weight: NativeRange,
    epsilon: number,
    vectors: number,
    size: number,
    y: NativeRange,
  ): void {
    const bytes = vectors * size * 4;
    this.#call("rmsNorm", null, "sherry_rms_norm", [
      need("rmsNorm: x", x, bytes),
      need("rmsNorm: weight", weight, size * 4),
      epsilon,
      vectors,
      size,
      need("rmsNorm: y", y, bytes),
    ]);
  }

  /** Cosines and sines f32 [B][2][D/2] of positions start .. start + B. */
  rotaryTable(inverse_frequencies: Float64Array, start: number, tokens: number, out: NativeRange): void {
    this.#refuseList("rotaryTable");
    const pairs = inverse_frequencies.length;
    const status = this.#symbols.sherry_rotary_table(
      this.context,
      ptr(inverse_frequencies),
      pairs,
      start,
      tokens,
      need("rotaryTable: out", out, tokens * pairs * 8),
    );
    checkStatus(status, "rotary table");
  }

  /** Rotates x f32 [B][heads][D] in place. */
  rotary(x: NativeRange, tokens: number, heads: number, head_dim: number, cosines_sines: NativeRange): void {
    this.#call("rotary", null, "sherry_rotary", [
      need("rotary: x", x, tokens * heads * head_dim * 4),
      tokens,
      heads,
      head_dim,
      need("rotary: table", cosines_sines, tokens * head_dim * 4),
    ]);
  }

  /** Keys and values f32 [B][G][D] into one layer's caches, sequence after sequence. */
  storeKeyValue(
    keys: NativeRange,
    values: NativeRange,
    heads: number,
    head_dim: number,
    sequences: SequenceTable,
  ): void {
    const bytes = sequences.tokens * heads * head_dim * 4;
    this.#call("storeKeyValue", sequences, "sherry_key_value_store", [
      need("storeKeyValue: keys", keys, bytes),
      need("storeKeyValue: values", values, bytes),
      heads,
      head_dim,
      sequences.element_code,
      sequences.address,
      sequences.count,
    ]);
  }

  /** Causal grouped-query attention of q f32 [B][H][D], sequence after sequence: out f32 [B][H][D]. */
  attention(
    q: NativeRange,
    heads: number,
    key_value_heads: number,
    head_dim: number,
    sequences: SequenceTable,
    out: NativeRange,
  ): void {
    const bytes = sequences.tokens * heads * head_dim * 4;
    this.#call("attention", sequences, "sherry_attention", [
      need("attention: q", q, bytes),
      heads,
      key_value_heads,
      head_dim,
      sequences.element_code,
      sequences.address,
      sequences.count,
      need("attention: out", out, bytes),
    ]);
  }

  /** out = silu(gate) * up, f32 [count]; out may be gate or up. */
  swiglu(gate: NativeRange, up: NativeRange, count: number, out: NativeRange): void {
    const bytes = count * 4;
    this.#call("swiglu", null, "sherry_swiglu", [
      need("swiglu: gate", gate, bytes),
      need("swiglu: up", up, bytes),
      count,
      need("swiglu: out", out, bytes),
    ]);
  }

  /** x += y, f32 [count]. */
  add(x: NativeRange, y: NativeRange, count: number): void {
    const bytes = count * 4;
    this.#call("add", null, "sherry_add", [need("add: x", x, bytes), need("add: y", y, bytes), count]);
  }

  /** out = softmax(x), f32 [vectors][size]. @throws SherryError numbers_not_finite */
  softmax(x: NativeRange, vectors: number, size: number, out: NativeRange): void {
    this.#refuseList("softmax");
    const bytes = vectors * size * 4;
    const status = this.#symbols.sherry_softmax(
      this.context,
      need("softmax: x", x, bytes),
      vectors,
      size,
      need("softmax: out", out, bytes),
    );
    checkStatus(status, "softmax");
  }

  /** The index of the largest of x f32 [size], the lowest of equals. @throws SherryError numbers_not_finite */
  argmax(x: NativeRange, size: number): number {
    this.#refuseList("argmax");
    const index = new Uint32Array(1);
    const status = this.#symbols.sherry_argmax(
      this.context,
      need("argmax: x", x, size * 4),
      1,
      size,
      ptr(index),
    );
    checkStatus(status, "argmax");
    return index[0] ?? 0;
  }
}

/** How a call is named: by its method and, where it computes with a weight, that one's kind and shape. */
export function labelOf(what: string, subject: unknown): string {
  if (typeof subject !== "object" || subject === null) return what;
  if (!("kind" in subject && "rows" in subject && "columns" in subject)) return what;
  return `${what} ${subject.kind} ${subject.rows}x${subject.columns}`;
}
