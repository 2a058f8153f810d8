/**
 * Trains every method of a comparison with every seed on the same data and budget, one run after the other, and writes
 * comparison.json and comparison.md. Runs that have ended are not run again, so an interrupted comparison goes on.
 */
import { join } from "node:path";
import * as v from "valibot";
import { SherryError } from "../../src/errors.ts";
import {
  COMPARISON_VERSION,
  type Comparison,
  type ComparisonRow,
  comparisonMarkdown,
} from "./comparison-table.ts";
import { parseTrainingConfig, parseWith, readConfigJson } from "./config.ts";
import {
  integer,
  QUANTIZATION_SCHEMA,
  type QuantizationConfig,
  type TrainingConfig,
  text,
} from "./config-schema.ts";
import { type TrainOptions, type TrainResult, train } from "./train.ts";
import { writeWholeFile } from "./whole-files.ts";

const SEEDS_MAX = 64;
const ROWS_MAX = 64;

const COMPARISON_SCHEMA = v.strictObject(
  {
    name: text(128),
    output: v.optional(v.nullable(text()), null),
    seeds: v.pipe(
      v.array(integer(0, 2 ** 32 - 1), "a list of seeds"),
      v.minLength(1, "at least one seed"),
      v.maxLength(SEEDS_MAX, `at most ${SEEDS_MAX} seeds`),
    ),
    /** A training configuration without name, output, seed and quantization. */
    base: v.record(v.string(), v.unknown(), "a training configuration"),
    rows: v.pipe(
      v.array(QUANTIZATION_SCHEMA, "a list of quantizations"),
      v.minLength(1, "at least one row"),
      v.maxLength(ROWS_MAX, `at most ${ROWS_MAX} rows`),
    ),
  },
  "an object",
);

export type ComparisonConfig = v.InferOutput<typeof COMPARISON_SCHEMA>;

/** @throws SherryError argument_invalid, also for what a run's configuration would be refused for */
export function readComparisonConfig(path: string): ComparisonConfig {
  const config = parseWith(COMPARISON_SCHEMA, readConfigJson(path));
  const names = plannedRuns(config, "").map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return config;
  throw new SherryError("argument_invalid", "rows and seeds", {
    expected: "each method with each schedule once, and each seed once",
    received: `${twice} twice`,
    next_step: "Compare granularities in comparisons of their own",
  });
}

export function comparisonFolder({ name, output }: ComparisonConfig): string {
  return output ?? join("runs", name);
}

/** @param on_run hears the name of each run before it begins. @throws SherryError as `train` */
export async function compareMethods(
  config: ComparisonConfig,
  options: Omit<TrainOptions, "config" | "resume"> & {
    readonly on_run?: (name: string, index: number, count: number) => void;
  },
): Promise<Comparison> {
  const folder = comparisonFolder(config);
  const { on_run, ...train_options } = options;
  const runs = plannedRuns(config, folder);
  const results: TrainResult[] = [];
  for (const [index, run] of runs.entries()) {
    on_run?.(run.name, index, runs.length);
    results.push(await train({ ...train_options, config: run, resume: true }));
  }
  const seeds = config.seeds.length;
  const rows = config.rows.map((row, index) =>
    summarize(row, results.slice(index * seeds, (index + 1) * seeds)),
  );
  const comparison = { version: COMPARISON_VERSION, budget: budgetOf(config, runs, results), rows } as const;
  writeWholeFile(join(folder, "comparison.json"), `${JSON.stringify(comparison, null, 2)}\n`);
  writeWholeFile(join(folder, "comparison.md"), comparisonMarkdown(comparison));
  return comparison;
}

/** Every seed of the first row, then of the next. Names are like "sherry-cosine-seed2". */
function plannedRuns({ base, rows, seeds }: ComparisonConfig, folder: string): TrainingConfig[] {
  return rows.flatMap((quantization) =>
    seeds.map((seed) => {
      const { method, arenas } = quantization;
      const name = [method, ...(arenas === null ? [] : [arenas.schedule]), `seed${seed}`].join("-");
      return parseTrainingConfig({ ...base, name, output: join(folder, name), seed, quantization });
    }),
  );
}

function summarize(row: QuantizationConfig, results: readonly TrainResult[]): ComparisonRow {
  const perplexities = results.map(({ perplexity }) => perplexity);
  const ranks = results.flatMap(({ effective_rank }) => (effective_rank === null ? [] : [effective_rank]));
  return {
    method: row.method,
    arenas: row.arenas !== null,
    schedule: row.arenas?.schedule ?? null,
    granularity: row.granularity,
    group_columns: row.group_columns,
    bits_per_weight: mean(results.map(({ bits_per_weight }) => bits_per_weight)),
    perplexities,
    mean: mean(perplexities),
    standard_deviation: standardDeviation(perplexities),
    runtime_mean: mean(results.map(({ runtime_perplexity }) => runtime_perplexity ?? Number.NaN)),
    effective_rank: ranks.length === 0 ? null : mean(ranks),
  };
}

function budgetOf(
  config: ComparisonConfig,
  runs: readonly TrainingConfig[],
  results: readonly TrainResult[],
): Comparison["budget"] {
  const [first] = runs;
  if (first === undefined)
    throw new SherryError("internal", "a comparison", { expected: "at least one run" });
  const { steps, batch, evaluation } = first;
  const tokens_per_step = batch.sequences * batch.sequence_tokens * batch.accumulation;
  return {
    name: config.name,
    seeds: config.seeds,
    steps,
    tokens_per_step,
    tokens: steps * tokens_per_step,
    parameters: results[0]?.parameters ?? 0,
    held_out_tokens: evaluation.tokens,
    seconds: results.reduce((sum, { seconds }) => sum + seconds, 0),
  };
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function standardDeviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const middle = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}
