/**
 * A packed file's tensors as the weights of a decoder: every tensor that the config calls for is there, of the
 * right shape and of a kind that its place can compute with, before any address is taken. Nothing is copied: weights
 * point into the map.
 *
 * Legend: C hidden_size, F intermediate_size, H query heads, G key-value heads, D head_dim, V vocabulary.
 */
import { SherryError } from "../errors.ts";
import { queryKeyNormNames } from "../format/architectures.ts";
import type { ModelConfig, TensorEntry } from "../format/directory.ts";
import type { PackedFile } from "../format/reader.ts";
import type { NativeMemory } from "../native/memory.ts";
import { type LinearWeight, type NativeRange, rangeOf, type TableWeight } from "../native/weight.ts";

/** RMS norms of single heads, f32 [D] each: all query heads share one, all key heads the other. */
export interface HeadNorms {
  readonly query: NativeRange;
  readonly key: NativeRange;
}

/** Weights of one decoder layer. */
export interface LayerWeights {
  /** f32 [C] */
  readonly input_layernorm: NativeRange;
  /** [H*D, C] */
  readonly q_proj: LinearWeight;
  /** [G*D, C] */
  readonly k_proj: LinearWeight;
  /** [G*D, C] */
  readonly v_proj: LinearWeight;
  /** Null exactly when the config's query_key_norm is none. */
  readonly head_norms: HeadNorms | null;
  /** [C, H*D] */
  readonly o_proj: LinearWeight;
  /** f32 [C] */
  readonly post_attention_layernorm: NativeRange;
  /** [F, C] */
  readonly gate_proj: LinearWeight;
  /** [F, C] */
  readonly up_proj: LinearWeight;
  /** [C, F] */
  readonly down_proj: LinearWeight;
}

export interface ModelWeights {
  /** [V, C] */
  readonly embed_tokens: TableWeight;
  readonly layers: readonly LayerWeights[];
  /** f32 [C] */
  readonly norm: NativeRange;
  /** [V, C]; the embedding itself when they are tied. */
  readonly lm_head: LinearWeight;
}

/** zig/kernels/attention.zig, head_dim_max. */
const HEAD_DIM_MAX = 512;

function refuse(summary: string, expected: string, received: string): never {
  throw new SherryError("format_invalid", summary, {
    expected,
    received,
    next_step: "Pack the model again from its checkpoint",
  });
}

/** @throws SherryError format_invalid when the sizes contradict each other. */
export function checkConfig(config: ModelConfig): void {
  const { num_attention_heads, num_key_value_heads, head_dim, vocab_size } = config;
  if (num_attention_heads % num_key_value_heads !== 0) {
    refuse(
      "num_attention_heads",
      `a multiple of ${num_key_value_heads} key-value heads`,
      `${num_attention_heads}`,
    );
  }
  if (head_dim % 2 !== 0 || head_dim > HEAD_DIM_MAX) {
    refuse("head_dim", `an even number up to ${HEAD_DIM_MAX}`, String(head_dim));
  }
  for (const token_id of [
    ...config.eos_token_ids,
    ...(config.bos_token_id === null ? [] : [config.bos_token_id]),
  ]) {
    if (token_id >= vocab_size)
      refuse("a special token's id", `below the vocabulary of ${vocab_size}`, `${token_id}`);
  }
}

function linearWeight(entry: TensorEntry, range: NativeRange, rows: number, columns: number): LinearWeight {
  if (entry.kind !== "sherry") return { kind: entry.kind, range, rows, columns };
  const { scale, column_order } = entry;
  if (scale === null) refuse(`tensor ${entry.name}`, "a scale", "none");
  if (column_order === null) refuse(`tensor ${entry.name}`, "a column order", "none");
  const { granularity, group_columns, element } = scale;
  return {
    ...{ kind: "sherry", range, rows, columns, granularity, group_columns },
    scale_element: element,
    column_order,
  };
}

/**
 * Binds the tensors of `file`, whose bytes are mapped at `memory`.
 * @throws SherryError format_invalid naming the tensor that is missing, misshapen or of the wrong kind.
 */
export function bindWeights(file: PackedFile, memory: NativeMemory): ModelWeights {
  const { config } = file.directory;
  checkConfig(config);
  const find = (name: string, shape: readonly number[]): TensorEntry => {
    const entry = file.tensor(name);
    if (entry === undefined) refuse(`tensor ${name}`, `shape [${shape.join(", ")}]`, "no such tensor");
    if (entry.shape.length !== shape.length || entry.shape.some((size, index) => size !== shape[index])) {
      refuse(`tensor ${name}`, `shape [${shape.join(", ")}]`, `[${entry.shape.join(", ")}]`);
    }
    return entry;
  };
  const linear = (name: string, rows: number, columns: number): LinearWeight => {
    const entry = find(name, [rows, columns]);
    return linearWeight(entry, rangeOf(memory, entry.offset, entry.bytes), rows, columns);
  };
  const norm = (name: string, size = config.hidden_size): NativeRange => {
    const entry = find(name, [size]);
    if (entry.kind !== "f32") refuse(`tensor ${name}`, "kind f32", entry.kind);
    return rangeOf(memory, entry.offset, entry.bytes);
  };
  const { hidden_size, intermediate_size, vocab_size, head_dim } = config;
  const query_size = config.num_attention_heads * head_dim;
  const key_value_size = config.num_key_value_heads * head_dim;
  const embed_tokens = linear("model.embed_tokens.weight", vocab_size, hidden_size);
  if (embed_tokens.kind === "sherry") {
    refuse("tensor model.embed_tokens.weight", "kind f32, f16, bf16, q8, split8, q6k or int4", "sherry");
  }
  const head_norm_names = queryKeyNormNames(config.query_key_norm);
  const layers = Array.from({ length: config.num_hidden_layers }, (_, layer): LayerWeights => {
    const name = (part: string) => `model.layers.${layer}.${part}.weight`;
    return {
      input_layernorm: norm(name("input_layernorm")),
      q_proj: linear(name("self_attn.q_proj"), query_size, hidden_size),
      k_proj: linear(name("self_attn.k_proj"), key_value_size, hidden_size),
      v_proj: linear(name("self_attn.v_proj"), key_value_size, hidden_size),
      head_norms: head_norm_names && {
        query: norm(name(`self_attn.${head_norm_names.query}`), head_dim),
        key: norm(name(`self_attn.${head_norm_names.key}`), head_dim),
      },
      o_proj: linear(name("self_attn.o_proj"), hidden_size, query_size),
      post_attention_layernorm: norm(name("post_attention_layernorm")),
      gate_proj: linear(name("mlp.gate_proj"), intermediate_size, hidden_size),
      up_proj: linear(name("mlp.up_proj"), intermediate_size, hidden_size),
      down_proj: linear(name("mlp.down_proj"), hidden_size, intermediate_size),
    };
  });
  return {
    embed_tokens,
    layers,
    norm: norm("model.norm.weight"),
    lm_head: config.tie_word_embeddings ? embed_tokens : linear("lm_head.weight", vocab_size, hidden_size),
  };
}
