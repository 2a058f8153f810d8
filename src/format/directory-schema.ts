/**
 * What the directory of a packed file says, as types and as the schema that hostile bytes are held against: exactly these
 * keys, sizes within limits.ts, texts that are safe to print. docs/format.md describes every field.
 */
import * as v from "valibot";
import {
  CHAT_TEMPLATE_LENGTH_MAX,
  LAYER_COUNT_MAX,
  TENSOR_COUNT_MAX,
  TENSOR_DIMENSION_MAX,
  TENSOR_NAME_LENGTH_MAX,
  TOKENIZER_BYTES_MAX,
} from "../limits.ts";
import { ARCHITECTURES, type Architecture, QUERY_KEY_NORMS, type QueryKeyNorm } from "./architectures.ts";
import { COLUMN_ORDERS, type ColumnOrder } from "./column-order.ts";
import type { ScaleDescription, TensorKind, TensorShape } from "./layout.ts";

/**
 * How rotary frequencies are scaled; field names are Hugging Face's. "dynamic_alpha" is what Hunyuan's config.json calls
 * "dynamic" with an alpha: the base becomes rope_theta * alpha^(head_dim / (head_dim - 2)), whatever the position.
 */
export type RopeScaling =
  | { readonly type: "linear"; readonly factor: number }
  | {
      readonly type: "llama3";
      readonly factor: number;
      readonly low_freq_factor: number;
      readonly high_freq_factor: number;
      readonly original_max_position_embeddings: number;
    }
  | { readonly type: "dynamic_alpha"; readonly alpha: number };

/** The model's shape and constants, named as in Hugging Face's config.json. */
export interface ModelConfig {
  readonly architecture: Architecture;
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  readonly head_dim: number;
  readonly max_position_embeddings: number;
  readonly vocab_size: number;
  readonly rms_norm_eps: number;
  /** Follows from the architecture (architectures.ts); written out so that a reader needs no table. */
  readonly query_key_norm: QueryKeyNorm;
  readonly rope_theta: number;
  readonly rope_scaling: RopeScaling | null;
  readonly tie_word_embeddings: boolean;
  readonly bos_token_id: number | null;
  readonly eos_token_ids: readonly number[];
}

/** What generation_config.json proposes; null where it says nothing. */
export interface GenerationDefaults {
  readonly do_sample: boolean;
  readonly temperature: number | null;
  readonly top_k: number | null;
  readonly top_p: number | null;
  readonly min_p: number | null;
  readonly repetition_penalty: number | null;
}

/** Which packer made the file and with which options. No paths, names or times: same input, same bytes. */
export interface Provenance {
  readonly packer: string;
  readonly packer_version: string;
  readonly linear: string;
  readonly embedding: string;
  readonly scale: string;
}

/** A range of the file that is not a tensor. `sha256`: 64 lower-case hexadecimal digits. */
export interface Section {
  readonly offset: number;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * One tensor: what it is and which bytes of the file hold it. `scale` and `column_order` are null unless the kind is
 * `sherry`.
 */
export interface TensorEntry {
  readonly name: string;
  readonly kind: TensorKind;
  readonly shape: TensorShape;
  readonly offset: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly scale: ScaleDescription | null;
  readonly column_order: ColumnOrder | null;
}

export interface Directory {
  /** A warning to show wherever the model is served; null for a real model. */
  readonly label: string | null;
  readonly config: ModelConfig;
  readonly generation: GenerationDefaults;
  /** tokenizer.json's bytes, unchanged. */
  readonly tokenizer: Section | null;
  /** tokenizer_config.json without its chat_template, keys as they came. */
  readonly tokenizer_config: Readonly<Record<string, unknown>>;
  readonly chat_template: string | null;
  readonly provenance: Provenance;
  /** In the order of their offsets. */
  readonly tensors: readonly TensorEntry[];
}

/** End-of-text tokens a model may name. */
const END_TOKEN_COUNT_MAX = 256;
/** The label and each line of the provenance, in UTF-16 units. */
const TEXT_LENGTH_MAX = 1_024;

const integerFrom = (minimum: number, maximum: number) =>
  v.pipe(
    v.number(),
    v.check((value: number) => Number.isSafeInteger(value), "an integer"),
    v.minValue(minimum),
    v.maxValue(maximum),
  );
const numberFrom = (minimum: number, maximum: number = Number.MAX_VALUE) =>
  v.pipe(v.number(), v.minValue(minimum), v.maxValue(maximum));
const dimension = integerFrom(1, TENSOR_DIMENSION_MAX);
const token_id = integerFrom(0, TENSOR_DIMENSION_MAX - 1);
const file_range = integerFrom(0, Number.MAX_SAFE_INTEGER);
const positive = v.pipe(v.number(), v.gtValue(0), v.maxValue(Number.MAX_VALUE));

const matching = (pattern: RegExp, what: string) => v.check((text: string) => pattern.test(text), what);
// Names and labels reach terminals and logs: control characters and line separators have no business there.
const printable_text = v.pipe(
  v.string(),
  v.maxLength(TEXT_LENGTH_MAX),
  matching(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]*$/u, "text of one line without control characters"),
);
const tensor_name = v.pipe(
  v.string(),
  v.maxLength(TENSOR_NAME_LENGTH_MAX),
  matching(/^[\x21-\x7e]+$/, "printable ASCII without spaces"),
);
const sha256 = v.pipe(v.string(), matching(/^[0-9a-f]{64}$/, "64 lower-case hexadecimal digits"));

const rope_scaling = v.variant("type", [
  v.strictObject({ type: v.literal("linear"), factor: positive }),
  v.strictObject({
    type: v.literal("llama3"),
    factor: positive,
    low_freq_factor: positive,
    high_freq_factor: positive,
    original_max_position_embeddings: dimension,
  }),
  v.strictObject({ type: v.literal("dynamic_alpha"), alpha: positive }),
]);

const config = v.strictObject({
  architecture: v.picklist(ARCHITECTURES),
  hidden_size: dimension,
  intermediate_size: dimension,
  num_hidden_layers: integerFrom(1, LAYER_COUNT_MAX),
  num_attention_heads: dimension,
  num_key_value_heads: dimension,
  head_dim: dimension,
  max_position_embeddings: dimension,
  vocab_size: dimension,
  rms_norm_eps: numberFrom(0),
  query_key_norm: v.picklist(QUERY_KEY_NORMS),
  rope_theta: positive,
  rope_scaling: v.nullable(rope_scaling),
  tie_word_embeddings: v.boolean(),
  bos_token_id: v.nullable(token_id),
  eos_token_ids: v.pipe(v.array(token_id), v.maxLength(END_TOKEN_COUNT_MAX)),
});

const generation = v.strictObject({
  do_sample: v.boolean(),
  temperature: v.nullable(numberFrom(0)),
  top_k: v.nullable(file_range),
  top_p: v.nullable(numberFrom(0, 1)),
  min_p: v.nullable(numberFrom(0, 1)),
  repetition_penalty: v.nullable(positive),
});

const scale = v.strictObject({
  granularity: v.picklist(["tensor", "channel", "group"]),
  group_columns: v.picklist([0, 32, 64, 128, 256]),
  element: v.picklist(["f32", "f16", "bf16"]),
});

const tensor = v.strictObject({
  name: tensor_name,
  kind: v.picklist(["sherry", "q8", "q6k", "int4", "split8", "f32", "f16", "bf16"]),
  shape: v.union([v.strictTuple([dimension]), v.strictTuple([dimension, dimension])]),
  offset: file_range,
  bytes: file_range,
  sha256,
  scale: v.nullable(scale),
  column_order: v.nullable(v.picklist(COLUMN_ORDERS)),
});

const plain_object = v.custom<Record<string, unknown>>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "an object",
);

export const directory_schema: v.GenericSchema<unknown, Directory> = v.strictObject({
  label: v.nullable(printable_text),
  config,
  generation,
  tokenizer: v.nullable(
    v.strictObject({ offset: file_range, bytes: integerFrom(1, TOKENIZER_BYTES_MAX), sha256 }),
  ),
  tokenizer_config: plain_object,
  chat_template: v.nullable(v.pipe(v.string(), v.maxLength(CHAT_TEMPLATE_LENGTH_MAX))),
  provenance: v.strictObject({
    packer: printable_text,
    packer_version: printable_text,
    linear: printable_text,
    embedding: printable_text,
    scale: printable_text,
  }),
  tensors: v.pipe(v.array(tensor), v.maxLength(TENSOR_COUNT_MAX)),
});
