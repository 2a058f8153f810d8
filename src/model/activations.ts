/**
 * The buffers that a forward pass writes, for batches of up to `tokens_max` tokens: allocated once, pages taken when
 * first touched, so a model that only decodes pays for one token.
 *
 * Legend: B tokens, C hidden_size, F intermediate_size, H query heads, G key-value heads, D head_dim, V vocabulary.
 */
import type { ModelConfig } from "../format/directory.ts";
import { SEQUENCES_TOGETHER_MAX } from "../limits.ts";
import { preparedBytes } from "../native/kernels.ts";
import { NativeMemory } from "../native/memory.ts";
import { type NativeRange, rangeOf } from "../native/weight.ts";

export interface Activations {
  /** The residual stream, f32 [B][C]. */
  readonly x: NativeRange;
  /** A norm's output, f32 [B][C]. */
  readonly normed: NativeRange;
  /** f32 [B][H][D] */
  readonly q: NativeRange;
  /** f32 [B][G][D] */
  readonly k: NativeRange;
  /** f32 [B][G][D] */
  readonly v: NativeRange;
  /** f32 [B][H][D] */
  readonly attended: NativeRange;
  /** What a layer adds to the residual stream, f32 [B][C]. */
  readonly delta: NativeRange;
  /** f32 [B][F] */
  readonly gate: NativeRange;
  /** f32 [B][F] */
  readonly up: NativeRange;
  /** f32 [B][2][D/2] */
  readonly cosines_sines: NativeRange;
  /** Prepared activations of the widest input. */
  readonly prepared: NativeRange;
  /** Of the sequences of a pass whose logits are wanted, f32 [SEQUENCES_TOGETHER_MAX][V]. */
  readonly logits: NativeRange;
}

/** @throws SherryError out_of_memory */
export function allocateActivations(
  config: ModelConfig,
  tokens_max: number,
): { activations: Activations; logitsRow: (row: number) => Float32Array; free: () => void } {
  const { hidden_size, intermediate_size, head_dim, vocab_size } = config;
  const query_size = config.num_attention_heads * head_dim;
  const key_value_size = config.num_key_value_heads * head_dim;
  // A few tokens carry tables beside their values, so the largest buffer need not be that of the largest batch.
  const widest = Math.max(hidden_size, intermediate_size, query_size);
  const prepared_bytes = Math.max(
    ...Array.from({ length: tokens_max }, (_, index) => preparedBytes(index + 1, widest)),
  );
  const floats = {
    x: tokens_max * hidden_size,
    normed: tokens_max * hidden_size,
    q: tokens_max * query_size,
    k: tokens_max * key_value_size,
    v: tokens_max * key_value_size,
    attended: tokens_max * query_size,
    delta: tokens_max * hidden_size,
    gate: tokens_max * intermediate_size,
    up: tokens_max * intermediate_size,
    cosines_sines: tokens_max * head_dim,
    logits: SEQUENCES_TOGETHER_MAX * vocab_size,
  };
  const offsets = new Map<string, number>();
  let total_bytes = 0;
  const place = (name: string, bytes: number) => {
    offsets.set(name, total_bytes);
    total_bytes += Math.ceil(bytes / 64) * 64;
  };
  for (const [name, count] of Object.entries(floats)) place(name, count * 4);
  place("prepared", prepared_bytes);
  const memory = NativeMemory.allocate(total_bytes);
  const range = (name: keyof typeof floats) => rangeOf(memory, offsets.get(name) ?? 0, floats[name] * 4);
  return {
    activations: {
      x: range("x"),
      normed: range("normed"),
      q: range("q"),
      k: range("k"),
      v: range("v"),
      attended: range("attended"),
      delta: range("delta"),
      gate: range("gate"),
      up: range("up"),
      cosines_sines: range("cosines_sines"),
      logits: range("logits"),
      prepared: rangeOf(memory, offsets.get("prepared") ?? 0, prepared_bytes),
    },
    logitsRow: (row) => memory.floats((offsets.get("logits") ?? 0) + row * vocab_size * 4, vocab_size),
    free: () => memory.free(),
  };
}
