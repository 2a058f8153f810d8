/** Weights on their way to the passes: random ones, and a trained model's that begin with the Arenas residual. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { QuantizationConfig } from "../../../scripts/training/config-schema.ts";
import { Parameters } from "../../../scripts/training/parameters.ts";
import { TrainingMemory } from "../../../scripts/training/training-memory.ts";
import { bestCpuLevel } from "../../../src/native/kernels.ts";
import { TrainingKernels } from "../../../src/native/training-kernels.ts";
import { trainingLibrary } from "../../../src/native/training-library.ts";
import { parseModelConfig } from "../../../src/packing/checkpoint-config.ts";

// Built here where it is missing, so that no test's own time limit has to hold a build.
trainingLibrary();

const CONFIG = parseModelConfig(
  {
    model_type: "llama",
    hidden_size: 64,
    intermediate_size: 64,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    num_key_value_heads: 2,
    head_dim: 32,
    vocab_size: 40,
    max_position_embeddings: 16,
    tie_word_embeddings: true,
  },
  null,
  false,
);
const SHERRY: QuantizationConfig = {
  method: "sherry",
  granularity: "channel",
  group_columns: 32,
  arenas: null,
};

const memory = new TrainingMemory();
let kernels: TrainingKernels;
beforeAll(() => {
  kernels = TrainingKernels.create({ cpu_level: bestCpuLevel(), thread_count: 1 });
});
afterAll(() => {
  memory.free();
  kernels.close();
});

/** Of the effective weights against the model's own, over all linear layers: the error's energy to the weights'. */
function relativeError(quantization: QuantizationConfig, lambda: number, shares: boolean): number {
  const parameters = new Parameters(kernels, memory, CONFIG, quantization);
  parameters.initialize(1, 1);
  const own = parameters.linear.map(({ weights }) => weights.values.slice());
  if (shares) parameters.shareWithResidual(lambda);
  parameters.quantize(lambda);
  let error = 0;
  let energy = 0;
  for (const [layer, { effective }] of parameters.linear.entries()) {
    for (const [index, weight] of (own[layer] ?? []).entries()) {
      error += ((effective.values[index] ?? 0) - weight) ** 2;
      energy += weight ** 2;
    }
  }
  return error / energy;
}

test("a trained model begins near itself, whatever lambda begins at", () => {
  // Of uniform weights; halved weights leave half of the quantizer's error, a quarter of its energy.
  const quantized = relativeError(SHERRY, 0, true);
  expect(quantized).toBeGreaterThan(0.1);
  expect(relativeError(SHERRY, 1, true)).toBeCloseTo(quantized / 4, 4);
  expect(relativeError(SHERRY, 1, false)).toBeGreaterThan(0.5);
});

test("nothing is divided where nothing is quantized", () => {
  expect(relativeError({ ...SHERRY, method: "none" }, 1, true)).toBe(0);
});
