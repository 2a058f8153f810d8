/** What a config.json may ask for and does not get: each refusal by the name of its field. */
import { describe, expect, test } from "bun:test";
import { readArchitecture, refuseUnsupported } from "../../src/packing/checkpoint-features.ts";
import { Fields } from "../../src/packing/checkpoint-fields.ts";
import { refusal } from "../format/refusal.ts";

const WINDOW = "every layer attends to the whole context";

function check(model_type: string, config: Readonly<Record<string, unknown>>): void {
  const fields = new Fields("config.json", { model_type, ...config });
  refuseUnsupported(fields, readArchitecture(fields));
}

describe("refused", () => {
  test.each([
    [
      "llama",
      { attention_bias: true },
      "attention_bias: expected false: biases are not supported, received true",
    ],
    ["qwen3", { mlp_bias: true }, "mlp_bias: expected false: biases are not supported, received true"],
    ["llama", { hidden_act: "gelu" }, 'hidden_act: expected "silu", received "gelu"'],
    ["hunyuan_v1_dense", { norm_type: "fused" }, 'norm_type: expected "rms", received "fused"'],
    [
      "llama",
      { partial_rotary_factor: 0.5 },
      "partial_rotary_factor: expected 1: all of a head rotates, received 0.5",
    ],
    [
      "hunyuan_v1_dense",
      { use_rotary_pos_emb: false },
      "use_rotary_pos_emb: expected true: positions are rotary, received false",
    ],
    ["qwen3", { use_sliding_window: true }, `use_sliding_window: expected false: ${WINDOW}, received true`],
    ["llama", { sliding_window: 4096 }, `sliding_window: expected null: ${WINDOW}, received 4096`],
    ["hunyuan_v1_dense", { sliding_window: 4096 }, `sliding_window: expected null: ${WINDOW}, received 4096`],
    [
      "qwen3",
      { layer_types: ["full_attention", "sliding_attention"] },
      'layer_types: expected an array of "full_attention", received ["full_attention","sliding_attention"]',
    ],
    [
      "llama",
      { layer_types: "full_attention" },
      'layer_types: expected an array of "full_attention", received "full_attention"',
    ],
    [
      "hunyuan_v1_dense",
      { use_cla: true },
      "use_cla: expected false: every layer has its own keys and values, received true",
    ],
    [
      "hunyuan_v1_dense",
      { use_mla: true },
      "use_mla: expected false: every layer has its own keys and values, received true",
    ],
    [
      "hunyuan_v1_dense",
      { use_qk_norm: false },
      "use_qk_norm: expected true, as hunyuan_v1_dense has it, received false",
    ],
    ["llama", { qk_norm: true }, "qk_norm: expected false, as llama has it, received true"],
    ["hunyuan_v1_dense", { num_experts: 64 }, "num_experts: expected no mixture of experts, received 64"],
    ["llama", { num_local_experts: 8 }, "num_local_experts: expected no mixture of experts, received 8"],
    ["qwen3", { n_routed_experts: 8 }, "n_routed_experts: expected no mixture of experts, received 8"],
    ["qwen3", { num_experts_per_tok: 2 }, "num_experts_per_tok: expected no mixture of experts, received 2"],
    ["hunyuan_v1_dense", { moe_topk: [8, 8] }, "moe_topk: expected no mixture of experts, received [8,8]"],
    [
      "qwen3",
      { moe_intermediate_size: 768 },
      "moe_intermediate_size: expected no mixture of experts, received 768",
    ],
    [
      "hunyuan_v1_dense",
      { add_classification_head: true },
      "add_classification_head: expected false: the head gives logits of tokens, received true",
    ],
    [
      "qwen3",
      { quantization_config: { quant_method: "gptq" } },
      "quantization_config: expected none, received an object. " +
        "Pack the checkpoint from before its quantization, or one with the weights written out as floats",
    ],
  ])("%s with %o", (model_type, config, message) => {
    expect(refusal(() => check(model_type, config))).toEqual({
      code: "checkpoint_unsupported",
      message: `config.json: ${message}`,
    });
  });

  test("a switch that is no switch", () => {
    expect(refusal(() => check("llama", { use_qk_norm: "no" }))).toEqual({
      code: "checkpoint_invalid",
      message: 'config.json: use_qk_norm: expected true or false, received "no"',
    });
  });

  test.each(["qwen3_moe", "qwen2", "hunyuan", "mistral", undefined, 7])("model_type %p", (model_type) => {
    const fields = new Fields("config.json", { model_type });
    const received = model_type === undefined ? "nothing" : JSON.stringify(model_type);
    expect(refusal(() => readArchitecture(fields))).toEqual({
      code: "checkpoint_unsupported",
      message:
        `config.json: model_type: expected "llama", "qwen3", "hunyuan_v1_dense", received ${received}. ` +
        "Other architectures cannot be packed yet",
    });
  });
});

describe("accepted", () => {
  test.each([
    ["llama", {}],
    ["llama", { attention_bias: false, mlp_bias: null, hidden_act: "swish", partial_rotary_factor: 1 }],
    ["llama", { sliding_window: null, use_sliding_window: null }],
    ["llama", { sliding_window: 4096, use_sliding_window: false }],
    ["qwen3", { sliding_window: 4096, max_window_layers: 28 }],
    ["qwen3", { layer_types: ["full_attention", "full_attention"], use_qk_norm: true }],
    [
      "hunyuan_v1_dense",
      { use_cla: false, cla_share_factor: 2, num_experts: 1, moe_topk: 1, norm_type: "rms" },
    ],
  ])("%s with %o", (model_type, config) => {
    expect(check(model_type, config)).toBeUndefined();
  });
});
