/**
 * The sizes of every kernel call of a pass, in one place for the forward and the backward pass.
 *
 * Legend: B sequences, T tokens of a sequence, N = B T.
 */
import type { ModelConfig } from "../../src/format/directory.ts";

export interface PassSizes {
  readonly sequences: number;
  readonly sequence_tokens: number;
}

export function passShapes(config: ModelConfig, { sequences, sequence_tokens }: PassSizes) {
  const { hidden_size, intermediate_size, head_dim, num_key_value_heads: key_value_heads } = config;
  const heads = config.num_attention_heads;
  const vocabulary = config.vocab_size;
  const tokens = sequences * sequence_tokens;
  const linear = (out_features: number, in_features: number) => ({ tokens, out_features, in_features });
  return {
    embedding: { tokens, width: hidden_size, vocabulary },
    norm: { tokens, width: hidden_size },
    query: linear(heads * head_dim, hidden_size),
    key: linear(key_value_heads * head_dim, hidden_size),
    value: linear(key_value_heads * head_dim, hidden_size),
    query_rotary: { tokens, sequence_tokens, heads, head_dim },
    key_rotary: { tokens, sequence_tokens, heads: key_value_heads, head_dim },
    attention: { sequences, sequence_tokens, heads, key_value_heads, head_dim },
    output: linear(hidden_size, heads * head_dim),
    gate: linear(intermediate_size, hidden_size),
    up: linear(intermediate_size, hidden_size),
    /** Elements of the feed-forward's inner activations. */
    inner_count: tokens * intermediate_size,
    down: linear(hidden_size, intermediate_size),
    head: linear(vocabulary, hidden_size),
    logits: { tokens, vocabulary },
  };
}

export type PassShapes = ReturnType<typeof passShapes>;
