/** Which tensors a family has: names as its checkpoints spell them, shapes from the config, norms of heads where it has them. */
import { describe, expect, test } from "bun:test";
import { QUERY_KEY_NORM_OF } from "../../src/format/architectures.ts";
import type { Architecture } from "../../src/format/directory.ts";
import { openCheckpoint } from "../../src/packing/checkpoint.ts";
import { planTensors } from "../../src/packing/tensor-plan.ts";
import { refusal } from "../format/refusal.ts";
import { CONFIG } from "../format/sample-file.ts";
import { randomTensors } from "../model/random-model.ts";
import { TemporaryFolder, writeFolder } from "./checkpoint-folder.ts";

const configOf = (architecture: Architecture) => ({
  ...CONFIG,
  architecture,
  query_key_norm: QUERY_KEY_NORM_OF[architecture],
  head_dim: 12,
});
const shapes = (architecture: Architecture, is_tied = true) =>
  planTensors({ ...configOf(architecture), tie_word_embeddings: is_tied }).map(({ name, shape }) => [
    name,
    ...shape,
  ]);

/** 64 columns, 8 heads of 12 on 4, FFN 172, 70 tokens, one layer. */
const LLAMA: (string | number)[][] = [
  ["model.embed_tokens.weight", 70, 64],
  ["model.layers.0.input_layernorm.weight", 64],
  ["model.layers.0.self_attn.q_proj.weight", 96, 64],
  ["model.layers.0.self_attn.k_proj.weight", 48, 64],
  ["model.layers.0.self_attn.v_proj.weight", 48, 64],
  ["model.layers.0.self_attn.o_proj.weight", 64, 96],
  ["model.layers.0.post_attention_layernorm.weight", 64],
  ["model.layers.0.mlp.gate_proj.weight", 172, 64],
  ["model.layers.0.mlp.up_proj.weight", 172, 64],
  ["model.layers.0.mlp.down_proj.weight", 64, 172],
  ["model.norm.weight", 64],
];

describe("the plan", () => {
  test("of a llama, with and without a head of its own", () => {
    expect(shapes("llama")).toEqual(LLAMA);
    expect(shapes("llama", false)).toEqual([...LLAMA, ["lm_head.weight", 70, 64]]);
  });

  test.each([
    ["qwen3", "q_norm", "k_norm"],
    ["hunyuan_v1_dense", "query_layernorm", "key_layernorm"],
  ] as const)("of a %s has %s and %s beside a llama's tensors", (architecture, query, key) => {
    const norms = [query, key].map((name) => [`model.layers.0.self_attn.${name}.weight`, 12]);
    expect(shapes(architecture)).toEqual(LLAMA.toSpliced(5, 0, ...norms));
  });

  test("calls norms norms, which stay f32", () => {
    const norms = planTensors(configOf("qwen3")).filter(({ role }) => role === "norm");
    expect(norms.map(({ name }) => name.split(".").at(-2))).toEqual([
      "input_layernorm",
      "q_norm",
      "k_norm",
      "post_attention_layernorm",
      "norm",
    ]);
  });
});

const QWEN3 = {
  model_type: "qwen3",
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 8,
  vocab_size: 10,
  rms_norm_eps: 1e-6,
  tie_word_embeddings: true,
} as const;
const K_NORM = "model.layers.0.self_attn.k_norm.weight";

test("a checkpoint without a norm that its family has is incomplete", () => {
  using folder = new TemporaryFolder();
  const tensors = randomTensors(QWEN3, 1);
  tensors.delete(K_NORM);
  writeFolder(folder.at("q"), { config: QWEN3, tensors });
  expect(refusal(() => openCheckpoint(folder.at("q")))).toEqual({
    code: "checkpoint_invalid",
    message:
      `tensor ${K_NORM}: expected [8], as config.json says, received no such tensor in the checkpoint. ` +
      "The checkpoint is incomplete or of another architecture",
  });
});

describe("a tensor that would change what the model computes", () => {
  const foreign = (name: string, layers = 1) => {
    using folder = new TemporaryFolder();
    const config = { ...QWEN3, num_hidden_layers: layers };
    const tensors = randomTensors(config, 1);
    tensors.set(name, { shape: [16], dtype: "F32", weights: new Float32Array(16) });
    writeFolder(folder.at("q"), { config, tensors });
    const checkpoint = openCheckpoint(folder.at("q"));
    checkpoint.close();
    return checkpoint.warnings;
  };

  test.each([
    "model.layers.0.self_attn.q_proj.bias",
    "model.layers.0.self_attn.query_layernorm.weight",
    "model.layers.0.mlp.experts.0.up_proj.weight",
    "lm_head.bias",
    "model.norm.bias",
  ])("%s is refused", (name) => {
    expect(refusal(() => foreign(name))).toEqual({
      code: "checkpoint_unsupported",
      message:
        `tensor ${name}: expected no such tensor in a qwen3 model, received one, without which the model would ` +
        "compute something else. Check model_type in config.json; biases are not supported",
    });
  });

  test("one of a layer that does not run is only mentioned", () => {
    expect(foreign("model.layers.1.eh_proj.weight").at(-1)).toBe(
      "Tensors that a qwen3 model does not have are not packed: model.layers.1.eh_proj.weight",
    );
  });
});
