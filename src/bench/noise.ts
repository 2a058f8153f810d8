/**
 * Whether the machine was quiet enough to be believed. Before every round the clock and a fixed piece of work are timed;
 * had the machine been left alone, every round would have seen the same.
 */
import { loadavg } from "node:os";
import { addChain, type BenchContext } from "../native/bench-library.ts";
import type { NativeRange } from "../native/weight.ts";
import { spreadOf, statisticsOf } from "./statistics.ts";

/** Above this the figures of different cases were not taken on the same machine, so to speak. */
export const SPREAD_MAX = 0.1;

/** Half a millisecond or so of additions. */
const CHAIN_ROUNDS = 20_000;
/** The fixed work: a buffer that fits a second-level cache, read this many times. */
export const FIXED_WORK_BYTES = 256 * 1024;
const FIXED_WORK_PASSES = 120;
const REPETITIONS = 7;

export interface RoundCalibration {
  /** Cycles a second; null where the architecture has no chain. */
  readonly clock_hz: number | null;
  readonly fixed_work_ns: number;
}

export interface NoiseReport {
  readonly rounds: readonly RoundCalibration[];
  /** The best that any round saw; null where unknown. */
  readonly clock_hz: number | null;
  /** (largest - smallest) / smallest over the rounds; null where unknown. */
  readonly clock_spread: number | null;
  readonly fixed_work_spread: number;
  readonly is_noisy: boolean;
  /** One-minute load averages; a bench alone on its threads drives it towards their number. */
  readonly load_average_start: number;
  readonly load_average_end: number;
  /** One sentence for whoever reads the figures. */
  readonly verdict: string;
}

function timed(run: () => void): number {
  const times = Array.from({ length: REPETITIONS }, () => {
    const start = Bun.nanoseconds();
    run();
    return Bun.nanoseconds() - start;
  });
  // The median, so that what disturbs only now and then is seen by some rounds and not by others.
  return statisticsOf(times).median;
}

/** A few milliseconds on one thread. @param memory at least FIXED_WORK_BYTES */
export function calibrate(context: BenchContext, memory: NativeRange): RoundCalibration {
  let additions = 0;
  const chain_ns = timed(() => {
    additions = addChain(CHAIN_ROUNDS);
  });
  const sums = new BigUint64Array(context.thread_count);
  const fixed_work_ns = timed(() => context.read(memory, FIXED_WORK_BYTES, FIXED_WORK_PASSES, false, sums));
  return { clock_hz: additions === 0 ? null : (additions / chain_ns) * 1e9, fixed_work_ns };
}

export function noiseReport(rounds: readonly RoundCalibration[], load_average_start: number): NoiseReport {
  const clocks = rounds.flatMap(({ clock_hz }) => (clock_hz === null ? [] : [clock_hz]));
  const clock_spread = clocks.length === 0 ? null : spreadOf(clocks);
  const fixed_work_spread = spreadOf(rounds.map(({ fixed_work_ns }) => fixed_work_ns));
  const is_noisy = Math.max(clock_spread ?? 0, fixed_work_spread) > SPREAD_MAX;
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  const seen =
    `clock spread ${clock_spread === null ? "unknown" : percent(clock_spread)}, ` +
    `fixed work spread ${percent(fixed_work_spread)} over ${rounds.length} rounds`;
  return {
    rounds,
    clock_hz: clocks.length === 0 ? null : Math.max(...clocks),
    clock_spread,
    fixed_work_spread,
    is_noisy,
    load_average_start,
    load_average_end: loadAverage(),
    verdict: is_noisy
      ? `TOO NOISY TO TRUST: ${seen} (more than ${percent(SPREAD_MAX)}). Stop other work and run again.`
      : `Quiet enough: ${seen} (limit ${percent(SPREAD_MAX)}).`,
  };
}

export function loadAverage(): number {
  return loadavg()[0] ?? 0;
}
