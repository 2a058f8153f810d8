/** The generator against the published algorithm's own numbers, and its uniform numbers' range and spread. */
import { describe, expect, test } from "bun:test";
import { SherryError } from "../../src/errors.ts";
import { Random, splitMix64 } from "../../src/sampling/random.ts";

describe("Random", () => {
  test("is xoshiro128**: the first numbers from the state 1, 2, 3, 4", () => {
    const random = new Random([1, 2, 3, 4]);
    const numbers = Array.from({ length: 10 }, () => random.nextUint32());
    // The reference C code, compiled and run, prints these.
    expect(numbers).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
  });

  test("is seeded by SplitMix64: its first numbers from 1234567", () => {
    expect(splitMix64(1234567n, 3)).toEqual([
      6457827717110365317n,
      3203168211198807973n,
      9817491932198370423n,
    ]);
    const [first = 0n, second = 0n] = splitMix64(42n, 2);
    const words = [first, first >> 32n, second, second >> 32n].map((word) => Number(word & 0xffffffffn));
    const [a = 0, b = 0, c = 0, d = 0] = words;
    expect(Random.fromSeed(42).nextUint32()).toBe(new Random([a, b, c, d]).nextUint32());
  });

  test("uniform numbers lie in [0, 1) and fill it evenly", () => {
    const random = Random.fromSeed(7);
    const bins = new Array<number>(16).fill(0);
    let finest = false;
    for (let draw = 0; draw < 160_000; draw += 1) {
      const uniform = random.nextUniform();
      expect(uniform >= 0 && uniform < 1).toBe(true);
      finest ||= (uniform * 2 ** 53) % 2 === 1;
      const bin = Math.floor(uniform * 16);
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    const chi_square = bins.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
    // 15 degrees of freedom: 37.7 is exceeded once in a thousand.
    expect(chi_square).toBeLessThan(37.7);
    // All 53 bits are in use.
    expect(finest).toBe(true);
  });

  test("seeds over 32 bits count, and every seed has its own numbers", () => {
    const first = [0, 1, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER].map((seed) =>
      Random.fromSeed(seed).nextUniform(),
    );
    expect(new Set(first).size).toBe(5);
    expect(Random.fromSeed(2 ** 40).nextUniform()).toBe(Random.fromSeed(2 ** 40).nextUniform());
  });

  test("refuses seeds that are none", () => {
    for (const seed of [-1, 0.5, 2 ** 53, Number.NaN]) {
      let caught: unknown;
      try {
        Random.fromSeed(seed);
      } catch (error) {
        caught = error;
      }
      expect(caught).toBeInstanceOf(SherryError);
      expect(caught).toMatchObject({
        code: "argument_invalid",
        message: `seed: expected a whole number from 0 to 9007199254740991, received ${seed}`,
      });
    }
  });
});
