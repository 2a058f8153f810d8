/** How runs are told apart in every chart: a name, a colour, a dash. Seeds of one method share theirs when runs are many. */
import type { RunLog } from "./read-log.ts";

/** Colours of the page's style sheet, --curve-0 on. */
export const COLOURS = 8;
const DASHES = 3;

export interface StyledRun {
  readonly run: RunLog;
  /** Unique among the runs. */
  readonly label: string;
  readonly style: string;
}

export interface LegendEntry {
  readonly label: string;
  readonly style: string;
}

export interface StyledRuns {
  readonly runs: readonly StyledRun[];
  readonly legend: readonly LegendEntry[];
}

export function methodText({ start }: RunLog): string {
  const { method, arenas, schedule } = start;
  return arenas ? `${method} + Arenas${schedule === null ? "" : ` (${schedule})`}` : method;
}

export function scaleText({ start }: RunLog): string {
  const { method, granularity, group_columns } = start;
  if (method === "none") return "";
  return granularity === "group" ? `group of ${group_columns}` : granularity;
}

/** What runs that differ in their seed alone have in common. */
function variantText(run: RunLog): string {
  return [methodText(run), scaleText(run)].filter((part) => part !== "").join(", ");
}

export function styleRuns(runs: readonly RunLog[]): StyledRuns {
  const labels = uniqueLabels(runs);
  const variants = [...new Set(runs.map(variantText))];
  const by_variant = runs.length > COLOURS && variants.length < runs.length;
  const styled = runs.map((run, index) => {
    const place = by_variant ? variants.indexOf(variantText(run)) : index;
    return { run, label: labels[index] ?? run.name, style: styleOf(place) };
  });
  const legend = by_variant
    ? variants.map((variant, place) => {
        const count = runs.filter((run) => variantText(run) === variant).length;
        return { label: count === 1 ? variant : `${variant}, ${count} runs`, style: styleOf(place) };
      })
    : styled.map(({ run, label, style }) => ({ label: `${label}: ${variantText(run)}`, style }));
  return { runs: styled, legend };
}

function styleOf(place: number): string {
  return `curve-${place % COLOURS} dash-${Math.floor(place / COLOURS) % DASHES}`;
}

/** Names as they are; those that several runs have are numbered. */
function uniqueLabels(runs: readonly RunLog[]): string[] {
  const seen = new Map<string, number>();
  return runs.map(({ name }) => {
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    return times === 1 ? name : `${name} (${times})`;
  });
}
