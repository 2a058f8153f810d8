/**
 * The wired start: on a passage that is repeated, heads of the first layer look at the token before and heads of the
 * second at what followed the same token earlier, before any training; random weights do neither.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { allocateActivations } from "../../../scripts/training/activations.ts";
import { forward } from "../../../scripts/training/forward.ts";
import { wireInduction } from "../../../scripts/training/induction-start.ts";
import { Parameters } from "../../../scripts/training/parameters.ts";
import { openSession } from "../../../scripts/training/session.ts";
import { TrainingMemory } from "../../../scripts/training/training-memory.ts";
import type { ModelConfig } from "../../../src/format/directory.ts";
import { bestCpuLevel } from "../../../src/native/kernels.ts";
import { TrainingKernels } from "../../../src/native/training-kernels.ts";
import { trainingLibrary } from "../../../src/native/training-library.ts";
import { parseModelConfig } from "../../../src/packing/checkpoint-config.ts";
import { Random } from "../../../src/sampling/random.ts";
import { tinyConfig, tinyRun } from "./tiny-run.ts";

// Built here where it is missing, so that no test's own time limit has to hold a build.
trainingLibrary();

const SEED = 3;
const BLOCK_TOKENS = 30;
const HEAD_DIM = 32;
const GROUP = 2;

function modelConfig(changes: object = {}): ModelConfig {
  const json = {
    model_type: "llama",
    hidden_size: 256,
    intermediate_size: 64,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: HEAD_DIM,
    vocab_size: 512,
    max_position_embeddings: 64,
    rope_theta: 100_000,
    tie_word_embeddings: true,
    ...changes,
  };
  return parseModelConfig(json, null, false);
}

const memory = new TrainingMemory();
let kernels: TrainingKernels;
beforeAll(() => {
  kernels = TrainingKernels.create({ cpu_level: bestCpuLevel(), thread_count: 1 });
});
afterAll(() => {
  memory.free();
  kernels.close();
});

function parametersOf(config: ModelConfig, is_wired: boolean): Parameters {
  const quantization = { method: "none", granularity: "channel", group_columns: 32, arenas: null } as const;
  const parameters = new Parameters(kernels, memory, config, quantization);
  parameters.initialize(SEED, config.num_hidden_layers);
  if (is_wired) wireInduction(config, (name) => parameters.named(name).weights.values, SEED);
  return parameters;
}

/** How much of its attention each layer's first head pays where it is wired to, averaged over the repetition. */
function attentionWhereWired(is_wired: boolean) {
  const config = modelConfig();
  const activations = allocateActivations(memory, config, { sequences: 1, sequence_tokens: 64 }, true);
  const random = Random.fromSeed(SEED);
  const block = Array.from({ length: BLOCK_TOKENS }, () => Math.floor(random.nextUniform() * 512));
  const ids = activations.ids.values;
  ids.fill(0);
  ids.set([...block, ...block]);
  forward(kernels, config, parametersOf(config, is_wired).effective, activations);
  const shares = activations.layers.map(({ query, key }, layer) => {
    let sum = 0;
    for (let token = BLOCK_TOKENS; token < 2 * BLOCK_TOKENS - 1; token += 1) {
      const wanted = layer === 0 ? token - 1 : token - BLOCK_TOKENS + 1;
      sum += attentionOfFirstHead(query.values, key.values, token)[wanted] ?? 0;
    }
    return sum / (BLOCK_TOKENS - 1);
  });
  return { previous: shares[0] ?? 0, induction: shares[1] ?? 0 };
}

function attentionOfFirstHead(query: Float32Array, key: Float32Array, token: number): number[] {
  const scores = Array.from({ length: token + 1 }, (_, place) => {
    let score = 0;
    for (let index = 0; index < HEAD_DIM; index += 1) {
      score +=
        (query[token * 2 * GROUP * HEAD_DIM + index] ?? 0) * (key[place * GROUP * HEAD_DIM + index] ?? 0);
    }
    return Math.exp(score / Math.sqrt(HEAD_DIM));
  });
  const total = scores.reduce((sum, score) => sum + score, 0);
  return scores.map((score) => score / total);
}

describe("attention before any training", () => {
  test("goes to the token before, and to what followed the same token earlier", () => {
    const { previous, induction } = attentionWhereWired(true);
    expect(previous).toBeGreaterThan(0.5);
    expect(induction).toBeGreaterThan(0.3);
  });

  test("goes everywhere with random weights", () => {
    const { previous, induction } = attentionWhereWired(false);
    expect(previous).toBeLessThan(0.1);
    expect(induction).toBeLessThan(0.1);
  });
});

test("a seed has its own weights, the same every time", () => {
  const config = modelConfig();
  const [one, same] = [parametersOf(config, true), parametersOf(config, true)];
  for (const { name, weights } of one.all) expect(same.named(name).weights.values).toEqual(weights.values);
  const other = parametersOf(config, false);
  wireInduction(config, (name) => other.named(name).weights.values, SEED + 1);
  const name = "model.layers.1.self_attn.k_proj.weight";
  expect(other.named(name).weights.values).not.toEqual(one.named(name).weights.values);
});

test.each([
  { changes: { num_hidden_layers: 1 }, received: "1 layers, 11 and 5 pairs" },
  { changes: { head_dim: 8 }, received: "2 layers, 2 and 2 pairs" },
  { changes: { rope_theta: 2 }, received: "2 layers, 0 and 16 pairs" },
  { changes: { head_dim: 16, rope_theta: 1e9 }, received: "2 layers, 6 and 2 pairs" },
])("refused for $changes", ({ changes, received }) => {
  expect(() => parametersOf(modelConfig(changes), true)).toThrow(
    `turn by more, received ${received}. Change num_hidden_layers`,
  );
});

test("model.start of a configuration chooses it", () => {
  const folder = mkdtempSync(join(tmpdir(), "sherry-start-"));
  try {
    const { shape } = tinyConfig(folder).model;
    const config = tinyRun(folder, { model: { shape, start: "induction" } });
    expect(() => openSession(config, folder, () => {})).toThrow("received 2 layers, 2 and 2 pairs");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
