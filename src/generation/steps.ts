/**
 * The token loop of one answer, as a generator that the scheduler advances: each `next()` runs one forward pass (a
 * batch of the prompt, or one token) and yields what text became final, or null when none did. Several of them take
 * turns in one thread.
 */

import { BATCH_TOKENS_MAX } from "../limits.ts";
import type { KeyValueCache } from "../model/key-value-cache.ts";
import { createSampler, type Sampler } from "../sampling/sampler.ts";
import { createStopMatcher } from "./stop-strings.ts";
import type { ResolvedOptions, TextModel } from "./text-model.ts";
import type { Finish, FinishReason, GenerationChunk, Prompt } from "./types.ts";

export interface StepRequest {
  readonly prompt: Prompt;
  readonly options: ResolvedOptions;
  /** Waiting before this loop began; reported. */
  readonly queue_ms: number;
  /** Called before every layer of the prompt's passes and before every further token; what it throws ends the answer. */
  readonly check: () => void;
}

/**
 * Tokens and text of an answer so far. A chat's answer is a text of its own; a completion continues the prompt, whose
 * end decides about the first space.
 */
class Answer {
  readonly #decoder;
  readonly #stops;
  token_count = 0;

  constructor(text_model: TextModel, request: StepRequest, prompt_ids: Uint32Array) {
    const continues = !("messages" in request.prompt);
    this.#decoder = text_model.tokenizer.streamDecoder(continues ? Array.from(prompt_ids) : []);
    this.#stops = createStopMatcher(request.options.stop);
  }

  push(token_id: number): { text: string; matched: string | null } {
    this.token_count += 1;
    return this.#stops.push(this.#decoder.push(token_id));
  }

  /** What was held back, now that nothing follows; a stop string may be in it. */
  end(): { text: string; matched: string | null } {
    const last = this.#stops.push(this.#decoder.flush());
    return last.matched === null ? { text: last.text + this.#stops.flush(), matched: null } : last;
  }
}

/** How many of the likeliest tokens a draw needs, where the model can find them alone; null: it takes all logits. */
function topCount({ model }: TextModel, { top_count }: Sampler): number | null {
  return top_count !== null && top_count <= model.top_tokens_max ? top_count : null;
}

/** A pass whose last token is to be followed by a drawn one. */
function passBeforeDraw(
  { model }: TextModel,
  cache: KeyValueCache,
  ids: Uint32Array,
  top_count: number | null,
  onLayer: (() => void) | null,
): void {
  if (top_count === null) model.forward(cache, ids, true, onLayer);
  else model.forwardTop(cache, ids, top_count, onLayer);
}

function* prefill(
  text_model: TextModel,
  cache: KeyValueCache,
  ids: Uint32Array,
  top_count: number | null,
  check: () => void,
): Generator<null, void, void> {
  for (let begin = 0; begin < ids.length; begin += BATCH_TOKENS_MAX) {
    const batch = ids.subarray(begin, begin + BATCH_TOKENS_MAX);
    const is_last = begin + batch.length === ids.length;
    if (is_last) {
      passBeforeDraw(text_model, cache, batch, top_count, check);
    } else {
      text_model.model.forward(cache, batch, false, check);
      yield null;
    }
  }
}

function nextToken(
  text_model: TextModel,
  sampler: Sampler,
  options: ResolvedOptions,
  top_count: number | null,
): number {
  if (top_count !== null) return sampler.sampleTop(text_model.model.top.ids, text_model.model.top.logits);
  const is_plain_greedy = options.temperature === 0 && options.repetition_penalty === 1;
  return is_plain_greedy ? text_model.model.argmax() : sampler.sample(text_model.model.logits);
}

/**
 * @throws SherryError argument_invalid | context_exceeded | chat_template_invalid | numbers_not_finite, and whatever
 *   `request.check` throws. The cache is freed in every case.
 */
export function* generateSteps(
  text_model: TextModel,
  request: StepRequest,
): Generator<GenerationChunk | null, void, void> {
  const { options, check } = request;
  const sampler = createSampler(options);
  const ids = text_model.encodePrompt(request.prompt);
  for (const id of ids) sampler.observe(id);
  const top_count = topCount(text_model, sampler);
  const answer = new Answer(text_model, request, ids);
  const cache = text_model.model.createCache();
  try {
    const prefill_start = performance.now();
    yield* prefill(text_model, cache, ids, top_count, check);
    const decode_start = performance.now();
    const finish = (reason: FinishReason, stop_string: string | null): Finish => ({
      reason,
      stop_string,
      prompt_tokens: ids.length,
      completion_tokens: answer.token_count,
      seed: options.seed,
      queue_ms: request.queue_ms,
      prefill_ms: decode_start - prefill_start,
      decode_ms: performance.now() - decode_start,
    });
    while (true) {
      const token_id = nextToken(text_model, sampler, options, top_count);
      if (text_model.end_token_ids.has(token_id)) {
        const { text, matched } = answer.end();
        yield { text, token_ids: [], finish: finish("stop", matched) };
        return;
      }
      sampler.observe(token_id);
      const { text, matched } = answer.push(token_id);
      if (matched !== null) {
        yield { text, token_ids: [token_id], finish: finish("stop", matched) };
        return;
      }
      const is_long = answer.token_count >= options.max_tokens;
      if (is_long || ids.length + answer.token_count >= text_model.model.context_tokens) {
        const last = answer.end();
        const reason = last.matched !== null ? "stop" : is_long ? "length" : "context";
        yield { text: text + last.text, token_ids: [token_id], finish: finish(reason, last.matched) };
        return;
      }
      yield { text, token_ids: [token_id], finish: null };
      check();
      passBeforeDraw(text_model, cache, Uint32Array.of(token_id), top_count, null);
    }
  } finally {
    cache.free();
  }
}
