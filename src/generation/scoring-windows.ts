/**
 * Runs a long text through models in overlapping windows, so that every token but the first is predicted once, with at
 * least context - stride tokens before it (the text's beginning apart).
 * Source of the procedure: Hugging Face transformers, "Perplexity of fixed-length models".
 */
import { SherryError } from "../errors.ts";
import { BATCH_TOKENS_MAX } from "../limits.ts";
import type { PackedModel } from "../model/packed-model.ts";
import { SCORED_TOKENS_MAX, type ScoredTokens } from "../model/score-buffers.ts";

export interface WindowSizes {
  /** Tokens of a window. */
  readonly context: number;
  /** How far one window begins after the one before it. */
  readonly stride: number;
}

export interface Window {
  /** Tokens begin .. end of the text. */
  readonly begin: number;
  readonly end: number;
  /** The first token that this window predicts; it predicts all from there to its end. */
  readonly first_scored: number;
}

/** Predictions of tokens first .. first + count, by each model. */
export interface ScoredBatch {
  readonly first: number;
  readonly count: number;
  /** Row i of a model's arrays is what it says about token first + i. Overwritten by the next batch. */
  readonly scores: readonly ScoredTokens[];
}

/** @throws SherryError argument_invalid unless 1 <= stride < context */
export function* scoringWindows(token_count: number, { context, stride }: WindowSizes): Generator<Window> {
  if (!Number.isInteger(stride) || stride < 1 || stride >= context) {
    throw new SherryError("argument_invalid", "stride", {
      expected: `an integer from 1 to ${context - 1}, below the context`,
      received: String(stride),
    });
  }
  let first_scored = 1;
  for (let begin = 0; first_scored < token_count; begin += stride) {
    const end = Math.min(begin + context, token_count);
    yield { begin, end, first_scored };
    first_scored = end;
  }
}

/**
 * Every window through every model. The caller may stop at any time; caches are freed in every case.
 * @throws SherryError argument_invalid | context_exceeded | numbers_not_finite | out_of_memory
 */
export function* scoreWindows(
  models: readonly PackedModel[],
  ids: Uint32Array,
  sizes: WindowSizes,
): Generator<ScoredBatch> {
  const capacity = Math.min(sizes.context, Math.max(1, ids.length));
  const caches = models.map((model) => ({ model, cache: model.createCache(capacity) }));
  try {
    for (const { begin, end, first_scored } of scoringWindows(ids.length, sizes)) {
      for (const { model, cache } of caches) {
        cache.length = 0;
        const before = ids.subarray(begin, first_scored - 1);
        for (let done = 0; done < before.length; done += BATCH_TOKENS_MAX) {
          model.forward(cache, before.subarray(done, done + BATCH_TOKENS_MAX), false);
        }
      }
      for (let first = first_scored; first < end; first += SCORED_TOKENS_MAX) {
        const count = Math.min(SCORED_TOKENS_MAX, end - first);
        const batch = ids.subarray(first - 1, first - 1 + count);
        const scores = caches.map(({ model, cache }) => model.forwardScored(cache, batch));
        yield { first, count, scores };
      }
    }
  } finally {
    for (const { cache } of caches) cache.free();
  }
}

/** ln p of `token_id` in row `row`. From the logits and the one probability that never underflows, the largest. */
export function logProbability(scores: ScoredTokens, row: number, token_id: number): number {
  const { vocab_size, logits, probabilities, likeliest } = scores;
  const largest = row * vocab_size + (likeliest[row] ?? 0);
  const difference = (logits[row * vocab_size + token_id] ?? Number.NaN) - (logits[largest] ?? Number.NaN);
  return difference + Math.log(probabilities[largest] ?? Number.NaN);
}
