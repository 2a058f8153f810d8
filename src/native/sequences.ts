/**
 * The sequences of a pass as the C ABI takes them: rows of six numbers (zig/c_abi/attention.zig, Sequence), one table for each
 * layer, since every layer has caches of its own.
 */
import { type Pointer, ptr } from "bun:ffi";
import { SherryError } from "../errors.ts";
import { SEQUENCES_TOGETHER_MAX } from "../limits.ts";
import { ELEMENT_CODES, type KeyValueElement, type SequenceRanges } from "./weight.ts";
import { wordArray, writeNumber } from "./words.ts";

const ROW_NUMBERS = 6;
/** Where a row holds the position of its sequence's first token. */
const START_NUMBER = 4;

export class SequenceTable {
  readonly count: number;
  /** Tokens of all sequences. */
  readonly tokens: number;
  readonly element: KeyValueElement;
  readonly #rows: Uint32Array;

  /** @throws SherryError internal, when there are none or too many, or when their caches keep different elements */
  constructor(sequences: readonly SequenceRanges[]) {
    const element = sequences[0]?.cache.element;
    if (element === undefined || sequences.length > SEQUENCES_TOGETHER_MAX) {
      throw new SherryError("internal", "the sequences of a pass", {
        expected: `1 to ${SEQUENCES_TOGETHER_MAX}`,
        received: String(sequences.length),
      });
    }
    this.element = element;
    this.count = sequences.length;
    this.tokens = sequences.reduce((sum, { tokens }) => sum + tokens, 0);
    this.#rows = wordArray(sequences.length * ROW_NUMBERS * 2);
    for (const [row, { cache, start, tokens }] of sequences.entries()) {
      if (cache.element !== element) {
        throw new SherryError("internal", "the sequences of a pass", {
          expected: `caches of ${element}`,
          received: cache.element,
        });
      }
      const { keys, values, capacity } = cache;
      const numbers = [
        keys.address,
        values.address,
        Math.min(keys.bytes, values.bytes),
        capacity,
        start,
        tokens,
      ];
      for (const [index, value] of numbers.entries()) this.#write(row, index, value);
    }
  }

  get element_code(): number {
    return ELEMENT_CODES[this.element];
  }

  get address(): Pointer {
    return ptr(this.#rows);
  }

  /** Moves a sequence on: its next tokens begin at position `start`. */
  setStart(sequence: number, start: number): void {
    this.#write(sequence, START_NUMBER, start);
  }

  #write(row: number, index: number, value: number): void {
    writeNumber(this.#rows, 2 * (row * ROW_NUMBERS + index), value);
  }
}
