/** A comparison of tiny runs, its files, its refusals, and the sentences that hold it against the paper. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  compareMethods,
  mean,
  readComparisonConfig,
  standardDeviation,
} from "../../../scripts/training/comparison.ts";
import { type ComparisonRow, claims } from "../../../scripts/training/comparison-table.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { tinyConfig } from "./tiny-run.ts";

// Training takes as long as the machine is busy.
setDefaultTimeout(120_000);

const at = temporaryFolder();
const { name: _name, output: _output, seed: _seed, quantization: _quantization, ...base } = tinyConfig("");
const CONFIG = {
  name: "tiny",
  output: at("comparison"),
  seeds: [1, 2],
  base: { ...base, steps: 6, diagnostics: { interval_steps: 3, tokens: 8 } },
  rows: [
    { method: "absmean", group_columns: 32 },
    { method: "sherry", group_columns: 32, arenas: { schedule: "linear" } },
  ],
};

function written(config: unknown): string {
  const path = at("compare.json");
  writeFileSync(path, JSON.stringify(config));
  return path;
}

describe("a comparison", () => {
  test("trains every row with every seed, and writes both files", async () => {
    const config = readComparisonConfig(written(CONFIG));
    const names: string[] = [];
    const comparison = await compareMethods(config, { on_run: (name) => names.push(name) });
    expect(names).toEqual(["absmean-seed1", "absmean-seed2", "sherry-linear-seed1", "sherry-linear-seed2"]);
    expect(comparison.budget).toMatchObject({ steps: 6, tokens_per_step: 128, tokens: 768, seeds: [1, 2] });
    expect(comparison.rows[0]?.bits_per_weight).toBeCloseTo(5 / 3 + 0.5, 12);
    expect(comparison.rows[1]?.bits_per_weight).toBe(1.75);
    for (const row of comparison.rows) {
      expect(row.perplexities).toHaveLength(2);
      expect(row.perplexities[0]).not.toBe(row.perplexities[1]);
      expect(row.mean).toBeCloseTo(mean(row.perplexities), 10);
      expect(row.effective_rank).toBeGreaterThan(1);
    }
    const stored = JSON.parse(readFileSync(join(at("comparison"), "comparison.json"), "utf8"));
    expect(stored).toEqual(JSON.parse(JSON.stringify(comparison)));
    const table = readFileSync(join(at("comparison"), "comparison.md"), "utf8");
    expect(table).toContain("| sherry + Arenas (linear) | group 32 | 1.750 |");
  });

  test("runs nothing again that has ended", async () => {
    const steps: number[] = [];
    const config = readComparisonConfig(written(CONFIG));
    await compareMethods(config, { on_step: ({ step }) => steps.push(step) });
    expect(steps).toEqual([]);
  });

  test.each([
    [{ seeds: [] }, "seeds: expected at least one seed, received []"],
    [{ rows: [] }, "rows: expected at least one row, received []"],
    [
      { rows: [{ method: "lsq" }] },
      'rows.0.method: expected "none", "sherry", "absmean", "twn", "binary", received "lsq"',
    ],
    [
      { seeds: [1, 1] },
      "rows and seeds: expected each method with each schedule once, and each seed once, received absmean-seed1 twice",
    ],
    [{ extra: 1 }, "extra: expected no such setting, received one"],
    [{ base: { ...CONFIG.base, steps: 0 } }, "steps: expected an integer from 1 to 100000000, received 0"],
  ])("is refused for %j", (change, message) => {
    expect(() => readComparisonConfig(written({ ...CONFIG, ...change }))).toThrow(message);
  });
});

describe("the sentences about the paper's claims", () => {
  const row = (method: string, schedule: string | null, middle: number, spread: number): ComparisonRow => ({
    ...{ method, schedule, arenas: schedule !== null, granularity: "group", group_columns: 32 },
    ...{ bits_per_weight: 1.25, perplexities: [middle], mean: middle, standard_deviation: spread },
    ...{ runtime_mean: middle, effective_rank: null },
  });

  test("tell lower, higher and what the spread hides", () => {
    const rows = [
      row("absmean", null, 10, 0.1),
      row("sherry", null, 12, 0.1),
      row("sherry", "cosine", 10.05, 0.1),
    ];
    expect(claims(rows)).toEqual([
      "- sherry + Arenas (cosine) against sherry: lower perplexity (-16.25 %); the paper claims better than it.",
      "- sherry + Arenas (cosine) against absmean: a difference within the spread of the seeds (+0.50 %); the paper claims no worse than it.",
    ]);
    const worse = [row("sherry", null, 12, 0.1), row("sherry", "cosine", 13, 0.1)];
    expect(claims(worse)).toEqual([
      "- sherry + Arenas (cosine) against sherry: higher perplexity (+8.33 %); the paper claims better than it.",
    ]);
    expect(claims([row("absmean", null, 10, 0)])).toEqual([]);
  });

  test("rest on mean and sample deviation", () => {
    expect(mean([1, 2, 6])).toBe(3);
    expect(standardDeviation([1, 2, 6])).toBeCloseTo(Math.sqrt(7), 12);
    expect(standardDeviation([5])).toBe(0);
  });
});
