/** A GGUF model's metadata as a config: defaults, scaling, and every refusal by its key. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { type GgufConfig, readGgufConfig } from "../../../src/packing/gguf/config.ts";
import { openGguf } from "../../../src/packing/gguf/reader.ts";
import type { GgufArchitecture } from "../../../src/packing/gguf/tensor-names.ts";
import { type GgufTensorToWrite, type GgufValue, writeGguf } from "../../../src/packing/gguf/writer.ts";
import { type Refusal, refusal } from "../../format/refusal.ts";
import { inTemporaryFolder } from "../../format/sample-file.ts";
import { DAMAGED } from "./gguf-bytes.ts";
import { modelContents } from "./gguf-model.ts";

interface Changes {
  readonly architecture?: GgufArchitecture;
  readonly set?: Readonly<Record<string, GgufValue>>;
  readonly remove?: readonly string[];
  readonly tensors?: (tensors: readonly GgufTensorToWrite[]) => readonly GgufTensorToWrite[];
}

async function outcome(changes: Changes): Promise<GgufConfig | Refusal> {
  const contents = modelContents(changes.architecture ?? "llama", false);
  const metadata = new Map(contents.metadata);
  for (const [key, value] of Object.entries(changes.set ?? {})) metadata.set(key, value);
  for (const key of changes.remove ?? []) metadata.delete(key);
  let result: GgufConfig | Refusal | null = null;
  await inTemporaryFolder(async (folder) => {
    const path = join(folder, "m.gguf");
    await writeGguf(path, { metadata, tensors: changes.tensors?.(contents.tensors) ?? contents.tensors });
    const file = openGguf(path);
    try {
      result = readGgufConfig(file);
    } catch {
      result = refusal(() => readGgufConfig(file));
    } finally {
      file.close();
    }
  });
  if (result === null) throw new Error("no outcome");
  return result;
}

const u32 = (value: number): GgufValue => ({ type: "uint32", value });
const f32 = (value: number): GgufValue => ({ type: "float32", value });
const text = (value: string): GgufValue => ({ type: "string", value });
const factorsTensor = (values: readonly number[]): GgufTensorToWrite => ({
  ...{ name: "rope_freqs.weight", type: "F32", dimensions: [values.length] },
  write: (sink) => sink(new Uint8Array(Float32Array.from(values).buffer)),
});

describe("config", () => {
  test("has Hugging Face's fields, with the shortest decimals of the file's floats", async () => {
    expect(await outcome({})).toEqual({
      architecture: "llama",
      config: {
        model_type: "llama",
        hidden_size: 24,
        intermediate_size: 40,
        num_hidden_layers: 2,
        num_attention_heads: 4,
        num_key_value_heads: 2,
        head_dim: 8,
        max_position_embeddings: 512,
        vocab_size: 270,
        rms_norm_eps: 1e-5,
        rope_theta: 11_158_840,
        rope_scaling: null,
        tie_word_embeddings: false,
        hidden_act: "silu",
        bos_token_id: 1,
      },
      generation_config: { eos_token_id: [2] },
      permuted_head_dim: 8,
    });
    expect(await outcome({ architecture: "qwen3" })).toMatchObject({ permuted_head_dim: null });
  });

  test("takes llama.cpp's defaults for what is absent", async () => {
    const remove = ["attention.head_count_kv", "attention.key_length", "attention.value_length"];
    const keys = [...remove, "rope.freq_base", "rope.dimension_count"].map((name) => `llama.${name}`);
    const set = { "llama.attention.head_count": u32(3) };
    expect(await outcome({ set, remove: [...keys, "tokenizer.ggml.bos_token_id"] })).toMatchObject({
      config: { num_key_value_heads: 3, head_dim: 8, rope_theta: 10_000 },
    });
  });

  test("reads linear scaling under either key, and none where the factor is 1 or the type none", async () => {
    const scaling = async (set: Readonly<Record<string, GgufValue>>) => {
      const result = await outcome({ set });
      return "config" in result ? result.config["rope_scaling"] : result;
    };
    const linear = { rope_type: "linear", factor: 2.5 };
    expect(
      await scaling({ "llama.rope.scaling.type": text("linear"), "llama.rope.scaling.factor": f32(2.5) }),
    ).toEqual(linear);
    expect(await scaling({ "llama.rope.scale_linear": f32(2.5) })).toEqual(linear);
    expect(
      await scaling({ "llama.rope.scaling.type": text("none"), "llama.rope.scaling.factor": f32(2.5) }),
    ).toBeNull();
    expect(await scaling({ "llama.rope.scaling.factor": f32(1) })).toBeNull();
  });
});

describe("refusals", () => {
  const unsupported: [string, Changes, string][] = [
    [
      "another architecture",
      { set: { "general.architecture": text("gemma2") } },
      'general.architecture: expected llama, qwen3, hunyuan-dense, received "gemma2"',
    ],
    [
      "experts",
      { set: { "llama.expert_count": u32(8) } },
      "llama.expert_count: expected 0: mixtures of experts are not supported, received 8",
    ],
    [
      "a window",
      { set: { "llama.attention.sliding_window": u32(4096) } },
      "llama.attention.sliding_window: expected 0: every layer attends to the whole context, received 4096",
    ],
    [
      "no causality",
      { set: { "llama.attention.causal": { type: "bool", value: 0 } } },
      "llama.attention.causal: expected true, received false",
    ],
    [
      "an unknown key",
      { set: { "llama.logit_scale": f32(2) } },
      "llama.logit_scale: expected no such key: this reader does not know what it changes, received 2",
    ],
    [
      "another value size",
      { set: { "llama.attention.value_length": u32(16) } },
      "llama.attention.value_length: expected 8, the whole head, received 16",
    ],
    [
      "a part of the head rotating",
      { set: { "llama.rope.dimension_count": u32(4) } },
      "llama.rope.dimension_count: expected 8, the whole head, received 4",
    ],
    [
      "yarn",
      { set: { "llama.rope.scaling.type": text("yarn") } },
      'llama.rope.scaling.type: expected "none" or "linear", received "yarn"',
    ],
    [
      "linear scaling beside factors",
      {
        set: { "llama.rope.scaling.factor": f32(2) },
        tensors: (tensors) => [...tensors, factorsTensor([1, 1, 8, 8])],
      },
      "llama.rope.scaling.factor: expected 1 beside the tensor rope_freqs.weight, received 2",
    ],
  ];
  test.each(unsupported)("%s", async (_name, changes, message) => {
    expect(await outcome(changes)).toEqual({ code: "checkpoint_unsupported", message: `m.gguf: ${message}` });
  });

  const damaged: [string, Changes, string][] = [
    [
      "no size",
      { remove: ["llama.embedding_length"] },
      "llama.embedding_length: expected an integer from 1 to 16777216, received nothing",
    ],
    [
      "a list of sizes",
      { set: { "llama.feed_forward_length": { type: "array", element: "uint32", values: [1, 2] } } },
      "llama.feed_forward_length: expected an integer from 1 to 16777216, received an array of 2 uint32",
    ],
    [
      "no epsilon",
      { remove: ["llama.attention.layer_norm_rms_epsilon"] },
      "llama.attention.layer_norm_rms_epsilon: expected a number, received nothing",
    ],
    [
      "an odd head",
      { set: { "llama.attention.key_length": u32(7) } },
      "llama.attention.key_length: expected an even number, with embedding_length 24 and 4 heads, received 7",
    ],
    [
      "a factor of 0",
      { set: { "llama.rope.scaling.factor": f32(0) } },
      "llama.rope.scaling.factor: expected a number above 0, received 0",
    ],
    [
      "no embedding",
      { tensors: (tensors) => tensors.filter(({ name }) => name !== "token_embd.weight") },
      "llama.vocab_size: expected a model with token_embd.weight, received nothing",
    ],
    [
      "more tokens than rows",
      {
        set: {
          "tokenizer.ggml.tokens": {
            type: "array",
            element: "string",
            values: Array.from({ length: 271 }, String),
          },
        },
      },
      "tokenizer.ggml.tokens: expected at most 270, the rows of token_embd.weight, received an array of 271 string",
    ],
    [
      "a matrix of factors",
      { tensors: (tensors) => [...tensors, { ...factorsTensor([1, 1]), dimensions: [1, 2] }] },
      "tensor rope_freqs.weight: expected a vector of at most 8, received [2, 1]",
    ],
    [
      "a factor that is not above 0",
      { tensors: (tensors) => [...tensors, factorsTensor([1, 0, 1, 1])] },
      "tensor rope_freqs.weight: expected finite numbers above 0, received other ones",
    ],
  ];
  test.each(damaged)("%s", async (_name, changes, message) => {
    expect(await outcome(changes)).toEqual({
      code: "checkpoint_invalid",
      message: `m.gguf: ${message}. ${DAMAGED}`,
    });
  });
});
