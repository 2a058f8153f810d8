/** The comparison as a table in Markdown, with its budget and a sentence on how it stands to the paper's claim. */
export const COMPARISON_VERSION = 1;

export interface ComparisonRow {
  readonly method: string;
  readonly arenas: boolean;
  readonly schedule: string | null;
  readonly granularity: string;
  readonly group_columns: number;
  readonly bits_per_weight: number;
  /** Held-out, by the training code with lambda 0, one a seed. */
  readonly perplexities: readonly number[];
  readonly mean: number;
  /** Of the sample; 0 for a single seed. */
  readonly standard_deviation: number;
  /** The mean of the same through the runtime. */
  readonly runtime_mean: number;
  /** The mean over layers, looks and seeds; null without diagnostics. */
  readonly effective_rank: number | null;
}

export interface Comparison {
  readonly version: typeof COMPARISON_VERSION;
  readonly budget: {
    readonly name: string;
    readonly seeds: readonly number[];
    readonly steps: number;
    readonly tokens_per_step: number;
    readonly tokens: number;
    readonly parameters: number;
    readonly held_out_tokens: number;
    readonly seconds: number;
  };
  readonly rows: readonly ComparisonRow[];
}

export function comparisonMarkdown(comparison: Comparison): string {
  const { budget, rows } = comparison;
  const lines = [
    `# Comparison ${budget.name}`,
    "",
    `${budget.parameters.toLocaleString("en-US")} parameters, ${budget.steps} steps of ${budget.tokens_per_step} tokens (${budget.tokens.toLocaleString("en-US")} in all), seeds ${budget.seeds.join(", ")}; held-out perplexity over ${budget.held_out_tokens.toLocaleString("en-US")} tokens with lambda 0: mean ± standard deviation over the seeds. Effective rank of dL/dX: mean over layers, looks and seeds.`,
    "",
    "| method | scales | bits a weight | perplexity | through the runtime | effective rank |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rows.map(tableRow),
    "",
    ...claims(rows),
  ];
  return `${lines.join("\n")}\n`;
}

function tableRow(row: ComparisonRow): string {
  const scales =
    row.method === "none" ? "" : row.granularity === "group" ? `group ${row.group_columns}` : row.granularity;
  const perplexity = `${row.mean.toFixed(3)} ± ${row.standard_deviation.toFixed(3)}`;
  const rank = row.effective_rank === null ? "" : row.effective_rank.toFixed(1);
  const cells = [
    nameOf(row),
    scales,
    row.bits_per_weight.toFixed(3),
    perplexity,
    row.runtime_mean.toFixed(3),
    rank,
  ];
  return `| ${cells.join(" | ")} |`;
}

export function nameOf({ method, arenas, schedule }: ComparisonRow): string {
  return arenas ? `${method} + Arenas (${schedule})` : method;
}

/** The paper's two claims, held against the rows that there are. */
export function claims(rows: readonly ComparisonRow[]): string[] {
  const sherry = rows.find(({ method, arenas }) => method === "sherry" && !arenas);
  const absmean = rows.find(({ method }) => method === "absmean");
  return rows
    .filter(({ method, arenas }) => method === "sherry" && arenas)
    .flatMap((row) => [
      ...(sherry === undefined ? [] : [`- ${sentence(row, sherry, "better than")}`]),
      ...(absmean === undefined ? [] : [`- ${sentence(row, absmean, "no worse than")}`]),
    ]);
}

/** A difference within the two spreads is none that these seeds can show. */
function sentence(row: ComparisonRow, other: ComparisonRow, claim: string): string {
  const difference = row.mean - other.mean;
  const spread = Math.hypot(row.standard_deviation, other.standard_deviation);
  const percent = `${((100 * difference) / other.mean).toFixed(2)} %`;
  const verdict =
    Math.abs(difference) <= spread
      ? "a difference within the spread of the seeds"
      : difference < 0
        ? "lower perplexity"
        : "higher perplexity";
  return `${nameOf(row)} against ${nameOf(other)}: ${verdict} (${difference > 0 ? "+" : ""}${percent}); the paper claims ${claim} it.`;
}
