/** Binding a packed file's tensors: what each family needs, and every refusal of a file that does not fit its config. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { memorySource } from "../../src/format/byte-source.ts";
import type { ModelConfig, TensorEntry } from "../../src/format/directory.ts";
import { type PackedFile, readPackedFile } from "../../src/format/reader.ts";
import { bindWeights, checkConfig } from "../../src/model/weights.ts";
import { NativeMemory } from "../../src/native/memory.ts";
import { refusal } from "../format/refusal.ts";
import { CONFIG } from "../format/sample-file.ts";
import { TemporaryFolder } from "../packing/checkpoint-folder.ts";
import { packRandomModel } from "./random-model.ts";
import type { ReferenceConfig } from "./reference-forward.ts";

const TINY: ReferenceConfig = {
  model_type: "qwen3",
  hidden_size: 36,
  intermediate_size: 52,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 12,
  vocab_size: 48,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: false,
};
const AGAIN = ". Pack the model again from its checkpoint";
const Q_NORM = "model.layers.1.self_attn.q_norm.weight";

const folder = new TemporaryFolder();
let memory: NativeMemory;
let file: PackedFile;

beforeAll(async () => {
  const path = await packRandomModel(folder, TINY, 5, { linear: "sherry", embedding: "f16" });
  memory = NativeMemory.map(path);
  file = readPackedFile(memorySource(new Uint8Array(await Bun.file(path).arrayBuffer())));
});
afterAll(() => {
  memory.free();
  folder[Symbol.dispose]();
});

/** The file with some of its tensors changed, or gone, and its config changed. */
function altered(
  changes: Readonly<Record<string, Partial<TensorEntry> | null>>,
  config: Partial<ModelConfig> = {},
): PackedFile {
  return {
    ...file,
    directory: { ...file.directory, config: { ...file.directory.config, ...config } },
    tensor(name) {
      const entry = file.tensor(name);
      const change = changes[name];
      return change === null || entry === undefined ? undefined : { ...entry, ...change };
    },
  };
}

describe("a whole file", () => {
  test("is bound with the addresses of the map and nothing copied", () => {
    const weights = bindWeights(file, memory);
    expect(weights.layers).toHaveLength(2);
    const entry = file.tensor(Q_NORM);
    expect(weights.layers[1]?.head_norms?.query).toEqual({
      address: memory.at(entry?.offset ?? -1, 48),
      bytes: 48,
    });
    expect(weights.layers[0]?.q_proj).toMatchObject({
      kind: "sherry",
      rows: 48,
      columns: 36,
      granularity: "channel",
    });
    expect(weights.lm_head).toMatchObject({ kind: "f16", rows: 48, columns: 36 });
    expect(weights.lm_head).not.toEqual(weights.embed_tokens);
  });

  test("a tied head is the embedding", () => {
    const weights = bindWeights(altered({}, { tie_word_embeddings: true }), memory);
    expect(weights.lm_head).toBe(weights.embed_tokens);
  });

  test("a model without norms of heads binds none", () => {
    const weights = bindWeights(altered({ [Q_NORM]: null }, { query_key_norm: "none" }), memory);
    expect(weights.layers.map(({ head_norms }) => head_norms)).toEqual([null, null]);
  });

  test("each place of a head norm has tensors of its own names", () => {
    expect(refusal(() => bindWeights(altered({}, { query_key_norm: "after_rotary" }), memory))).toEqual({
      code: "format_invalid",
      message: `tensor model.layers.0.self_attn.query_layernorm.weight: expected shape [12], received no such tensor${AGAIN}`,
    });
  });
});

describe("a file that does not fit its config", () => {
  test.each([
    [
      "a missing tensor",
      { [Q_NORM]: null },
      `tensor ${Q_NORM}: expected shape [12], received no such tensor`,
    ],
    ["another length", { [Q_NORM]: { shape: [13] } }, `tensor ${Q_NORM}: expected shape [12], received [13]`],
    [
      "another rank",
      { [Q_NORM]: { shape: [12, 1] } },
      `tensor ${Q_NORM}: expected shape [12], received [12, 1]`,
    ],
    ["a norm in f16", { [Q_NORM]: { kind: "f16" } }, `tensor ${Q_NORM}: expected kind f32, received f16`],
    [
      "an embedding in sherry",
      {
        "model.embed_tokens.weight": {
          kind: "sherry",
          scale: { granularity: "channel", group_columns: 0, element: "f32" },
          column_order: "natural",
        },
      },
      "tensor model.embed_tokens.weight: expected kind f32, f16, bf16, q8, split8, q6k or int4, received sherry",
    ],
    [
      "a sherry tensor without a scale",
      { "model.layers.0.self_attn.q_proj.weight": { scale: null } },
      "tensor model.layers.0.self_attn.q_proj.weight: expected a scale, received none",
    ],
    [
      "a sherry tensor without a column order",
      { "model.layers.0.self_attn.q_proj.weight": { column_order: null } },
      "tensor model.layers.0.self_attn.q_proj.weight: expected a column order, received none",
    ],
  ] as const)("%s", (_, changes, message) => {
    const refused = refusal(() => bindWeights(altered(changes as Parameters<typeof altered>[0]), memory));
    expect(refused).toEqual({ code: "format_invalid", message: message + AGAIN });
  });

  test.each([
    [{ num_key_value_heads: 3 }, "num_attention_heads: expected a multiple of 3 key-value heads, received 8"],
    [{ head_dim: 7 }, "head_dim: expected an even number up to 512, received 7"],
    [{ head_dim: 514 }, "head_dim: expected an even number up to 512, received 514"],
    [{ bos_token_id: 70 }, "a special token's id: expected below the vocabulary of 70, received 70"],
    [{ eos_token_ids: [2, 71] }, "a special token's id: expected below the vocabulary of 70, received 71"],
  ])("%o", (change, message) => {
    const refused = refusal(() => checkConfig({ ...CONFIG, ...change }));
    expect(refused).toEqual({ code: "format_invalid", message: message + AGAIN });
  });

  test("a config that fits passes", () => {
    expect(checkConfig({ ...CONFIG, bos_token_id: null })).toBeUndefined();
  });
});
