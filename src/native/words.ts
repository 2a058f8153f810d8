/** Numbers as the C ABI reads them from memory: 64 bits in two halves, the lower one first, without a BigInt for each. */

const HALF = 2 ** 32;

/** An array of its own buffer, whose address does not change. */
export function wordArray(count: number): Uint32Array {
  return new Uint32Array(new ArrayBuffer(count * 4));
}

/** Writes `value`, a size or an address, to words[at] and the one after it. */
export function writeNumber(words: Uint32Array, at: number, value: number): void {
  words[at] = value >>> 0;
  words[at + 1] = Math.floor(value / HALF);
}
