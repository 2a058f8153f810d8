/**
 * What the paper looks at during training: for every quantized layer the effective rank of dL/dX = dY W_effective over a
 * sample of the batch's tokens, the histogram of its latent weights (trapping shows as two modes), and how many blocks
 * moved their zero. Source: "Sherry" (arXiv 2601.07892), the analysis of weight trapping.
 *
 * Legend: N tokens of the batch, n sampled tokens, R rows (out_features), K columns (in_features).
 */
import type { TrainingBuffer } from "../../src/native/training-buffer.ts";
import type { TrainingKernels } from "../../src/native/training-kernels.ts";
import type { ObserveLinear } from "./backward.ts";
import type { QuantizationConfig, TrainingConfig } from "./config-schema.ts";
import { effectiveRank } from "./effective-rank.ts";
import type { Histogram, LayerDiagnostics } from "./log.ts";
import { LINEAR_NAMES } from "./model-tensors.ts";
import type { Parameter, Parameters } from "./parameters.ts";
import type { TrainingMemory } from "./training-memory.ts";

export class Diagnostics {
  readonly #kernels: TrainingKernels;
  readonly #parameters: Parameters;
  readonly #quantization: QuantizationConfig;
  readonly #bins: number;
  /** n */
  readonly #sampled: number;
  readonly #output_gradient: TrainingBuffer;
  readonly #input_gradient: TrainingBuffer;
  readonly #states: Uint8Array;
  readonly #last_states = new Map<string, Uint8Array>();
  readonly #ranks = new Map<string, number>();

  constructor(
    kernels: TrainingKernels,
    memory: TrainingMemory,
    parameters: Parameters,
    quantization: QuantizationConfig,
    settings: TrainingConfig["diagnostics"],
    batch_tokens: number,
  ) {
    this.#kernels = kernels;
    this.#parameters = parameters;
    this.#quantization = quantization;
    this.#bins = settings.histogram_bins;
    this.#sampled = Math.min(settings.tokens, batch_tokens);
    const sizes = parameters.linear.map(({ shape: [rows, columns = 1] }) => ({ rows, columns }));
    const largest = (values: readonly number[]) => values.reduce((most, value) => Math.max(most, value), 1);
    this.#output_gradient = memory.buffer(this.#sampled * largest(sizes.map(({ rows }) => rows)));
    this.#input_gradient = memory.buffer(this.#sampled * largest(sizes.map(({ columns }) => columns)));
    this.#states = new Uint8Array(largest(parameters.linear.map(({ count }) => count)) / 4);
  }

  /** To be given to the backward pass whose gradients are looked at; `report` then has their ranks. */
  readonly observe: ObserveLinear = (layer, name, output_gradient) => {
    const parameter = this.#parameters.named(`model.layers.${layer}.${LINEAR_NAMES[name]}.weight`);
    const [rows, columns = 1] = parameter.shape;
    const tokens = this.#sampled;
    const batch_tokens = output_gradient.values.length / rows;
    const dy = this.#output_gradient.values;
    for (let index = 0; index < tokens; index += 1) {
      // Evenly spread over the batch.
      const token = Math.floor((index * batch_tokens) / tokens);
      dy.set(output_gradient.values.subarray(token * rows, (token + 1) * rows), index * rows);
    }
    const size = { tokens, out_features: rows, in_features: columns };
    this.#kernels.linearBackwardInput(
      this.#input_gradient,
      this.#output_gradient,
      parameter.effective,
      size,
      false,
    );
    const dx = this.#input_gradient.values.subarray(0, tokens * columns);
    this.#ranks.set(parameter.name, effectiveRank(dx, tokens, columns));
  };

  report(): LayerDiagnostics[] {
    return this.#parameters.linear.map((parameter) => {
      const [, columns = 1] = parameter.shape;
      return {
        name: parameter.name,
        effective_rank: this.#ranks.get(parameter.name) ?? 0,
        effective_rank_max: Math.min(this.#sampled, columns),
        zero_moved_fraction: this.#zeroMovedFraction(parameter),
        histogram: histogram(parameter.weights.values, this.#bins),
      };
    });
  }

  #zeroMovedFraction({ name, shape, count, weights }: Parameter): number | null {
    if (this.#quantization.method !== "sherry") return null;
    const [out_features, in_features = 1] = shape;
    const states = this.#states.subarray(0, count / 4);
    this.#kernels.quantizerStates(states, weights, { out_features, in_features });
    const before = this.#last_states.get(name);
    this.#last_states.set(name, states.slice());
    if (before === undefined) return null;
    let moved = 0;
    for (let block = 0; block < states.length; block += 1) if (states[block] !== before[block]) moved += 1;
    return moved / states.length;
  }
}

/** Over the whole range of the weights, symmetric about 0. */
export function histogram(weights: Float32Array, bins: number): Histogram {
  let high = 0;
  for (const weight of weights) high = Math.max(high, Math.abs(weight));
  const counts = new Array<number>(bins).fill(0);
  const factor = high === 0 ? 0 : bins / (2 * high);
  for (const weight of weights) {
    const bin = Math.min(bins - 1, Math.floor((weight + high) * factor));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { low: -high, high, counts };
}

/** One number for a table. @param layers at least one */
export function meanEffectiveRank(layers: readonly LayerDiagnostics[]): number {
  return layers.reduce((total, layer) => total + layer.effective_rank, 0) / layers.length;
}
