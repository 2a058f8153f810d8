/** Axes, curves and histograms: where things stand, and what is left out. */
import { describe, expect, test } from "bun:test";
import { histogramFigure } from "../../../../scripts/training/report/histograms.ts";
import { layerName } from "../../../../scripts/training/report/layers.ts";
import { lineChart } from "../../../../scripts/training/report/line-chart.ts";
import { axisOf, tickText } from "../../../../scripts/training/report/scales.ts";

const OPTIONS = { title: "Loss", x_label: "tokens", y_label: "nats" };

describe("an axis", () => {
  test("has round ticks within its ends", () => {
    const axis = axisOf([0, 1_530]);
    expect(axis?.ticks).toEqual([0, 500, 1_000, 1_500]);
    expect(axis?.share(1_530)).toBe(1);
    expect(axisOf([0.2, 0.9], { includes_zero: true })?.ticks.map(tickText)).toEqual([
      "0",
      "0.2",
      "0.4",
      "0.6",
      "0.8",
    ]);
  });

  test("in logarithms has 1, 2 and 5 of every decade, or round numbers where it spans little", () => {
    const axis = axisOf([5, 200], { is_log: true });
    expect(axis?.ticks).toEqual([5, 10, 20, 50, 100, 200]);
    expect(axis?.share(Math.sqrt(1_000))).toBeCloseTo(0.5);
    expect(axisOf([5, 8], { is_log: true })?.ticks).toEqual([5, 6, 7, 8]);
    expect(axisOf([1, 1e6], { is_log: true })?.ticks).toEqual([1, 10, 100, 1e3, 1e4, 1e5, 1e6]);
  });

  test("of one value or none", () => {
    for (const options of [{}, { is_log: true }]) {
      const axis = axisOf([3], options);
      expect(Number.isFinite(axis?.share(3))).toBe(true);
      expect(axis?.ticks.length).toBeGreaterThan(0);
    }
    expect(axisOf([0])?.share(0)).toBe(0);
    expect(axisOf([])).toBeNull();
    expect(axisOf([Number.NaN, Number.POSITIVE_INFINITY])).toBeNull();
    expect(axisOf([0, -1], { is_log: true })).toBeNull();
  });

  test("has short numbers", () => {
    const texts = [0, 0.25, 9_999, 12_000, 3_500_000, 2e9, 0.0015, -0.00002].map(tickText);
    expect(texts).toEqual(["0", "0.25", "9999", "12k", "3.5M", "2G", "1.5e-3", "-2e-5"]);
  });
});

describe("a chart", () => {
  test("places points and names its curves and units", () => {
    const svg = lineChart(
      [
        {
          label: "a",
          style: "curve-0",
          points: [
            [0, 1],
            [10, 2],
          ],
        },
      ],
      OPTIONS,
    );
    expect(svg).toContain('points="62.0,256.0 466.0,10.0"');
    for (const text of ["<title>a</title>", ">tokens</text>", ">nats</text>", ">Loss</figcaption>"]) {
      expect(svg).toContain(text);
    }
  });

  test("leaves out what has no place, and is empty when nothing has", () => {
    const points = [
      [0, Number.NaN],
      [1, 0],
      [2, 4],
      [3, 8],
    ] as const;
    const svg = lineChart([{ label: "a", style: "", points }], { ...OPTIONS, is_log: true, marks: true });
    expect(svg.match(/<circle/g)).toHaveLength(2);
    expect(lineChart([{ label: "a", style: "", points: [] }], OPTIONS)).toBe("");
    expect(lineChart([], OPTIONS)).toBe("");
  });

  test("of many points draws means of neighbours", () => {
    const points = Array.from({ length: 1_000 }, (_, index) => [index, index % 2] as const);
    const svg = lineChart([{ label: "a", style: "", points: points.map((point) => point) }], {
      ...OPTIONS,
      y_range: [0, 1],
    });
    const drawn = /points="([^"]+)"/.exec(svg)?.[1]?.split(" ") ?? [];
    expect(drawn).toHaveLength(200);
    expect(drawn[0]).toBe("62.0,157.6");
  });

  test("escapes what logs say", () => {
    const svg = lineChart([{ label: '"><script>', style: "", points: [[0, 1]] }], {
      ...OPTIONS,
      title: "<i>",
    });
    expect(svg).not.toContain("<script>");
    expect(svg).not.toContain("<i>");
    expect(svg).toContain("&quot;&gt;&lt;script&gt;");
  });
});

describe("a histogram", () => {
  test("fills the last look and outlines the first, as densities on one axis", () => {
    const first = { low: -1, high: 1, counts: [0, 10, 10, 0] };
    const last = { low: -2, high: 2, counts: [5, 5, 5, 5] };
    const svg = histogramFigure("block 0, q_proj", first, last);
    // Half the weights in half the width: twice as dense as a quarter of them in a whole unit.
    expect(svg).toContain('class="filled" d="M6.0,100L6.0,76.5L63.0,76.5');
    expect(svg).toContain('class="outline" d="M63.0,100L63.0,100.0L91.5,100.0L91.5,6.0L120.0,6.0');
    expect(histogramFigure("one look", null, last)).not.toContain("outline");
  });

  test("without weights or width is left out", () => {
    expect(histogramFigure("none", null, { low: -1, high: 1, counts: [0, 0] })).toBe("");
    expect(histogramFigure("none", null, { low: 0, high: 0, counts: [4] })).toBe("");
  });
});

test("layers' names", () => {
  expect(layerName("model.layers.3.self_attn.q_proj.weight")).toEqual({ block: 3, kind: "q_proj" });
  expect(layerName("transformer.h.11.c_fc")).toEqual({ block: 11, kind: "c_fc" });
  expect(layerName("lm_head.weight")).toEqual({ block: 0, kind: "lm_head.weight" });
  expect(layerName("blocks.7")).toEqual({ block: 0, kind: "blocks.7" });
});
