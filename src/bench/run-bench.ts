/** The whole bench: the machine, the kernels, a model; one report. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SherryError } from "../errors.ts";
import { BenchContext, fillRange } from "../native/bench-library.ts";
import { bestCpuLevel, type CpuLevel } from "../native/kernels.ts";
import { NativeMemory } from "../native/memory.ts";
import { defaultThreadCount } from "../native/threads.ts";
import { rangeOf } from "../native/weight.ts";
import { makeModel } from "../packing/synthetic/make-model.ts";
import { type BenchCase, caseName } from "./bench-case.ts";
import { kernelCases, type SkippedCase } from "./kernel-cases.ts";
import { emptyCallCase, peakCases, readCases } from "./machine-cases.ts";
import { hugePageBytes, lastLevelBytes, type MachineFacts, machineFacts } from "./machine-facts.ts";
import { type Measurement, measure } from "./measure.ts";
import { benchModel, type ModelReport } from "./model-bench.ts";
import {
  calibrate,
  FIXED_WORK_BYTES,
  loadAverage,
  type NoiseReport,
  noiseReport,
  type RoundCalibration,
} from "./noise.ts";
import { type BenchPlan, fullPlan, quickPlan, threadCounts } from "./plan.ts";
import { type CaseResult, caseResults, type ReadResult, readResult } from "./results.ts";
import { verifyCases } from "./verify-cases.ts";
import { Workspace } from "./workspace.ts";

export const BENCH_PARTS = ["machine", "kernels", "model"] as const;
export type BenchPart = (typeof BENCH_PARTS)[number];

export interface BenchOptions {
  /** A packed file; null makes one with random weights for the time of the bench. */
  readonly model_path: string | null;
  /** Default: all. "kernels" measures the machine too, which kernels are held against. */
  readonly only?: BenchPart | undefined;
  readonly is_quick: boolean;
  /** The most threads that are measured. Default: the CPUs this process may use. */
  readonly threads?: number | undefined;
  readonly rounds?: number | undefined;
  /** Default: the best that this machine runs. */
  readonly cpu_level?: CpuLevel | undefined;
  readonly memory_limit_bytes: number;
  /** Only cases whose name contains this, and the baselines at their shapes. */
  readonly filter?: string | undefined;
  readonly on_progress: (share: number, text: string) => void;
  readonly signal: AbortSignal;
}

export interface BenchReport {
  readonly taken_at: string;
  readonly seconds: number;
  readonly is_quick: boolean;
  readonly facts: MachineFacts;
  readonly cpu_level: CpuLevel;
  readonly thread_counts: readonly number[];
  readonly noise: NoiseReport;
  /** Null when only the model was measured. */
  readonly kernels: KernelsReport | null;
  readonly model: ModelReport | null;
  /** Results whose bits differ from the scalar level's; the bench has failed when there are some. */
  readonly mismatches: readonly string[];
}

export interface KernelsReport {
  /** What streaming cases rotated over. */
  readonly stream_bytes: number;
  /** The same in last-level caches; null where unknown. */
  readonly stream_last_levels: number | null;
  /** Anonymous huge pages that the system gave; null where it does not say. */
  readonly huge_page_bytes: number | null;
  readonly used_bytes: number;
  readonly reads: readonly ReadResult[];
  readonly results: readonly CaseResult[];
  readonly skipped: readonly SkippedCase[];
  /** What cases say beside their times. */
  readonly remarks: readonly string[];
}

/** Of the memory limit, for each of the two arenas: huge pages and small ones. */
const ARENA_SHARE = 0.3;
const PAGE_BYTES = 4096;

/** @throws SherryError as PackedModel.open and the loaders do; the signal's reason */
export async function runBench(options: BenchOptions): Promise<BenchReport> {
  const started = performance.now();
  const chosen_plan = options.is_quick ? quickPlan() : fullPlan();
  const plan = options.rounds === undefined ? chosen_plan : { ...chosen_plan, rounds: options.rounds };
  const thread_counts = threadCounts(options.threads ?? defaultThreadCount());
  const facts = machineFacts();
  const load_average = loadAverage();
  const cpu_level = options.cpu_level ?? bestCpuLevel();
  const rounds: RoundCalibration[] = [];
  const mismatches: string[] = [];
  let kernels: KernelsReport | null = null;
  if (options.only !== "model") {
    kernels = await measureKernels(options, plan, thread_counts, facts, cpu_level, rounds, mismatches);
  }
  let model: ModelReport | null = null;
  if (options.only === undefined || options.only === "model") {
    model = await measureModel(options, plan, Math.max(...thread_counts), cpu_level, rounds);
    if (model.scalar?.is_token_identical === false) {
      mismatches.push("the model: the scalar level says other tokens");
    }
  }
  return {
    taken_at: new Date().toISOString(),
    seconds: (performance.now() - started) / 1e3,
    ...{ is_quick: options.is_quick, facts, cpu_level, thread_counts, kernels, model, mismatches },
    noise: noiseReport(rounds, load_average),
  };
}

async function measureKernels(
  options: BenchOptions,
  plan: BenchPlan,
  thread_counts: readonly number[],
  facts: MachineFacts,
  cpu_level: CpuLevel,
  rounds: RoundCalibration[],
  mismatches: string[],
): Promise<KernelsReport> {
  const { memory_limit_bytes, on_progress, signal, only, filter } = options;
  const limited_bytes = Math.floor((memory_limit_bytes * ARENA_SHARE) / PAGE_BYTES) * PAGE_BYTES;
  const stream_bytes = Math.min(plan.stream_bytes, limited_bytes);
  on_progress(0, "filling memory");
  const workspace = new Workspace({ stream_bytes, memory_limit_bytes, cpu_level });
  try {
    const reads = readCases(workspace, plan.read_sizes_bytes, thread_counts);
    const peaks = thread_counts.flatMap((threads) => peakCases(workspace, threads));
    const list = only === "machine" ? null : kernelCases(workspace, plan, thread_counts);
    const kept = filterCases(list?.cases ?? [], filter);
    const cases = [...reads.map(({ bench_case }) => bench_case), ...peaks, emptyCallCase(workspace), ...kept];
    const { checksums, mismatches: found } = await verifyCases(cases, on_progress, signal);
    mismatches.push(...found);
    const calibration = [workspace.baselines(1), workspace.arena("huge")] as const;
    const taken = await measure(cases, [...calibration], { ...plan, on_progress, signal });
    rounds.push(...taken.rounds);
    const read_results = reads.flatMap(({ setting }, index) => {
      const measurement = taken.measurements[index];
      return measurement === undefined ? [] : [readResult(facts, setting, measurement)];
    });
    const clock_hz = noiseReport(taken.rounds, 0).clock_hz;
    const others: Measurement[] = taken.measurements.slice(reads.length);
    const last_level = lastLevelBytes(facts);
    return {
      stream_bytes,
      stream_last_levels: last_level === null ? null : stream_bytes / last_level,
      huge_page_bytes: hugePageBytes("anonymous"),
      used_bytes: workspace.used_bytes,
      reads: read_results,
      results: caseResults(others, checksums, read_results, clock_hz),
      skipped: list?.skipped ?? [],
      remarks: kept.flatMap((one) => (one.remark === undefined ? [] : [`${caseName(one)}: ${one.remark()}`])),
    };
  } finally {
    workspace.close();
  }
}

const BASELINE_KERNELS = new Set(["2-bit", "2-bit prepared", "f32", "sherry, scalar"]);

/** The cases that a filter names, and the baselines at their shapes. */
function filterCases(cases: readonly BenchCase[], filter: string | undefined): readonly BenchCase[] {
  if (filter === undefined) return cases;
  const named = new Set(cases.filter((bench_case) => caseName(bench_case).includes(filter)));
  const shapes = new Set([...named].map(({ shape }) => shape));
  return cases.filter(
    (bench_case) =>
      named.has(bench_case) || (BASELINE_KERNELS.has(bench_case.kernel) && shapes.has(bench_case.shape)),
  );
}

async function measureModel(
  options: BenchOptions,
  plan: BenchPlan,
  threads: number,
  cpu_level: CpuLevel,
  rounds: RoundCalibration[],
): Promise<ModelReport> {
  const { model_path, on_progress, signal } = options;
  const folder = model_path === null ? mkdtempSync(join(tmpdir(), "sherry-bench-")) : null;
  const context = BenchContext.create(cpu_level, 1);
  const memory = NativeMemory.allocate(FIXED_WORK_BYTES);
  try {
    fillRange(rangeOf(memory), 1, "any");
    const path = folder === null ? (model_path ?? "") : await makeSynthetic(folder, plan, options);
    const onRound = () => void rounds.push(calibrate(context, rangeOf(memory)));
    return await benchModel({ path, plan: plan.model, threads, cpu_level, on_progress, onRound, signal });
  } finally {
    memory.free();
    context.close();
    if (folder !== null) rmSync(folder, { recursive: true, force: true });
  }
}

async function makeSynthetic(
  folder: string,
  plan: BenchPlan,
  { on_progress, signal }: BenchOptions,
): Promise<string> {
  const shape = plan.model.synthetic;
  const output = join(folder, `${shape.name}.sherry`);
  const made = await makeModel({
    ...{ shape, output, form: "sherry", seed: 0, embedding: "split8", head: null, signal },
    scale: { granularity: "channel", group_columns: 0 },
    on_progress: ({ weights_done, weights_total }) =>
      on_progress(weights_done / weights_total, `making a ${shape.name} with random weights`),
  });
  if (made.output === null) {
    throw new SherryError("internal", "the bench's model", { expected: "a file", received: "none" });
  }
  return made.output;
}
