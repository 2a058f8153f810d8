/**
 * From times to what they mean: speeds, shares of the memory's bandwidth, cycles, ratios to the baselines of the same
 * run. All from minima; medians stand beside them.
 */
import { type BenchCase, keyOf, type Residence } from "./bench-case.ts";
import type { ReadSetting } from "./machine-cases.ts";
import { levelName, type MachineFacts } from "./machine-facts.ts";
import type { Measurement } from "./measure.ts";

export interface CaseResult {
  readonly kernel: string;
  readonly shape: string;
  readonly tokens: number;
  readonly threads: number;
  readonly residence: Residence;
  readonly copies: number;
  readonly samples: number;
  readonly minimum_us: number;
  readonly median_us: number;
  /** Weights of the matrix times tokens, in thousands of millions a second; null for what has none. */
  readonly gigaweights_per_s: number | null;
  /** Null where operations say nothing. */
  readonly gigaoperations_per_s: number | null;
  /** Bytes that must come from memory, 10^9 a second. */
  readonly gigabytes_per_s: number | null;
  /** Of the fastest read of the same threads from the same place; null where no read was measured. */
  readonly bandwidth_share: number | null;
  /** Of the clock, for each 128 weights and token, all threads together taking the time of one. */
  readonly cycles_per_128_weights: number | null;
  /** How many times as long the baselines take on the same shape, tokens, threads and residence. */
  readonly ratios: Readonly<Partial<Record<BaselineName, number>>>;
  readonly checksum: string | null;
}

export interface ReadResult extends ReadSetting {
  readonly level: string;
  readonly gigabytes_per_s: number;
  readonly median_gigabytes_per_s: number;
}

const BASELINES = {
  "2-bit": (of: Key) =>
    keyOf({ ...of, kernel: of.kernel === "sherry prepared" ? "2-bit prepared" : "2-bit" }),
  f32: (of: Key) => keyOf({ ...of, kernel: "f32" }),
  // The scalar level is never short of bandwidth, so that it is measured in cache alone.
  scalar: (of: Key) => keyOf({ ...of, kernel: "sherry, scalar", residence: "cache" }),
} as const;
type Key = Parameters<typeof keyOf>[0];
export type BaselineName = keyof typeof BASELINES;

const COMPARED_KERNELS = new Set(["sherry", "sherry prepared"]);

export function readResult(
  facts: MachineFacts,
  setting: ReadSetting,
  { bench_case, time_ns }: Measurement,
): ReadResult {
  const { buffer_bytes, threads, residence } = setting;
  return {
    ...setting,
    level: residence === "stream" ? "stream" : levelName(facts, buffer_bytes, threads),
    gigabytes_per_s: bench_case.work.bytes / time_ns.minimum,
    median_gigabytes_per_s: bench_case.work.bytes / time_ns.median,
  };
}

/** The fastest read of `bytes` on that many threads from where a case reads; null when there is none. */
export function bandwidthFor(
  reads: readonly ReadResult[],
  threads: number,
  residence: Residence,
  bytes: number,
): number | null {
  const alike = reads.filter((read) => read.threads === threads && read.residence === residence);
  const large_enough = alike.filter(
    ({ buffer_bytes }) => residence === "stream" || buffer_bytes * threads >= bytes,
  );
  const nearest_bytes = Math.min(...large_enough.map(({ buffer_bytes }) => buffer_bytes));
  const speeds = large_enough
    .filter(({ buffer_bytes, pages }) => buffer_bytes === nearest_bytes && pages === "huge")
    .map(({ gigabytes_per_s }) => gigabytes_per_s);
  return speeds.length === 0 ? null : Math.max(...speeds);
}

export function caseResults(
  measurements: readonly Measurement[],
  checksums: ReadonlyMap<BenchCase, string>,
  reads: readonly ReadResult[],
  clock_hz: number | null,
): CaseResult[] {
  const minima = new Map(measurements.map(({ bench_case, time_ns }) => [keyOf(bench_case), time_ns.minimum]));
  return measurements.map(({ bench_case, time_ns }) => {
    const { kernel, shape, tokens, threads, residence, copies, work } = bench_case;
    const bandwidth = bandwidthFor(reads, threads, residence, work.bytes);
    const perSecond = (amount: number) => (amount === 0 ? null : amount / time_ns.minimum);
    const gigabytes_per_s = perSecond(work.bytes);
    const blocks = (work.weights * tokens) / 128;
    return {
      ...{ kernel, shape, tokens, threads, residence, copies, samples: time_ns.count },
      minimum_us: time_ns.minimum / 1e3,
      median_us: time_ns.median / 1e3,
      gigaweights_per_s: perSecond(work.weights * tokens),
      gigaoperations_per_s: perSecond(work.operations),
      gigabytes_per_s,
      bandwidth_share: bandwidth === null || gigabytes_per_s === null ? null : gigabytes_per_s / bandwidth,
      cycles_per_128_weights:
        clock_hz === null || blocks === 0 ? null : (time_ns.minimum * 1e-9 * clock_hz) / blocks,
      ratios: ratiosOf(bench_case, time_ns.minimum, minima),
      checksum: checksums.get(bench_case) ?? null,
    };
  });
}

function ratiosOf(
  bench_case: BenchCase,
  minimum_ns: number,
  minima: ReadonlyMap<string, number>,
): CaseResult["ratios"] {
  if (!COMPARED_KERNELS.has(bench_case.kernel)) return {};
  const found = Object.entries(BASELINES).flatMap(([name, key]) => {
    const baseline_ns = minima.get(key(bench_case));
    return baseline_ns === undefined ? [] : [[name, baseline_ns / minimum_ns]];
  });
  return Object.fromEntries(found);
}
