/**
 * Times the training kernels: `bun run train:bench [--json] [--tokens N] [--rounds N] [--run FOLDER]`. The float32 peak of the vector
 * units is measured in the same rounds, all cases by turns, so that a busy moment falls on all alike. Products are told
 * as their share of that peak; the others by their time and by how many bytes a second they move at least. --run names a
 * run's folder, whose whole steps are timed too (bench-step.ts); nothing in it changes.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { statisticsOf } from "../../src/bench/statistics.ts";
import { textTable } from "../../src/cli/text-table.ts";
import { SherryError } from "../../src/errors.ts";
import { BenchContext } from "../../src/native/bench-library.ts";
import type { CpuLevel } from "../../src/native/kernels.ts";
import { TrainingKernels } from "../../src/native/training-kernels.ts";
import { type BenchSizes, otherCases, productCases, type TrainingCase } from "./bench-cases.ts";
import { benchSteps, type StepBench } from "./bench-step.ts";
import { readTrainingConfig } from "./config.ts";
import { openSession } from "./session.ts";

const DEFAULT_SIZES: BenchSizes = {
  hidden_sizes: [256, 512, 1024],
  tokens: 2048,
  sequence_tokens: 256,
  head_dim: 64,
  vocabulary: 4096,
};
const PEAK_ROUNDS = 200_000;
const STEPS = 10;

export interface TrainingBenchOptions {
  readonly sizes: BenchSizes;
  readonly cpu_level: CpuLevel;
  readonly thread_counts: readonly number[];
  readonly rounds: number;
  /** Time that a case gets in a round; at least one call is made. */
  readonly slice_ms: number;
  readonly on_progress: (share: number) => void;
}

export interface TrainingBenchRow {
  readonly kernel: string;
  readonly shape: string;
  readonly threads: number;
  /** Of one call. */
  readonly median_us: number;
  readonly minimum_us: number;
  readonly gflops: number | null;
  /** Of the peak of as many threads, medians both; null where the level has no peak or the kernel no operations. */
  readonly peak_share: number | null;
  readonly gigabytes_per_s: number;
}

export interface TrainingBenchResult {
  readonly cpu_level: CpuLevel;
  readonly peaks: readonly { readonly threads: number; readonly gflops: number | null }[];
  readonly rows: readonly TrainingBenchRow[];
}

function casesOf(sizes: BenchSizes): TrainingCase[] {
  const products = sizes.hidden_sizes.flatMap((width) => productCases(sizes.tokens, width, width));
  return [...products, ...otherCases(sizes, sizes.hidden_sizes[0] ?? 0)];
}

/** Nanoseconds of each call made within the slice, after one that is not counted. */
function takeSlice(run: () => void, slice_ms: number): number[] {
  run();
  const samples: number[] = [];
  const end = Bun.nanoseconds() + slice_ms * 1e6;
  do {
    const start = Bun.nanoseconds();
    run();
    samples.push(Bun.nanoseconds() - start);
  } while (Bun.nanoseconds() < end);
  return samples;
}

interface Series {
  readonly training_case: TrainingCase;
  readonly threads: number;
  readonly samples: number[];
}

export function benchTraining(options: TrainingBenchOptions): TrainingBenchResult {
  const cases = casesOf(options.sizes);
  const machines = options.thread_counts.map((threads) => ({
    threads,
    kernels: TrainingKernels.create({ cpu_level: options.cpu_level, thread_count: threads }),
    peak: BenchContext.create(options.cpu_level, threads),
    peak_samples: [] as number[],
  }));
  const all = machines.flatMap(({ threads }) =>
    cases.map((training_case): Series => ({ training_case, threads, samples: [] })),
  );
  try {
    for (let round = 0; round < options.rounds; round += 1) {
      for (const [index, { threads, kernels, peak, peak_samples }] of machines.entries()) {
        options.on_progress((round + index / machines.length) / options.rounds);
        const operations = peak.peak("floats", PEAK_ROUNDS);
        if (operations > 0) {
          const times = takeSlice(() => void peak.peak("floats", PEAK_ROUNDS), options.slice_ms);
          for (const time_ns of times) peak_samples.push(operations / time_ns);
        }
        for (const { training_case, samples } of all.filter((series) => series.threads === threads)) {
          samples.push(...takeSlice(() => training_case.run(kernels), options.slice_ms));
        }
      }
    }
  } finally {
    for (const { kernels, peak } of machines) {
      kernels.close();
      peak.close();
    }
  }
  const peaks = machines.map(({ threads, peak_samples }) => ({
    threads,
    gflops: peak_samples.length === 0 ? null : statisticsOf(peak_samples).median,
  }));
  return {
    cpu_level: options.cpu_level,
    peaks,
    rows: all.map((series) => rowOf(series, peaks.find(({ threads }) => threads === series.threads)?.gflops)),
  };
}

function rowOf(
  { training_case, threads, samples }: Series,
  peak_gflops: number | null | undefined,
): TrainingBenchRow {
  const { kernel, shape, operations, bytes } = training_case;
  const { median, minimum } = statisticsOf(samples);
  const gflops = operations === null ? null : operations / median;
  const has_share = gflops !== null && peak_gflops !== null && peak_gflops !== undefined;
  return {
    ...{ kernel, shape, threads, median_us: median / 1e3, minimum_us: minimum / 1e3, gflops },
    peak_share: has_share ? gflops / peak_gflops : null,
    gigabytes_per_s: bytes / median,
  };
}

function report({ cpu_level, peaks, rows }: TrainingBenchResult): string {
  const heads = peaks.map(
    ({ threads, gflops }) =>
      `float32 peak, ${threads} threads: ${gflops === null ? "unknown" : `${gflops.toFixed(1)} GFLOPS`}`,
  );
  const table = rows.map((row) => [
    ...[row.kernel, row.shape, String(row.threads), row.median_us.toFixed(0), row.minimum_us.toFixed(0)],
    ...[
      row.gflops?.toFixed(1) ?? "",
      row.peak_share === null ? "" : `${(row.peak_share * 100).toFixed(0)} %`,
    ],
    row.gigabytes_per_s.toFixed(1),
  ]);
  const names = ["kernel", "shape", "threads", "median us", "least us", "GFLOPS", "of peak", "GB/s"];
  return [`level ${cpu_level}`, ...heads, "", ...textTable([names, ...table])].join("\n");
}

/** @throws SherryError what opening the run's configuration and tokenizer throws */
function benchRun(folder: string): StepBench {
  const config = readTrainingConfig(join(folder, "config.json"));
  const session = openSession(config, folder, (message) => process.stderr.write(`${message}\n`));
  try {
    return benchSteps(session, STEPS);
  } finally {
    session.close();
  }
}

function stepReport(step: StepBench, { peaks }: TrainingBenchResult): string {
  const peak = peaks.find(({ threads }) => threads === step.threads)?.gflops;
  const of_peak = peak ? `, ${((step.product_gflops / peak) * 100).toFixed(0)} % of peak` : "";
  return [
    `a step of ${step.tokens} tokens, ${step.threads} threads: ${step.step_ms.toFixed(1)} ms, ${step.tokens_per_s.toFixed(0)} tokens/s`,
    `products: ${step.product_ms.toFixed(1)} ms, ${step.product_gflops.toFixed(1)} GFLOPS${of_peak}`,
    `the whole step: ${(step.product_share * 100).toFixed(0)} % of the products' speed`,
  ].join("\n");
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new SherryError("argument_invalid", name, { expected: "a positive integer", received: text });
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      json: { type: "boolean", default: false },
      tokens: { type: "string", default: String(DEFAULT_SIZES.tokens) },
      rounds: { type: "string", default: "3" },
      level: { type: "string", default: "avx2" },
      run: { type: "string" },
    },
  });
  const shows_progress = process.stderr.isTTY;
  const result = benchTraining({
    sizes: { ...DEFAULT_SIZES, tokens: positive("--tokens", values.tokens) },
    cpu_level: values.level === "scalar" ? "scalar" : "avx2",
    thread_counts: [1, 2],
    rounds: positive("--rounds", values.rounds),
    slice_ms: 30,
    on_progress: (share) => {
      if (shows_progress) process.stderr.write(`\rmeasuring: ${(share * 100).toFixed(0)} %  `);
    },
  });
  if (shows_progress) process.stderr.write("\r");
  const step = values.run === undefined ? null : benchRun(values.run);
  const text = step === null ? report(result) : `${report(result)}\n\n${stepReport(step, result)}`;
  process.stdout.write(values.json ? `${JSON.stringify({ ...result, step })}\n` : `${text}\n`);
}
