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

/** The prompt in batches. @returns the likeliest first token */
export function prefill(model: PackedModel, cache: KeyValueCache, ids: Uint32Array): number {
  for (let begin = 0; begin < ids.length; begin += BATCH_TOKENS_MAX) {
    const end = Math.min(begin + BATCH_TOKENS_MAX, ids.length);
    model.forward(cache, ids.subarray(begin, end), end === ids.length);
  }
  return model.argmax();
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
        model.forward(cache, input, true);
        id = model.argmax();
      }),
    );
    ids.push(id);
  }
  return { ids, token_ms };
}

/** Makes a cache look as if `length` tokens had been computed, with numbers that attention can work on. */
export function pretendLength(cache: KeyValueCache, length: number): void {
  for (const [layer, { keys, values }] of cache.layers.entries()) {
    fillRange(keys, layer * 2, "every_kernel");
    fillRange(values, layer * 2 + 1, "every_kernel");
  }
  cache.length = length;
}
