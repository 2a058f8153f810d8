/**
 * How two models of one vocabulary differ over a text: the Kullback-Leibler divergence of the second from the first for
 * every next token, and how often both would say the same one. With the first as the original, it shows what packing cost.
 */
import { SherryError } from "../errors.ts";
import type { ScoredTokens } from "../model/score-buffers.ts";
import { type ScoringOptions, tokenizeText, turnsOf, windowSizes } from "./scoring.ts";
import { logProbability, scoreWindows, type WindowSizes } from "./scoring-windows.ts";
import type { TextModel } from "./text-model.ts";

export interface TextDifference extends WindowSizes {
  readonly scored_tokens: number;
  /** KL(first || second) of a next-token distribution, in nats. */
  readonly divergence: {
    readonly mean: number;
    readonly median: number;
    readonly percentile_90: number;
    readonly percentile_95: number;
    readonly percentile_99: number;
    readonly maximum: number;
  };
  /** Share of tokens for which both models find the same one likeliest. */
  readonly top_1_agreement: number;
  readonly perplexity: { readonly first: number; readonly second: number };
  readonly seconds: number;
}

/** @throws SherryError argument_invalid (another tokenizer too) | numbers_not_finite | out_of_memory; the signal's reason */
export async function compareOnText(
  first_model: TextModel,
  second_model: TextModel,
  text: string,
  options: ScoringOptions = {},
): Promise<TextDifference> {
  checkSameTokens(first_model, second_model);
  const { ids } = tokenizeText(first_model, text, options.max_tokens);
  const sizes = windowSizes([first_model, second_model], options);
  const scored_tokens = ids.length - 1;
  const turn = turnsOf(options, scored_tokens);
  const started = performance.now();
  const divergences = new Float64Array(scored_tokens);
  const sums = { agreements: 0, first: 0, second: 0 };
  for (const batch of scoreWindows([first_model.model, second_model.model], ids, sizes)) {
    const [first_scores, second_scores] = batch.scores;
    if (first_scores === undefined || second_scores === undefined) break;
    for (let row = 0; row < batch.count; row += 1) {
      const token_id = ids[batch.first + row] ?? 0;
      divergences[batch.first - 1 + row] = divergence(first_scores, second_scores, row);
      if (first_scores.likeliest[row] === second_scores.likeliest[row]) sums.agreements += 1;
      sums.first -= logProbability(first_scores, row, token_id);
      sums.second -= logProbability(second_scores, row, token_id);
    }
    await turn(batch.first - 1 + batch.count);
  }
  return {
    ...sizes,
    scored_tokens,
    divergence: summarize(divergences),
    top_1_agreement: sums.agreements / scored_tokens,
    perplexity: {
      first: Math.exp(sums.first / scored_tokens),
      second: Math.exp(sums.second / scored_tokens),
    },
    seconds: (performance.now() - started) / 1000,
  };
}

function checkSameTokens(first_model: TextModel, second_model: TextModel): void {
  const [first, second] = [first_model, second_model].map(({ model }) => model.directory);
  const tokenizer_is_same = first?.tokenizer?.sha256 === second?.tokenizer?.sha256;
  if (tokenizer_is_same && first?.config.vocab_size === second?.config.vocab_size) return;
  throw new SherryError("argument_invalid", "comparing two models", {
    expected: "models with the same tokenizer and vocabulary",
    received: tokenizer_is_same
      ? `vocabularies of ${first?.config.vocab_size} and ${second?.config.vocab_size} tokens`
      : "two tokenizers",
    next_step:
      "Compare packings of one checkpoint; bits a byte of 'sherry perplexity' compare across tokenizers",
  });
}

/**
 * sum p (ln p - ln q) = sum p (x - y) - (ln Zx - ln Zy), x and y the logits, in float64 over f32 values. A true divergence
 * is never negative; one below the rounding of the f32 probabilities can come out so, and counts as 0.
 */
export function divergence(first: ScoredTokens, second: ScoredTokens, row: number): number {
  const { vocab_size } = first;
  const begin = row * vocab_size;
  const x = first.logits.subarray(begin, begin + vocab_size);
  const y = second.logits.subarray(begin, begin + vocab_size);
  const p = first.probabilities.subarray(begin, begin + vocab_size);
  // Differences are taken from one common token on, so that large logits that both models share cancel at once.
  const pivot = first.likeliest[row] ?? 0;
  const x_pivot = x[pivot] ?? 0;
  const y_pivot = y[pivot] ?? 0;
  let sum = 0;
  let total = 0;
  for (let token = 0; token < vocab_size; token += 1) {
    const probability = p[token] ?? 0;
    sum += probability * ((x[token] ?? 0) - x_pivot - ((y[token] ?? 0) - y_pivot));
    total += probability;
  }
  // ln p - ln q of the pivot; the f32 probabilities sum to 1 only nearly, hence the total.
  const pivot_difference = logProbability(first, row, pivot) - logProbability(second, row, pivot);
  return Math.max(0, sum / total + pivot_difference);
}

function summarize(values: Float64Array): TextDifference["divergence"] {
  const sorted = values.toSorted();
  /** The smallest value that is not below `share` of all. */
  const percentile = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
  return {
    mean: values.reduce((sum, value) => sum + value, 0) / values.length,
    median: percentile(0.5),
    percentile_90: percentile(0.9),
    percentile_95: percentile(0.95),
    percentile_99: percentile(0.99),
    maximum: percentile(1),
  };
}
