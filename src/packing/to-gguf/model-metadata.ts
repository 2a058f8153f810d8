/**
 * A packed model's config as GGUF metadata, and the one tensor that GGUF keeps for a config: Llama 3's rotary factors.
 * Numbers that are no integers are kept as f32, as GGUF has them.
 * Source: llama.cpp, gguf-py (key names) and the converters of the three families.
 */
import type { Architecture, Directory, ModelConfig, RopeScaling } from "../../format/directory.ts";
import { rotaryBase } from "../../format/rotary-base.ts";
import { llama3Factors } from "../gguf/rope-factors.ts";
import { type GgufArchitecture, ROPE_FACTORS_NAME } from "../gguf/tensor-names.ts";
import type { GgufTensorToWrite, GgufValue } from "../gguf/writer.ts";
import { unrepresentable } from "./refusal.ts";

const ARCHITECTURES: Readonly<Record<Architecture, GgufArchitecture>> = {
  llama: "llama",
  qwen3: "qwen3",
  hunyuan_v1_dense: "hunyuan-dense",
};
/** Of the way in which blocks are laid out; the only one since 2023. */
const QUANTIZATION_VERSION = 2;

export function ggufArchitecture(config: ModelConfig): GgufArchitecture {
  return ARCHITECTURES[config.architecture];
}

/** @throws SherryError checkpoint_unsupported naming what GGUF has no word for */
export function modelMetadata({ config, generation, label }: Directory): Map<string, GgufValue> {
  const architecture = ggufArchitecture(config);
  const metadata = new Map<string, GgufValue>();
  const text = (key: string, value: string) => metadata.set(key, { type: "string", value });
  const integer = (key: string, value: number) => metadata.set(key, { type: "uint32", value });
  const float = (key: string, value: number) => metadata.set(key, { type: "float32", value });
  text("general.architecture", architecture);
  text("general.type", "model");
  if (label !== null) text("general.description", label);
  integer("general.quantization_version", QUANTIZATION_VERSION);
  integer(`${architecture}.block_count`, config.num_hidden_layers);
  integer(`${architecture}.context_length`, config.max_position_embeddings);
  integer(`${architecture}.embedding_length`, config.hidden_size);
  integer(`${architecture}.feed_forward_length`, config.intermediate_size);
  integer(`${architecture}.attention.head_count`, config.num_attention_heads);
  integer(`${architecture}.attention.head_count_kv`, config.num_key_value_heads);
  integer(`${architecture}.attention.key_length`, config.head_dim);
  integer(`${architecture}.attention.value_length`, config.head_dim);
  float(`${architecture}.attention.layer_norm_rms_epsilon`, config.rms_norm_eps);
  integer(`${architecture}.vocab_size`, config.vocab_size);
  integer(`${architecture}.rope.dimension_count`, config.head_dim);
  // A Hunyuan's alpha raises the base; its converter writes the raised one, too.
  float(`${architecture}.rope.freq_base`, rotaryBase(config));
  putRopeScaling(architecture, config.rope_scaling, text, integer, float);
  const { do_sample, temperature, top_k, top_p, min_p, repetition_penalty } = generation;
  // GGUF tells sampling from greedy decoding by the temperature alone; Hugging Face's is 1 when it is not said.
  if (do_sample) float("general.sampling.temp", temperature ?? 1);
  if (top_k !== null) metadata.set("general.sampling.top_k", { type: "int32", value: top_k });
  if (top_p !== null) float("general.sampling.top_p", top_p);
  if (min_p !== null) float("general.sampling.min_p", min_p);
  if (repetition_penalty !== null) float("general.sampling.penalty_repeat", repetition_penalty);
  return metadata;
}

function putRopeScaling(
  architecture: GgufArchitecture,
  scaling: RopeScaling | null,
  text: (key: string, value: string) => void,
  integer: (key: string, value: number) => void,
  float: (key: string, value: number) => void,
): void {
  if (scaling?.type === "linear") {
    text(`${architecture}.rope.scaling.type`, "linear");
    float(`${architecture}.rope.scaling.factor`, scaling.factor);
  }
  if (scaling?.type !== "llama3") return;
  if (architecture !== "llama") {
    throw unrepresentable(
      "rope_scaling",
      `none or "linear" for ${architecture}: GGUF has rotary factors for llama alone`,
      scaling.type,
    );
  }
  integer(`${architecture}.rope.scaling.original_context_length`, scaling.original_max_position_embeddings);
}

/** Llama 3's factors [head_dim / 2] as F32; null for a model without. */
export function ropeFactorsTensor(config: ModelConfig): GgufTensorToWrite | null {
  const { rope_scaling, rope_theta, head_dim } = config;
  if (rope_scaling?.type !== "llama3") return null;
  const factors = Float32Array.from(llama3Factors(rope_scaling, rope_theta, head_dim));
  return {
    name: ROPE_FACTORS_NAME,
    type: "F32",
    dimensions: [factors.length],
    write: (sink) => sink(new Uint8Array(factors.buffer)),
  };
}
