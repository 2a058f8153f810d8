/**
 * A GGUF model's metadata as the config.json and generation_config.json that its Hugging Face checkpoint would have, so
 * that one path reads both. What those files have no word for is refused by its key, and so is every key of the
 * architecture that this reader does not know: it may change what the model computes.
 * Source: llama.cpp, gguf-py (key names) and the converters of the three families; transformers for the field names.
 */
import { LAYER_COUNT_MAX, TENSOR_DIMENSION_MAX } from "../../limits.ts";
import { endTokenIds } from "../../tokenizer/from-gguf.ts";
import type { JsonObject } from "../json-text.ts";
import { decodeRows } from "./decode.ts";
import type { GgufMetadata } from "./metadata.ts";
import type { GgufTensor } from "./part.ts";
import type { GgufFile } from "./reader.ts";
import { invalid } from "./refusals.ts";
import { ropeScalingOfFactors } from "./rope-factors.ts";
import { matrixOf } from "./rows.ts";
import { type GgufArchitecture, ROPE_FACTORS_NAME } from "./tensor-names.ts";

export interface GgufConfig {
  readonly architecture: GgufArchitecture;
  /** Fields of config.json. */
  readonly config: JsonObject;
  /** Fields of generation_config.json. */
  readonly generation_config: JsonObject;
  /** The size of a head where q and k rows are permuted (llama), for readRows; null elsewhere. */
  readonly permuted_head_dim: number | null;
}

const MODEL_TYPES: Readonly<Record<GgufArchitecture, string>> = {
  llama: "llama",
  qwen3: "qwen3",
  "hunyuan-dense": "hunyuan_v1_dense",
};

/** What llama.cpp takes when the file does not say. */
const DEFAULT_ROPE_THETA = 10_000;

/** Keys behind "ARCHITECTURE." that are read or checked below, or say nothing about the computation. */
const KNOWN_KEYS: ReadonlySet<string> = new Set([
  "block_count",
  "context_length",
  "embedding_length",
  "feed_forward_length",
  "vocab_size",
  "attention.head_count",
  "attention.head_count_kv",
  "attention.layer_norm_rms_epsilon",
  "attention.key_length",
  "attention.value_length",
  "attention.causal",
  "attention.sliding_window",
  "expert_count",
  "expert_used_count",
  "rope.dimension_count",
  "rope.freq_base",
  "rope.scale_linear",
  "rope.scaling.type",
  "rope.scaling.factor",
  "rope.scaling.original_context_length",
  "rope.scaling.finetuned",
  "tensor_data_layout",
]);

/** @throws SherryError checkpoint_invalid | checkpoint_unsupported, naming the key */
export function readGgufConfig(file: GgufFile): GgufConfig {
  const { metadata } = file;
  const architecture = readArchitecture(metadata);
  const key = (name: string) => `${architecture}.${name}`;
  refuseUnsupported(metadata, architecture);
  const size = (name: string, maximum = TENSOR_DIMENSION_MAX) => required(metadata, key(name), maximum);
  const hidden_size = size("embedding_length");
  const num_attention_heads = size("attention.head_count");
  const head_dim = readHeadDim(metadata, architecture, hidden_size, num_attention_heads);
  const embedding = file.tensors.get("token_embd.weight");
  if (embedding === undefined) throw metadata.invalid(key("vocab_size"), "a model with token_embd.weight");
  // The embedding may be padded beyond the tokens, so its own rows count.
  const vocab_size = matrixOf(embedding).rows;
  if ((metadata.arrayLength("tokenizer.ggml.tokens") ?? 0) > vocab_size) {
    throw metadata.invalid("tokenizer.ggml.tokens", `at most ${vocab_size}, the rows of token_embd.weight`);
  }
  const rope_theta = metadata.number(key("rope.freq_base")) ?? DEFAULT_ROPE_THETA;
  const epsilon_key = key("attention.layer_norm_rms_epsilon");
  const rms_norm_eps = metadata.number(epsilon_key);
  if (rms_norm_eps === undefined) throw metadata.invalid(epsilon_key, "a number");
  const config: JsonObject = {
    model_type: MODEL_TYPES[architecture],
    hidden_size,
    intermediate_size: size("feed_forward_length"),
    num_hidden_layers: size("block_count", LAYER_COUNT_MAX),
    num_attention_heads,
    num_key_value_heads:
      metadata.integer(key("attention.head_count_kv"), 1, num_attention_heads) ?? num_attention_heads,
    head_dim,
    max_position_embeddings: size("context_length"),
    vocab_size,
    rms_norm_eps: shortestFloat(rms_norm_eps),
    rope_theta: shortestFloat(rope_theta),
    rope_scaling: readRopeScaling(file, architecture, rope_theta, head_dim),
    tie_word_embeddings: !file.tensors.has("output.weight"),
    hidden_act: "silu",
    ...bosToken(metadata),
  };
  return {
    architecture,
    config,
    generation_config: readGeneration(metadata),
    permuted_head_dim: architecture === "llama" ? head_dim : null,
  };
}

function readArchitecture(metadata: GgufMetadata): GgufArchitecture {
  const name = metadata.text("general.architecture");
  if (name === "llama" || name === "qwen3" || name === "hunyuan-dense") return name;
  throw metadata.unsupported("general.architecture", Object.keys(MODEL_TYPES).join(", "));
}

function refuseUnsupported(metadata: GgufMetadata, architecture: GgufArchitecture): void {
  const prefix = `${architecture}.`;
  for (const key of metadata.keys()) {
    if (!key.startsWith(prefix) || KNOWN_KEYS.has(key.slice(prefix.length))) continue;
    throw metadata.unsupported(key, "no such key: this reader does not know what it changes");
  }
  for (const name of ["expert_count", "expert_used_count"]) {
    if ((metadata.number(prefix + name) ?? 0) !== 0) {
      throw metadata.unsupported(prefix + name, "0: mixtures of experts are not supported");
    }
  }
  const window_key = `${prefix}attention.sliding_window`;
  if ((metadata.number(window_key) ?? 0) !== 0) {
    throw metadata.unsupported(window_key, "0: every layer attends to the whole context");
  }
  const causal_key = `${prefix}attention.causal`;
  if (metadata.boolean(causal_key) === false) throw metadata.unsupported(causal_key, "true");
}

function required(metadata: GgufMetadata, key: string, maximum: number): number {
  const value = metadata.integer(key, 1, maximum);
  if (value === undefined) throw metadata.invalid(key, `an integer from 1 to ${maximum}`);
  return value;
}

function readHeadDim(
  metadata: GgufMetadata,
  architecture: GgufArchitecture,
  hidden_size: number,
  num_attention_heads: number,
): number {
  const read = (name: string) => metadata.integer(`${architecture}.${name}`, 1, TENSOR_DIMENSION_MAX);
  const head_dim = read("attention.key_length") ?? hidden_size / num_attention_heads;
  if (!Number.isInteger(head_dim) || head_dim % 2 !== 0) {
    throw metadata.invalid(
      `${architecture}.attention.key_length`,
      `an even number, with embedding_length ${hidden_size} and ${num_attention_heads} heads`,
    );
  }
  for (const name of ["attention.value_length", "rope.dimension_count"]) {
    if ((read(name) ?? head_dim) === head_dim) continue;
    throw metadata.unsupported(`${architecture}.${name}`, `${head_dim}, the whole head`);
  }
  return head_dim;
}

function readRopeScaling(
  file: GgufFile,
  architecture: GgufArchitecture,
  rope_theta: number,
  head_dim: number,
): JsonObject | null {
  const { metadata } = file;
  const key = (name: string) => `${architecture}.rope.${name}`;
  const type = metadata.text(key("scaling.type"));
  if (type !== undefined && type !== "none" && type !== "linear") {
    throw metadata.unsupported(key("scaling.type"), '"none" or "linear"');
  }
  const factor_key = metadata.has(key("scaling.factor")) ? key("scaling.factor") : key("scale_linear");
  const factor = metadata.number(factor_key) ?? 1;
  if (factor <= 0) throw metadata.invalid(factor_key, "a number above 0");
  const is_linear = type !== "none" && factor !== 1;
  const stored = file.tensors.get(ROPE_FACTORS_NAME);
  if (stored === undefined) return is_linear ? { rope_type: "linear", factor: shortestFloat(factor) } : null;
  if (is_linear) throw metadata.unsupported(factor_key, `1 beside the tensor ${ROPE_FACTORS_NAME}`);
  const context_key = key("scaling.original_context_length");
  const original_context = metadata.integer(context_key, 1, TENSOR_DIMENSION_MAX);
  return ropeScalingOfFactors(readVector(stored, head_dim), rope_theta, head_dim, original_context);
}

function readVector(tensor: GgufTensor, length_max: number): Float32Array {
  const where = `${tensor.file_name}: tensor ${tensor.name}`;
  const { rows, columns } = matrixOf(tensor);
  if (rows !== 1 || columns > length_max) {
    throw invalid(where, `a vector of at most ${length_max}`, `[${tensor.shape.join(", ")}]`);
  }
  const values = new Float32Array(columns);
  const found = decodeRows(tensor.source.read(tensor.offset, tensor.bytes), tensor.type, columns, values);
  if (found === null && values.every((value) => value > 0)) return values;
  throw invalid(where, "finite numbers above 0", "other ones");
}

function bosToken(metadata: GgufMetadata): JsonObject {
  const bos_token_id = metadata.integer("tokenizer.ggml.bos_token_id", 0, TENSOR_DIMENSION_MAX - 1);
  return bos_token_id === undefined ? {} : { bos_token_id };
}

/** Newer converters keep what generation_config.json proposed under general.sampling. */
function readGeneration(metadata: GgufMetadata): JsonObject {
  const temperature = metadata.number("general.sampling.temp");
  const fields = {
    eos_token_id: [...endTokenIds(metadata)],
    temperature,
    top_k: metadata.integer("general.sampling.top_k", 0, Number.MAX_SAFE_INTEGER),
    top_p: metadata.number("general.sampling.top_p"),
    min_p: metadata.number("general.sampling.min_p"),
    repetition_penalty: metadata.number("general.sampling.penalty_repeat"),
    do_sample: temperature === undefined ? undefined : temperature > 0,
  };
  const present = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    present.map(([name, value]) => [name, typeof value === "number" ? shortestFloat(value) : value]),
  );
}

/**
 * The shortest decimal that gives the same f32, where the value is one: GGUF keeps these numbers as f32, and
 * 1e-5 is what config.json says, not 0.000009999999747378752.
 */
function shortestFloat(value: number): number {
  if (Math.fround(value) !== value) return value;
  for (let digits = 1; digits <= 9; digits += 1) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}
