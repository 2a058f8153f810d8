/**
 * Random bytes that depend on a seed and a purpose only, at any offset, at the speed of memory: AES-128 in counter mode
 * (NIST SP 800-38A, section 6.5) with a key drawn from both. Every machine gives the same bytes, which "same seed, same
 * file" rests on.
 */
import { createCipheriv, createHash } from "node:crypto";
import { SherryError } from "../../errors.ts";

const BLOCK_BYTES = 16;
/** The keystream is what encrypting zeros gives; they are never written to. */
let zeros = new Uint8Array(65_536);

export class Keystream {
  readonly #key: Uint8Array;

  /**
   * @param purpose what the bytes are for, e.g. a tensor's name: another purpose gives unrelated bytes
   * @throws SherryError argument_invalid unless `seed` is a whole number from 0 to 2^53 - 1
   */
  constructor(seed: number, purpose: string) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new SherryError("argument_invalid", "seed", {
        expected: `a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`,
        received: String(seed),
      });
    }
    const digest = createHash("sha256").update(`sherry keystream 1\n${seed}\n${purpose}`).digest();
    this.#key = digest.subarray(0, BLOCK_BYTES);
  }

  /** Bytes `offset` .. `offset + length`; the caller's to keep and change. */
  read(offset: number, length: number): Uint8Array {
    const skipped = offset % BLOCK_BYTES;
    const counter = new Uint8Array(BLOCK_BYTES);
    new DataView(counter.buffer).setBigUint64(8, BigInt((offset - skipped) / BLOCK_BYTES));
    if (zeros.length < skipped + length) zeros = new Uint8Array(skipped + length);
    const cipher = createCipheriv("aes-128-ctr", this.#key, counter);
    const { buffer, byteOffset } = cipher.update(zeros.subarray(0, skipped + length));
    return new Uint8Array(buffer, byteOffset + skipped, length);
  }
}
