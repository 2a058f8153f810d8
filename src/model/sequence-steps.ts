/**
 * What several sequences bring to one pass and take from it, and the checks before the pass begins: one sequence that
 * is refused leaves all of them as they were.
 *
 * Legend: V vocabulary.
 */
import { SherryError } from "../errors.ts";
import { BATCH_TOKENS_MAX, SEQUENCES_TOGETHER_MAX } from "../limits.ts";
import type { TokenCandidates } from "../native/head.ts";
import type { KeyValueCache } from "./key-value-cache.ts";

/** One sequence's share of a pass. */
export interface SequenceStep {
  readonly cache: KeyValueCache;
  /** The tokens at the cache's next positions: one while decoding, more of a prompt. */
  readonly ids: Uint32Array;
  /** What is computed after the last of them: nothing, all logits, or so many of the likeliest tokens. */
  readonly wants: "nothing" | "logits" | { readonly top: number };
}

/** What a sequence gets; logits and candidates are overwritten by the next pass. */
export type StepResult =
  | { readonly kind: "nothing" }
  /** f32 [V]; `row` is what PackedModel.argmax takes. */
  | { readonly kind: "logits"; readonly row: number; readonly logits: Float32Array }
  | { readonly kind: "top"; readonly top: TokenCandidates };

/** `of_whom` ends what an error names, such as " of sequence 3". @throws SherryError argument_invalid | context_exceeded */
export function checkTokens(
  { cache, ids }: Pick<SequenceStep, "cache" | "ids">,
  tokens_max: number,
  vocab_size: number,
  of_whom = "",
): void {
  const wrong = ids.find((id) => id >= vocab_size);
  if (ids.length === 0 || ids.length > tokens_max || wrong !== undefined) {
    throw new SherryError("argument_invalid", `token ids${of_whom}`, {
      expected: `1 to ${tokens_max} ids below ${vocab_size}`,
      received: wrong === undefined ? `${ids.length} ids` : `id ${wrong}`,
    });
  }
  if (cache.length + ids.length > cache.capacity) {
    throw new SherryError("context_exceeded", "the sequence is longer than its cache", {
      expected: `at most ${cache.capacity} tokens`,
      received: `${cache.length + ids.length}${of_whom}`,
      next_step: "Shorten the prompt or open the model with a larger context",
    });
  }
}

/** @throws SherryError argument_invalid */
export function checkTop(count: number, top_tokens_max: number, of_whom = ""): void {
  if (Number.isInteger(count) && count >= 1 && count <= top_tokens_max) return;
  throw new SherryError("argument_invalid", `the number of likeliest tokens${of_whom}`, {
    expected: `an integer from 1 to ${top_tokens_max}, this model's limit`,
    received: String(count),
    next_step: "Ask for all logits, or pack the model with a split8 head",
  });
}

/** @throws SherryError argument_invalid | context_exceeded, naming the sequence by its place */
export function checkSteps(
  steps: readonly SequenceStep[],
  { vocab_size, top_tokens_max }: { readonly vocab_size: number; readonly top_tokens_max: number },
): void {
  const tokens = steps.reduce((sum, { ids }) => sum + ids.length, 0);
  if (steps.length === 0 || steps.length > SEQUENCES_TOGETHER_MAX || tokens > BATCH_TOKENS_MAX) {
    throw new SherryError("argument_invalid", "the sequences of a pass", {
      expected: `1 to ${SEQUENCES_TOGETHER_MAX} sequences with at most ${BATCH_TOKENS_MAX} tokens in all`,
      received: `${steps.length} sequences with ${tokens} tokens`,
    });
  }
  if (new Set(steps.map(({ cache }) => cache)).size < steps.length) {
    throw new SherryError("argument_invalid", "the sequences of a pass", {
      expected: "a cache of its own for each",
      received: "the same cache twice",
    });
  }
  for (const [index, step] of steps.entries()) {
    const of_whom = ` of sequence ${index}`;
    checkTokens(step, BATCH_TOKENS_MAX, vocab_size, of_whom);
    if (typeof step.wants === "object") checkTop(step.wants.top, top_tokens_max, of_whom);
  }
}
