/** The measurement of the head's agreement, tiny: it runs, agrees, and would notice a margin that is too small. */
import { expect, test } from "bun:test";
import { measureAgreement } from "../../scripts/head-agreement.ts";
import { HEAD_COARSE_MARGIN } from "../../src/native/coarse-head.ts";
import { HEAD_MARGIN } from "../../src/native/head.ts";

const TINY = {
  positions: 60,
  rows: 2_000,
  columns: 64,
  margin: HEAD_MARGIN,
  coarse_margin: null,
  threads: 1,
  seed: 7,
};

test("with the margin that is used no position differs", () => {
  const reported: string[] = [];
  const shares: number[] = [];
  const results = measureAgreement(
    TINY,
    ({ head, entropy }) => reported.push(`${head}, ${entropy}`),
    (share) => shares.push(share),
  );
  expect(shares).toEqual(Array.from({ length: 12 }, (_, index) => index / 12));
  expect(reported).toHaveLength(12);
  expect(new Set(reported).size).toBe(12);
  for (const { misses, positions, rows_rescored } of results) {
    expect(misses).toBe(0);
    expect(positions).toBe(60);
    expect(rows_rescored.map(({ count }) => count)).toEqual([1, 40, 256]);
  }
});

test("with no margin some do", () => {
  const results = measureAgreement({ ...TINY, margin: 0, positions: 300 });
  const misses = results.reduce((sum, result) => sum + result.misses, 0);
  expect(misses).toBeGreaterThan(0);
});

test("with the coarse pass no position differs either, and with a coarse margin far too small some do", () => {
  const misses = (coarse_margin: number, positions: number) =>
    measureAgreement({ ...TINY, coarse_margin, positions }).reduce((sum, result) => sum + result.misses, 0);
  expect(misses(HEAD_COARSE_MARGIN, 60)).toBe(0);
  expect(misses(0, 300)).toBeGreaterThan(0);
});
