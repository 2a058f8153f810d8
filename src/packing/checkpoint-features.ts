/**
 * What a config.json asks for that the runtime cannot compute, refused by the name of the field: biases, attention
 * windows, experts, keys and values shared between layers, other norms and activations. Source of the names:
 * transformers' configurations of llama, qwen3 and hunyuan_v1_dense, and the files that published models carry.
 */
import { ARCHITECTURES, type Architecture, QUERY_KEY_NORM_OF } from "../format/architectures.ts";
import type { Fields } from "./checkpoint-fields.ts";

interface Neutral {
  /** Any of these, or leaving the field out, means what the runtime computes. */
  readonly values: readonly unknown[];
  readonly expected: string;
}

const BIAS: Neutral = { values: [false], expected: "false: biases are not supported" };
const EXPERTS: Neutral = { values: [0, 1], expected: "no mixture of experts" };
const SHARED_CACHE: Neutral = { values: [false], expected: "false: every layer has its own keys and values" };

const NEUTRAL_FIELDS: ReadonlyMap<string, Neutral> = new Map([
  ["attention_bias", BIAS],
  ["mlp_bias", BIAS],
  ["hidden_act", { values: ["silu", "swish"], expected: '"silu"' }],
  ["norm_type", { values: ["rms"], expected: '"rms"' }],
  ["partial_rotary_factor", { values: [1], expected: "1: all of a head rotates" }],
  ["use_rotary_pos_emb", { values: [true], expected: "true: positions are rotary" }],
  ["use_sliding_window", { values: [false], expected: "false: every layer attends to the whole context" }],
  ["use_cla", SHARED_CACHE],
  ["use_mla", SHARED_CACHE],
  ["add_classification_head", { values: [false], expected: "false: the head gives logits of tokens" }],
  ["num_experts", EXPERTS],
  ["num_local_experts", EXPERTS],
  ["n_routed_experts", EXPERTS],
  ["num_experts_per_tok", EXPERTS],
  ["moe_topk", EXPERTS],
  ["moe_intermediate_size", { values: [], expected: "no mixture of experts" }],
]);

/** @throws SherryError checkpoint_unsupported */
export function readArchitecture(fields: Fields): Architecture {
  const architecture = ARCHITECTURES.find((name) => name === fields.value("model_type"));
  if (architecture !== undefined) return architecture;
  const names = ARCHITECTURES.map((name) => `"${name}"`).join(", ");
  throw fields.unsupported("model_type", names, "Other architectures cannot be packed yet");
}

/** @throws SherryError checkpoint_unsupported | checkpoint_invalid */
export function refuseUnsupported(fields: Fields, architecture: Architecture): void {
  for (const [name, { values, expected }] of NEUTRAL_FIELDS) {
    const value = fields.value(name);
    if (value !== undefined && !values.includes(value)) throw fields.unsupported(name, expected);
  }
  const has_head_norms = QUERY_KEY_NORM_OF[architecture] !== "none";
  for (const name of ["use_qk_norm", "qk_norm"]) {
    if ((fields.boolean(name) ?? has_head_norms) !== has_head_norms) {
      throw fields.unsupported(name, `${has_head_norms}, as ${architecture} has it`);
    }
  }
  // Qwen3's configuration has a window that is out of use unless use_sliding_window says otherwise.
  const window_is_off = architecture === "qwen3" || fields.boolean("use_sliding_window") === false;
  if (fields.value("sliding_window") !== undefined && !window_is_off) {
    throw fields.unsupported("sliding_window", "null: every layer attends to the whole context");
  }
  const layer_types = fields.value("layer_types");
  if (layer_types !== undefined && !isFullAttention(layer_types)) {
    throw fields.unsupported("layer_types", 'an array of "full_attention"');
  }
  if (fields.value("quantization_config") !== undefined) {
    throw fields.unsupported(
      "quantization_config",
      "none",
      "Pack the checkpoint from before its quantization, or one with the weights written out as floats",
    );
  }
}

function isFullAttention(layer_types: unknown): boolean {
  return Array.isArray(layer_types) && layer_types.every((type) => type === "full_attention");
}
