/** Lambda and learning rate at the steps that decide: begin, end of the warm-up, middle, final phase. */
import { describe, expect, test } from "bun:test";
import type { ArenasConfig, LearningRateConfig } from "../../../scripts/training/config-schema.ts";
import { arenasLambda, learningRate } from "../../../scripts/training/schedules.ts";

const STEPS = 1_000;
const ARENAS: ArenasConfig = { schedule: "cosine", warmup_fraction: 0.1, final_phase_fraction: 0.05 };

describe("lambda", () => {
  test("rises linearly to 1 over the warm-up", () => {
    expect(arenasLambda(0, STEPS, ARENAS)).toBe(0);
    expect(arenasLambda(50, STEPS, ARENAS)).toBe(0.5);
    expect(arenasLambda(100, STEPS, ARENAS)).toBe(1);
  });

  test("falls as its schedule says", () => {
    // 525 lies in the middle between the warm-up's end and the final phase.
    expect(arenasLambda(525, STEPS, ARENAS)).toBeCloseTo(0.5, 12);
    expect(arenasLambda(525, STEPS, { ...ARENAS, schedule: "linear" })).toBeCloseTo(0.5, 12);
    expect(arenasLambda(525, STEPS, { ...ARENAS, schedule: "exponential" })).toBeCloseTo(0.1, 12);
    expect(arenasLambda(312, STEPS, ARENAS)).toBeGreaterThan(
      arenasLambda(312, STEPS, { ...ARENAS, schedule: "linear" }),
    );
  });

  test.each(["cosine", "linear", "exponential"] as const)("%s never rises after the warm-up", (schedule) => {
    for (let step = 101; step < STEPS; step += 1) {
      const now = arenasLambda(step, STEPS, { ...ARENAS, schedule });
      expect(now).toBeLessThanOrEqual(arenasLambda(step - 1, STEPS, { ...ARENAS, schedule }));
      expect(now).toBeGreaterThanOrEqual(0);
    }
  });

  test("is exactly 0 in the final phase", () => {
    expect(arenasLambda(949, STEPS, { ...ARENAS, schedule: "exponential" })).toBeGreaterThan(0);
    for (let step = 950; step < STEPS; step += 1) expect(arenasLambda(step, STEPS, ARENAS)).toBe(0);
  });

  test("is exactly 0 in the last step whatever the fractions", () => {
    const whole = { ...ARENAS, warmup_fraction: 0, final_phase_fraction: 0 };
    expect(arenasLambda(STEPS - 1, STEPS, whole)).toBe(0);
    expect(arenasLambda(0, STEPS, whole)).toBe(1);
    expect(arenasLambda(0, 1, ARENAS)).toBe(0);
  });

  test("is 0 without Arenas", () => {
    expect(arenasLambda(300, STEPS, null)).toBe(0);
  });
});

describe("the learning rate", () => {
  const config: LearningRateConfig = {
    peak: 0.01,
    warmup_steps: 10,
    schedule: "cosine",
    final_fraction: 0.1,
  };

  test("rises over the warm-up and is never 0 in it", () => {
    expect(learningRate(0, 110, config)).toBeCloseTo(0.001, 12);
    expect(learningRate(9, 110, config)).toBeCloseTo(0.01, 12);
  });

  test("falls to its final fraction", () => {
    expect(learningRate(10, 110, config)).toBeCloseTo(0.01, 12);
    expect(learningRate(109, 110, config)).toBeCloseTo(0.001, 12);
    expect(learningRate(109, 110, { ...config, schedule: "linear" })).toBeCloseTo(0.001, 12);
    expect(learningRate(60, 111, { ...config, schedule: "linear" })).toBeCloseTo(0.0055, 12);
    expect(learningRate(109, 110, { ...config, schedule: "constant" })).toBe(0.01);
  });

  test("a run of warm-up alone has its peak at the end", () => {
    expect(learningRate(9, 10, config)).toBe(0.01);
  });
});
