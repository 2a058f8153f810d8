/**
 * Seeded random numbers: xoshiro128** with its state filled by SplitMix64, as its authors recommend. The same seed
 * gives the same numbers on every machine, which "same seed, same text" rests on.
 * Source: Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators", ACM TOMS 47(4), 2021 (xoshiro128**);
 * Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014 (SplitMix64).
 */
import { SherryError } from "../errors.ts";

export class Random {
  #state_0: number;
  #state_1: number;
  #state_2: number;
  #state_3: number;

  /** @param state four unsigned 32-bit words, not all 0. Most callers want `fromSeed`. */
  constructor(state: readonly [number, number, number, number]) {
    [this.#state_0, this.#state_1, this.#state_2, this.#state_3] = state;
  }

  /** @throws SherryError argument_invalid unless `seed` is a whole number from 0 to 2^53 - 1. */
  static fromSeed(seed: number): Random {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new SherryError("argument_invalid", "seed", {
        expected: `a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`,
        received: String(seed),
      });
    }
    const [first, second] = splitMix64(BigInt(seed), 2);
    // SplitMix64 is a permutation of distinct inputs, so its first two outputs are never both 0.
    return new Random([
      lowWord(first ?? 0n),
      highWord(first ?? 0n),
      lowWord(second ?? 0n),
      highWord(second ?? 0n),
    ]);
  }

  /** @returns the next 32 bits, unsigned. */
  nextUint32(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.#state_1, 5), 7), 9);
    const shifted = this.#state_1 << 9;
    this.#state_2 ^= this.#state_0;
    this.#state_3 ^= this.#state_1;
    this.#state_1 ^= this.#state_2;
    this.#state_0 ^= this.#state_3;
    this.#state_2 ^= shifted;
    this.#state_3 = rotateLeft(this.#state_3, 11);
    return result >>> 0;
  }

  /** @returns a number from 0 up to, but never, 1: a multiple of 2^-53, all equally likely. */
  nextUniform(): number {
    const high_bits = this.nextUint32() >>> 5;
    const low_bits = this.nextUint32() >>> 6;
    return (high_bits * 2 ** 26 + low_bits) / 2 ** 53;
  }
}

/** `count` outputs of SplitMix64 started at `seed`, unsigned 64-bit. */
export function splitMix64(seed: bigint, count: number): bigint[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
    let mixed = BigInt.asUintN(64, (state ^ (state >> 30n)) * 0xbf58476d1ce4e5b9n);
    mixed = BigInt.asUintN(64, (mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn);
    return mixed ^ (mixed >> 31n);
  });
}

function rotateLeft(word: number, count: number): number {
  return (word << count) | (word >>> (32 - count));
}

function lowWord(word: bigint): number {
  return Number(BigInt.asUintN(32, word));
}

function highWord(word: bigint): number {
  return Number(word >> 32n);
}
