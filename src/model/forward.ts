/**
 * The forward pass of a decoder (Llama: Touvron et al. 2023): pre-norm RMS norm, grouped-query attention with rotary
 * positions, SwiGLU. Qwen3 and Hunyuan also norm every query and key head, before or after its rotation; nothing else
 * differs from family to family. One flat list of kernel calls; every loop over elements is in the kernels.
 *
 * Legend: B tokens, C hidden_size, F intermediate_size, H query heads, G key-value heads, D head_dim, V vocabulary.
 */
import type { ModelConfig } from "../format/directory.ts";
import type { CoarseHead } from "../native/coarse-head.ts";
import { HEAD_MARGIN, type HeadCandidates } from "../native/head.ts";
import type { Kernels } from "../native/kernels.ts";
import type { SequenceTable } from "../native/sequences.ts";
import {
  type LinearInput,
  type LinearWeight,
  type NativeRange,
  preparedOrderOf,
  type Split8Weight,
} from "../native/weight.ts";
import type { Activations } from "./activations.ts";
import type { KeyValueCache } from "./key-value-cache.ts";
import type { LayerCalls } from "./layer-calls.ts";
import type { HeadNorms, LayerWeights, ModelWeights } from "./weights.ts";

/** What a pass computes with; nothing in it changes from pass to pass but what activations and layer calls hold. */
export interface ForwardState {
  readonly config: ModelConfig;
  readonly weights: ModelWeights;
  readonly kernels: Kernels;
  readonly activations: Activations;
  readonly layer_calls: LayerCalls;
  /** Float64 [D/2] */
  readonly inverse_frequencies: Float64Array;
}

/** What one sequence brings to a pass: its next tokens, which stand after one another in the batch. */
export interface SequenceTokens {
  readonly cache: KeyValueCache;
  readonly ids: Uint32Array;
}

/** Where one layer of one pass computes: its weights, and every sequence's positions in its own cache. */
interface LayerPass {
  readonly layer: LayerWeights;
  readonly sequences: SequenceTable;
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
  const { layer, sequences, tokens } = pass;
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
  kernels.storeKeyValue(k, v, key_value_heads, head_dim, sequences);
  kernels.attention(q, heads, key_value_heads, head_dim, sequences, attended);
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

/** All logits of the last tokens of a pass, so many of them, go to `logits`. */
export interface ScoredOutput {
  readonly tokens: number;
  /** f32 [tokens][V] */
  readonly logits: NativeRange;
}

/** What is computed after the last tokens of sequences; each list names sequences by their place in the pass. */
export interface SequenceOutputs {
  /** All logits, in the rows of the activations' logits. */
  readonly logits: readonly number[];
  /** The likeliest tokens alone; null where no sequence wants them. */
  readonly top: TopOutput | null;
}

/** A search for the likeliest tokens of several sequences: `wanted` of each, to `candidates` in their order. */
export interface TopOutput {
  readonly sequences: readonly number[];
  readonly wanted: readonly number[];
  readonly candidates: HeadCandidates;
  /** The model's lm_head, which must be of this kind. */
  readonly lm_head: Split8Weight;
  /** Its coarse plane, used when one sequence alone is searched for; null where the model was opened without. */
  readonly coarse_head: CoarseHead | null;
}

/**
 * Runs the sequences' tokens (at most the activations' batch in all, each cache at most once) at their caches' next
 * positions and appends their keys and values. A sequence gets the same bits alone and in any company.
 *
 * The layers' kernels are written down as a list of calls, which later passes over the same sequences use again
 * (layer-calls.ts), and made behind one crossing into native code; or behind one a layer, where `onLayer` is to be called
 * before each: what it throws ends the pass, and the caches keep the lengths they had.
 * @throws SherryError numbers_not_finite when an activation overflows.
 */
export function forward(
  state: ForwardState,
  sequences: readonly SequenceTokens[],
  output: ScoredOutput | SequenceOutputs,
  onLayer: (() => void) | null,
): void {
  const { weights, kernels, activations, layer_calls } = state;
  const ids = joinedIds(sequences);
  const tokens = ids.length;

  kernels.embedding(weights.embed_tokens, ids, activations.x);
  angles(state, sequences);

  const parts = sequences.map(({ cache, ids: own_ids }) => ({ cache, tokens: own_ids.length }));
  layer_calls.prepare(kernels, weights.layers.length, parts, (index, table) => {
    const layer = weights.layers[index];
    if (layer === undefined) throw new RangeError(`the model has no layer ${index}`);
    const pass = { layer, sequences: table, tokens };
    addAttention(state, pass);
    addFeedForward(state, pass);
  });
  if (onLayer === null) {
    layer_calls.run(kernels, 0, weights.layers.length);
  } else {
    for (const layer of weights.layers.keys()) {
      onLayer();
      layer_calls.run(kernels, layer, layer + 1);
    }
  }

  if ("tokens" in output) scoreTokens(state, tokens, output);
  else predict(state, sequences, output);
  for (const { cache, ids: own_ids } of sequences) cache.length += own_ids.length;
}

function joinedIds(sequences: readonly SequenceTokens[]): Uint32Array {
  const [only] = sequences;
  if (only !== undefined && sequences.length === 1) return only.ids;
  return Uint32Array.from(sequences.flatMap(({ ids }) => [...ids]));
}

/** Cosines and sines of every token's position. */
function angles(
  { config, kernels, activations, inverse_frequencies }: ForwardState,
  sequences: readonly SequenceTokens[],
): void {
  let first = 0;
  for (const { cache, ids } of sequences) {
    const rows = rowsOf(activations.cosines_sines, first, ids.length, config.head_dim);
    kernels.rotaryTable(inverse_frequencies, cache.length, ids.length, rows);
    first += ids.length;
  }
}

/** The logits of the last tokens of the pass. */
function scoreTokens(state: ForwardState, tokens: number, { tokens: count, logits }: ScoredOutput): void {
  const { hidden_size } = state.config;
  normTokens(state, tokens - count, count, state.activations.normed);
  linearGroup(state, state.activations.normed, count, hidden_size, [[state.weights.lm_head, logits]]);
}

/** What follows the last token of each sequence, as far as it is wanted. */
function predict(
  state: ForwardState,
  sequences: readonly SequenceTokens[],
  { logits, top }: SequenceOutputs,
): void {
  const { kernels, activations, config, weights } = state;
  const { normed, prepared } = activations;
  const { hidden_size } = config;
  if (logits.length > 0) {
    normLast(state, sequences, logits);
    linearGroup(state, normed, logits.length, hidden_size, [[weights.lm_head, activations.logits]]);
  }
  if (top !== null) {
    normLast(state, sequences, top.sequences);
    kernels.prepare(normed, top.sequences.length, hidden_size, prepared);
    top.candidates.findEach(kernels, top.lm_head, prepared, top.wanted, HEAD_MARGIN, top.coarse_head);
  }
}

/**
 * The final norm of the last token of each of the `named` sequences, to the first rows of `normed`. Tokens that follow one
 * another in the batch, as those of sequences that are decoded together, take one call.
 */
function normLast(state: ForwardState, sequences: readonly SequenceTokens[], named: readonly number[]): void {
  let end = 0;
  const last_tokens = sequences.map(({ ids }) => {
    end += ids.length;
    return end - 1;
  });
  const tokens = named.map((sequence) => last_tokens[sequence] ?? -1);
  let row = 0;
  while (row < tokens.length) {
    const first = tokens[row] ?? -1;
    let count = 1;
    while (tokens[row + count] === first + count) count += 1;
    const y = rowsOf(state.activations.normed, row, count, state.config.hidden_size);
    normTokens(state, first, count, y);
    row += count;
  }
}

/** The final norm of `count` tokens of the batch from `first` on. */
function normTokens(
  { config, weights, kernels, activations }: ForwardState,
  first: number,
  count: number,
  y: NativeRange,
): void {
  const { hidden_size, rms_norm_eps } = config;
  const x = rowsOf(activations.x, first, count, hidden_size);
  kernels.rmsNorm(x, weights.norm, rms_norm_eps, count, hidden_size, y);
}

/** Rows first .. first + count of a range f32 [rows][size]. @throws RangeError when they lie outside of it */
export function rowsOf(range: NativeRange, first: number, count: number, size: number): NativeRange {
  const offset = first * size * 4;
  const bytes = count * size * 4;
  if (first < 0 || offset + bytes > range.bytes) {
    throw new RangeError(`rows ${first} to ${first + count} are not there`);
  }
  // The check above is what makes the sum an address.
  return { address: (range.address + offset) as NativeRange["address"], bytes };
}
