/** Owns the native buffers of a run, so that one call gives all of them back. */
import { TokenBuffer, TrainingBuffer } from "../../src/native/training-buffer.ts";

export class TrainingMemory {
  readonly #arrays: { free(): void }[] = [];

  /** f32 [count], zeroed. @throws SherryError out_of_memory */
  buffer(count: number): TrainingBuffer {
    const buffer = TrainingBuffer.allocate(count);
    this.#arrays.push(buffer);
    return buffer;
  }

  /** u32 [count], zeroed. @throws SherryError out_of_memory */
  tokens(count: number): TokenBuffer {
    const tokens = TokenBuffer.allocate(count);
    this.#arrays.push(tokens);
    return tokens;
  }

  /** Every buffer and view is dead afterwards. Safe to call twice. */
  free(): void {
    for (const array of this.#arrays.splice(0)) array.free();
  }
}
