/**
 * Names of a model's tensors in GGUF and in Hugging Face's checkpoints, both ways.
 * Source: llama.cpp, gguf-py (tensor names by architecture); transformers, models llama, qwen3 and hunyuan_v1_dense.
 */
import { excerpt } from "../excerpt.ts";
import { unsupported } from "./refusals.ts";

/** general.architecture of the models that can be packed. */
export type GgufArchitecture = "llama" | "qwen3" | "hunyuan-dense";

/** One factor for each rotary frequency of a llama; it is read into the config and is no weight. */
export const ROPE_FACTORS_NAME = "rope_freqs.weight";

const MODEL_NAMES: readonly (readonly [string, string])[] = [
  ["token_embd.weight", "model.embed_tokens.weight"],
  ["output_norm.weight", "model.norm.weight"],
  ["output.weight", "lm_head.weight"],
];

const LAYER_NAMES: readonly (readonly [string, string])[] = [
  ["attn_norm.weight", "input_layernorm.weight"],
  ["attn_q.weight", "self_attn.q_proj.weight"],
  ["attn_k.weight", "self_attn.k_proj.weight"],
  ["attn_v.weight", "self_attn.v_proj.weight"],
  ["attn_output.weight", "self_attn.o_proj.weight"],
  ["ffn_norm.weight", "post_attention_layernorm.weight"],
  ["ffn_gate.weight", "mlp.gate_proj.weight"],
  ["ffn_up.weight", "mlp.up_proj.weight"],
  ["ffn_down.weight", "mlp.down_proj.weight"],
];

/** The norms of single heads, where an architecture has them. */
const HEAD_NORM_NAMES: Readonly<Record<GgufArchitecture, readonly (readonly [string, string])[]>> = {
  llama: [],
  qwen3: [
    ["attn_q_norm.weight", "self_attn.q_norm.weight"],
    ["attn_k_norm.weight", "self_attn.k_norm.weight"],
  ],
  "hunyuan-dense": [
    ["attn_q_norm.weight", "self_attn.query_layernorm.weight"],
    ["attn_k_norm.weight", "self_attn.key_layernorm.weight"],
  ],
};

/** Written by old converters: rotary tables, which are computed anyway. */
const IGNORED_NAME = /^(rope_freqs|blk\.\d+\.attn_rot_embd)\.weight$/;

/** Undefined for a name that the architecture does not have. */
export function huggingFaceName(architecture: GgufArchitecture, name: string): string | undefined {
  const model_name = MODEL_NAMES.find(([gguf]) => gguf === name)?.[1];
  if (model_name !== undefined) return model_name;
  const [, layer, rest] = /^blk\.(0|[1-9]\d{0,5})\.(.*)$/s.exec(name) ?? [];
  const layer_name = layerNames(architecture).find(([gguf]) => gguf === rest)?.[1];
  return layer_name === undefined ? undefined : `model.layers.${layer}.${layer_name}`;
}

/** The inverse of huggingFaceName. */
export function ggufName(architecture: GgufArchitecture, name: string): string | undefined {
  const model_name = MODEL_NAMES.find(([, hugging_face]) => hugging_face === name)?.[0];
  if (model_name !== undefined) return model_name;
  const [, layer, rest] = /^model\.layers\.(0|[1-9]\d{0,5})\.(.*)$/s.exec(name) ?? [];
  const layer_name = layerNames(architecture).find(([, hugging_face]) => hugging_face === rest)?.[0];
  return layer_name === undefined ? undefined : `blk.${layer}.${layer_name}`;
}

/**
 * The names of a file by their Hugging Face names.
 * @throws SherryError checkpoint_unsupported for a tensor that the architecture does not have: a bias or an adapter that
 *   was left out would quietly change what the model says
 */
export function mapTensorNames(
  architecture: GgufArchitecture,
  names: Iterable<string>,
): ReadonlyMap<string, string> {
  const result = new Map<string, string>();
  for (const name of names) {
    if (IGNORED_NAME.test(name)) continue;
    const hugging_face_name = huggingFaceName(architecture, name);
    if (hugging_face_name === undefined) {
      throw unsupported(
        `tensor ${excerpt(name)}`,
        `the tensors of a plain ${architecture} model`,
        "one more",
        "Biases, experts and adapters are not supported",
      );
    }
    result.set(hugging_face_name, name);
  }
  return result;
}

function layerNames(architecture: GgufArchitecture): readonly (readonly [string, string])[] {
  return [...LAYER_NAMES, ...HEAD_NORM_NAMES[architecture]];
}
