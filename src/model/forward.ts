/**
 * The forward pass of a decoder (Llama: Touvron et al. 2023): pre-norm RMS norm, grouped-query attention with rotary
 * positions, SwiGLU. Qwen3 and Hunyuan also norm every query and key head, before or after its rotation; nothing else
 * differs from family to family. One flat list of kernel calls; every loop over elements is in the kernels.
 *
 * Legend: B tokens, C hidden_size, F intermediate_size, H query heads, G key-value heads, D head_dim, V vocabulary.
 */
import type { ModelConfig } from "../format/directory.ts";
import type { Kernels } from "../native/kernels.ts";
import { type LinearInput, type LinearWeight, type NativeRange, readsPrepared } from "../native/weight.ts";
import type { Activations } from "./activations.ts";
import type { KeyValueCache } from "./key-value-cache.ts";
import type { HeadNorms, LayerWeights, ModelWeights } from "./weights.ts";

/** What a pass computes with; nothing in it changes from pass to pass but the activations' contents. */
export interface ForwardState {
  readonly config: ModelConfig;
  readonly weights: ModelWeights;
  readonly kernels: Kernels;
  readonly activations: Activations;
  /** Float64 [D/2] */
  readonly inverse_frequencies: Float64Array;
}

/** Where one layer of one pass computes: its weights, and the positions start .. start + tokens of a cache. */
interface LayerPass {
  readonly layer: LayerWeights;
  readonly layer_cache: KeyValueCache["layers"][number];
  readonly start: number;
  readonly tokens: number;
}

/** x as the input of all `weights`: prepared once for those that read int8. */
function inputOf(
  state: ForwardState,
  weights: readonly LinearWeight[],
  x: NativeRange,
  tokens: number,
  columns: number,
): LinearInput {
  if (!weights.some(readsPrepared)) return { x, prepared: null };
  const { prepared } = state.activations;
  state.kernels.prepare(x, tokens, columns, prepared);
  return { x, prepared };
}

/** RMS norm of every query and key head, in place: q [B][H][D] and k [B][G][D] are vectors of D that share a weight. */
function normHeads({ config, kernels, activations }: ForwardState, norms: HeadNorms, tokens: number): void {
  const { q, k } = activations;
  const { num_attention_heads, num_key_value_heads, head_dim, rms_norm_eps } = config;
  kernels.rmsNorm(q, norms.query, rms_norm_eps, tokens * num_attention_heads, head_dim, q);
  kernels.rmsNorm(k, norms.key, rms_norm_eps, tokens * num_key_value_heads, head_dim, k);
}

/** x += attention(norm(x)) */
function addAttention(state: ForwardState, pass: LayerPass): void {
  const { config, kernels, activations } = state;
  const { layer, layer_cache, start, tokens } = pass;
  const { x, normed, q, k, v, attended, delta, cosines_sines } = activations;
  const { hidden_size, head_dim, rms_norm_eps, query_key_norm } = config;
  const { head_norms } = layer;
  const heads = config.num_attention_heads;
  const key_value_heads = config.num_key_value_heads;

  kernels.rmsNorm(x, layer.input_layernorm, rms_norm_eps, tokens, hidden_size, normed);
  const input = inputOf(state, [layer.q_proj, layer.k_proj, layer.v_proj], normed, tokens, hidden_size);
  kernels.linear(layer.q_proj, input, tokens, q);
  kernels.linear(layer.k_proj, input, tokens, k);
  kernels.linear(layer.v_proj, input, tokens, v);
  if (head_norms !== null && query_key_norm === "before_rotary") normHeads(state, head_norms, tokens);
  kernels.rotary(q, tokens, heads, head_dim, cosines_sines);
  kernels.rotary(k, tokens, key_value_heads, head_dim, cosines_sines);
  if (head_norms !== null && query_key_norm === "after_rotary") normHeads(state, head_norms, tokens);
  kernels.storeKeyValue(k, v, tokens, key_value_heads, head_dim, start, layer_cache);
  kernels.attention(q, tokens, heads, key_value_heads, head_dim, start, layer_cache, attended);
  const attended_input = inputOf(state, [layer.o_proj], attended, tokens, heads * head_dim);
  kernels.linear(layer.o_proj, attended_input, tokens, delta);
  kernels.add(x, delta, tokens * hidden_size);
}

/** x += down(silu(gate(norm(x))) * up(norm(x))) */
function addFeedForward(state: ForwardState, { layer, tokens }: LayerPass): void {
  const { config, kernels, activations } = state;
  const { x, normed, delta, gate, up } = activations;
  const { hidden_size, intermediate_size, rms_norm_eps } = config;

  kernels.rmsNorm(x, layer.post_attention_layernorm, rms_norm_eps, tokens, hidden_size, normed);
  const input = inputOf(state, [layer.gate_proj, layer.up_proj], normed, tokens, hidden_size);
  kernels.linear(layer.gate_proj, input, tokens, gate);
  kernels.linear(layer.up_proj, input, tokens, up);
  kernels.swiglu(gate, up, tokens * intermediate_size, gate);
  const down_input = inputOf(state, [layer.down_proj], gate, tokens, intermediate_size);
  kernels.linear(layer.down_proj, down_input, tokens, delta);
  kernels.add(x, delta, tokens * hidden_size);
}

/**
 * Runs `ids` (at most the activations' batch) at the cache's next positions and appends their keys and values. When
 * `wants_logits`, the logits of the last token, f32 [V], are left in `activations.logits`.
 *
 * `onLayer` is called before every layer; what it throws ends the pass, and the cache keeps the length it had.
 * @throws SherryError numbers_not_finite when an activation overflows.
 */
export function forward(
  state: ForwardState,
  cache: KeyValueCache,
  ids: Uint32Array,
  wants_logits: boolean,
  onLayer: () => void,
): void {
  const { config, weights, kernels, activations } = state;
  const { x, normed, cosines_sines, logits } = activations;
  const { hidden_size, rms_norm_eps } = config;
  const tokens = ids.length;
  const start = cache.length;

  kernels.embedding(weights.embed_tokens, ids, x);
  kernels.rotaryTable(state.inverse_frequencies, start, tokens, cosines_sines);

  for (const [index, layer] of weights.layers.entries()) {
    onLayer();
    const layer_cache = cache.layers[index];
    if (layer_cache === undefined) throw new RangeError(`the cache has no layer ${index}`);
    const pass = { layer, layer_cache, start, tokens };
    addAttention(state, pass);
    addFeedForward(state, pass);
  }

  if (wants_logits) {
    const last = lastToken(x, tokens, hidden_size);
    kernels.rmsNorm(last, weights.norm, rms_norm_eps, 1, hidden_size, normed);
    kernels.linear(weights.lm_head, inputOf(state, [weights.lm_head], normed, 1, hidden_size), 1, logits);
  }
  cache.length = start + tokens;
}

function lastToken(x: NativeRange, tokens: number, size: number): NativeRange {
  const offset = (tokens - 1) * size * 4;
  // The offset stays inside the range, whose first `tokens` rows the pass has just written.
  return { address: (x.address + offset) as NativeRange["address"], bytes: size * 4 };
}
