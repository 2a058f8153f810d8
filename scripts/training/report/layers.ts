/** What a single run's diagnostics say of its layers: effective rank over training, and histograms of latent weights. */
import { escapeHtml } from "../../../src/bench/html-report.ts";
import { tokensAt } from "./curves.ts";
import { histogramFigure } from "./histograms.ts";
import { type Curve, lineChart } from "./line-chart.ts";
import type { RunLog } from "./read-log.ts";

interface LayerName {
  /** The block's number; 0 where the name has none. */
  readonly block: number;
  /** The linear layer's own name, "q_proj"; the whole name where it is not a block's. */
  readonly kind: string;
}

/** "model.layers.3.self_attn.q_proj.weight" is q_proj of block 3. */
export function layerName(name: string): LayerName {
  const parts = name.replace(/\.weight$/, "").split(".");
  const block = parts.findIndex((part) => /^\d+$/.test(part));
  if (block < 0 || block === parts.length - 1) return { block: 0, kind: name };
  return { block: Number(parts[block]), kind: parts.at(-1) ?? name };
}

/** Empty without diagnostics. @param is_open whether it is unfolded at first */
export function layersSection(run: RunLog, label: string, is_open: boolean): string {
  const last = run.diagnostics.at(-1);
  const first = run.diagnostics.at(0);
  if (last === undefined || first === undefined) return "";
  const histograms = last.layers.map(({ name, histogram }) => {
    const { block, kind } = layerName(name);
    const before = first === last ? undefined : first.layers.find((layer) => layer.name === name);
    return histogramFigure(`block ${block}, ${kind}`, before?.histogram ?? null, histogram);
  });
  return [
    `<details${is_open ? " open" : ""}><summary>${escapeHtml(label)}</summary>`,
    "<h4>Effective rank of dL/dX</h4>",
    "<p>One curve a block, from the first (pale) to the last (full colour).</p>",
    `<div class="charts">${rankCharts(run).join("\n")}</div>`,
    "<h4>Latent weights</h4>",
    `<p>Filled: step ${last.step}. ${first === last ? "" : `Outline: step ${first.step}. `}Across: the weight; up: its density. Two modes with a valley at 0 are trapped weights.</p>`,
    `<div class="histograms">${histograms.join("\n")}</div>`,
    "</details>",
  ].join("\n");
}

function rankCharts(run: RunLog): string[] {
  const names = [...new Set(run.diagnostics.flatMap(({ layers }) => layers.map(({ name }) => name)))];
  const kinds = [...new Set(names.map((name) => layerName(name).kind))];
  const blocks = names.reduce((most, name) => Math.max(most, layerName(name).block), 0);
  return kinds.map((kind) => {
    let highest = 0;
    const curves = names
      .filter((name) => layerName(name).kind === kind)
      .map((name): Curve => {
        const { block } = layerName(name);
        const points = run.diagnostics.flatMap(({ step, layers }) => {
          const layer = layers.find((one) => one.name === name);
          if (layer === undefined) return [];
          highest = Math.max(highest, layer.effective_rank_max);
          return [[tokensAt(run, step), layer.effective_rank] as const];
        });
        const opacity = blocks === 0 ? 1 : 0.3 + (0.7 * block) / blocks;
        return { label: `block ${block}`, style: "curve-0 dash-0", points, opacity };
      });
    return lineChart(curves, {
      ...{ title: `${kind}, at most ${highest}`, x_label: "tokens seen", y_label: "effective rank" },
      ...{ marks: true, includes_zero: true },
    });
  });
}
