/**
 * How well a model predicts a text: perplexity (e to the mean negative log-likelihood of a token) and bits a byte, which
 * models with different tokenizers can be compared by.
 */
import { SherryError } from "../errors.ts";
import { logProbability, scoreWindows, type WindowSizes } from "./scoring-windows.ts";
import type { TextModel } from "./text-model.ts";

export interface ScoringOptions {
  /** Tokens of a window. Default: 1024, or the model's context when that is less. */
  readonly context?: number | undefined;
  /** How far one window begins after the one before it. Default: half of the context. */
  readonly stride?: number | undefined;
  /** Tokens of the text to take, from its beginning. Default: all. */
  readonly max_tokens?: number | undefined;
  readonly on_progress?: (progress: ScoringProgress) => void;
  /** Stops the work within a few passes; the signal's reason is thrown. */
  readonly signal?: AbortSignal;
}

export interface ScoringProgress {
  readonly scored_tokens: number;
  readonly tokens_total: number;
  readonly elapsed_ms: number;
}

/** A text as a model sees it. */
export interface TokenizedText {
  readonly ids: Uint32Array;
  /** UTF-8 bytes that the tokens after the first stand for. */
  readonly scored_bytes: number;
}

export interface TextScore extends WindowSizes {
  readonly scored_tokens: number;
  readonly scored_bytes: number;
  /** Mean negative log-likelihood of a token, in nats. */
  readonly nats_per_token: number;
  readonly perplexity: number;
  readonly bits_per_byte: number;
  readonly seconds: number;
  readonly tokens_per_second: number;
}

const CONTEXT_DEFAULT = 1_024;
/** How long the work may hold the thread before signals, timers and the progress display get their turn. */
const TURN_MS = 50;

/** @throws SherryError argument_invalid | numbers_not_finite | out_of_memory; the signal's reason */
export async function scoreText(
  text_model: TextModel,
  text: string,
  options: ScoringOptions = {},
): Promise<TextScore> {
  const { ids, scored_bytes } = tokenizeText(text_model, text, options.max_tokens);
  const sizes = windowSizes([text_model], options);
  const scored_tokens = ids.length - 1;
  const turn = turnsOf(options, scored_tokens);
  const started = performance.now();
  let negative_log_likelihood = 0;
  for (const { first, count, scores } of scoreWindows([text_model.model], ids, sizes)) {
    for (const score of scores) {
      for (let row = 0; row < count; row += 1) {
        negative_log_likelihood -= logProbability(score, row, ids[first + row] ?? 0);
      }
    }
    await turn(first - 1 + count);
  }
  const seconds = (performance.now() - started) / 1000;
  return {
    ...sizes,
    scored_tokens,
    scored_bytes,
    nats_per_token: negative_log_likelihood / scored_tokens,
    perplexity: Math.exp(negative_log_likelihood / scored_tokens),
    bits_per_byte: negative_log_likelihood / Math.LN2 / scored_bytes,
    seconds,
    tokens_per_second: scored_tokens / seconds,
  };
}

/**
 * The text's tokens, with what the tokenizer adds at the beginning; the first one is given and not predicted.
 * @throws SherryError argument_invalid for a text of fewer than two tokens
 */
export function tokenizeText(
  text_model: TextModel,
  text: string,
  max_tokens: number = Number.POSITIVE_INFINITY,
): TokenizedText {
  const { tokenizer } = text_model;
  const all = tokenizer.encode(text, { add_special_tokens: true });
  const ids = all.length > max_tokens ? all.slice(0, max_tokens) : all;
  if (ids.length < 2) {
    throw new SherryError("argument_invalid", "the text to measure", {
      expected: "at least two tokens, a start token included",
      received: String(ids.length),
      next_step: "Take a longer text",
    });
  }
  const { vocab_size } = text_model.model.directory.config;
  const wrong = ids.find((id) => id >= vocab_size);
  if (wrong !== undefined) {
    throw new SherryError("tokenizer_invalid", "the text's tokens", {
      expected: `ids below the model's vocabulary of ${vocab_size}`,
      received: String(wrong),
      next_step: "The tokenizer belongs to another model; pack the checkpoint again with its own",
    });
  }
  const bytesOf = (part: readonly number[]) =>
    Buffer.byteLength(tokenizer.decode(part, { skip_special_tokens: true }));
  const text_bytes = ids.length === all.length ? Buffer.byteLength(text) : bytesOf(ids);
  // Without a start token, the first token is a piece of the text that nothing predicts.
  return { ids: Uint32Array.from(ids), scored_bytes: text_bytes - bytesOf(ids.slice(0, 1)) };
}

/** @throws SherryError argument_invalid for a context that a model does not have */
export function windowSizes(text_models: readonly TextModel[], options: ScoringOptions): WindowSizes {
  const limit = Math.min(...text_models.map(({ model }) => model.context_tokens));
  const context = options.context ?? Math.min(CONTEXT_DEFAULT, limit);
  if (!Number.isInteger(context) || context < 2 || context > limit) {
    throw new SherryError("argument_invalid", "context", {
      expected: `an integer from 2 to ${limit}, the model's own limit`,
      received: String(context),
    });
  }
  return { context, stride: options.stride ?? Math.floor(context / 2) };
}

/** What gives the thread away now and then. Call it after every batch. @throws the signal's reason */
export function turnsOf(
  options: ScoringOptions,
  tokens_total: number,
): (scored_tokens: number) => Promise<void> {
  const started = performance.now();
  let turn_began = started;
  return async (scored_tokens) => {
    const now = performance.now();
    if (now - turn_began < TURN_MS) return;
    options.on_progress?.({ scored_tokens, tokens_total, elapsed_ms: now - started });
    await new Promise((resolve) => setImmediate(resolve));
    options.signal?.throwIfAborted();
    turn_began = performance.now();
  };
}
