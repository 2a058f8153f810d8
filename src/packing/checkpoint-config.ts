/**
 * config.json of a Hugging Face checkpoint to the packed file's model config. What the runtime cannot compute exactly as
 * the checkpoint asks is refused by the field's name; a field that is absent takes the default that the family's
 * configuration documents. Source of the names: transformers, configuration_llama.py, configuration_qwen3.py and
 * configuration_hunyuan_v1_dense.py.
 */
import { QUERY_KEY_NORM_OF } from "../format/architectures.ts";
import type { Architecture, GenerationDefaults, ModelConfig } from "../format/directory.ts";
import { LAYER_COUNT_MAX, TENSOR_DIMENSION_MAX } from "../limits.ts";
import { readArchitecture, refuseUnsupported } from "./checkpoint-features.ts";
import { Fields } from "./checkpoint-fields.ts";
import { parseRope } from "./checkpoint-rope.ts";
import type { JsonObject } from "./json-text.ts";

interface Defaults {
  readonly max_position_embeddings: number;
  readonly rms_norm_eps: number;
  /** Null: hidden_size / num_attention_heads. */
  readonly head_dim: number | null;
  /** Whether a file without num_key_value_heads means one for each query head; else it has to say. */
  readonly key_value_heads_as_heads: boolean;
}

const DEFAULTS: Readonly<Record<Architecture, Defaults>> = {
  llama: {
    max_position_embeddings: 2_048,
    rms_norm_eps: 1e-6,
    head_dim: null,
    key_value_heads_as_heads: true,
  },
  // Qwen3's own default is 32 key-value heads whatever the number of heads: no published model relies on it.
  qwen3: {
    max_position_embeddings: 32_768,
    rms_norm_eps: 1e-6,
    head_dim: 128,
    key_value_heads_as_heads: false,
  },
  hunyuan_v1_dense: {
    max_position_embeddings: 2_048,
    rms_norm_eps: 1e-5,
    head_dim: 128,
    key_value_heads_as_heads: true,
  },
};

/**
 * @param has_head whether the checkpoint holds lm_head.weight; without it the head is the embedding
 * @throws SherryError checkpoint_unsupported | checkpoint_invalid
 */
export function parseModelConfig(
  config: JsonObject,
  generation_config: JsonObject | null,
  has_head: boolean,
): ModelConfig {
  const fields = new Fields("config.json", config);
  const architecture = readArchitecture(fields);
  refuseUnsupported(fields, architecture);
  const defaults = DEFAULTS[architecture];
  const size = (name: string) => fields.requiredInteger(name, 1, TENSOR_DIMENSION_MAX);
  const hidden_size = size("hidden_size");
  const num_attention_heads = size("num_attention_heads");
  const head_dim = headDim(fields, architecture, hidden_size / num_attention_heads);
  const vocab_size = size("vocab_size");
  const rope = parseRope(fields, architecture, head_dim);
  const generation = new Fields("generation_config.json", generation_config ?? {});
  const end_tokens = endTokens(generation, vocab_size) ?? endTokens(fields, vocab_size) ?? [];
  return {
    architecture,
    hidden_size,
    intermediate_size: size("intermediate_size"),
    num_hidden_layers: fields.requiredInteger("num_hidden_layers", 1, LAYER_COUNT_MAX),
    num_attention_heads,
    num_key_value_heads: keyValueHeads(fields, num_attention_heads, defaults.key_value_heads_as_heads),
    head_dim,
    max_position_embeddings:
      fields.integer("max_position_embeddings", 1, TENSOR_DIMENSION_MAX) ?? defaults.max_position_embeddings,
    vocab_size,
    rms_norm_eps:
      fields.number("rms_norm_eps", "a number of at least 0", (value) => value >= 0) ?? defaults.rms_norm_eps,
    query_key_norm: QUERY_KEY_NORM_OF[architecture],
    rope_theta: rope.theta,
    rope_scaling: rope.scaling,
    tie_word_embeddings: (fields.boolean("tie_word_embeddings") ?? false) || !has_head,
    bos_token_id:
      fields.integer("bos_token_id", 0, vocab_size - 1) ??
      generation.integer("bos_token_id", 0, vocab_size - 1) ??
      null,
    eos_token_ids: end_tokens,
  };
}

/** What generation_config.json proposes. @throws SherryError checkpoint_invalid */
export function parseGenerationDefaults(generation_config: JsonObject | null): GenerationDefaults {
  const fields = new Fields("generation_config.json", generation_config ?? {});
  const share = (name: string) =>
    fields.number(name, "a number from 0 to 1", (value) => value >= 0 && value <= 1);
  return {
    do_sample: fields.boolean("do_sample") ?? false,
    temperature: fields.number("temperature", "a number of at least 0", (value) => value >= 0) ?? null,
    top_k: fields.integer("top_k", 0, Number.MAX_SAFE_INTEGER) ?? null,
    top_p: share("top_p") ?? null,
    min_p: share("min_p") ?? null,
    repetition_penalty: fields.number("repetition_penalty", "a number above 0", (value) => value > 0) ?? null,
  };
}

function keyValueHeads(fields: Fields, num_attention_heads: number, as_heads: boolean): number {
  const name = "num_key_value_heads";
  const given = fields.integer(name, 1, num_attention_heads);
  const heads = given ?? (as_heads ? num_attention_heads : 0);
  if (heads > 0 && num_attention_heads % heads === 0) return heads;
  throw fields.invalid(name, `a divisor of num_attention_heads (${num_attention_heads})`);
}

/** @param share hidden_size / num_attention_heads */
function headDim(fields: Fields, architecture: Architecture, share: number): number {
  // Hunyuan's published files carry the size under both names; either serves.
  const second_name = architecture === "hunyuan_v1_dense" ? "attention_head_dim" : "head_dim";
  const given =
    fields.integer("head_dim", 1, TENSOR_DIMENSION_MAX) ??
    fields.integer(second_name, 1, TENSOR_DIMENSION_MAX);
  const head_dim = given ?? DEFAULTS[architecture].head_dim ?? share;
  if (!Number.isInteger(head_dim)) {
    throw fields.invalid("head_dim", "a number, as hidden_size is no multiple of num_attention_heads");
  }
  if (head_dim % 2 === 0) return head_dim;
  throw fields.invalid("head_dim", `an even number, for rotary pairs, and not ${head_dim}`);
}

/** One token, several, or undefined when the file names none. */
function endTokens(fields: Fields, vocab_size: number): number[] | undefined {
  const value = fields.value("eos_token_id");
  if (value === undefined) return undefined;
  const ids: unknown[] = Array.isArray(value) ? value : [value];
  const valid = (id: unknown): id is number =>
    Number.isSafeInteger(id) && Number(id) >= 0 && Number(id) < vocab_size;
  if (!ids.every(valid)) {
    throw fields.invalid("eos_token_id", `token ids below vocab_size (${vocab_size})`);
  }
  return [...new Set(ids)];
}
