/**
 * Takes the times: all cases by turns, round after round, so that a minute in which the machine was busy falls on all of
 * them alike and not on one.
 */
import { type BenchCase, caseName } from "./bench-case.ts";
import { calibrate, type RoundCalibration } from "./noise.ts";
import { type Statistics, statisticsOf } from "./statistics.ts";

export interface MeasureOptions {
  readonly rounds: number;
  /** Time that a case gets in a round; a call that takes longer is made once. */
  readonly slice_ms: number;
  /** A sample is as many calls as take this long, so that the timer's own grain is lost in it. */
  readonly sample_us: number;
  readonly on_progress: (share: number, text: string) => void;
  /** Ends the bench between two cases; its reason is thrown. */
  readonly signal: AbortSignal;
}

export interface Measurement {
  readonly bench_case: BenchCase;
  /** Of one call, in nanoseconds. */
  readonly time_ns: Statistics;
}

interface Running {
  readonly bench_case: BenchCase;
  readonly samples: number[];
  calls_per_sample: number;
}

/** Which operands come next. One counter for all cases, so that none streams what another has just left in cache. */
class Rotation {
  #turn = 0;

  next(copies: number): number {
    this.#turn += 1;
    return this.#turn % copies;
  }
}

function timeOf(running: Running, rotation: Rotation): number {
  const { bench_case, calls_per_sample } = running;
  const { copies, run } = bench_case;
  const start = Bun.nanoseconds();
  for (let call = 0; call < calls_per_sample; call += 1) run(rotation.next(copies));
  return (Bun.nanoseconds() - start) / calls_per_sample;
}

function takeSlice(running: Running, rotation: Rotation, options: MeasureOptions): void {
  const { slice_ms, sample_us } = options;
  const end = Bun.nanoseconds() + slice_ms * 1e6;
  // Not counted: wakes the threads, and brings back into cache what other cases have driven out.
  const first_ns = timeOf({ ...running, calls_per_sample: 1 }, rotation);
  if (running.samples.length === 0) {
    running.calls_per_sample = Math.max(1, Math.ceil((sample_us * 1e3) / first_ns));
  }
  do running.samples.push(timeOf(running, rotation));
  while (Bun.nanoseconds() < end);
}

/**
 * @param calibration what a round's calibration runs on; see noise.ts
 * @returns a measurement for every case, in their order, and the calibration of every round.
 */
export async function measure(
  cases: readonly BenchCase[],
  calibration: Parameters<typeof calibrate>,
  options: MeasureOptions,
): Promise<{ measurements: Measurement[]; rounds: RoundCalibration[] }> {
  const all = cases.map((bench_case): Running => ({ bench_case, samples: [], calls_per_sample: 1 }));
  const rounds: RoundCalibration[] = [];
  const rotation = new Rotation();
  for (let round = 0; round < options.rounds; round += 1) {
    rounds.push(calibrate(...calibration));
    for (const [index, running] of all.entries()) {
      const share = (round + index / all.length) / options.rounds;
      options.on_progress(share, `round ${round + 1} of ${options.rounds}: ${caseName(running.bench_case)}`);
      takeSlice(running, rotation, options);
      // Signals get their turn between cases, never within one.
      await new Promise((resolve) => setImmediate(resolve));
      options.signal.throwIfAborted();
    }
  }
  const measurements = all.map(({ bench_case, samples }) => ({ bench_case, time_ns: statisticsOf(samples) }));
  return { measurements, rounds };
}
