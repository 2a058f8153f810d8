/** Passes of a model that are timed: a prompt, tokens one after another, and a cache that need not be computed first. */
import { BATCH_TOKENS_MAX } from "../limits.ts";
import type { KeyValueCache } from "../model/key-value-cache.ts";
import type { PackedModel } from "../model/packed-model.ts";
import { fillRange } from "../native/bench-library.ts";

/** Ids that are spread over the vocabulary, the same in every run. */
export function promptIds(count: number, vocab_size: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, index) => (index * 7_919 + 13) % vocab_size);
}

/** Milliseconds that `run` takes. */
export function timed(run: () => void): number {
  const start = Bun.nanoseconds();
  run();
  return (Bun.nanoseconds() - start) / 1e6;
}

/** Runs `ids` and chooses as an answer does that takes the likeliest: by the head's search where the head has one. */
function likeliestAfter(model: PackedModel, cache: KeyValueCache, ids: Uint32Array): number {
  if (model.top_tokens_max === 0) {
    model.forward(cache, ids, true);
    return model.argmax();
  }
  model.forwardTop(cache, ids, 1);
  return model.top.ids[0] ?? 0;
}

/** The prompt in batches. @returns the likeliest first token */
export function prefill(model: PackedModel, cache: KeyValueCache, ids: Uint32Array): number {
  const last = Math.floor((ids.length - 1) / BATCH_TOKENS_MAX) * BATCH_TOKENS_MAX;
  for (let begin = 0; begin < last; begin += BATCH_TOKENS_MAX) {
    model.forward(cache, ids.subarray(begin, begin + BATCH_TOKENS_MAX), false);
  }
  return likeliestAfter(model, cache, ids.subarray(last));
}

/** One token after another, each the likeliest. @returns the ids and the milliseconds of each. */
export function decode(model: PackedModel, cache: KeyValueCache, first: number, count: number) {
  const ids: number[] = [];
  const token_ms: number[] = [];
  let id = first;
  for (let token = 0; token < count; token += 1) {
    const input = Uint32Array.of(id);
    token_ms.push(
      timed(() => {
        id = likeliestAfter(model, cache, input);
      }),
    );
    ids.push(id);
  }
  return { ids, token_ms };
}

/** A token of each sequence in one pass, the likeliest after each chosen. @returns those */
export function decodeTogether(
  model: PackedModel,
  caches: readonly KeyValueCache[],
  ids: readonly number[],
): number[] {
  const wants = model.top_tokens_max === 0 ? "logits" : { top: 1 };
  const steps = caches.map(
    (cache, index) => ({ cache, ids: Uint32Array.of(ids[index] ?? 0), wants }) as const,
  );
  return model.forwardTogether(steps).map((result) => {
    if (result.kind === "top") return result.top.ids[0] ?? 0;
    return result.kind === "logits" ? model.argmax(result.row) : 0;
  });
}

/** Makes a cache look as if `length` tokens had been computed, with numbers that attention can work on. */
export function pretendLength(cache: KeyValueCache, length: number): void {
  for (const [layer, { keys, values }] of cache.layers.entries()) {
    fillRange(keys, layer * 2, "every_kernel");
    fillRange(values, layer * 2 + 1, "every_kernel");
  }
  cache.length = length;
}
