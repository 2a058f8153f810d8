/**
 * Native calls that are written down once and then made behind one crossing, as often as wanted (zig/c_abi/calls.zig). A call
 * out of JavaScript costs nanoseconds in a loop that does nothing else; amid kernels that stream a model through the caches
 * everything that it needs comes from memory again, and it costs about a microsecond.
 */
import { type Pointer, ptr } from "bun:ffi";
import { library } from "./library.ts";
import { checkStatus } from "./status.ts";
import { CALL_NUMBERS, SYMBOLS } from "./symbols.ts";
import { wordArray, writeNumber } from "./words.ts";

/** A function that a list can call. */
export type ListedSymbol = keyof typeof CALL_NUMBERS;

/** What such a function takes after its context: sizes, codes and addresses. */
export type CallValues<S extends ListedSymbol> = (typeof SYMBOLS)[S]["args"] extends readonly [
  unknown,
  ...infer Rest,
]
  ? { readonly [K in keyof Rest]: Rest[K] extends "ptr" ? Pointer : number }
  : never;

/** Words of one call (zig/c_abi/calls.zig, Call): the function's number, then 15 values of 64 bits. */
const CALL_WORDS = 32;
const FIRST_VALUE = 2;

const number_of_f32 = new Float32Array(1);
const bits_of_f32 = new Uint32Array(number_of_f32.buffer);

export class CallList {
  /** What each call computes, for errors and timing. */
  readonly labels: string[] = [];
  /** What the calls compute with, so that it is there as long as they are. */
  readonly #subjects: unknown[] = [];
  readonly #symbols = library().symbols;
  #words = wordArray(64 * CALL_WORDS);
  #address: number = ptr(this.#words);
  readonly #failed = wordArray(2);
  readonly #failed_address = ptr(this.#failed);

  get length(): number {
    return this.labels.length;
  }

  /**
   * Writes down a call of `symbol` with `values` after its context: sizes, codes and addresses. `subject` is kept; native memory
   * is the caller's and must outlive the list's last run.
   */
  add(symbol: ListedSymbol, label: string, values: readonly number[], subject: unknown): void {
    const start = this.length * CALL_WORDS;
    if (start === this.#words.length) {
      const grown = wordArray(2 * this.#words.length);
      grown.set(this.#words);
      this.#words = grown;
      this.#address = ptr(grown);
    }
    this.#words[start] = CALL_NUMBERS[symbol];
    const types: readonly string[] = SYMBOLS[symbol].args;
    for (const [index, value] of values.entries()) {
      const at = start + FIRST_VALUE + 2 * index;
      if (types[index + 1] === "f32") {
        number_of_f32[0] = value;
        this.#words[at] = bits_of_f32[0] ?? 0;
        this.#words[at + 1] = 0;
      } else {
        writeNumber(this.#words, at, value);
      }
    }
    this.labels.push(label);
    this.#subjects.push(subject);
  }

  /** Makes the calls begin .. end with `context`. @throws SherryError what the first one that failed says */
  run(context: Pointer, begin: number, end: number): void {
    if (begin < 0 || end > this.length) throw new RangeError(`calls ${begin} to ${end} of ${this.length}`);
    if (begin >= end) return;
    // Both numbers were checked, so that the sum is an address inside of the words.
    const calls = (this.#address + begin * CALL_WORDS * 4) as Pointer;
    const status = this.#symbols.sherry_run_calls(context, calls, end - begin, this.#failed_address);
    if (status !== 0) checkStatus(status, this.labels[begin + (this.#failed[0] ?? 0)] ?? "a list of calls");
  }
}
