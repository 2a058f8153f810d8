/** config.json and generation_config.json of the three families: what is read, what defaults, what is refused. */
import { describe, expect, test } from "bun:test";
import type { ModelConfig } from "../../src/format/directory.ts";
import { parseGenerationDefaults, parseModelConfig } from "../../src/packing/checkpoint-config.ts";
import type { JsonObject } from "../../src/packing/json-text.ts";
import { refusal } from "../format/refusal.ts";

const LLAMA = {
  model_type: "llama",
  hidden_size: 64,
  intermediate_size: 172,
  num_hidden_layers: 5,
  num_attention_heads: 8,
  vocab_size: 512,
};
const QWEN3 = { ...LLAMA, model_type: "qwen3", num_key_value_heads: 2 };
const HUNYUAN = { ...LLAMA, model_type: "hunyuan_v1_dense" };

const parse = (config: JsonObject, generation: JsonObject | null = null, has_head = true): ModelConfig =>
  parseModelConfig(config, generation, has_head);
const refuse = (config: JsonObject, generation: JsonObject | null = null) =>
  refusal(() => parse(config, generation));

describe("a family's own defaults", () => {
  test("llama", () => {
    expect(parse(LLAMA)).toEqual({
      architecture: "llama",
      hidden_size: 64,
      intermediate_size: 172,
      num_hidden_layers: 5,
      num_attention_heads: 8,
      num_key_value_heads: 8,
      head_dim: 8,
      max_position_embeddings: 2048,
      vocab_size: 512,
      rms_norm_eps: 1e-6,
      query_key_norm: "none",
      rope_theta: 10_000,
      rope_scaling: null,
      tie_word_embeddings: false,
      bos_token_id: null,
      eos_token_ids: [],
    });
  });

  test("qwen3", () => {
    expect(parse(QWEN3)).toMatchObject({
      architecture: "qwen3",
      num_key_value_heads: 2,
      head_dim: 128,
      max_position_embeddings: 32_768,
      rms_norm_eps: 1e-6,
      query_key_norm: "before_rotary",
      rope_theta: 10_000,
    });
    expect(refuse({ ...QWEN3, num_key_value_heads: null })).toEqual({
      code: "checkpoint_invalid",
      message:
        "config.json: num_key_value_heads: expected a divisor of num_attention_heads (8), received nothing",
    });
  });

  test("hunyuan_v1_dense", () => {
    expect(parse(HUNYUAN)).toMatchObject({
      architecture: "hunyuan_v1_dense",
      num_key_value_heads: 8,
      head_dim: 128,
      max_position_embeddings: 2048,
      rms_norm_eps: 1e-5,
      query_key_norm: "after_rotary",
      rope_theta: 10_000,
    });
    expect(parse({ ...HUNYUAN, attention_head_dim: 64 }).head_dim).toBe(64);
    expect(parse({ ...HUNYUAN, head_dim: 32, attention_head_dim: 64 }).head_dim).toBe(32);
    expect(parse({ ...LLAMA, attention_head_dim: 64 }).head_dim).toBe(8);
  });
});

describe("as published files have it", () => {
  test("Llama-3.2-1B", () => {
    const config = parse({
      architectures: ["LlamaForCausalLM"],
      attention_bias: false,
      attention_dropout: 0,
      bos_token_id: 128_000,
      eos_token_id: [128_001, 128_008, 128_009],
      head_dim: 64,
      hidden_act: "silu",
      hidden_size: 2048,
      initializer_range: 0.02,
      intermediate_size: 8192,
      max_position_embeddings: 131_072,
      mlp_bias: false,
      model_type: "llama",
      num_attention_heads: 32,
      num_hidden_layers: 16,
      num_key_value_heads: 8,
      pretraining_tp: 1,
      rms_norm_eps: 1e-5,
      rope_scaling: {
        factor: 32,
        high_freq_factor: 4,
        low_freq_factor: 1,
        original_max_position_embeddings: 8192,
        rope_type: "llama3",
      },
      rope_theta: 500_000,
      tie_word_embeddings: true,
      torch_dtype: "bfloat16",
      use_cache: true,
      vocab_size: 128_256,
    });
    expect(config).toMatchObject({
      head_dim: 64,
      rope_theta: 500_000,
      rope_scaling: { type: "llama3", factor: 32, original_max_position_embeddings: 8192 },
      eos_token_ids: [128_001, 128_008, 128_009],
      tie_word_embeddings: true,
    });
  });

  test("Qwen3-1.7B", () => {
    const config = parse({
      architectures: ["Qwen3ForCausalLM"],
      attention_bias: false,
      attention_dropout: 0,
      bos_token_id: 151_643,
      eos_token_id: 151_645,
      head_dim: 128,
      hidden_act: "silu",
      hidden_size: 2048,
      intermediate_size: 6144,
      max_position_embeddings: 40_960,
      max_window_layers: 28,
      model_type: "qwen3",
      num_attention_heads: 16,
      num_hidden_layers: 28,
      num_key_value_heads: 8,
      rms_norm_eps: 1e-6,
      rope_scaling: null,
      rope_theta: 1_000_000,
      sliding_window: null,
      tie_word_embeddings: true,
      use_sliding_window: false,
      vocab_size: 151_936,
    });
    expect(config).toMatchObject({ rope_theta: 1_000_000, rope_scaling: null, num_key_value_heads: 8 });
  });

  test("Hy-MT1.5-1.8B, in the older and the newer form", () => {
    const common = {
      add_classification_head: false,
      architectures: ["HunYuanDenseV1ForCausalLM"],
      attention_bias: false,
      attention_head_dim: 128,
      bos_token_id: 120_000,
      cla_share_factor: 2,
      class_num: 0,
      dense_list: [2048, 0],
      eos_token_id: 120_020,
      head_dim: 128,
      hidden_act: "silu",
      hidden_size: 2048,
      intermediate_size: 6144,
      max_position_embeddings: 262_144,
      mlp_bias: false,
      model_type: "hunyuan_v1_dense",
      norm_type: "rms",
      num_attention_heads: 16,
      num_hidden_layers: 32,
      num_key_value_heads: 4,
      org_vocab_size: 120_818,
      pool_type: "last",
      rms_norm_eps: 1e-5,
      tie_word_embeddings: true,
      use_cla: false,
      use_qk_norm: true,
      use_rotary_pos_emb: true,
      vocab_size: 120_818,
    };
    const dynamic = { alpha: 1000, beta_fast: 32, beta_slow: 1, factor: 1, mscale: 1, mscale_all_dim: 1 };
    const older = parse({ ...common, rope_scaling: { ...dynamic, type: "dynamic" }, rope_theta: 10_000 });
    expect(older).toMatchObject({
      query_key_norm: "after_rotary",
      rope_theta: 10_000,
      rope_scaling: { type: "dynamic_alpha", alpha: 1000 },
      head_dim: 128,
      num_key_value_heads: 4,
    });
    const newer = { ...dynamic, rope_theta: 10_000, rope_type: "dynamic", type: "dynamic" };
    expect(parse({ ...common, rope_parameters: newer })).toEqual(older);
  });
});

describe("sizes", () => {
  test("one that is missing, no number or out of bounds", () => {
    for (const name of ["hidden_size", "intermediate_size", "num_attention_heads", "vocab_size"]) {
      for (const [value, received] of [
        [undefined, "nothing"],
        ["64", '"64"'],
        [0, "0"],
        [16_777_217, "16777217"],
      ] as const) {
        expect(refuse({ ...LLAMA, [name]: value })).toEqual({
          code: "checkpoint_invalid",
          message: `config.json: ${name}: expected an integer from 1 to 16777216, received ${received}`,
        });
      }
    }
    expect(refuse({ ...LLAMA, num_hidden_layers: 1025 }).message).toBe(
      "config.json: num_hidden_layers: expected an integer from 1 to 1024, received 1025",
    );
    expect(refuse({ ...LLAMA, rms_norm_eps: -1 }).message).toBe(
      "config.json: rms_norm_eps: expected a number of at least 0, received -1",
    );
  });

  test("heads that do not divide", () => {
    expect(refuse({ ...LLAMA, num_key_value_heads: 3 }).message).toBe(
      "config.json: num_key_value_heads: expected a divisor of num_attention_heads (8), received 3",
    );
    expect(refuse({ ...LLAMA, num_key_value_heads: 16 }).message).toBe(
      "config.json: num_key_value_heads: expected an integer from 1 to 8, received 16",
    );
    expect(refuse({ ...LLAMA, hidden_size: 60 }).message).toBe(
      "config.json: head_dim: expected a number, as hidden_size is no multiple of num_attention_heads, received nothing",
    );
    expect(refuse({ ...LLAMA, head_dim: 9 }).message).toBe(
      "config.json: head_dim: expected an even number, for rotary pairs, and not 9, received 9",
    );
  });
});

describe("tokens and the head", () => {
  test("the head is the embedding when the file says so or has no other", () => {
    expect(parse({ ...LLAMA, tie_word_embeddings: true }).tie_word_embeddings).toBe(true);
    expect(parse(LLAMA, null, false).tie_word_embeddings).toBe(true);
    expect(parse({ ...LLAMA, tie_word_embeddings: false }, null, true).tie_word_embeddings).toBe(false);
    expect(refuse({ ...LLAMA, tie_word_embeddings: 1 }).message).toBe(
      "config.json: tie_word_embeddings: expected true or false, received 1",
    );
  });

  test("generation_config.json goes before config.json for end tokens, after it for the start token", () => {
    const config = { ...LLAMA, bos_token_id: 1, eos_token_id: 2 };
    expect(parse(config, { bos_token_id: 3, eos_token_id: [4, 5, 4] })).toMatchObject({
      bos_token_id: 1,
      eos_token_ids: [4, 5],
    });
    expect(parse({ ...LLAMA, eos_token_id: 2 }, { bos_token_id: 3 })).toMatchObject({
      bos_token_id: 3,
      eos_token_ids: [2],
    });
  });

  test("tokens outside the vocabulary", () => {
    expect(refuse({ ...LLAMA, eos_token_id: 512 })).toEqual({
      code: "checkpoint_invalid",
      message: "config.json: eos_token_id: expected token ids below vocab_size (512), received 512",
    });
    expect(refuse(LLAMA, { eos_token_id: [1, "2"] }).message).toBe(
      'generation_config.json: eos_token_id: expected token ids below vocab_size (512), received [1,"2"]',
    );
    expect(refuse({ ...LLAMA, bos_token_id: -1 }).message).toBe(
      "config.json: bos_token_id: expected an integer from 0 to 511, received -1",
    );
  });
});

describe("generation defaults", () => {
  test("null where the file says nothing", () => {
    const nothing = {
      do_sample: false,
      temperature: null,
      top_k: null,
      top_p: null,
      min_p: null,
      repetition_penalty: null,
    };
    expect(parseGenerationDefaults(null)).toEqual(nothing);
    expect(parseGenerationDefaults({ temperature: null })).toEqual(nothing);
    const all = {
      do_sample: true,
      temperature: 0.6,
      top_k: 20,
      top_p: 0.95,
      min_p: 0,
      repetition_penalty: 1.05,
    };
    expect(parseGenerationDefaults({ ...all, transformers_version: "4.56.1" })).toEqual(all);
  });

  test.each([
    ["do_sample", "yes", 'expected true or false, received "yes"'],
    ["temperature", -0.1, "expected a number of at least 0, received -0.1"],
    ["top_k", 2.5, `expected an integer from 0 to ${Number.MAX_SAFE_INTEGER}, received 2.5`],
    ["top_p", 1.1, "expected a number from 0 to 1, received 1.1"],
    ["min_p", -1, "expected a number from 0 to 1, received -1"],
    ["repetition_penalty", 0, "expected a number above 0, received 0"],
  ])("%s %p is refused", (name, value, message) => {
    expect(refusal(() => parseGenerationDefaults({ [name]: value }))).toEqual({
      code: "checkpoint_invalid",
      message: `generation_config.json: ${name}: ${message}`,
    });
  });
});
