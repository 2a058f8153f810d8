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

export class SequenceTable {
  readonly #rows = new BigUint64Array(SEQUENCES_TOGETHER_MAX * ROW_NUMBERS);
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
      const bytes = Math.min(keys.bytes, values.bytes);
      for (const value of [keys.address, values.address, bytes, capacity, start, tokens]) {
        this.#rows[at] = BigInt(value);
        at += 1;
      }
      this.#tokens += tokens;
    }
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
