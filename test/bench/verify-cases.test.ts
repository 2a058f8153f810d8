/** Results that differ from the scalar level's are named; measures without a result are passed over. */
import { expect, test } from "bun:test";
import type { BenchCase, Verification } from "../../src/bench/bench-case.ts";
import { verifyCases } from "../../src/bench/verify-cases.ts";

function fakeCase(kernel: string, verification: Verification | null): BenchCase {
  return {
    ...{ kernel, shape: "1x1", tokens: 1, threads: 1, residence: "cache", copies: 1 },
    work: { operations: 0, bytes: 0, weights: 0 },
    run: () => {},
    verify: () => verification,
  };
}

const SIGNAL = new AbortController().signal;

test("each difference is a sentence; checksums are kept either way", async () => {
  const right = fakeCase("right", { checksum: "1", received: "2", expected: "2" });
  const wrong = fakeCase("wrong", { checksum: "3", received: "4", expected: "5" });
  const cases = [right, wrong, fakeCase("none", null)];
  const shares: number[] = [];
  const { checksums, mismatches } = await verifyCases(cases, (share) => void shares.push(share), SIGNAL);
  expect(mismatches).toEqual(["wrong 1x1, 1 thread, cache: expected checksum 5, received 4"]);
  expect([...checksums]).toEqual([
    [right, "1"],
    [wrong, "3"],
  ]);
  expect(shares).toEqual([0, 1 / 3, 2 / 3]);
});

test("a signal ends it", async () => {
  const reason = new Error("enough");
  const verified = verifyCases([fakeCase("a", null)], () => {}, AbortSignal.abort(reason));
  await verified.then(
    () => expect.unreachable(),
    (error) => expect(error).toBe(reason),
  );
});
