/**
 * Histograms of a layer's latent weights: the last look filled, the first as an outline. Weight trapping (arXiv
 * 2601.07892) shows as two modes beside a valley at 0.
 */
import { escapeHtml } from "../../../src/bench/html-report.ts";
import type { Histogram } from "./read-log.ts";
import { tickText } from "./scales.ts";

const WIDTH = 240;
const HEIGHT = 120;
const MARGIN = { left: 6, right: 6, top: 6, bottom: 20 };

/** @param first null when there was one look only */
export function histogramFigure(name: string, first: Histogram | null, last: Histogram): string {
  const low = Math.min(last.low, first?.low ?? last.low);
  const high = Math.max(last.high, first?.high ?? last.high);
  const most = Math.max(densest(last), first === null ? 0 : densest(first));
  if (!(high > low) || most === 0) return "";
  const place = (value: number) =>
    MARGIN.left + ((value - low) / (high - low)) * (WIDTH - MARGIN.left - MARGIN.right);
  const bottom = HEIGHT - MARGIN.bottom;
  const ticks = [low, ...(low < 0 && high > 0 ? [0] : []), high];
  const title = escapeHtml(name);
  return [
    `<figure class="small"><figcaption>${title}</figcaption>`,
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Latent weights of ${title}">`,
    `<path class="filled" d="${outline(last, most, place, true)}"/>`,
    first === null ? "" : `<path class="outline" d="${outline(first, most, place, false)}"/>`,
    `<line class="grid" x1="${MARGIN.left}" y1="${bottom}" x2="${WIDTH - MARGIN.right}" y2="${bottom}"/>`,
    ...ticks.map((tick, index) => {
      const anchor = index === 0 ? "start" : index === ticks.length - 1 ? "end" : "middle";
      return `<text class="tick" x="${place(tick).toFixed(1)}" y="${bottom + 14}" text-anchor="${anchor}">${tickText(Number(tick.toPrecision(2)))}</text>`;
    }),
    "</svg></figure>",
  ].join("\n");
}

function total({ counts }: Histogram): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Share of weights of one bin over the bin's width. */
function densities(histogram: Histogram): number[] {
  const weights = total(histogram);
  const width = (histogram.high - histogram.low) / histogram.counts.length;
  return histogram.counts.map((count) => (weights === 0 || width <= 0 ? 0 : count / weights / width));
}

function densest(histogram: Histogram): number {
  return Math.max(...densities(histogram));
}

function outline(
  histogram: Histogram,
  most: number,
  place: (value: number) => number,
  closed: boolean,
): string {
  const { low, high, counts } = histogram;
  const bottom = HEIGHT - MARGIN.bottom;
  const edge = (index: number) => place(low + ((high - low) * index) / counts.length).toFixed(1);
  const steps = densities(histogram).map((density, index) => {
    const y = (bottom - (density / most) * (bottom - MARGIN.top)).toFixed(1);
    return `L${edge(index)},${y}L${edge(index + 1)},${y}`;
  });
  const path = `M${edge(0)},${bottom}${steps.join("")}L${edge(counts.length)},${bottom}`;
  return closed ? `${path}Z` : path;
}
