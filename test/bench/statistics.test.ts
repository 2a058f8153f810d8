/** Minimum, median, spread. */
import { expect, test } from "bun:test";
import { spreadOf, statisticsOf } from "../../src/bench/statistics.ts";

test("statistics of odd and even counts", () => {
  expect(statisticsOf([3, 1, 2])).toEqual({ minimum: 1, median: 2, maximum: 3, count: 3 });
  expect(statisticsOf([4, 1, 3, 2])).toEqual({ minimum: 1, median: 2.5, maximum: 4, count: 4 });
  expect(statisticsOf([7])).toEqual({ minimum: 7, median: 7, maximum: 7, count: 1 });
});

test("spread is how far the largest lies above the smallest", () => {
  expect(spreadOf([10, 12, 11])).toBeCloseTo(0.2);
  expect(spreadOf([5, 5])).toBe(0);
});
