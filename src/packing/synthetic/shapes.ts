/**
 * Shapes of public models, as the fields of a config.json that decide about size and speed. Sources: the models'
 * config.json files on the Hugging Face hub; for bitnet also "Sherry" (arXiv 2601.07892), whose speed and size tables use
 * these two.
 */
import { SherryError } from "../../errors.ts";
import { ARCHITECTURES, type Architecture } from "../../format/architectures.ts";
import type { JsonObject } from "../json-text.ts";
import { BEGIN_TOKEN, BYTE_VOCABULARY_SIZE, END_TOKEN } from "./byte-tokenizer.ts";

/** Sizes that a caller may give; names are config.json's. */
export interface ShapeSizes {
  readonly num_hidden_layers: number;
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  readonly head_dim: number;
  readonly vocab_size: number;
  readonly max_position_embeddings: number;
}

export interface ModelShape extends ShapeSizes {
  readonly name: string;
  readonly architecture: Architecture;
  readonly rms_norm_eps: number;
  readonly rope_theta: number;
  /** As config.json has it. */
  readonly rope_scaling: JsonObject | null;
  readonly tie_word_embeddings: boolean;
  /** The paper's file with an f16 embedding, in bytes; null where it gives none. */
  readonly published_file_bytes: number | null;
}

/** Sizes in the order layers, hidden, FFN, heads, key-value heads, head_dim, vocabulary, positions. */
function sizes(
  ...values: readonly [number, number, number, number, number, number, number, number]
): ShapeSizes {
  const [num_hidden_layers, hidden_size, intermediate_size, num_attention_heads, ...rest] = values;
  const [num_key_value_heads, head_dim, vocab_size, max_position_embeddings] = rest;
  return {
    ...{ num_hidden_layers, hidden_size, intermediate_size, num_attention_heads },
    ...{ num_key_value_heads, head_dim, vocab_size, max_position_embeddings },
  };
}

const TIED = { tie_word_embeddings: true, rope_scaling: null, published_file_bytes: null } as const;
const LLAMA_3_ROPE = {
  rope_type: "llama3",
  ...{ factor: 32, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8_192 },
};
const LLAMA_3 = { ...TIED, architecture: "llama", rms_norm_eps: 1e-5, rope_theta: 500_000 } as const;
const BITNET = { ...TIED, architecture: "llama", rms_norm_eps: 1e-5, rope_theta: 10_000 } as const;

export const MODEL_SHAPES: readonly ModelShape[] = [
  {
    ...{ name: "llama-3.2-1b", ...LLAMA_3, rope_scaling: LLAMA_3_ROPE },
    ...sizes(16, 2_048, 8_192, 32, 8, 64, 128_256, 131_072),
  },
  {
    ...{ name: "llama-3.2-3b", ...LLAMA_3, rope_scaling: LLAMA_3_ROPE },
    ...sizes(28, 3_072, 8_192, 24, 8, 128, 128_256, 131_072),
  },
  {
    ...{ name: "bitnet-0.7b", ...BITNET, published_file_bytes: 205_500_000 },
    ...sizes(24, 1_536, 4_096, 16, 16, 96, 32_002, 2_048),
  },
  {
    ...{ name: "bitnet-3b", ...BITNET, published_file_bytes: 712_400_000 },
    ...sizes(26, 3_200, 8_640, 32, 32, 100, 32_002, 2_048),
  },
  {
    ...{
      name: "hy-mt-1.8b",
      ...TIED,
      architecture: "hunyuan_v1_dense",
      rms_norm_eps: 1e-5,
      rope_theta: 10_000,
    },
    rope_scaling: { type: "dynamic", alpha: 1_000, factor: 1 },
    ...sizes(32, 2_048, 6_144, 16, 4, 128, 120_818, 262_144),
  },
  {
    ...{ name: "qwen3-1.7b", ...TIED, architecture: "qwen3", rms_norm_eps: 1e-6, rope_theta: 1_000_000 },
    ...sizes(28, 2_048, 6_144, 16, 8, 128, 151_936, 40_960),
  },
];

export const SHAPE_NAMES: readonly string[] = [...MODEL_SHAPES.map((shape) => shape.name), ...ARCHITECTURES];

/** What an architecture without a named shape takes when no size is given. */
const PLAIN = { ...TIED, rms_norm_eps: 1e-5, rope_theta: 10_000 } as const;

/**
 * A named shape with the given sizes in place of its own, or an architecture's name with all sizes given.
 * @throws SherryError argument_invalid when the name is unknown, a size is missing or sizes contradict each other
 */
export function chooseShape(
  name: string,
  given: Partial<ShapeSizes>,
  tie_word_embeddings: boolean,
): ModelShape {
  const named = MODEL_SHAPES.find((shape) => shape.name === name);
  if (named !== undefined) {
    const is_changed = Object.keys(given).length > 0 || !tie_word_embeddings;
    const published_file_bytes = is_changed ? null : named.published_file_bytes;
    return checkShape({ ...named, ...given, tie_word_embeddings, published_file_bytes });
  }
  const architecture = ARCHITECTURES.find((known) => known === name);
  if (architecture === undefined) {
    throw new SherryError("argument_invalid", "the model's shape", {
      expected: SHAPE_NAMES.join(", "),
      received: name,
    });
  }
  const needed = (field: keyof ShapeSizes): number => {
    const value = given[field];
    if (value !== undefined) return value;
    throw new SherryError("argument_invalid", field, {
      expected: `a number: ${name} alone is no shape`,
      received: "nothing",
      next_step: `Give all sizes, or one of ${MODEL_SHAPES.map((shape) => shape.name).join(", ")}`,
    });
  };
  const heads = needed("num_attention_heads");
  return checkShape({
    ...{ ...PLAIN, name, architecture, tie_word_embeddings },
    ...sizes(
      needed("num_hidden_layers"),
      needed("hidden_size"),
      needed("intermediate_size"),
      heads,
      given.num_key_value_heads ?? heads,
      given.head_dim ?? needed("hidden_size") / heads,
      needed("vocab_size"),
      given.max_position_embeddings ?? 2_048,
    ),
  });
}

/** What the packer would find out later, and in words for a checkpoint's author. */
function checkShape(shape: ModelShape): ModelShape {
  const { num_attention_heads, num_key_value_heads, head_dim } = shape;
  const refuse = (field: keyof ShapeSizes, expected: string): never => {
    throw new SherryError("argument_invalid", field, { expected, received: String(shape[field]) });
  };
  if (num_attention_heads % num_key_value_heads !== 0) {
    refuse("num_key_value_heads", `a divisor of num_attention_heads (${num_attention_heads})`);
  }
  if (!Number.isInteger(head_dim) || head_dim % 2 !== 0) refuse("head_dim", "an even number");
  if (shape.rope_scaling?.["type"] === "dynamic" && head_dim === 2) refuse("head_dim", "more than 2");
  if (shape.hidden_size % 4 !== 0) refuse("hidden_size", "a multiple of 4, the block of 3:4 sparsity");
  if (shape.intermediate_size % 4 !== 0) {
    refuse("intermediate_size", "a multiple of 4, the block of 3:4 sparsity");
  }
  if ((num_attention_heads * head_dim) % 4 !== 0) {
    refuse("head_dim", "a head_dim that makes num_attention_heads * head_dim a multiple of 4");
  }
  if (shape.vocab_size < BYTE_VOCABULARY_SIZE) {
    refuse("vocab_size", `at least ${BYTE_VOCABULARY_SIZE}: the bytes and two markers`);
  }
  return shape;
}

const CLASS_NAMES: Readonly<Record<Architecture, string>> = {
  llama: "LlamaForCausalLM",
  qwen3: "Qwen3ForCausalLM",
  hunyuan_v1_dense: "HunYuanDenseV1ForCausalLM",
};

/** config.json of a checkpoint of that shape. */
export function shapeConfigJson(shape: ModelShape): JsonObject {
  const { name, architecture, published_file_bytes, ...fields } = shape;
  return {
    architectures: [CLASS_NAMES[architecture]],
    model_type: architecture,
    hidden_act: "silu",
    attention_bias: false,
    torch_dtype: "bfloat16",
    ...fields,
    bos_token_id: BEGIN_TOKEN.id,
    eos_token_id: END_TOKEN.id,
  };
}

/** generation_config.json of such a checkpoint: random logits want some choice, and nothing far down their tail. */
export const SYNTHETIC_GENERATION_JSON: JsonObject = { do_sample: true, temperature: 1, top_k: 40 };
