/**
 * The machine itself as bench cases: memory reads by size, threads and pages, the vector units' peak, and an empty
 * native call. They run by turns with the kernels', which are held against them.
 */
import { emptyCall } from "../native/bench-library.ts";
import { type BenchCase, checksumOf, type Residence } from "./bench-case.ts";
import type { Workspace } from "./workspace.ts";

export interface ReadSetting {
  /** Of each thread's own buffer. */
  readonly buffer_bytes: number;
  readonly threads: number;
  readonly pages: "huge" | "small";
  readonly prefetches: boolean;
  readonly residence: Residence;
}

export interface ReadCase {
  readonly setting: ReadSetting;
  readonly bench_case: BenchCase;
}

/** A call reads about this much from cache, so that waking the threads is lost in it. */
const CALL_BYTES = 4 * 1024 * 1024;
/** What each thread reads in one streaming call; the next call reads the next window. */
const WINDOW_BYTES = 16 * 1024 * 1024;
const BUFFER_GRAIN_BYTES = 4096;
const PEAK_ROUNDS = 40_000;

function sizeName(bytes: number): string {
  return bytes >= 1024 * 1024 ? `${Math.round(bytes / 1024 ** 2)} MB` : `${Math.round(bytes / 1024)} KB`;
}

export function readCase(workspace: Workspace, setting: ReadSetting): ReadCase {
  const { buffer_bytes, threads, pages, prefetches, residence } = setting;
  const arena = workspace.arena(pages);
  const window_bytes = buffer_bytes * threads;
  const windows = Math.floor(arena.bytes / window_bytes);
  const passes = residence === "stream" ? 1 : Math.max(1, Math.round(CALL_BYTES / buffer_bytes));
  const sums = new BigUint64Array(threads);
  const compute = (context: ReturnType<Workspace["baselines"]>, copy: number) => {
    // Inside the arena, since copies are counted by whole windows.
    const address = (arena.address + copy * window_bytes) as typeof arena.address;
    context.read({ address, bytes: window_bytes }, buffer_bytes, passes, prefetches, sums);
    return checksumOf(new Uint8Array(sums.buffer));
  };
  const context = workspace.baselines(threads);
  const bench_case: BenchCase = {
    kernel: prefetches ? "read, prefetched" : "read",
    shape: `${sizeName(buffer_bytes)} a thread, ${pages} pages`,
    ...{ tokens: 1, threads, residence, copies: residence === "stream" ? windows : 1 },
    work: { operations: 0, bytes: window_bytes * passes, weights: 0 },
    run: (copy) => void compute(context, copy),
    verify: () => {
      const received = compute(context, 0);
      return { checksum: received, received, expected: compute(workspace.baselines(threads, "scalar"), 0) };
    },
  };
  return { setting, bench_case };
}

/** Reads of `sizes` from cache and of the whole arena as a stream, on one thread and more. */
export function readCases(
  workspace: Workspace,
  sizes: readonly number[],
  thread_counts: readonly number[],
): ReadCase[] {
  const cases: ReadCase[] = [];
  for (const threads of thread_counts) {
    for (const buffer_bytes of sizes) {
      if (buffer_bytes * threads > workspace.stream_bytes) continue;
      for (const prefetches of [false, true]) {
        const residence = "cache";
        cases.push(readCase(workspace, { buffer_bytes, threads, pages: "huge", prefetches, residence }));
      }
    }
    const share_bytes =
      Math.floor(workspace.stream_bytes / threads / BUFFER_GRAIN_BYTES) * BUFFER_GRAIN_BYTES;
    const buffer_bytes = Math.min(WINDOW_BYTES, share_bytes);
    for (const pages of ["huge", "small"] as const) {
      for (const prefetches of [false, true]) {
        const residence = "stream";
        cases.push(readCase(workspace, { buffer_bytes, threads, pages, prefetches, residence }));
      }
    }
  }
  return cases;
}

/** The vector units at work in registers; none where the level has no such loop. */
export function peakCases(workspace: Workspace, threads: number): BenchCase[] {
  const context = workspace.baselines(threads);
  return (["integers", "floats"] as const).flatMap((kind) => {
    const operations = context.peak(kind, PEAK_ROUNDS);
    if (operations === 0) return [];
    return [
      {
        ...({ kernel: "peak", shape: kind, tokens: 1, threads, residence: "cache", copies: 1 } as const),
        work: { operations, bytes: 0, weights: 0 },
        run: () => void context.peak(kind, PEAK_ROUNDS),
        verify: () => null,
      },
    ];
  });
}

export function emptyCallCase(workspace: Workspace): BenchCase {
  const range = workspace.buffer("empty call", 64);
  return {
    ...{ kernel: "empty call", shape: "five pointers", tokens: 1, threads: 1, residence: "cache", copies: 1 },
    work: { operations: 0, bytes: 0, weights: 0 },
    run: () => emptyCall(range),
    verify: () => null,
  };
}
