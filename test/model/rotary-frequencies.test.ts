/** Rotary frequencies: values worked out by hand from the formulas, for every scaling. */
import { describe, expect, test } from "bun:test";
import type { RopeScaling } from "../../src/format/directory.ts";
import { inverseFrequencies } from "../../src/model/rotary-frequencies.ts";

function frequencies(rope_scaling: RopeScaling | null, head_dim = 4, rope_theta = 10_000): number[] {
  return [...inverseFrequencies({ head_dim, rope_theta, rope_scaling })];
}

function expectNear(received: readonly number[], expected: readonly number[]): void {
  expect(received).toHaveLength(expected.length);
  for (const [index, value] of expected.entries()) {
    // A power and a division, each within a few roundings of 2^-53.
    expect(Math.abs((received[index] ?? Number.NaN) / value - 1)).toBeLessThan(1e-14);
  }
}

describe("inverse frequencies", () => {
  test("fall from 1 by the base's roots", () => {
    expectNear(frequencies(null), [1, 0.01]);
    expectNear(frequencies(null, 8, 16), [1, 0.5, 0.25, 0.125]);
    expect(frequencies(null, 2)).toEqual([1]);
  });

  test("linear divides every one", () => {
    expectNear(frequencies({ type: "linear", factor: 4 }), [0.25, 0.0025]);
  });

  test("llama3 keeps short wavelengths, divides long ones and blends between", () => {
    const scaling: RopeScaling = {
      type: "llama3",
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 1024,
    };
    // Wavelengths 2 pi, 20 pi, 200 pi and 2000 pi; kept below 256, divided above 1024.
    const smooth = (1024 / (200 * Math.PI) - 1) / 3;
    expectNear(frequencies(scaling, 8, 10_000), [1, 0.1, 0.01 * ((1 - smooth) / 8 + smooth), 0.001 / 8]);
  });

  test("dynamic_alpha raises the base by alpha^(head_dim / (head_dim - 2))", () => {
    // 10000 * 1000^2 at head_dim 4; the square root of that base is 10^5.
    expectNear(frequencies({ type: "dynamic_alpha", alpha: 1000 }), [1, 1e-5]);
    // The slowest pair of a head of 128 turns 1000 times slower than without.
    const [slow, plain] = [{ type: "dynamic_alpha", alpha: 1000 } as const, null].map(
      (scaling) => frequencies(scaling, 128)[63] ?? Number.NaN,
    );
    expectNear([(plain ?? 0) / (slow ?? 0)], [1000]);
  });
});
