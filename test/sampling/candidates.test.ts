/** Selections without sorting against plain sorting. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Candidates } from "../../src/sampling/candidates.ts";
import { Random } from "../../src/sampling/random.ts";

/** Ids by descending logit, equal logits by ascending id. */
function sortedIds(logits: Float32Array): number[] {
  return Array.from(logits.keys()).sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0) || a - b);
}

function ascending(ids: Iterable<number>): number[] {
  return [...ids].sort((a, b) => a - b);
}

// Few distinct values, so that equal logits stand at most borders.
const coarse_logits = fc
  .array(fc.integer({ min: -6, max: 6 }), { minLength: 1, maxLength: 80 })
  .map((values) => Float32Array.from(values, (value) => value / 2));
const fine_logits = fc
  .array(fc.float({ min: -30, max: 30, noNaN: true }), { minLength: 1, maxLength: 200 })
  .map((values) => Float32Array.from(values));

for (const [kind, logits_arbitrary] of [
  ["coarse", coarse_logits],
  ["fine", fine_logits],
] as const) {
  describe(`${kind} logits`, () => {
    test("takeTop takes the first of the sorted, in their order", () => {
      const candidates = new Candidates();
      fc.assert(
        fc.property(logits_arbitrary, fc.nat(), (logits, number) => {
          const count = 1 + (number % logits.length);
          candidates.start(logits);
          candidates.takeTop(count);
          expect([...candidates.ids()]).toEqual(sortedIds(logits).slice(0, count));
        }),
        { seed: 11, numRuns: 500 },
      );
    });

    test("keepMass keeps the shortest front of the sorted that holds the mass", () => {
      const candidates = new Candidates();
      fc.assert(
        fc.property(logits_arbitrary, fc.double({ min: 0, max: 1, noNaN: true }), (logits, share) => {
          candidates.start(logits);
          candidates.takeAtLeast(Number.NEGATIVE_INFINITY);
          const mass = candidates.weigh(Math.max(...logits), 0.7);
          const kept = candidates.keepMass(share * mass);
          const order = sortedIds(logits);
          const { count } = candidates;
          expect(ascending(candidates.ids())).toEqual(ascending(order.slice(0, count)));
          const weightOf = (id: number) => Math.exp(((logits[id] ?? 0) - Math.max(...logits)) / 0.7);
          const sum = order.slice(0, count).reduce((total, id) => total + weightOf(id), 0);
          const last = weightOf(order[count - 1] ?? -1);
          // Sums in another order differ in their last bits.
          expect(Math.abs(kept - sum)).toBeLessThan(1e-9);
          if (count < logits.length) expect(sum).toBeGreaterThan(share * mass - 1e-9);
          if (count > 1) expect(sum - last).toBeLessThan(share * mass + 1e-9);
        }),
        { seed: 12, numRuns: 1_000 },
      );
    });

    test("takeAtLeast and dropLighter drop exactly what is too small", () => {
      const candidates = new Candidates();
      fc.assert(
        fc.property(logits_arbitrary, fc.integer({ min: -6, max: 6 }), (logits, minimum) => {
          candidates.start(logits);
          candidates.takeAtLeast(minimum);
          expect([...candidates.ids()]).toEqual(
            [...logits.keys()].filter((id) => (logits[id] ?? 0) >= minimum),
          );
          const maximum = Math.max(...logits);
          candidates.takeAtLeast(Number.NEGATIVE_INFINITY);
          candidates.weigh(maximum, 1);
          const sum = candidates.dropLighter(0.1);
          const kept = [...logits.keys()].filter((id) => Math.exp((logits[id] ?? 0) - maximum) >= 0.1);
          expect([...candidates.ids()]).toEqual(kept);
          expect(sum).toBeCloseTo(
            kept.reduce((total, id) => total + Math.exp((logits[id] ?? 0) - maximum), 0),
            9,
          );
        }),
        { seed: 13, numRuns: 500 },
      );
    });
  });
}

test("takeTop beyond the heap's size takes the first of the sorted", () => {
  const random = Random.fromSeed(3);
  const logits = Float32Array.from({ length: 20_000 }, () => Math.floor(random.nextUniform() * 500));
  const candidates = new Candidates();
  candidates.start(logits);
  for (const count of [4_096, 4_097, 9_999, 20_000]) {
    candidates.takeTop(count);
    expect(ascending(candidates.ids())).toEqual(ascending(sortedIds(logits).slice(0, count)));
  }
});

test("idAt finds the owner of every point, and never one without weight", () => {
  const candidates = new Candidates();
  candidates.start(Float32Array.of(-1e6, Math.log(1), Math.log(3), -1e6));
  candidates.takeAtLeast(Number.NEGATIVE_INFINITY);
  const mass = candidates.weigh(Math.log(3), 1);
  expect(mass).toBeCloseTo(4 / 3, 6);
  expect([0, 0.2, 0.33, 0.34, 1, 1.33, mass, mass + 1].map((point) => candidates.idAt(point))).toEqual([
    1, 1, 1, 2, 2, 2, 2, 2,
  ]);
});
