/** Tensor names both ways, and names that an architecture does not have. */
import { expect, test } from "bun:test";
import {
  type GgufArchitecture,
  ggufName,
  huggingFaceName,
  mapTensorNames,
} from "../../../src/packing/gguf/tensor-names.ts";
import { planTensors } from "../../../src/packing/tensor-plan.ts";
import { refusal } from "../../format/refusal.ts";
import { CONFIG } from "../../format/sample-file.ts";

test("known names", () => {
  const names: [GgufArchitecture, string, string][] = [
    ["llama", "token_embd.weight", "model.embed_tokens.weight"],
    ["llama", "output.weight", "lm_head.weight"],
    ["llama", "blk.0.attn_output.weight", "model.layers.0.self_attn.o_proj.weight"],
    ["qwen3", "blk.27.attn_k_norm.weight", "model.layers.27.self_attn.k_norm.weight"],
    ["hunyuan-dense", "blk.31.attn_q_norm.weight", "model.layers.31.self_attn.query_layernorm.weight"],
    ["hunyuan-dense", "blk.3.ffn_norm.weight", "model.layers.3.post_attention_layernorm.weight"],
  ];
  for (const [architecture, gguf, hugging_face] of names) {
    expect(huggingFaceName(architecture, gguf)).toBe(hugging_face);
    expect(ggufName(architecture, hugging_face)).toBe(gguf);
  }
});

test("every tensor that the packer plans for has a name, and comes back", () => {
  const architectures = [
    ["llama", "llama", "none"],
    ["qwen3", "qwen3", "before_rotary"],
    ["hunyuan-dense", "hunyuan_v1_dense", "after_rotary"],
  ] as const;
  for (const [gguf_architecture, architecture, query_key_norm] of architectures) {
    const planned = planTensors({ ...CONFIG, architecture, query_key_norm, tie_word_embeddings: false });
    expect(planned.length).toBeGreaterThanOrEqual(query_key_norm === "none" ? 12 : 14);
    for (const { name } of planned) {
      const gguf = ggufName(gguf_architecture, name) ?? "none";
      expect(huggingFaceName(gguf_architecture, gguf)).toBe(name);
    }
  }
});

test("rotary tables are left out, and all else that is not known is refused", () => {
  expect([
    ...mapTensorNames("llama", ["rope_freqs.weight", "blk.0.attn_rot_embd.weight", "output.weight"]),
  ]).toEqual([["lm_head.weight", "output.weight"]]);
  const unknown = [
    "blk.0.attn_q.bias",
    "blk.0.attn_q_norm.weight",
    "blk.01.attn_q.weight",
    "blk.0.ffn_gate_exps.weight",
  ];
  for (const name of [...unknown, "constructor", "blk.0.constructor"]) {
    expect(refusal(() => mapTensorNames("llama", ["output.weight", name]))).toEqual({
      code: "checkpoint_unsupported",
      message: `tensor ${name}: expected the tensors of a plain llama model, received one more. Biases, experts and adapters are not supported`,
    });
  }
  expect(ggufName("llama", "model.layers.0.self_attn.q_norm.weight")).toBeUndefined();
});
