/**
 * The buffers of one pass over a batch: what the forward pass writes and the backward pass reads again, allocated once.
 *
 * Legend: B sequences, T tokens of a sequence, N = B T, C hidden_size, H query heads, G key-value heads, D head_dim,
 * I intermediate_size, V vocabulary.
 */
import type { ModelConfig } from "../../src/format/directory.ts";
import { inverseFrequencies } from "../../src/model/rotary-frequencies.ts";
import type { TokenBuffer, TrainingBuffer } from "../../src/native/training-buffer.ts";
import { type PassShapes, type PassSizes, passShapes } from "./pass-shapes.ts";
import type { TrainingMemory } from "./training-memory.ts";

export interface LayerActivations {
  /** The residual stream as it enters the block. [N][C] */
  readonly stream: TrainingBuffer;
  /** [N] */
  readonly inverse_rms: TrainingBuffer;
  /** [N][C] */
  readonly normed: TrainingBuffer;
  /** Rotated. [N][H][D] */
  readonly query: TrainingBuffer;
  /** Rotated. [N][G][D] */
  readonly key: TrainingBuffer;
  /** [N][G][D] */
  readonly value: TrainingBuffer;
  /** [N][H][D] */
  readonly attended: TrainingBuffer;
  /** [B][H][T] */
  readonly log_sum_exp: TrainingBuffer;
  /** The stream between attention and feed-forward. [N][C] */
  readonly middle: TrainingBuffer;
  /** [N] */
  readonly middle_inverse_rms: TrainingBuffer;
  /** [N][C] */
  readonly middle_normed: TrainingBuffer;
  /** [N][I] */
  readonly gate: TrainingBuffer;
  /** [N][I] */
  readonly up: TrainingBuffer;
  /** [N][I] */
  readonly inner: TrainingBuffer;
}

export interface Activations extends PassSizes {
  /** N */
  readonly tokens: number;
  readonly shapes: PassShapes;
  /** [N] */
  readonly ids: TokenBuffer;
  /** The token after each; IGNORED_TARGET for none. [N] */
  readonly targets: TokenBuffer;
  readonly layers: readonly LayerActivations[];
  /** The stream behind the last block. [N][C] */
  readonly last: TrainingBuffer;
  /** [N] */
  readonly last_inverse_rms: TrainingBuffer;
  /** [N][C] */
  readonly last_normed: TrainingBuffer;
  /** [N][V] */
  readonly logits: TrainingBuffer;
  /** [N] */
  readonly losses: TrainingBuffer;
  /** Cosines and sines of the rotary angles. [T][2][D / 2] */
  readonly rotary: TrainingBuffer;
}

/** Gradients of activations, shared by all layers. */
export interface ActivationGradients {
  /** [N][C] */
  readonly stream: TrainingBuffer;
  /** [N][C] */
  readonly normed: TrainingBuffer;
  /** [N][H][D] */
  readonly query: TrainingBuffer;
  /** [N][G][D] */
  readonly key: TrainingBuffer;
  /** [N][G][D] */
  readonly value: TrainingBuffer;
  /** [N][H][D] */
  readonly attended: TrainingBuffer;
  /** [N][I] */
  readonly gate: TrainingBuffer;
  /** [N][I] */
  readonly up: TrainingBuffer;
  /** [N][I] */
  readonly inner: TrainingBuffer;
}

/** @param keeps_layers false: all layers share buffers, for passes that are never followed by a backward pass */
export function allocateActivations(
  memory: TrainingMemory,
  config: ModelConfig,
  { sequences, sequence_tokens }: PassSizes,
  keeps_layers: boolean,
): Activations {
  const tokens = sequences * sequence_tokens;
  const matrix = (columns: number) => memory.buffer(tokens * columns);
  const { hidden_size, intermediate_size, num_attention_heads, num_key_value_heads, head_dim } = config;
  const layer = (stream: TrainingBuffer): LayerActivations => ({
    stream,
    inverse_rms: matrix(1),
    normed: matrix(hidden_size),
    query: matrix(num_attention_heads * head_dim),
    key: matrix(num_key_value_heads * head_dim),
    value: matrix(num_key_value_heads * head_dim),
    attended: matrix(num_attention_heads * head_dim),
    log_sum_exp: memory.buffer(sequences * num_attention_heads * sequence_tokens),
    middle: matrix(hidden_size),
    middle_inverse_rms: matrix(1),
    middle_normed: matrix(hidden_size),
    gate: matrix(intermediate_size),
    up: matrix(intermediate_size),
    inner: matrix(intermediate_size),
  });
  const first = layer(matrix(hidden_size));
  const layers = Array.from({ length: config.num_hidden_layers }, (_, index) => {
    if (index === 0) return first;
    return keeps_layers ? layer(matrix(hidden_size)) : first;
  });
  const rotary = rotaryTable(memory, config, sequence_tokens);
  return {
    ...{ sequences, sequence_tokens, tokens, layers, rotary },
    shapes: passShapes(config, { sequences, sequence_tokens }),
    ids: memory.tokens(tokens),
    targets: memory.tokens(tokens),
    // Where layers share buffers, the stream of the next block is the stream of this one.
    last: keeps_layers ? matrix(hidden_size) : first.stream,
    last_inverse_rms: matrix(1),
    last_normed: matrix(hidden_size),
    logits: matrix(config.vocab_size),
    losses: matrix(1),
  };
}

export function allocateGradients(
  memory: TrainingMemory,
  config: ModelConfig,
  tokens: number,
): ActivationGradients {
  const matrix = (columns: number) => memory.buffer(tokens * columns);
  const { hidden_size, intermediate_size, num_attention_heads, num_key_value_heads, head_dim } = config;
  return {
    stream: matrix(hidden_size),
    normed: matrix(hidden_size),
    query: matrix(num_attention_heads * head_dim),
    key: matrix(num_key_value_heads * head_dim),
    value: matrix(num_key_value_heads * head_dim),
    attended: matrix(num_attention_heads * head_dim),
    gate: matrix(intermediate_size),
    up: matrix(intermediate_size),
    inner: matrix(intermediate_size),
  };
}

function rotaryTable(memory: TrainingMemory, config: ModelConfig, sequence_tokens: number): TrainingBuffer {
  const frequencies = inverseFrequencies(config);
  const pairs = frequencies.length;
  const table = memory.buffer(sequence_tokens * 2 * pairs);
  for (let position = 0; position < sequence_tokens; position += 1) {
    for (const [pair, frequency] of frequencies.entries()) {
      table.values[2 * position * pairs + pair] = Math.cos(position * frequency);
      table.values[(2 * position + 1) * pairs + pair] = Math.sin(position * frequency);
    }
  }
  return table;
}
