/**
 * The gradient of a whole two-layer model against central differences of an independent float64 forward pass. The
 * quantizer's own derivative is zero almost everywhere, so with Sherry and Arenas the differences are taken in the
 * effective weights, and the latent gradient must be (1 + lambda) times theirs.
 */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { allocateActivations, allocateGradients } from "../../../scripts/training/activations.ts";
import { backward } from "../../../scripts/training/backward.ts";
import type { QuantizationConfig } from "../../../scripts/training/config-schema.ts";
import { forward } from "../../../scripts/training/forward.ts";
import { Parameters } from "../../../scripts/training/parameters.ts";
import { TrainingMemory } from "../../../scripts/training/training-memory.ts";
import { bestCpuLevel, type CpuLevel } from "../../../src/native/kernels.ts";
import { IGNORED_TARGET, TrainingKernels } from "../../../src/native/training-kernels.ts";
import { parseModelConfig } from "../../../src/packing/checkpoint-config.ts";
import { Random } from "../../../src/sampling/random.ts";
import { type ReferenceConfig, referenceLogits } from "../../model/reference-forward.ts";

// Training takes as long as the machine is busy.
setDefaultTimeout(120_000);

const SEQUENCES = 2;
const SEQUENCE_TOKENS = 7;
const CHECKED_PER_TENSOR = 12;
/** An exact step in f32 for weights of this size; the differences' own error is of its square. */
const STEP = 2 ** -10;
/** f32 sums of a few dozen terms on one side, differences over STEP on the other. */
const RELATIVE_TOLERANCE = 2e-3;
const ABSOLUTE_TOLERANCE = 2e-6;

const CONFIG_JSON = (tied: boolean) => ({
  model_type: "llama" as const,
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 4,
  vocab_size: 13,
  max_position_embeddings: 16,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  tie_word_embeddings: tied,
});

const memory = new TrainingMemory();
const opened: TrainingKernels[] = [];
afterAll(() => {
  memory.free();
  for (const kernels of opened) kernels.close();
});

const NONE: QuantizationConfig = { method: "none", granularity: "channel", group_columns: 32, arenas: null };
const SHERRY: QuantizationConfig = { ...NONE, method: "sherry" };

interface Case {
  readonly level: CpuLevel;
  readonly tied: boolean;
  readonly quantization: QuantizationConfig;
  readonly lambda: number;
}

function check({ level, tied, quantization, lambda }: Case): void {
  const json = CONFIG_JSON(tied);
  const config = parseModelConfig({ ...json }, null, !tied);
  const kernels = TrainingKernels.create({ cpu_level: level, thread_count: 2 });
  opened.push(kernels);
  const parameters = new Parameters(kernels, memory, config, quantization);
  const random = Random.fromSeed(5);
  for (const { weights, role } of parameters.all) {
    for (const index of weights.values.keys()) {
      weights.values[index] = (role === "norm" ? 1 : 0) + 0.8 * (random.nextUniform() - 0.5);
    }
  }
  parameters.quantize(lambda);
  const sizes = { sequences: SEQUENCES, sequence_tokens: SEQUENCE_TOKENS };
  const activations = allocateActivations(memory, config, sizes, true);
  const { tokens, ids, targets, losses, logits, shapes } = activations;
  for (const index of ids.values.keys()) {
    ids.values[index] = random.nextUint32() % config.vocab_size;
    targets.values[index] = random.nextUint32() % config.vocab_size;
  }
  targets.values[3] = IGNORED_TARGET;
  forward(kernels, config, parameters.effective, activations);
  kernels.crossEntropy(losses, logits, logits, targets, shapes.logits, 1 / tokens);
  const loss = losses.values.reduce((sum, value) => sum + value, 0) / tokens;
  const scratch = allocateGradients(memory, config, tokens);
  const { effective: weights, gradients } = parameters;
  backward({ kernels, weights, gradients, activations, scratch, lambda, observe: null }, logits);

  const reference = () => referenceLoss(json, parameters, ids.values, targets.values);
  expect(Math.abs(loss - reference())).toBeLessThan(1e-5);
  for (const { name, role, effective, gradient } of parameters.all) {
    const factor = role === "linear" ? 1 + lambda : 1;
    const { values } = effective;
    for (let turn = 0; turn < Math.min(CHECKED_PER_TENSOR, values.length); turn += 1) {
      const index = random.nextUint32() % values.length;
      const middle = values[index] ?? Number.NaN;
      values[index] = middle + STEP;
      const [above, high] = [values[index] ?? Number.NaN, reference()];
      values[index] = middle - STEP;
      const [below, low] = [values[index] ?? Number.NaN, reference()];
      values[index] = middle;
      const expected = (factor * (high - low)) / (above - below);
      const received = gradient.values[index] ?? Number.NaN;
      const tolerance = ABSOLUTE_TOLERANCE + RELATIVE_TOLERANCE * Math.abs(expected);
      if (Math.abs(received - expected) > tolerance) {
        throw new Error(`${name}[${index}]: expected ${expected}, received ${received}`);
      }
    }
  }
}

function referenceLoss(
  config: ReferenceConfig,
  parameters: Parameters,
  ids: Uint32Array,
  targets: Uint32Array,
): number {
  const model = {
    config,
    weight: (name: string) => parameters.named(name).effective.values,
    readsInt8: () => false,
    keep: (head: Float64Array) => head,
  };
  let sum = 0;
  for (let start = 0; start < ids.length; start += SEQUENCE_TOKENS) {
    const logits = referenceLogits(model, [...ids.subarray(start, start + SEQUENCE_TOKENS)]);
    for (const [position, row] of logits.entries()) {
      const target = targets[start + position] ?? IGNORED_TARGET;
      if (target === IGNORED_TARGET) continue;
      const largest = Math.max(...row);
      const total = row.reduce((so_far, logit) => so_far + Math.exp(logit - largest), 0);
      sum += Math.log(total) + largest - (row[target] ?? Number.NaN);
    }
  }
  return sum / ids.length;
}

describe.each([...new Set<CpuLevel>(["scalar", bestCpuLevel()])])("at level %s", (level) => {
  test("full precision, tied embedding", () => {
    check({ level, tied: true, quantization: NONE, lambda: 0 });
  });

  test("full precision, a head of its own", () => {
    check({ level, tied: false, quantization: NONE, lambda: 0 });
  });

  test("sherry with Arenas", () => {
    check({ level, tied: true, quantization: SHERRY, lambda: 0.7 });
  });

  test("sherry without", () => {
    check({ level, tied: true, quantization: SHERRY, lambda: 0 });
  });
});
