/** Small logs as trainers write them, for the report's tests. */

export interface SampleOptions {
  readonly name?: string;
  readonly method?: string;
  readonly arenas?: boolean;
  readonly seed?: number;
  readonly steps?: number;
  readonly text?: string;
  /** Leaves the finish line out. */
  readonly unfinished?: boolean;
}

const LAYERS = ["model.layers.0.self_attn.q_proj.weight", "model.layers.1.mlp.up_proj.weight"];

function diagnostics(step: number): object {
  const layers = LAYERS.map((name, index) => ({
    name,
    effective_rank: 20 + index + step,
    effective_rank_max: 64,
    zero_moved_fraction: step === 1 ? null : 0.25,
    histogram: { low: -0.5, high: 0.5, counts: [1, 6, 2, 6, step] },
  }));
  return { kind: "diagnostics", step, lambda: 0.5, layers };
}

/** The lines as objects. */
export function sampleLines(options: SampleOptions = {}): object[] {
  const { name = "one", method = "sherry", arenas = true, seed = 1, steps = 4 } = options;
  const lines: object[] = [
    {
      ...{ kind: "start", version: 1, name, method, arenas, schedule: arenas ? "cosine" : null },
      ...{ granularity: "group", group_columns: 32, seed, parameters: 1_234, quantized_parameters: 1_000 },
      ...{ bits_per_weight: 1.75, tokens_per_step: 256, steps, thread_count: 2 },
    },
  ];
  for (let step = 1; step <= steps; step += 1) {
    lines.push({
      ...{ kind: "step", step, tokens: step * 256, loss: 4 / step, learning_rate: 0.001, lambda: 0.5 },
      ...{ gradient_norm: 1, tokens_per_second: 1_000, seconds: step },
    });
    const loss = 4.5 / step;
    lines.push({
      ...{ kind: "evaluation", step, loss, perplexity: Math.exp(loss), tokens: step * 256, lambda: 0.5 },
    });
    lines.push(diagnostics(step));
    lines.push({ kind: "sample", step, prompt: "Once", text: options.text ?? ` upon step ${step}` });
  }
  if (options.unfinished !== true) {
    lines.push({
      ...{ kind: "finish", step: steps, loss: 1, perplexity: Math.E, seconds: 90, tokens_per_second: 1_000 },
      runtime_perplexity: 2.72,
    });
  }
  return lines;
}

export function logText(lines: readonly object[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

export function sampleLog(options: SampleOptions = {}): string {
  return logText(sampleLines(options));
}

export function sampleComparison(): object {
  const row = { granularity: "group", group_columns: 32, bits_per_weight: 1.75, effective_rank: 33.25 };
  const results = { perplexities: [6.25, 6.5], mean: 6.375, standard_deviation: 0.18, runtime_mean: 6.4 };
  return {
    version: 1,
    budget: { name: "small", seeds: [1, 2], steps: 4, parameters: 1_234_567 },
    rows: [
      { method: "sherry", arenas: false, schedule: null, ...row, ...results },
      { method: "sherry", arenas: true, schedule: "linear", ...row, ...results, effective_rank: null },
    ],
  };
}
