/**
 * The roofline plot as an SVG: operations a second against operations for each byte that must come from memory. No
 * point of a streaming case can lie above the slope that memory's speed draws, and none that multiplies and adds above
 * the vector units' roof; a kernel that looks sums up instead can.
 * Source: Williams, Waterman, Patterson, "Roofline" (Communications of the ACM 52, 2009).
 */
import type { CaseResult } from "./results.ts";
import type { KernelsReport } from "./run-bench.ts";
import { figure } from "./table.ts";

const WIDTH = 960;
const HEIGHT = 520;
const MARGIN = { left: 64, right: 190, top: 20, bottom: 48 };
/** Room for a roof's label: one line, and along a slope. */
const LABEL_HEIGHT = 14;
const LABEL_WIDTH = 190;

interface Point {
  readonly result: CaseResult;
  /** Operations a byte. */
  readonly x: number;
  /** G operations a second. */
  readonly y: number;
}

interface Roof {
  readonly label: string;
  /** G operations a second at an intensity. */
  readonly at: (intensity: number) => number;
  readonly is_slope: boolean;
}

interface Scale {
  readonly minimum: number;
  readonly maximum: number;
  readonly place: (value: number) => number;
}

/** CSS classes of the page, one for each family of kernels; the first that a name begins with. */
const FAMILIES = [
  ["sherry, scalar", "scalar"],
  ["sherry", "sherry"],
  ["2-bit", "two-bit"],
  ["q8", "q8"],
  ["q6k", "few-bits"],
  ["int4", "few-bits"],
  ["head q8", "q8"],
  ["head q6k", "few-bits"],
  ["head int4", "few-bits"],
  ["head split8", "q8"],
  ["head", "dense"],
  ["f16", "dense"],
  ["f32", "dense"],
  ["attention", "attention"],
] as const;

const FAMILY_NAMES: Readonly<Record<string, string>> = {
  sherry: "sherry, 1.25 bit",
  scalar: "sherry, scalar level",
  "two-bit": "2-bit baseline",
  q8: "q8",
  "few-bits": "q6k and int4",
  dense: "f16 and f32",
  attention: "attention",
};

function familyOf(kernel: string): string | null {
  return FAMILIES.find(([start]) => kernel.startsWith(start))?.[1] ?? null;
}

function pointsOf(results: readonly CaseResult[]): Point[] {
  return results.flatMap((result) => {
    const { gigaoperations_per_s: y, gigabytes_per_s } = result;
    if (y === null || gigabytes_per_s === null || familyOf(result.kernel) === null) return [];
    return [{ result, x: y / gigabytes_per_s, y }];
  });
}

function roofsOf({ reads, results }: KernelsReport): Roof[] {
  const roofs: Roof[] = [];
  const threads = [...new Set(reads.map((read) => read.threads))];
  for (const count of threads.filter((_, index) => index === 0 || index === threads.length - 1)) {
    const streaming = reads.filter(({ residence, threads: own }) => residence === "stream" && own === count);
    const speed = Math.max(0, ...streaming.map(({ gigabytes_per_s }) => gigabytes_per_s));
    if (speed > 0) {
      const label = `memory, ${count}T: ${figure(speed)} GB/s`;
      roofs.push({ label, at: (intensity) => intensity * speed, is_slope: true });
    }
    for (const peak of results.filter(({ kernel, threads: own }) => kernel === "peak" && own === count)) {
      const operations = peak.gigaoperations_per_s ?? 0;
      const label = `${peak.shape}, ${count}T: ${figure(operations)} Gops/s`;
      roofs.push({ label, at: () => operations, is_slope: false });
    }
  }
  return roofs;
}

/** Whole decades around the values. */
function logScale(values: readonly number[], from: number, to: number): Scale {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  const place = (value: number) => from + ((Math.log10(value) - low) / (high - low)) * (to - from);
  return { minimum: 10 ** low, maximum: 10 ** high, place };
}

function decades({ minimum, maximum }: Scale): number[] {
  const count = Math.round(Math.log10(maximum / minimum));
  return Array.from({ length: count + 1 }, (_, index) => minimum * 10 ** index);
}

/** Empty when nothing was measured that has a place in it. */
export function rooflineSvg(kernels: KernelsReport): string {
  const points = pointsOf(kernels.results);
  if (points.length === 0) return "";
  const roofs = roofsOf(kernels);
  const x_scale = logScale(
    points.map(({ x }) => x),
    MARGIN.left,
    WIDTH - MARGIN.right,
  );
  const flat = roofs.filter(({ is_slope }) => !is_slope).map((roof) => roof.at(1));
  const y_scale = logScale([...points.map(({ y }) => y), ...flat], HEIGHT - MARGIN.bottom, MARGIN.top);
  const parts = [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Roofline plot">`,
    ...gridLines(x_scale, y_scale),
    ...roofLines(roofs, x_scale, y_scale),
    ...points.map((point) => pointMark(point, x_scale, y_scale)),
    ...legend(points),
    "</svg>",
  ];
  return parts.join("\n");
}

function gridLines(x_scale: Scale, y_scale: Scale): string[] {
  const bottom = HEIGHT - MARGIN.bottom;
  const right = WIDTH - MARGIN.right;
  const columns = decades(x_scale).map((value) => {
    const x = x_scale.place(value).toFixed(1);
    return (
      `<line class="grid" x1="${x}" y1="${MARGIN.top}" x2="${x}" y2="${bottom}"/>` +
      `<text class="tick" x="${x}" y="${bottom + 18}" text-anchor="middle">${tick(value)}</text>`
    );
  });
  const lines = decades(y_scale).map((value) => {
    const y = y_scale.place(value).toFixed(1);
    return (
      `<line class="grid" x1="${MARGIN.left}" y1="${y}" x2="${right}" y2="${y}"/>` +
      `<text class="tick" x="${MARGIN.left - 8}" y="${Number(y) + 4}" text-anchor="end">${tick(value)}</text>`
    );
  });
  const middle = (MARGIN.left + right) / 2;
  return [
    ...columns,
    ...lines,
    `<text class="axis" x="${middle}" y="${HEIGHT - 8}" text-anchor="middle">operations for each byte from memory</text>`,
    `<text class="axis" x="16" y="${HEIGHT / 2}" text-anchor="middle" transform="rotate(-90 16 ${HEIGHT / 2})">G operations a second</text>`,
  ];
}

function tick(value: number): string {
  return value >= 1 ? value.toFixed(0) : value.toString();
}

function roofLines(roofs: readonly Roof[], x_scale: Scale, y_scale: Scale): string[] {
  const slopes = roofs.filter(({ is_slope }) => is_slope);
  const flat = roofs.filter(({ is_slope }) => !is_slope).sort((left, right) => right.at(1) - left.at(1));
  // From the top downwards: a label moves down as far as the one above it needs.
  let label_y = Number.NEGATIVE_INFINITY;
  const flat_lines = flat.map((roof) => {
    const y = y_scale.place(roof.at(1));
    label_y = Math.max(y + 4, label_y + LABEL_HEIGHT);
    const [x1, x2] = [x_scale.minimum, x_scale.maximum].map((x) => x_scale.place(x).toFixed(1));
    return (
      `<line class="roof" x1="${x1}" y1="${y.toFixed(1)}" x2="${x2}" y2="${y.toFixed(1)}"/>` +
      `<text class="roof-label" x="${Number(x2) + 6}" y="${label_y.toFixed(1)}">${roof.label}</text>`
    );
  });
  return [
    ...slopes.map((roof, index) => slopeLine(roof, index, slopes.length, x_scale, y_scale)),
    ...flat_lines,
  ];
}

/**
 * Drawn as far as it stays in the picture. The label lies along it, each slope's further up than the one before, and
 * below its line but for the last, since slopes may run close together.
 */
function slopeLine(roof: Roof, index: number, count: number, x_scale: Scale, y_scale: Scale): string {
  const end = Math.min(x_scale.maximum, y_scale.maximum / roof.at(1));
  const begin = Math.max(x_scale.minimum, y_scale.minimum / roof.at(1));
  const place = (x: number) => [x_scale.place(x), y_scale.place(roof.at(x))].map((value) => value.toFixed(1));
  const [x1, y1] = place(begin);
  const [x2, y2] = place(end);
  const angle = (Math.atan2(Number(y2) - Number(y1), Number(x2) - Number(x1)) * 180) / Math.PI;
  const x = 14 + index * LABEL_WIDTH;
  return (
    `<line class="roof" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>` +
    `<text class="roof-label" x="${x}" y="${index + 1 === count ? -5 : 14}" transform="translate(${x1} ${y1}) rotate(${angle.toFixed(1)})">${roof.label}</text>`
  );
}

function pointMark({ result, x, y }: Point, x_scale: Scale, y_scale: Scale): string {
  const { kernel, shape, tokens, threads, residence } = result;
  const title = `${kernel} ${shape}, ${tokens} tokens, ${threads} threads, ${residence}: ${figure(y)} Gops/s at ${figure(x)} operations a byte`;
  const place = `cx="${x_scale.place(x).toFixed(1)}" cy="${y_scale.place(y).toFixed(1)}"`;
  return `<circle class="${familyOf(kernel)} ${residence}" ${place} r="4.5"><title>${title}</title></circle>`;
}

function legend(points: readonly Point[]): string[] {
  const families = [...new Set(points.map(({ result }) => familyOf(result.kernel) ?? ""))];
  const x = WIDTH - MARGIN.right + 20;
  const bottom = HEIGHT - MARGIN.bottom;
  const rows: [mark_class: string, label: string][] = [
    ...families.map((family): [string, string] => [`${family} stream`, FAMILY_NAMES[family] ?? family]),
    ["plain stream", "filled: streaming"],
    ["plain cache", "hollow: in cache"],
  ];
  return rows.map(([mark_class, label], index) => {
    const y = bottom - (rows.length - 1 - index) * 18;
    return `<circle class="${mark_class}" cx="${x}" cy="${y - 4}" r="4.5"/><text class="tick" x="${x + 12}" y="${y}">${label}</text>`;
  });
}
