/**
 * A random embedding or LM head [V, C] in bf16: signed bytes times a power of two, one power for each token. Letters and
 * the space have rows four times as long as other tokens, so that they are what the model says and its text can be
 * printed; the start and end tokens have the shortest, so that an answer does not end by chance.
 *
 * Legend: V vocabulary, C hidden_size.
 */

import { truncateToBf16 } from "./bfloat16.ts";
import { BEGIN_TOKEN, END_TOKEN } from "./byte-tokenizer.ts";
import { Keystream } from "./keystream.ts";

/**
 * Standard deviation of the logits of letters when the hidden state has an RMS of 1; others have a quarter of it. Much
 * more would make a tied head repeat its own input for ever: a token's logit for itself grows with the square.
 */
const LETTER_LOGIT_DEVIATION = 6;
/** Of a signed byte. */
const BYTE_DEVIATION = 74;

export class TableMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly #bytes: Keystream;
  /** bf16 bits of every signed byte at the three lengths of a row. */
  readonly #letter_bits: Uint16Array;
  readonly #common_bits: Uint16Array;
  readonly #special_bits: Uint16Array;

  constructor(seed: number, name: string, shape: readonly [number, number]) {
    [this.rows, this.columns] = shape;
    this.#bytes = new Keystream(seed, `${name}: values`);
    const step = LETTER_LOGIT_DEVIATION / (BYTE_DEVIATION * Math.sqrt(this.columns));
    const exponent = Math.round(Math.log2(step));
    this.#letter_bits = bitsOfBytes(2 ** exponent);
    this.#common_bits = bitsOfBytes(2 ** (exponent - 2));
    this.#special_bits = bitsOfBytes(2 ** (exponent - 6));
  }

  /** Rows `row` .. `row + rows` as bf16 [rows][C], little-endian. */
  weights(row: number, rows: number): Uint8Array {
    const { columns } = this;
    const bytes = this.#bytes.read(row * columns, rows * columns);
    const result = new Uint16Array(bytes.length);
    for (let token = 0; token < rows; token += 1) {
      const bits = this.#bitsOf(row + token);
      const end = (token + 1) * columns;
      for (let index = token * columns; index < end; index += 1) result[index] = bits[bytes[index] ?? 0] ?? 0;
    }
    return new Uint8Array(result.buffer);
  }

  #bitsOf(token_id: number): Uint16Array {
    if (token_id === BEGIN_TOKEN.id || token_id === END_TOKEN.id) return this.#special_bits;
    const is_letter = token_id === 32 || (token_id >= 97 && token_id <= 122);
    return is_letter ? this.#letter_bits : this.#common_bits;
  }
}

/** Eight significant bits hold every signed byte, so that all of this is exact. */
function bitsOfBytes(step: number): Uint16Array {
  return Uint16Array.from({ length: 256 }, (_, byte) => truncateToBf16(((byte << 24) >> 24) * step));
}
