/**
 * The forward pass of a decoder (Llama: Touvron et al. 2023): pre-norm RMS norm, grouped-query attention with rotary
 * positions, SwiGLU. Qwen3 and Hunyuan also norm every query and key head, before or after its rotation; nothing else
 * differs from family to family. One flat list of kernel calls; every loop over elements is in the kernels.
 *
 * Legend: B tokens, C hidden_size, F intermediate_size, H query heads, G key-value heads, D head_dim, V vocabulary.
 */
import type { ModelConfig } from "../format/directory.ts";
import type { HeadCandidates } from "../native/head.ts";
import type { Kernels } from "../native/kernels.ts";
import {
  type LinearInput,
  type LinearWeight,
  type NativeRange,
  preparedOrderOf,
  type Split8Weight,
} from "../native/weight.ts";
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

/**
 * The products of x f32 [tokens][columns] with several weights, each to its own range. x is prepared once for all weights
 * that read int8 in the same order of columns, and the orders share one buffer, so weights are taken order by order.
 */
function linearGroup(
  { kernels, activations }: ForwardState,
  x: NativeRange,
  tokens: number,
  columns: number,
  products: readonly (readonly [weight: LinearWeight, y: NativeRange])[],
): void {
  const { prepared } = activations;
  for (const column_order of [null, "natural", "strided"] as const) {
    const group = products.filter(([weight]) => preparedOrderOf(weight) === column_order);
    if (group.length === 0) continue;
    if (column_order !== null) kernels.prepare(x, tokens, columns, prepared, column_order);
    const input: LinearInput = column_order === null ? { x, prepared: null } : { x, prepared, column_order };
    for (const [weight, y] of group) kernels.linear(weight, input, tokens, y);
  }
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
  linearGroup(state, normed, tokens, hidden_size, [
    [layer.q_proj, q],
    [layer.k_proj, k],
    [layer.v_proj, v],
  ]);
  if (head_norms !== null && query_key_norm === "before_rotary") normHeads(state, head_norms, tokens);
  kernels.rotary(q, tokens, heads, head_dim, cosines_sines);
  kernels.rotary(k, tokens, key_value_heads, head_dim, cosines_sines);
  if (head_norms !== null && query_key_norm === "after_rotary") normHeads(state, head_norms, tokens);
  kernels.storeKeyValue(k, v, tokens, key_value_heads, head_dim, start, layer_cache);
  kernels.attention(q, tokens, heads, key_value_heads, head_dim, start, layer_cache, attended);
  linearGroup(state, attended, tokens, heads * head_dim, [[layer.o_proj, delta]]);
  kernels.add(x, delta, tokens * hidden_size);
}

/** x += down(silu(gate(norm(x))) * up(norm(x))) */
function addFeedForward(state: ForwardState, { layer, tokens }: LayerPass): void {
  const { config, kernels, activations } = state;
  const { x, normed, delta, gate, up } = activations;
  const { hidden_size, intermediate_size, rms_norm_eps } = config;

  kernels.rmsNorm(x, layer.post_attention_layernorm, rms_norm_eps, tokens, hidden_size, normed);
  linearGroup(state, normed, tokens, hidden_size, [
    [layer.gate_proj, gate],
    [layer.up_proj, up],
  ]);
  kernels.swiglu(gate, up, tokens * intermediate_size, gate);
  linearGroup(state, gate, tokens, intermediate_size, [[layer.down_proj, delta]]);
  kernels.add(x, delta, tokens * hidden_size);
}

/** The last tokens of a pass, so many of them, whose logits are wanted, and where those go. */
export interface LogitsOutput {
  readonly tokens: number;
  /** f32 [tokens][V] */
  readonly logits: NativeRange;
}

/** The likeliest tokens after the pass, so many of them, are wanted; they go to `candidates`. */
export interface TopOutput {
  readonly count: number;
  readonly candidates: HeadCandidates;
  /** The model's lm_head, which must be of this kind. */
  readonly lm_head: Split8Weight;
}

/**
 * Runs `ids` (at most the activations' batch) at the cache's next positions and appends their keys and values. `head` says
 * what of their logits is computed; null: nothing.
 *
 * `onLayer` is called before every layer; what it throws ends the pass, and the cache keeps the length it had.
 * @throws SherryError numbers_not_finite when an activation overflows.
 */
export function forward(
  state: ForwardState,
  cache: KeyValueCache,
  ids: Uint32Array,
  head: LogitsOutput | TopOutput | null,
  onLayer: () => void,
): void {
  const { config, weights, kernels, activations } = state;
  const { x, normed, cosines_sines } = activations;
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

  if (head !== null) {
    const count = "tokens" in head ? head.tokens : 1;
    kernels.rmsNorm(
      lastTokens(x, tokens, count, hidden_size),
      weights.norm,
      rms_norm_eps,
      count,
      hidden_size,
      normed,
    );
    if ("tokens" in head) {
      linearGroup(state, normed, count, hidden_size, [[weights.lm_head, head.logits]]);
    } else {
      kernels.prepare(normed, 1, hidden_size, activations.prepared);
      head.candidates.find(kernels, head.lm_head, activations.prepared, head.count);
    }
  }
  cache.length = start + tokens;
}

function lastTokens(x: NativeRange, tokens: number, count: number, size: number): NativeRange {
  const offset = (tokens - count) * size * 4;
  // The offset stays inside the range, whose first `tokens` rows the pass has just written.
  return { address: (x.address + offset) as NativeRange["address"], bytes: count * size * 4 };
}
