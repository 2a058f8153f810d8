/** The charts that show all runs together: what is lost, what is predicted, and what the paper looks at on the way. */
import { type Curve, lineChart, type Point } from "./line-chart.ts";
import type { RunLog } from "./read-log.ts";
import type { StyledRun } from "./run-styles.ts";

const TOKENS = "tokens seen";

/** Tokens that a run has seen after a step: what runs of different batches have in common. */
export function tokensAt({ start }: RunLog, step: number): number {
  return step * start.tokens_per_step;
}

function curvesOf(runs: readonly StyledRun[], points: (run: RunLog) => Point[]): Curve[] {
  return runs.map(({ run, label, style }) => ({ label, style, points: points(run) }));
}

/** Empty strings for what no run has. */
export function sharedCharts(runs: readonly StyledRun[]): string[] {
  const steps = (value: (line: RunLog["steps"][number]) => number) =>
    curvesOf(runs, (run) => run.steps.map((line) => [tokensAt(run, line.step), value(line)]));
  const evaluations = (value: (line: RunLog["evaluations"][number]) => number) =>
    curvesOf(runs, (run) => run.evaluations.map((line) => [tokensAt(run, line.step), value(line)]));
  return [
    lineChart(
      evaluations((line) => line.perplexity),
      {
        ...{ title: "Held-out perplexity", x_label: TOKENS, y_label: "perplexity (log)" },
        ...{ is_log: true, marks: true },
      },
    ),
    lineChart(
      evaluations((line) => line.loss),
      { title: "Held-out loss", x_label: TOKENS, y_label: "nats a token", marks: true },
    ),
    lineChart(
      steps((line) => line.loss),
      { title: "Training loss", x_label: TOKENS, y_label: "nats a token" },
    ),
    lineChart(
      steps((line) => line.lambda),
      {
        ...{ title: "Lambda, the weight of the residual", x_label: TOKENS, y_label: "lambda" },
        y_range: [0, 1],
      },
    ),
    lineChart(curvesOf(runs, relativeRanks), {
      ...{
        title: "Effective rank of dL/dX, mean over layers",
        x_label: TOKENS,
        y_label: "share of the highest",
      },
      ...{ marks: true, includes_zero: true },
    }),
    lineChart(curvesOf(runs, movedFractions), {
      ...{
        title: "Blocks whose zero moved since the last look",
        x_label: TOKENS,
        y_label: "share of blocks",
      },
      ...{ marks: true, includes_zero: true },
    }),
    lineChart(
      steps((line) => line.gradient_norm),
      { title: "Gradient norm", x_label: TOKENS, y_label: "norm (log)", is_log: true },
    ),
    lineChart(
      steps((line) => line.learning_rate),
      { title: "Learning rate", x_label: TOKENS, y_label: "learning rate", includes_zero: true },
    ),
    lineChart(
      steps((line) => line.tokens_per_second),
      { title: "Training speed", x_label: TOKENS, y_label: "tokens a second", includes_zero: true },
    ),
  ];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Mean over layers of effective rank / the highest that it can be. */
function relativeRanks(run: RunLog): Point[] {
  return run.diagnostics.map(({ step, layers }) => [
    tokensAt(run, step),
    mean(layers.map(({ effective_rank, effective_rank_max }) => effective_rank / effective_rank_max)),
  ]);
}

function movedFractions(run: RunLog): Point[] {
  return run.diagnostics.flatMap(({ step, layers }) => {
    const moved = layers.flatMap(({ zero_moved_fraction }) => zero_moved_fraction ?? []);
    return moved.length === 0 ? [] : [[tokensAt(run, step), mean(moved)] as const];
  });
}
