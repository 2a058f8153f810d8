/** Whole GGUF models of the three families, seen as the Hugging Face checkpoints that they were made from. */
import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseGenerationDefaults, parseModelConfig } from "../../../src/packing/checkpoint-config.ts";
import { type GgufModel, openGgufModel } from "../../../src/packing/gguf/model.ts";
import type { GgufArchitecture } from "../../../src/packing/gguf/tensor-names.ts";
import { type GgufContents, writeGguf } from "../../../src/packing/gguf/writer.ts";
import { asyncRefusal } from "../../format/refusal.ts";
import { inTemporaryFolder } from "../../format/sample-file.ts";
import {
  FFN,
  HEAD_DIM,
  HEADS,
  HIDDEN,
  KEY_VALUE_HEADS,
  modelContents,
  modelWeights,
  VOCABULARY,
} from "./gguf-model.ts";

async function withModel(contents: GgufContents, work: (model: GgufModel) => void): Promise<void> {
  await inTemporaryFolder(async (folder) => {
    const path = join(folder, "m.gguf");
    await writeGguf(path, contents);
    const model = openGgufModel(path);
    try {
      work(model);
    } finally {
      model.close();
    }
    expect(readdirSync(folder)).toEqual(["m.gguf"]);
  });
}

describe.each([
  ["llama", "llama", "none"],
  ["qwen3", "qwen3", "before_rotary"],
  ["hunyuan-dense", "hunyuan_v1_dense", "after_rotary"],
] as const)("%s", (gguf_architecture: GgufArchitecture, architecture, query_key_norm) => {
  test.each([true, false])(
    "with tied head %p gives config, tokenizer and every weight back",
    async (tied) => {
      await withModel(modelContents(gguf_architecture, tied), (model) => {
        const has_head = model.tensors.has("lm_head.weight");
        expect(has_head).toBe(!tied);
        expect(parseModelConfig(model.config, model.generation_config, has_head)).toEqual({
          ...{
            architecture,
            query_key_norm,
            hidden_size: HIDDEN,
            intermediate_size: FFN,
            num_hidden_layers: 2,
          },
          ...{ num_attention_heads: HEADS, num_key_value_heads: KEY_VALUE_HEADS, head_dim: HEAD_DIM },
          ...{ max_position_embeddings: 512, vocab_size: VOCABULARY, rms_norm_eps: 1e-5 },
          ...{ rope_theta: 11_158_840, rope_scaling: null, tie_word_embeddings: tied },
          ...{ bos_token_id: 1, eos_token_ids: [2] },
        });
        expect(model.tokenizer.chat_template).toBe("{{ messages }}");
        const weights = modelWeights(gguf_architecture, tied);
        expect([...model.tensors.keys()]).toEqual([...weights.keys()]);
        for (const [name, expected] of weights) {
          const tensor = model.tensors.get(name);
          if (tensor === undefined) throw new Error(name);
          const decoded = new Float32Array(expected.length);
          expect(tensor.decode(0, decoded)).toBeNull();
          expect(decoded).toEqual(expected);
          const last_row = new Float32Array(tensor.columns);
          tensor.decode(tensor.rows - 1, last_row);
          expect(last_row).toEqual(expected.slice(-tensor.columns));
          expect(tensor.shape).toEqual(
            name.endsWith("norm.weight") ? [tensor.columns] : [tensor.rows, tensor.columns],
          );
          expect([...tensor.readBlocks(0, 1)]).toEqual([
            ...new Uint8Array(expected.slice(0, tensor.columns).buffer),
          ]);
        }
      });
    },
  );
});

test("a llama with rotary factors has Llama 3's scaling", async () => {
  const contents = modelContents("llama");
  const factors = Float32Array.of(1, 1, 8, 8);
  const metadata = new Map(contents.metadata).set("llama.rope.freq_base", {
    type: "float32",
    value: 500_000,
  });
  // Wavelengths 6, 167, 4443 and 118142: between 2048 and 8192 the third is mixed.
  const turns = 8192 / (2 * Math.PI * 500_000 ** 0.5);
  const smooth = (turns - 1) / 3;
  factors[2] = 1 / ((1 - smooth) / 8 + smooth);
  const rope_freqs = {
    ...{ name: "rope_freqs.weight", type: "F32" as const, dimensions: [4] },
    write: (sink: (bytes: Uint8Array) => void) => sink(new Uint8Array(factors.buffer)),
  };
  await withModel({ metadata, tensors: [...contents.tensors, rope_freqs] }, (model) => {
    expect(parseModelConfig(model.config, model.generation_config, false).rope_scaling).toEqual({
      ...{ type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4 },
      original_max_position_embeddings: 8192,
    });
    expect(model.tensors.has("rope_freqs.weight")).toBe(false);
  });
});

test("sampling advice becomes generation defaults", async () => {
  const contents = modelContents("qwen3");
  const metadata = new Map(contents.metadata);
  metadata.set("general.sampling.temp", { type: "float32", value: 0.7 });
  metadata.set("general.sampling.top_k", { type: "int32", value: 20 });
  metadata.set("general.sampling.top_p", { type: "float32", value: 0.6 });
  metadata.set("general.sampling.penalty_repeat", { type: "float32", value: 1.05 });
  await withModel({ ...contents, metadata }, (model) => {
    expect(parseGenerationDefaults(model.generation_config)).toEqual({
      ...{ do_sample: true, temperature: 0.7, top_k: 20, top_p: 0.6, min_p: null, repetition_penalty: 1.05 },
    });
  });
});

test("a tensor that the family does not have refuses the model", async () => {
  await inTemporaryFolder(async (folder) => {
    const path = join(folder, "m.gguf");
    const contents = modelContents("llama");
    const bias = {
      ...{ name: "blk.0.attn_q.bias", type: "F32" as const, dimensions: [4] },
      write: (sink: (bytes: Uint8Array) => void) => sink(new Uint8Array(16)),
    };
    await writeGguf(path, { ...contents, tensors: [...contents.tensors, bias] });
    expect(await asyncRefusal(async () => openGgufModel(path))).toMatchObject({
      code: "checkpoint_unsupported",
      message: expect.stringContaining("tensor blk.0.attn_q.bias"),
    });
  });
});
