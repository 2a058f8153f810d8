/**
 * The bench's own shared library: baselines, the memory reader and the clock. Loaded by benches alone, from the same
 * cache as the kernels; the product never opens it.
 *
 * Legend: K in_features, R out_features.
 */
import { dlopen, type Pointer, ptr } from "bun:ffi";
import { SherryError } from "../errors.ts";
import { builtLibrary } from "./build.ts";
import { CPU_LEVELS, type CpuLevel } from "./kernels.ts";
import { checkStatus } from "./status.ts";
import { BENCH_SYMBOLS } from "./symbols.ts";
import type { NativeRange } from "./weight.ts";

/** zig/bench/context.zig's abi_version. */
export const BENCH_ABI_VERSION = 1;

/** What fillRange writes (zig/bench/fill.zig). */
export const FILL_PATTERNS = { any: 0, every_kernel: 1 } as const;
export type FillPattern = keyof typeof FILL_PATTERNS;

function open(path: string) {
  try {
    return dlopen(path, BENCH_SYMBOLS);
  } catch (cause) {
    throw new SherryError("native_mismatch", "the bench library does not load", {
      expected: "a library with every symbol of BENCH_SYMBOLS in src/native/symbols.ts",
      received: `${path}: ${cause instanceof Error ? cause.message : String(cause)}`,
      next_step: "Delete .toolchain/kernels to build it again, or unset SHERRY_BENCH_LIBRARY",
      cause,
    });
  }
}

let loaded: ReturnType<typeof open> | undefined;

/**
 * The bench library's raw functions. SHERRY_BENCH_LIBRARY names a ready library instead of the one built here.
 * @throws SherryError toolchain_missing | build_failed | native_mismatch
 */
export function benchLibrary(): ReturnType<typeof open> {
  if (loaded !== undefined) return loaded;
  const opened = open(process.env["SHERRY_BENCH_LIBRARY"] || builtLibrary("sherry_bench"));
  const version = opened.symbols.sherry_bench_abi_version();
  if (version !== BENCH_ABI_VERSION) {
    opened.close();
    throw new SherryError("native_mismatch", "the bench library is of another version", {
      expected: `ABI version ${BENCH_ABI_VERSION}`,
      received: String(version),
      next_step: "Delete .toolchain/kernels to build it again, or unset SHERRY_BENCH_LIBRARY",
    });
  }
  loaded = opened;
  return opened;
}

/** Fills a range that starts at a multiple of 64 with pseudo-random contents; the same seed gives the same bytes. */
export function fillRange(range: NativeRange, seed: number, pattern: FillPattern): void {
  const { symbols } = benchLibrary();
  checkStatus(
    symbols.sherry_bench_fill(range.address, range.bytes, seed, FILL_PATTERNS[pattern]),
    "filling memory",
  );
}

/** A native call that does nothing with its five pointers. */
export function emptyCall(range: NativeRange): void {
  const { address } = range;
  benchLibrary().symbols.sherry_bench_empty(address, address, address, address, address);
}

/** Additions of one cycle each, one after another; returns how many, 0 where this architecture has no such loop. */
export function addChain(rounds: number): number {
  const out = new BigUint64Array(2);
  checkStatus(benchLibrary().symbols.sherry_bench_add_chain(rounds, ptr(out)), "timing the clock");
  return Number(out[0]);
}

/** Bytes of R x K weights of the 2-bit baseline, and of K prepared activations. */
export function twoBitBytes(
  rows: number,
  columns: number,
): { weights_bytes: number; prepared_bytes: number } {
  const out = new BigUint64Array(2);
  checkStatus(benchLibrary().symbols.sherry_bench_two_bit_bytes(rows, columns, ptr(out)), "2-bit sizes");
  return { weights_bytes: Number(out[0]), prepared_bytes: Number(out[1]) };
}

/** One level's baselines with one thread pool. `close` frees it. */
export class BenchContext {
  readonly thread_count: number;
  readonly #symbols = benchLibrary().symbols;
  #context: Pointer | null;

  private constructor(context: Pointer, thread_count: number) {
    this.#context = context;
    this.thread_count = thread_count;
  }

  /** @throws SherryError cpu_unsupported | internal | out_of_memory | native_failed, or the loader's. */
  static create(cpu_level: CpuLevel, thread_count: number): BenchContext {
    const out = new BigUint64Array(1);
    const { symbols } = benchLibrary();
    checkStatus(
      symbols.sherry_bench_context_create(CPU_LEVELS.indexOf(cpu_level), thread_count, ptr(out)),
      `starting baselines of level ${cpu_level} with ${thread_count} threads`,
    );
    // The status says that a context was written; its address becomes the branded number that FFI calls take.
    return new BenchContext(Number(out[0]) as Pointer, thread_count);
  }

  get context(): Pointer {
    if (this.#context === null) throw new SherryError("closed", "the bench context was closed");
    return this.#context;
  }

  /** Ends the threads. Safe to call twice. */
  close(): void {
    if (this.#context === null) return;
    checkStatus(this.#symbols.sherry_bench_context_destroy(this.#context), "closing the bench context");
    this.#context = null;
  }

  /** Each thread sums its own `buffer_bytes` of `range` `passes` times into its entry of `sums`. */
  read(
    range: NativeRange,
    buffer_bytes: number,
    passes: number,
    prefetches: boolean,
    sums: BigUint64Array,
  ): void {
    if (sums.length < this.thread_count) {
      throw new SherryError("internal", "sums of a memory read", {
        expected: `${this.thread_count} entries`,
        received: `${sums.length}`,
      });
    }
    const status = this.#symbols.sherry_bench_read(
      this.context,
      range.address,
      range.bytes,
      buffer_bytes,
      passes,
      prefetches ? 1 : 0,
      ptr(sums),
    );
    checkStatus(status, "reading memory");
  }

  /** Every thread computes in its registers; returns the operations of all, 0 where the level has no such loop. */
  peak(kind: "integers" | "floats", rounds: number): number {
    const out = new BigUint64Array(1);
    const code = kind === "integers" ? 0 : 1;
    checkStatus(this.#symbols.sherry_bench_peak(this.context, code, rounds, ptr(out)), "vector units' peak");
    return Number(out[0]);
  }

  /** x f32 [K] to the 2-bit baseline's int8. */
  twoBitPrepare(x: NativeRange, columns: number, prepared: NativeRange): void {
    if (x.bytes < columns * 4) {
      throw new SherryError("internal", "2-bit baseline: x", {
        expected: `at least ${columns * 4} bytes`,
        received: `${x.bytes}`,
      });
    }
    const status = this.#symbols.sherry_bench_two_bit_prepare(
      this.context,
      x.address,
      columns,
      prepared.address,
      prepared.bytes,
    );
    checkStatus(status, "preparing the 2-bit baseline");
  }

  /** y f32 [R] = prepared activations times 2-bit weights^T. */
  twoBitLinear(
    weights: NativeRange,
    rows: number,
    columns: number,
    prepared: NativeRange,
    y: NativeRange,
  ): void {
    if (y.bytes < rows * 4) {
      throw new SherryError("internal", "2-bit baseline: y", {
        expected: `at least ${rows * 4} bytes`,
        received: `${y.bytes}`,
      });
    }
    const status = this.#symbols.sherry_bench_two_bit_linear(
      this.context,
      weights.address,
      weights.bytes,
      rows,
      columns,
      prepared.address,
      prepared.bytes,
      y.address,
    );
    checkStatus(status, "2-bit baseline");
  }
}
