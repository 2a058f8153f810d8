/**
 * Everything that training changes: for each tensor its weights, gradient and the optimizer's two moments, and for the
 * quantized ones the effective weights Q(W) + lambda W that the passes multiply with.
 */
import { SherryError } from "../../src/errors.ts";
import type { ModelConfig, TensorShape } from "../../src/format/directory.ts";
import type { TrainingBuffer } from "../../src/native/training-buffer.ts";
import type { TrainingKernels } from "../../src/native/training-kernels.ts";
import { planTensors, type TensorRole } from "../../src/packing/tensor-plan.ts";
import { Random } from "../../src/sampling/random.ts";
import type { QuantizationConfig } from "./config-schema.ts";
import { arrangeTensors, type ModelTensors } from "./model-tensors.ts";
import type { LinearSize } from "./quantized-layers.ts";
import type { TrainingMemory } from "./training-memory.ts";

export interface Parameter {
  readonly name: string;
  readonly role: TensorRole;
  readonly shape: TensorShape;
  readonly count: number;
  /** The latent weights. */
  readonly weights: TrainingBuffer;
  readonly gradient: TrainingBuffer;
  readonly first_moment: TrainingBuffer;
  readonly second_moment: TrainingBuffer;
  /** What the passes use; `weights` itself where nothing is quantized. */
  readonly effective: TrainingBuffer;
}

/** Of random weights, as GPT-2 and Llama start. */
const DEVIATION = 0.02;

export class Parameters {
  readonly all: readonly Parameter[];
  /** The seven linear layers of each block. */
  readonly linear: readonly Parameter[];
  readonly effective: ModelTensors<TrainingBuffer>;
  readonly gradients: ModelTensors<TrainingBuffer>;
  readonly #kernels: TrainingKernels;
  readonly #quantization: QuantizationConfig;

  /** Allocates; all zeros. @throws SherryError out_of_memory */
  constructor(
    kernels: TrainingKernels,
    memory: TrainingMemory,
    config: ModelConfig,
    quantization: QuantizationConfig,
  ) {
    this.#kernels = kernels;
    this.#quantization = quantization;
    this.all = planTensors(config).map(({ name, role, shape }) => {
      const count = shape.reduce<number>((product, size) => product * size, 1);
      const weights = memory.buffer(count);
      const is_quantized = role === "linear" && quantization.method !== "none";
      return {
        ...{ name, role, shape, count, weights },
        gradient: memory.buffer(count),
        first_moment: memory.buffer(count),
        second_moment: memory.buffer(count),
        effective: is_quantized ? memory.buffer(count) : weights,
      };
    });
    this.linear = this.all.filter(({ role }) => role === "linear");
    this.effective = arrangeTensors(config, (name) => this.named(name).effective);
    this.gradients = arrangeTensors(config, (name) => this.named(name).gradient);
  }

  get count(): number {
    return this.all.reduce((sum, { count }) => sum + count, 0);
  }

  named(name: string): Parameter {
    const found = this.all.find((parameter) => parameter.name === name);
    if (found !== undefined) return found;
    throw new SherryError("internal", "a parameter", { expected: "one of the model's", received: name });
  }

  /**
   * Random weights, the same for the same seed on every machine: uniform with a deviation of 0.02 (uniform numbers need
   * no function that machines round differently), norms 1. Layers that write to the residual stream start smaller by the
   * square root of their number, as in GPT-2 (Radford et al. 2019, section 2.3).
   */
  initialize(seed: number, num_hidden_layers: number): void {
    const random = Random.fromSeed(seed);
    for (const { name, role, weights } of this.all) {
      if (role === "norm") {
        weights.values.fill(1);
        continue;
      }
      const writes_stream = name.endsWith("o_proj.weight") || name.endsWith("down_proj.weight");
      const deviation = writes_stream ? DEVIATION / Math.sqrt(2 * num_hidden_layers) : DEVIATION;
      const reach = deviation * Math.sqrt(3);
      const { values } = weights;
      for (let index = 0; index < values.length; index += 1) {
        values[index] = reach * (2 * random.nextUniform() - 1);
      }
    }
  }

  /**
   * Divides a trained model's linear layers by 1 + lambda. Q follows the scale of its argument, so the first step's
   * Q(W) + lambda W is then as near to the model's own weights as Q(W) is to W, and not 1 + lambda times as large.
   */
  shareWithResidual(lambda: number): void {
    if (this.#quantization.method === "none" || lambda === 0) return;
    for (const { weights } of this.linear) {
      const { values } = weights;
      for (const [index, value] of values.entries()) values[index] = value / (1 + lambda);
    }
  }

  /** Writes Q(W) + lambda W of every quantized layer. */
  quantize(lambda: number): void {
    if (this.#quantization.method === "none") return;
    for (const { shape, weights, effective } of this.linear) {
      const [out_features, in_features = 1] = shape;
      this.#kernels.fakeQuantize(
        effective,
        weights,
        { out_features, in_features },
        this.#quantization,
        lambda,
      );
    }
  }

  clearGradients(): void {
    for (const { gradient } of this.all) this.#kernels.zero(gradient);
  }
}

export function linearShapes(config: ModelConfig): LinearSize[] {
  return planTensors(config)
    .filter(({ role }) => role === "linear")
    .map(({ name, shape: [rows, columns = 1] }) => ({ name, rows, columns }));
}
