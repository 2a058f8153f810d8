/**
 * Holds the `split8` head's search for the likeliest tokens against all logits, over every position of a text that a
 * packed model reads.
 */
import { SherryError } from "../../src/errors.ts";
import { tokenizeText } from "../../src/generation/scoring.ts";
import { TextModel } from "../../src/generation/text-model.ts";
import { SEQUENCES_TOGETHER_MAX } from "../../src/limits.ts";
import type { KeyValueCache } from "../../src/model/key-value-cache.ts";
import type { PackedModel } from "../../src/model/packed-model.ts";
import type { StepResult } from "../../src/model/sequence-steps.ts";
import { type Agreement, isTop, Tally } from "./agreement.ts";

export interface ModelHeadOptions {
  /** A .sherry file with a `split8` head. */
  readonly path: string;
  readonly text: string;
  /** Of the text, from its beginning; null for all of them. */
  readonly positions: number | null;
  /** Whether the search begins with the coarse plane. */
  readonly coarse: boolean;
  readonly threads: number | undefined;
}

/** Tokens of a window: enough for what a model knows of its context, few enough for many windows at once. */
const WINDOW_TOKENS = 256;

/**
 * Reads windows of the text side by side, each token twice: once for the likeliest tokens after it, once, after the cache
 * has forgotten it, for all logits.
 * @throws SherryError as TextModel.open and tokenizeText do; argument_invalid for another head
 */
export function measureModelHead(
  { path, text, positions, coarse, threads }: ModelHeadOptions,
  advance: (share: number) => void = () => {},
): Agreement {
  const text_model = TextModel.open(path, { thread_count: threads, coarse_head: coarse });
  const { model } = text_model;
  const caches: KeyValueCache[] = [];
  try {
    if (model.top_tokens_max === 0) {
      throw new SherryError("argument_invalid", path, {
        expected: "a split8 head, which alone is searched",
        received: "another one",
        next_step:
          "Pack the model with --embedding split8 (or --head split8, where it has a head of its own)",
      });
    }
    const { ids } = tokenizeText(text_model, text, positions ?? Number.POSITIVE_INFINITY);
    const window_tokens = Math.min(WINDOW_TOKENS, model.context_tokens);
    const windows = Math.ceil(ids.length / window_tokens);
    const together = Math.min(SEQUENCES_TOGETHER_MAX, windows);
    for (let index = 0; index < together; index += 1) caches.push(model.createCache(window_tokens));
    const tally = new Tally(model.top_tokens_max);
    for (let first = 0; first < windows; first += together) {
      for (const cache of caches) cache.length = 0;
      for (let place = 0; place < window_tokens; place += 1) {
        const sequences = caches.flatMap((cache, index) => {
          const id = ids[(first + index) * window_tokens + place];
          return id === undefined ? [] : [{ cache, ids: Uint32Array.of(id) }];
        });
        if (sequences.length > 0) compareStep(model, sequences, tally, place);
        advance(tally.positions / ids.length);
      }
    }
    return tally.agreement(path, "of the text");
  } finally {
    for (const cache of caches) cache.free();
    model.close();
  }
}

interface Sequence {
  readonly cache: KeyValueCache;
  readonly ids: Uint32Array;
}

function compareStep(model: PackedModel, sequences: readonly Sequence[], tally: Tally, turn: number): void {
  const count = tally.countAt(turn);
  const found = model.forwardTogether(sequences.map((sequence) => ({ ...sequence, wants: { top: count } })));
  // The next pass computes the same tokens at the same places; what the search found stays until the next search.
  for (const { cache } of sequences) cache.length -= 1;
  const all = model.forwardTogether(sequences.map((sequence) => ({ ...sequence, wants: "logits" as const })));
  for (const [index, result] of found.entries()) {
    const { top, logits } = bothOf(result, all[index]);
    tally.add(turn, isTop(top.ids, top.logits, logits), top.counts);
  }
}

function bothOf(found: StepResult, all: StepResult | undefined) {
  if (found.kind !== "top" || all?.kind !== "logits")
    throw new RangeError("a pass gave what was not asked for");
  return { top: found.top, logits: all.logits };
}
