/** Windows predict every token once, with enough before it; log-probabilities are those of a float64 softmax. */
import { describe, expect, test } from "bun:test";
import { logProbability, scoringWindows } from "../../src/generation/scoring-windows.ts";

describe("scoringWindows", () => {
  test("every token but the first is predicted once, with context - stride before it or all there is", () => {
    for (let token_count = 2; token_count < 40; token_count += 1) {
      for (const [context, stride] of [
        [2, 1],
        [5, 1],
        [5, 4],
        [8, 4],
        [16, 7],
        [64, 32],
      ] as const) {
        const predicted: number[] = [];
        for (const { begin, end, first_scored } of scoringWindows(token_count, { context, stride })) {
          expect(end - begin).toBeLessThanOrEqual(context);
          expect(first_scored - begin).toBeGreaterThanOrEqual(Math.min(first_scored, context - stride));
          for (let token = first_scored; token < end; token += 1) predicted.push(token);
        }
        expect(predicted).toEqual(Array.from({ length: token_count - 1 }, (_, index) => index + 1));
      }
    }
  });

  test("the windows of a worked example", () => {
    expect([...scoringWindows(10, { context: 6, stride: 3 })]).toEqual([
      { begin: 0, end: 6, first_scored: 1 },
      { begin: 3, end: 9, first_scored: 6 },
      { begin: 6, end: 10, first_scored: 9 },
    ]);
    expect([...scoringWindows(1, { context: 6, stride: 3 })]).toEqual([]);
  });

  test("a stride that leaves tokens out, or nothing, is refused", () => {
    for (const stride of [0, 6, 7, 1.5, -1]) {
      expect(() => [...scoringWindows(10, { context: 6, stride })]).toThrow(
        `stride: expected an integer from 1 to 5, below the context, received ${stride}`,
      );
    }
  });
});

test("logProbability holds where a probability underflows", () => {
  const scores = {
    vocab_size: 3,
    logits: Float32Array.of(9, 9, 9, 0, 1, -200),
    probabilities: Float32Array.of(
      1 / 3,
      1 / 3,
      1 / 3,
      Math.exp(-1) / (1 + Math.exp(-1)),
      1 / (1 + Math.exp(-1)),
      0,
    ),
    likeliest: Uint32Array.of(0, 1),
  };
  expect(logProbability(scores, 0, 2)).toBeCloseTo(-Math.log(3), 6);
  expect(logProbability(scores, 1, 1)).toBeCloseTo(-Math.log(1 + Math.exp(-1)), 6);
  expect(logProbability(scores, 1, 2)).toBeCloseTo(-201 - Math.log(1 + Math.exp(-1)), 4);
});
