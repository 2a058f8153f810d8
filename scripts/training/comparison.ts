/**
 * Trains every method of a comparison with every seed on the same data and budget, one run after the other, and writes
 * comparison.json and comparison.md. Runs that have ended are not run again, so an interrupted comparison goes on.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import {
  COMPARISON_VERSION,
  type Comparison,
  type ComparisonRow,
  comparisonMarkdown,
} from "./comparison-table.ts";
import { parseTrainingConfig, parseWith, readConfigJson } from "./config.ts";
import { integer, QUANTIZATION_SCHEMA, type QuantizationConfig, text } from "./config-schema.ts";
import { type TrainOptions, type TrainResult, train } from "./train.ts";

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
  for (const row of config.rows) runConfig(config, "", row, config.seeds[0] ?? 0);
  return config;
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
  mkdirSync(folder, { recursive: true });
  const { on_run, ...train_options } = options;
  const count = config.rows.length * config.seeds.length;
  const rows: ComparisonRow[] = [];
  const results: TrainResult[] = [];
  for (const row of config.rows) {
    const of_row: TrainResult[] = [];
    for (const seed of config.seeds) {
      const run_config = runConfig(config, folder, row, seed);
      on_run?.(run_config.name, results.length, count);
      const result = await train({ ...train_options, config: run_config, resume: true });
      of_row.push(result);
      results.push(result);
    }
    rows.push(summarize(row, of_row));
  }
  const comparison = { version: COMPARISON_VERSION, budget: budgetOf(config, results), rows } as const;
  writeFileSync(join(folder, "comparison.json"), `${JSON.stringify(comparison, null, 2)}\n`);
  writeFileSync(join(folder, "comparison.md"), comparisonMarkdown(comparison));
  return comparison;
}

/** "sherry-cosine-seed2" */
function runConfig(config: ComparisonConfig, folder: string, row: QuantizationConfig, seed: number) {
  const name = [row.method, ...(row.arenas === null ? [] : [row.arenas.schedule]), `seed${seed}`].join("-");
  const output = join(folder, name);
  return parseTrainingConfig({ ...config.base, name, output, seed, quantization: row });
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

function budgetOf(config: ComparisonConfig, results: readonly TrainResult[]): Comparison["budget"] {
  const [first = config.rows[0]] = config.rows;
  const { steps, batch, evaluation } = runConfig(
    config,
    "",
    first ?? { method: "none", granularity: "group", group_columns: 128, arenas: null },
    config.seeds[0] ?? 0,
  );
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
