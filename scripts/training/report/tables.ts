/** The report's tables: the runs, the comparison, and what models wrote. */
import { escapeHtml } from "../../../src/bench/html-report.ts";
import type { Comparison, ComparisonRow } from "./read-comparison.ts";
import type { RunLog } from "./read-log.ts";
import { methodText, type StyledRun, scaleText } from "./run-styles.ts";

type Cell = string | number | null;

/** Numbers stand to the right, null is a dash. */
function table(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cell = (value: Cell, column: number) => {
    const is_number = rows.some((row) => typeof row[column] === "number");
    const marker = is_number ? ' class="number"' : "";
    return `<td${marker}>${value === null ? "–" : escapeHtml(String(value))}</td>`;
  };
  const head = header.map((title, column) => {
    const is_number = rows.some((row) => typeof row[column] === "number");
    return `<th${is_number ? ' class="number"' : ""}>${escapeHtml(title)}</th>`;
  });
  const body = rows.map((row) => `<tr>${row.map(cell).join("")}</tr>`).join("\n");
  return `<div class="scroll"><table><thead><tr>${head.join("")}</tr></thead>\n<tbody>${body}</tbody></table></div>`;
}

function rounded(value: number | null | undefined, digits = 4): number | null {
  return value === null || value === undefined ? null : Number(value.toPrecision(digits));
}

export function runsTable(runs: readonly StyledRun[]): string {
  const header = [
    ...["run", "method", "scales", "bits a weight", "parameters", "seed", "steps"],
    ...["held-out perplexity", "through the runtime", "tokens/s", "training time"],
  ];
  return table(
    header,
    runs.map(({ run, label }) => {
      const { start, finish, evaluations, steps } = run;
      const perplexity = finish?.perplexity ?? evaluations.at(-1)?.perplexity;
      return [
        label,
        methodText(run),
        scaleText(run),
        rounded(start.bits_per_weight),
        start.parameters.toLocaleString("en-US"),
        String(start.seed),
        progressText(run),
        rounded(perplexity),
        rounded(finish?.runtime_perplexity),
        rounded(finish?.tokens_per_second ?? steps.at(-1)?.tokens_per_second, 3),
        durationText(finish?.seconds ?? steps.at(-1)?.seconds ?? 0),
      ];
    }),
  );
}

function progressText({ start, steps, finish }: RunLog): string {
  const reached = finish?.step ?? steps.at(-1)?.step ?? 0;
  return finish === null ? `${reached} of ${start.steps}, unfinished` : String(reached);
}

function durationText(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(0)} s`;
  return seconds < 3600 ? `${(seconds / 60).toFixed(1)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

export function comparisonSection({ budget, rows }: Comparison): string {
  const facts = Object.entries(budget).map(
    ([name, value]) => `${name.replaceAll("_", " ")} ${budgetText(value)}`,
  );
  const header = ["method", "scales", "bits a weight", "held-out perplexity", "spread", "each seed"];
  return [
    `<p>${escapeHtml(facts.join("; "))}. Perplexity is the mean over the seeds, its spread their standard deviation.</p>`,
    table(
      [...header, "through the runtime", "effective rank"],
      rows.map((row) => [
        rowText(row),
        row.method === "none" || row.granularity === null ? "" : reachText(row),
        rounded(row.bits_per_weight),
        rounded(row.mean),
        rounded(row.standard_deviation, 2),
        row.perplexities.map((value) => String(rounded(value))).join(", "),
        rounded(row.runtime_mean),
        rounded(row.effective_rank, 3),
      ]),
    ),
  ].join("\n");
}

function rowText({ method, arenas, schedule }: ComparisonRow): string {
  return arenas ? `${method} + Arenas${schedule === null ? "" : ` (${schedule})`}` : method;
}

function reachText({ granularity, group_columns }: ComparisonRow): string {
  return granularity === "group" ? `group of ${group_columns}` : String(granularity);
}

function budgetText(value: string | number | readonly number[]): string {
  if (typeof value === "string") return value;
  if (typeof value !== "number") return value.join(", ");
  return (Number.isInteger(value) ? value : Number(value.toPrecision(6))).toLocaleString("en-US");
}

/** The last texts of a run, its earlier ones folded away. Empty when it has none. */
export function samplesSection({ run, label }: StyledRun): string {
  const last_step = run.samples.at(-1)?.step;
  if (last_step === undefined) return "";
  const text = ({ step, prompt, text: answer }: RunLog["samples"][number]) =>
    `<blockquote><span class="step">step ${step}</span> <b>${escapeHtml(prompt)}</b>${escapeHtml(answer)}</blockquote>`;
  const last = run.samples.filter(({ step }) => step === last_step);
  const earlier = run.samples.filter(({ step }) => step !== last_step);
  const folded =
    earlier.length === 0
      ? ""
      : `<details><summary>Earlier texts (${earlier.length})</summary>${earlier.map(text).join("\n")}</details>`;
  return `<h3>${escapeHtml(label)}</h3>\n${last.map(text).join("\n")}\n${folded}`;
}
