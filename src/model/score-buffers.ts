/**
 * Where a pass leaves the logits of all its tokens and what follows from them: for measuring how well a model predicts a
 * text. Models that only generate never take this memory.
 *
 * Legend: B tokens, V vocabulary.
 */
import type { Kernels } from "../native/kernels.ts";
import { NativeMemory } from "../native/memory.ts";
import { type NativeRange, rangeOf } from "../native/weight.ts";

/** Tokens of one such pass: at a vocabulary of 150 thousand, their buffers take 39 MB. */
export const SCORED_TOKENS_MAX = 32;

/** What a model says after each token of a pass. The arrays are overwritten by the next pass. */
export interface ScoredTokens {
  readonly vocab_size: number;
  /** f32 [B][V] */
  readonly logits: Float32Array;
  /** Softmax of the logits, f32 [B][V]. */
  readonly probabilities: Float32Array;
  /** The token with the largest logit, the lowest of equals, u32 [B]. */
  readonly likeliest: Uint32Array;
}

export class ScoreBuffers {
  /** f32 [SCORED_TOKENS_MAX][V] */
  readonly logits: NativeRange;
  readonly #vocab_size: number;
  readonly #memory: NativeMemory;
  readonly #probabilities_offset: number;

  /** @throws SherryError out_of_memory */
  constructor(vocab_size: number) {
    this.#vocab_size = vocab_size;
    this.#probabilities_offset = Math.ceil((SCORED_TOKENS_MAX * vocab_size * 4) / 64) * 64;
    this.#memory = NativeMemory.allocate(2 * this.#probabilities_offset);
    this.logits = rangeOf(this.#memory, 0, SCORED_TOKENS_MAX * vocab_size * 4);
  }

  /** Fills in the rest after a pass has written the logits of `tokens` tokens. @throws SherryError numbers_not_finite */
  read(kernels: Kernels, tokens: number): ScoredTokens {
    const vocab_size = this.#vocab_size;
    const memory = this.#memory;
    const likeliest = Uint32Array.from({ length: tokens }, (_, token) =>
      kernels.argmax(rangeOf(memory, token * vocab_size * 4, vocab_size * 4), vocab_size),
    );
    kernels.softmax(this.logits, tokens, vocab_size, rangeOf(memory, this.#probabilities_offset));
    return {
      vocab_size,
      logits: memory.floats(0, tokens * vocab_size),
      probabilities: memory.floats(this.#probabilities_offset, tokens * vocab_size),
      likeliest,
    };
  }

  /** Safe to call twice. */
  free(): void {
    this.#memory.free();
  }
}
