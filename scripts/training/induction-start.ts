/**
 * A start with induction heads wired in ("In-context Learning and Induction Heads", Olsson et al. 2022): heads of the
 * first layer look at the token before, heads of the second find earlier places whose token before is the present one
 * and copy what stands there. Random weights had not found this circuit after 6 M tokens (docs/training.md has the
 * figures). It is a start and nothing more: training moves every number of it.
 *
 * Legend: C hidden_size, H query heads, G key-value heads, D head_dim, P = D / 2 pairs that rotary position turns, pair i
 * being the rows i and P + i of a head, by rope_theta^(-i/P) a token. Wired are the first query head of each group, and
 * its keys and values.
 */
import { SherryError } from "../../src/errors.ts";
import type { ModelConfig } from "../../src/format/directory.ts";
import { Random } from "../../src/sampling/random.ts";

/** Deviation of the embedding, and magnitude of what all its rows share. Updates of a usual size would drown 0.02. */
const EMBEDDING_SCALE = 0.1;
/** Of the last norm, so that logits begin small although the embedding does not. */
const LAST_NORM = 0.2;
/** What the first layer writes about the token before, against the embedding's own scale. */
const WRITTEN_SHARE = 2;
/** Rows of the second layer's queries and keys are this long. */
const MATCH_NORM = 4;
/** The first layer's score of the token before, ahead of the softmax. */
const PREVIOUS_SCORE = 24;
/** Pairs that turn fast enough to tell neighbours apart: by 1, 0.5 and 0.2 a token. */
const POSITION_PAIRS = 3;
/** Pairs that turn by less a token match what they hold over a sentence or two. */
const MATCH_TURN_MAX = 0.03;
const MATCH_PAIRS_MIN = 4;

/**
 * Overwrites the wired heads' weights, the embedding and the last norm.
 * @param weightsOf the weights of a tensor by its Hugging Face name, random so far
 * @throws SherryError argument_invalid when the model has no second layer, or too few pairs that turn slowly or fast
 */
export function wireInduction(
  config: ModelConfig,
  weightsOf: (name: string) => Float32Array,
  seed: number,
): void {
  const { hidden_size, num_attention_heads, num_key_value_heads, head_dim } = config;
  const turns = turnsOf(config);
  // Another sequence of numbers than the one that the random weights came from.
  const random = Random.fromSeed((seed ^ 0x9e3779b9) >>> 0);
  const shared = Float32Array.from({ length: hidden_size }, () => (random.nextUniform() < 0.5 ? -1 : 1));
  wireEmbedding(weightsOf, shared, config);
  const first = attentionOf(weightsOf, 0);
  const second = attentionOf(weightsOf, 1);
  for (let group = 0; group < num_key_value_heads; group += 1) {
    const head = group * (num_attention_heads / num_key_value_heads);
    const place = { hidden_size, num_attention_heads, head_dim, group, head };
    wirePreviousToken(first, shared, turns, place);
    const codes = randomRows(random, head_dim, shared);
    const written = randomRows(random, head_dim, shared);
    const copied = randomRows(random, head_dim, shared);
    setRows(first.value, codes, group * head_dim, 1);
    setColumns(first.output, written, place, WRITTEN_SHARE * EMBEDDING_SCALE);
    const isMatching = (row: number) => (turns[row % (head_dim / 2)] ?? 1) < MATCH_TURN_MAX;
    setRows(second.query, codes, head * head_dim, MATCH_NORM, isMatching);
    setRows(second.key, written, group * head_dim, MATCH_NORM, isMatching);
    setRows(second.value, copied, group * head_dim, 1);
    setColumns(second.output, copied, place, 1);
  }
}

interface AttentionWeights {
  /** [H D, C] */
  readonly query: Float32Array;
  /** [G D, C] */
  readonly key: Float32Array;
  readonly value: Float32Array;
  /** [C, H D] */
  readonly output: Float32Array;
}

function attentionOf(weightsOf: (name: string) => Float32Array, layer: number): AttentionWeights {
  const weights = (name: string) => weightsOf(`model.layers.${layer}.self_attn.${name}_proj.weight`);
  return { query: weights("q"), key: weights("k"), value: weights("v"), output: weights("o") };
}

/** Where a wired head's rows and columns are. */
interface Place {
  readonly hidden_size: number;
  readonly num_attention_heads: number;
  readonly head_dim: number;
  readonly group: number;
  readonly head: number;
}

/** Radians a token of each of the P pairs. */
function turnsOf({ num_hidden_layers, head_dim, rope_theta }: ModelConfig): number[] {
  const pairs = head_dim / 2;
  const turns = Array.from({ length: pairs }, (_, pair) => rope_theta ** (-pair / pairs));
  const matching = turns.filter((turn) => turn < MATCH_TURN_MAX).length;
  if (num_hidden_layers >= 2 && matching >= MATCH_PAIRS_MIN && pairs - matching >= POSITION_PAIRS)
    return turns;
  throw new SherryError("argument_invalid", "model.start", {
    expected: `2 layers or more, and in a head at least ${MATCH_PAIRS_MIN} pairs that turn by less than ${MATCH_TURN_MAX} a token and ${POSITION_PAIRS} that turn by more`,
    received: `${num_hidden_layers} layers, ${matching} and ${pairs - matching} pairs`,
    next_step: 'Change num_hidden_layers, head_dim or rope_theta of model.shape, or take the start "random"',
  });
}

/** All rows share one direction, so that heads have something to see that does not depend on the token. */
function wireEmbedding(
  weightsOf: (name: string) => Float32Array,
  shared: Float32Array,
  { hidden_size }: ModelConfig,
): void {
  const embedding = weightsOf("model.embed_tokens.weight");
  const squares = embedding.reduce((sum, value) => sum + value * value, 0);
  const scale = EMBEDDING_SCALE / Math.sqrt(squares / embedding.length);
  for (const [index, value] of embedding.entries()) {
    embedding[index] = scale * value + EMBEDDING_SCALE * (shared[index % hidden_size] ?? 0);
  }
  weightsOf("model.norm.weight").fill(LAST_NORM);
}

/** Query and key both hold the shared direction, the query turned back by one token: they agree best at the last one. */
function wirePreviousToken(
  { query, key }: AttentionWeights,
  shared: Float32Array,
  turns: readonly number[],
  { hidden_size, head_dim, group, head }: Place,
): void {
  // After the norm half of the embedding's energy is the shared direction: its components are the root of a half.
  const pair_norm = Math.sqrt((PREVIOUS_SCORE * Math.sqrt(head_dim)) / POSITION_PAIRS);
  const weight = pair_norm / (Math.SQRT1_2 * hidden_size);
  for (let pair = 0; pair < POSITION_PAIRS; pair += 1) {
    const turn = turns[pair] ?? 0;
    const [even, odd] = [pair, pair + head_dim / 2];
    for (const [column, sign] of shared.entries()) {
      key[(group * head_dim + even) * hidden_size + column] = weight * sign;
      key[(group * head_dim + odd) * hidden_size + column] = 0;
      query[(head * head_dim + even) * hidden_size + column] = weight * sign * Math.cos(turn);
      query[(head * head_dim + odd) * hidden_size + column] = -weight * sign * Math.sin(turn);
    }
  }
}

/** `count` rows of about norm 1 that do not see the shared direction. */
function randomRows(random: Random, count: number, shared: Float32Array): Float32Array[] {
  const reach = Math.sqrt(3 / shared.length);
  return Array.from({ length: count }, () => {
    const row = Float32Array.from(shared, () => reach * (2 * random.nextUniform() - 1));
    const along = row.reduce((sum, value, column) => sum + value * (shared[column] ?? 0), 0) / shared.length;
    return row.map((value, column) => value - along * (shared[column] ?? 0));
  });
}

function setRows(
  target: Float32Array,
  rows: readonly Float32Array[],
  first: number,
  scale: number,
  isWanted: (row: number) => boolean = () => true,
): void {
  for (const [index, row] of rows.entries()) {
    if (!isWanted(index)) continue;
    target.set(
      row.map((value) => scale * value),
      (first + index) * row.length,
    );
  }
}

/** The transposed rows as the columns of the wired head. */
function setColumns(
  output: Float32Array,
  rows: readonly Float32Array[],
  { num_attention_heads, head_dim, head }: Place,
  scale: number,
): void {
  const width = num_attention_heads * head_dim;
  for (const [index, row] of rows.entries()) {
    for (const [channel, value] of row.entries()) {
      output[channel * width + head * head_dim + index] = scale * value;
    }
  }
}
