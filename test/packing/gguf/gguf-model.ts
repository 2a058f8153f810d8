/** Tiny GGUF models of the three families for the tests: metadata as llama.cpp's converters write it, random tensors. */

import { type GgufArchitecture, ggufName } from "../../../src/packing/gguf/tensor-names.ts";
import type { GgufContents, GgufTensorToWrite, GgufValue } from "../../../src/packing/gguf/writer.ts";
import { planTensors } from "../../../src/packing/tensor-plan.ts";
import { CONFIG, randomNumbers } from "../../format/sample-file.ts";

export const HEADS = 4;
export const KEY_VALUE_HEADS = 2;
export const HEAD_DIM = 8;
export const HIDDEN = 24;
export const FFN = 40;
export const VOCABULARY = 270;

const FAMILIES = {
  llama: { architecture: "llama", query_key_norm: "none" },
  qwen3: { architecture: "qwen3", query_key_norm: "before_rotary" },
  "hunyuan-dense": { architecture: "hunyuan_v1_dense", query_key_norm: "after_rotary" },
} as const;

const u32 = (value: number): GgufValue => ({ type: "uint32", value });
const f32 = (value: number): GgufValue => ({ type: "float32", value });
const text = (value: string): GgufValue => ({ type: "string", value });

export function modelMetadata(architecture: GgufArchitecture): Map<string, GgufValue> {
  const bytes = Array.from(
    { length: 256 },
    (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
  );
  const tokens = ["<unk>", "<s>", "</s>", ...bytes, "\u2581", "a", "\u2581a", "b", "ab", "\u2581ab"];
  const kinds = tokens.map((_, id) => (id === 0 ? 2 : id < 3 ? 3 : id < 259 ? 6 : 1));
  return new Map<string, GgufValue>([
    ["general.architecture", text(architecture)],
    ["general.name", text("tiny")],
    [`${architecture}.block_count`, u32(2)],
    [`${architecture}.context_length`, u32(512)],
    [`${architecture}.embedding_length`, u32(HIDDEN)],
    [`${architecture}.feed_forward_length`, u32(FFN)],
    [`${architecture}.attention.head_count`, u32(HEADS)],
    [`${architecture}.attention.head_count_kv`, u32(KEY_VALUE_HEADS)],
    [`${architecture}.attention.key_length`, u32(HEAD_DIM)],
    [`${architecture}.attention.value_length`, u32(HEAD_DIM)],
    [`${architecture}.attention.layer_norm_rms_epsilon`, f32(1e-5)],
    [`${architecture}.rope.freq_base`, f32(11_158_840)],
    [`${architecture}.rope.dimension_count`, u32(HEAD_DIM)],
    ["tokenizer.ggml.model", text("llama")],
    ["tokenizer.ggml.tokens", { type: "array", element: "string", values: tokens }],
    ["tokenizer.ggml.scores", { type: "array", element: "float32", values: tokens.map((_, id) => -id) }],
    ["tokenizer.ggml.token_type", { type: "array", element: "int32", values: kinds }],
    ["tokenizer.ggml.eos_token_id", u32(2)],
    ["tokenizer.ggml.bos_token_id", u32(1)],
    ["tokenizer.chat_template", text("{{ messages }}")],
  ]);
}

/** Every tensor in F32 with random values in Hugging Face's order, by its name there. */
export function modelWeights(
  architecture: GgufArchitecture,
  tied: boolean,
): ReadonlyMap<string, Float32Array<ArrayBuffer>> {
  const random = randomNumbers(3);
  const planned = planTensors({
    ...CONFIG,
    ...FAMILIES[architecture],
    hidden_size: HIDDEN,
    intermediate_size: FFN,
    num_hidden_layers: 2,
    num_attention_heads: HEADS,
    num_key_value_heads: KEY_VALUE_HEADS,
    head_dim: HEAD_DIM,
    vocab_size: VOCABULARY,
    tie_word_embeddings: tied,
  });
  return new Map(
    planned.map(({ name, shape }) => {
      const count = shape.reduce((product: number, size) => product * size, 1);
      return [name, Float32Array.from({ length: count }, () => random() - 0.5)];
    }),
  );
}

/** The tensors as the converter writes them: a llama's q and k rows permuted ([2][half] to [half][2] in each head). */
export function modelTensors(
  architecture: GgufArchitecture,
  weights: ReadonlyMap<string, Float32Array>,
): GgufTensorToWrite[] {
  return [...weights].map(([name, values]) => {
    const columns = name.endsWith("norm.weight") ? values.length : columnsOf(name);
    const permuted = architecture === "llama" && /[qk]_proj/.test(name);
    const stored = permuted ? permuteRows(values, columns) : values;
    const rows = values.length / columns;
    return {
      name: ggufName(architecture, name) ?? name,
      type: "F32",
      dimensions: rows === 1 ? [columns] : [columns, rows],
      write: (sink) => sink(new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength)),
    };
  });
}

export function modelContents(architecture: GgufArchitecture, tied = true): GgufContents {
  return {
    metadata: modelMetadata(architecture),
    tensors: modelTensors(architecture, modelWeights(architecture, tied)),
  };
}

function columnsOf(name: string): number {
  if (name.includes("down_proj")) return FFN;
  return name.includes("o_proj") ? HEADS * HEAD_DIM : HIDDEN;
}

function permuteRows(values: Float32Array, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  const half = HEAD_DIM / 2;
  let to = 0;
  for (let head = 0; head < values.length / columns / HEAD_DIM; head += 1) {
    for (let pair = 0; pair < half; pair += 1) {
      for (const part of [0, 1]) {
        const row = head * HEAD_DIM + part * half + pair;
        result.set(values.subarray(row * columns, (row + 1) * columns), to);
        to += columns;
      }
    }
  }
  return result;
}
