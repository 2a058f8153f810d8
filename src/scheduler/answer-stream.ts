/**
 * The caller's end of one answer: chunks come in from the worker's messages and go out through an async iterator. What
 * has come and was not read yet is bounded by the model's context.
 */
import type { GenerationChunk } from "../generation/types.ts";

export class AnswerStream implements AsyncIterable<GenerationChunk> {
  readonly #abort_flag: Int32Array<SharedArrayBuffer>;
  readonly #chunks: GenerationChunk[] = [];
  #failure: { readonly reason: unknown } | null = null;
  #is_ended = false;
  #wake: () => void = () => {};

  constructor(abort_flag: Int32Array<SharedArrayBuffer>) {
    this.#abort_flag = abort_flag;
  }

  /** Whether the worker has said its last word about this answer. */
  get is_ended(): boolean {
    return this.#is_ended;
  }

  push(chunk: GenerationChunk): void {
    this.#chunks.push(chunk);
    if (chunk.finish !== null) this.#is_ended = true;
    this.#wake();
  }

  /** The worker stopped without finishing; the reason is the abort's, given before. */
  end(): void {
    this.#is_ended = true;
    this.#wake();
  }

  fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.end();
  }

  /** Tells the worker to stop; the reader gets `reason` at once. */
  abort(reason: unknown): void {
    Atomics.store(this.#abort_flag, 0, 1);
    this.#failure ??= { reason };
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<GenerationChunk, void, void> {
    while (true) {
      if (this.#failure !== null) throw this.#failure.reason;
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        yield chunk;
        continue;
      }
      if (this.#is_ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
