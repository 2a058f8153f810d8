/**
 * The sequences of a pass as the C ABI takes them: rows of six numbers (zig/c_abi/attention.zig, Sequence), written
 * anew for every call into one array.
 *
 * Legend: B tokens of all sequences, H query heads, G key-value heads, D head_dim.
 */
import { type Pointer, ptr } from "bun:ffi";
import { SherryError } from "../errors.ts";
import { SEQUENCES_TOGETHER_MAX } from "../limits.ts";
import { library } from "./library.ts";
import { need } from "./ranges.ts";
import { checkStatus } from "./status.ts";
import { ELEMENT_CODES, type KeyValueRanges, type NativeRange, type SequenceRanges } from "./weight.ts";

const ROW_NUMBERS = 6;
const HALF = 2 ** 32;

export class SequenceTable {
  /** 64-bit numbers as halves, the lower one first: a BigInt for each, layer by layer, takes longer than storing keys does. */
  readonly #rows = new Uint32Array(SEQUENCES_TOGETHER_MAX * ROW_NUMBERS * 2);
  #count = 0;
  #tokens = 0;
  #element: KeyValueRanges["element"] = "f32";

  /** @throws SherryError internal, when there are none or too many, or when their caches keep different elements */
  fill(sequences: readonly SequenceRanges[]): void {
    const element = sequences[0]?.cache.element;
    if (element === undefined || sequences.length > SEQUENCES_TOGETHER_MAX) {
      throw new SherryError("internal", "the sequences of a pass", {
        expected: `1 to ${SEQUENCES_TOGETHER_MAX}`,
        received: String(sequences.length),
      });
    }
    this.#element = element;
    this.#count = sequences.length;
    this.#tokens = 0;
    let at = 0;
    for (const { cache, start, tokens } of sequences) {
      if (cache.element !== element) {
        throw new SherryError("internal", "the sequences of a pass", {
          expected: `caches of ${element}`,
          received: cache.element,
        });
      }
      const { keys, values, capacity } = cache;
      at = this.#write(at, keys.address);
      at = this.#write(at, values.address);
      at = this.#write(at, Math.min(keys.bytes, values.bytes));
      at = this.#write(at, capacity);
      at = this.#write(at, start);
      at = this.#write(at, tokens);
      this.#tokens += tokens;
    }
  }

  /** @returns where the next number goes */
  #write(at: number, value: number): number {
    this.#rows[at] = value >>> 0;
    this.#rows[at + 1] = Math.floor(value / HALF);
    return at + 2;
  }

  /** Keys and values f32 [B][G][D] into the sequences' caches. */
  store(context: Pointer, keys: NativeRange, values: NativeRange, heads: number, head_dim: number): void {
    const bytes = this.#tokens * heads * head_dim * 4;
    const status = library().symbols.sherry_key_value_store(
      context,
      need("storeKeyValue: keys", keys, bytes),
      need("storeKeyValue: values", values, bytes),
      heads,
      head_dim,
      ELEMENT_CODES[this.#element],
      ptr(this.#rows),
      this.#count,
    );
    checkStatus(status, "storing keys and values");
  }

  /** Attention of q f32 [B][H][D] over the sequences' caches: out f32 [B][H][D]. */
  attend(
    context: Pointer,
    q: NativeRange,
    heads: number,
    key_value_heads: number,
    head_dim: number,
    out: NativeRange,
  ): void {
    const bytes = this.#tokens * heads * head_dim * 4;
    const status = library().symbols.sherry_attention(
      context,
      need("attention: q", q, bytes),
      heads,
      key_value_heads,
      head_dim,
      ELEMENT_CODES[this.#element],
      ptr(this.#rows),
      this.#count,
      need("attention: out", out, bytes),
    );
    checkStatus(status, "attention");
  }
}
