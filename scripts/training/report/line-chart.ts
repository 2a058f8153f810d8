/** Several curves over one axis, as a figure with an SVG: title, round numbers, units, grid. Nothing else is needed to see it. */
import { escapeHtml } from "../../../src/bench/html-report.ts";
import { type Axis, axisOf, tickText } from "./scales.ts";

export type Point = readonly [x: number, y: number];

export interface Curve {
  /** Shown when the pointer rests on it. */
  readonly label: string;
  /** CSS classes: a colour, a dash. */
  readonly style: string;
  readonly points: readonly Point[];
  readonly opacity?: number;
}

export interface ChartOptions {
  readonly title: string;
  readonly x_label: string;
  /** With its unit. */
  readonly y_label: string;
  readonly is_log?: boolean;
  readonly includes_zero?: boolean;
  /** Marks every point: for curves of few. */
  readonly marks?: boolean;
  /** All values of the y axis must lie in it when it is given, e.g. [0, 1]. */
  readonly y_range?: readonly [number, number];
}

const WIDTH = 480;
const HEIGHT = 300;
const MARGIN = { left: 62, right: 14, top: 10, bottom: 44 };
const MARKS_MAX = 60;
/** More points are averaged: single steps are noise, and the page stays small. */
const POINTS_MAX = 200;

/** Empty when there is no point to draw. */
export function lineChart(curves: readonly Curve[], options: ChartOptions): string {
  const drawn = curves
    .map((curve) => ({ ...curve, points: thinned(visible(curve.points, options.is_log === true)) }))
    .filter(({ points }) => points.length > 0);
  const x_axis = axisOf(drawn.flatMap(({ points }) => points.map(([x]) => x)));
  const y_values = [...drawn.flatMap(({ points }) => points.map(([, y]) => y)), ...(options.y_range ?? [])];
  const { is_log = false, includes_zero = false } = options;
  const y_axis = axisOf(y_values, { is_log, includes_zero });
  if (x_axis === null || y_axis === null || drawn.length === 0) return "";
  const title = escapeHtml(options.title);
  return [
    `<figure><figcaption>${title}</figcaption>`,
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">`,
    ...axes(x_axis, y_axis, options),
    ...drawn.map((curve) => curvePath(curve, x_axis, y_axis, options.marks === true)),
    "</svg></figure>",
  ].join("\n");
}

function visible(points: readonly Point[], is_log: boolean): Point[] {
  return points.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y) && (!is_log || y > 0));
}

/** Means of neighbours, so that every point has its part in what is seen. */
function thinned(points: readonly Point[]): Point[] {
  if (points.length <= POINTS_MAX) return [...points];
  const size = Math.ceil(points.length / POINTS_MAX);
  const result: Point[] = [];
  for (let start = 0; start < points.length; start += size) {
    const part = points.slice(start, start + size);
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    result.push([mean(part.map(([x]) => x)), mean(part.map(([, y]) => y))]);
  }
  return result;
}

const placeX = (axis: Axis, value: number) =>
  (MARGIN.left + axis.share(value) * (WIDTH - MARGIN.left - MARGIN.right)).toFixed(1);
const placeY = (axis: Axis, value: number) =>
  (HEIGHT - MARGIN.bottom - axis.share(value) * (HEIGHT - MARGIN.top - MARGIN.bottom)).toFixed(1);

function axes(x_axis: Axis, y_axis: Axis, { x_label, y_label }: ChartOptions): string[] {
  const bottom = HEIGHT - MARGIN.bottom;
  const right = WIDTH - MARGIN.right;
  const columns = x_axis.ticks.map((tick) => {
    const x = placeX(x_axis, tick);
    return (
      `<line class="grid" x1="${x}" y1="${MARGIN.top}" x2="${x}" y2="${bottom}"/>` +
      `<text class="tick" x="${x}" y="${bottom + 16}" text-anchor="middle">${tickText(tick)}</text>`
    );
  });
  const rows = y_axis.ticks.map((tick) => {
    const y = placeY(y_axis, tick);
    return (
      `<line class="grid" x1="${MARGIN.left}" y1="${y}" x2="${right}" y2="${y}"/>` +
      `<text class="tick" x="${MARGIN.left - 6}" y="${(Number(y) + 4).toFixed(1)}" text-anchor="end">${tickText(tick)}</text>`
    );
  });
  const middle = (MARGIN.top + bottom) / 2;
  return [
    ...columns,
    ...rows,
    `<text class="axis" x="${(MARGIN.left + right) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${escapeHtml(x_label)}</text>`,
    `<text class="axis" x="13" y="${middle}" text-anchor="middle" transform="rotate(-90 13 ${middle})">${escapeHtml(y_label)}</text>`,
  ];
}

function curvePath(curve: Curve, x_axis: Axis, y_axis: Axis, marks: boolean): string {
  const { label, style, points, opacity } = curve;
  const places = points.map(([x, y]) => [placeX(x_axis, x), placeY(y_axis, y)] as const);
  const opaque = opacity === undefined ? "" : ` opacity="${opacity.toFixed(2)}"`;
  const title = `<title>${escapeHtml(label)}</title>`;
  const line = `<polyline class="curve" points="${places.map((place) => place.join(",")).join(" ")}"/>`;
  // A single point has no line to be seen by.
  const shows_marks = (marks && points.length <= MARKS_MAX) || points.length === 1;
  const circles = shows_marks
    ? places.map(([x, y], index) => {
        const value = points[index]?.[1] ?? 0;
        return `<circle cx="${x}" cy="${y}" r="3"><title>${escapeHtml(label)}: ${Number(value.toPrecision(5))}</title></circle>`;
      })
    : [];
  return `<g class="${style}"${opaque}>${title}${line}${circles.join("")}</g>`;
}
