/**
 * What cases compute on: memory to stream from, buffers, thread pools of every size, all within one limit. Operands are
 * pseudo-random and the same in every run.
 *
 * Legend: B tokens, K columns.
 */
import { SherryError } from "../errors.ts";
import { BenchContext, fillRange } from "../native/bench-library.ts";
import { BenchMemory } from "../native/bench-memory.ts";
import { type CpuLevel, Kernels, preparedBytes } from "../native/kernels.ts";
import { NativeMemory } from "../native/memory.ts";
import { type NativeRange, rangeOf } from "../native/weight.ts";

export interface WorkspaceOptions {
  /** Bytes of each of the two arenas, on huge and on small pages. */
  readonly stream_bytes: number;
  readonly memory_limit_bytes: number;
  /** The level whose kernels are measured; the scalar level is always there beside it. */
  readonly cpu_level: CpuLevel;
}

/** The input of a matrix product. */
export interface PreparedInput {
  /** f32 [B][K] */
  readonly x: NativeRange;
  readonly prepared: NativeRange;
}

const PAGE_BYTES = 4096;
const ARENA_SEED = 1;

export class Workspace {
  readonly stream_bytes: number;
  readonly cpu_level: CpuLevel;
  readonly #limit_bytes: number;
  readonly #arenas: Readonly<Record<"huge" | "small", BenchMemory>>;
  readonly #buffers = new Map<string, NativeMemory>();
  readonly #inputs = new Map<string, PreparedInput>();
  readonly #kernels = new Map<string, Kernels>();
  readonly #baselines = new Map<string, BenchContext>();
  #used_bytes: number;

  /** @throws SherryError out_of_memory */
  constructor(options: WorkspaceOptions) {
    this.stream_bytes = options.stream_bytes;
    this.cpu_level = options.cpu_level;
    this.#limit_bytes = options.memory_limit_bytes;
    const huge = BenchMemory.allocate(options.stream_bytes, "huge");
    const small = BenchMemory.allocate(options.stream_bytes, "small");
    this.#arenas = { huge, small };
    this.#used_bytes = huge.bytes + small.bytes;
    for (const arena of [huge, small])
      fillRange(arena.range(0, options.stream_bytes), ARENA_SEED, "every_kernel");
  }

  get used_bytes(): number {
    return this.#used_bytes;
  }

  /** The memory that streaming cases rotate over, filled for every kernel. */
  arena(pages: "huge" | "small"): NativeRange {
    return this.#arenas[pages].range(0, this.stream_bytes);
  }

  /** As many ranges of `bytes` as the arena holds, each on pages of its own. @throws SherryError out_of_memory */
  streamCopies(bytes: number): NativeRange[] {
    const stride = Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
    const count = Math.floor(this.stream_bytes / stride);
    if (count === 0) this.#refuse(bytes, `${this.stream_bytes} bytes that cases stream from`);
    return Array.from({ length: count }, (_, copy) => this.#arenas.huge.range(copy * stride, bytes));
  }

  /** Zeroed memory that belongs to `name`: the same range for the same name and size. @throws SherryError out_of_memory */
  buffer(name: string, bytes: number): NativeRange {
    const key = `${name} ${bytes}`;
    const known = this.#buffers.get(key);
    if (known !== undefined) return rangeOf(known, 0, bytes);
    if (this.#used_bytes + bytes > this.#limit_bytes)
      this.#refuse(bytes, `${this.#limit_bytes} bytes in all`);
    const memory = NativeMemory.allocate(Math.ceil(bytes / 64) * 64);
    this.#used_bytes += memory.bytes;
    this.#buffers.set(key, memory);
    return rangeOf(memory, 0, bytes);
  }

  /** A buffer with contents, made once. */
  filled(name: string, bytes: number, fill: (range: NativeRange) => void): NativeRange {
    const is_new = !this.#buffers.has(`${name} ${bytes}`);
    const range = this.buffer(name, bytes);
    if (is_new) fill(range);
    return range;
  }

  /** Bytes of a buffer as JavaScript sees them; dead after `close`. */
  view(range: NativeRange): Uint8Array {
    for (const memory of this.#buffers.values()) {
      const offset = range.address - memory.at(0, 0);
      if (offset >= 0 && offset + range.bytes <= memory.bytes) return memory.view(offset, range.bytes);
    }
    throw new SherryError("internal", "a view of the bench's memory", {
      expected: "a range of a buffer",
      received: "a range of none",
    });
  }

  floats(range: NativeRange): Float32Array {
    const bytes = this.view(range);
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  }

  /** Activations of B tokens, about normally distributed, and their prepared form. */
  input(tokens: number, columns: number): PreparedInput {
    const key = `${tokens}x${columns}`;
    const known = this.#inputs.get(key);
    if (known !== undefined) return known;
    const x = this.filled(`x ${key}`, tokens * columns * 4, (range) => {
      const next = normals(tokens * 31 + columns);
      const floats = this.floats(range);
      for (let index = 0; index < floats.length; index += 1) floats[index] = next();
    });
    const prepared = this.buffer(`prepared ${key}`, preparedBytes(tokens, columns));
    this.kernels(1).prepare(x, tokens, columns, prepared);
    const input = { x, prepared };
    this.#inputs.set(key, input);
    return input;
  }

  kernels(threads: number, cpu_level: CpuLevel = this.cpu_level): Kernels {
    return remembered(this.#kernels, `${cpu_level} ${threads}`, () =>
      Kernels.create({ cpu_level, thread_count: threads }),
    );
  }

  baselines(threads: number, cpu_level: CpuLevel = this.cpu_level): BenchContext {
    return remembered(this.#baselines, `${cpu_level} ${threads}`, () =>
      BenchContext.create(cpu_level, threads),
    );
  }

  /** Frees all memory and ends all threads. */
  close(): void {
    for (const kernels of this.#kernels.values()) kernels.close();
    for (const baselines of this.#baselines.values()) baselines.close();
    for (const memory of this.#buffers.values()) memory.free();
    for (const arena of Object.values(this.#arenas)) arena.free();
  }

  #refuse(bytes: number, limit: string): never {
    throw new SherryError("out_of_memory", "the bench's memory", {
      expected: `at most ${limit}`,
      received: `${bytes} bytes more`,
      next_step: "Raise --memory-limit",
    });
  }
}

function remembered<T>(map: Map<string, T>, key: string, make: () => T): T {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

/** Sums of uniform numbers, close enough to normal for timing; mulberry32 underneath (T. Ettinger, public domain). */
function normals(seed: number): () => number {
  let state = seed | 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return () => (uniform() + uniform() + uniform() + uniform() - 2) * Math.sqrt(3);
}
