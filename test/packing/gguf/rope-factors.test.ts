/** Llama 3's rotary scaling out of its factors: the published parameters come back, anything else is refused. */
import { expect, test } from "bun:test";
import { llama3Factors, ropeScalingOfFactors } from "../../../src/packing/gguf/rope-factors.ts";
import { refusal } from "../../format/refusal.ts";

/** As the converter computes them: inverse frequencies in f32, then the three cases by wavelength. */
function converterFactors(
  factor: number,
  original: number,
  rope_theta: number,
  head_dim: number,
): Float32Array {
  return Float32Array.from({ length: head_dim / 2 }, (_, index) => {
    const frequency = Math.fround(1 / rope_theta ** Math.fround((2 * index) / head_dim));
    const wavelength = (2 * Math.PI) / frequency;
    if (wavelength < original / 4) return 1;
    if (wavelength > original) return factor;
    const smooth = (original / wavelength - 1) / 3;
    return 1 / ((1 - smooth) / factor + smooth);
  });
}

test.each([
  [8, 8192, 128, undefined],
  [32, 8192, 64, undefined],
  [32, 8192, 128, undefined],
  [16, 2048, 64, 2048],
])("factor %p from a context of %p, heads of %p", (factor, original, head_dim, stated) => {
  const factors = converterFactors(factor, original, 500_000, head_dim);
  expect(ropeScalingOfFactors(factors, 500_000, head_dim, stated)).toEqual({
    rope_type: "llama3",
    factor,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: original,
  });
});

test("ones scale nothing", () => {
  expect(ropeScalingOfFactors(new Float32Array(32).fill(1), 10_000, 64, undefined)).toBeNull();
});

test("the factors are the reciprocal of what transformers multiplies each frequency with", () => {
  const parameters = {
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  };
  const factors = llama3Factors(parameters, 500_000, 128);
  expect(factors[0]).toBe(1);
  expect(factors[63]).toBe(8);
  // Frequency 30 has a wavelength of 2 pi 500000^(60/128).
  const wavelength = 2 * Math.PI * 500_000 ** (60 / 128);
  const smooth = (8192 / wavelength - 1) / 3;
  expect(smooth > 0 && smooth < 1).toBe(true);
  expect(factors[30]).toBeCloseTo(1 / ((1 - smooth) / 8 + smooth), 12);
});

test("other factors, and another count, are refused", () => {
  const factors = converterFactors(8, 8192, 500_000, 128);
  const changed = factors.slice();
  changed[30] = (changed[30] ?? 0) * 1.01;
  for (const [given, rope_theta, head_dim] of [
    [changed, 500_000, 128],
    [factors, 10_000, 128],
    [factors, 500_000, 64],
    [converterFactors(8, 4096, 500_000, 128), 500_000, 128],
  ] as const) {
    expect(refusal(() => ropeScalingOfFactors(given, rope_theta, head_dim, undefined))).toEqual({
      code: "checkpoint_unsupported",
      message:
        `tensor rope_freqs.weight: expected ${head_dim / 2} factors that Llama 3's rotary scaling gives, ` +
        "received 64 other ones. Pack the original checkpoint, whose config.json names its scaling",
    });
  }
});
