/** Turns: every case in every round, operands by rotation, and an end by signal. */
import { afterAll, expect, test } from "bun:test";
import type { BenchCase } from "../../src/bench/bench-case.ts";
import { type MeasureOptions, measure } from "../../src/bench/measure.ts";
import { FIXED_WORK_BYTES } from "../../src/bench/noise.ts";
import { BenchContext } from "../../src/native/bench-library.ts";
import { NativeMemory } from "../../src/native/memory.ts";
import { rangeOf } from "../../src/native/weight.ts";

const context = BenchContext.create("scalar", 1);
const memory = NativeMemory.allocate(FIXED_WORK_BYTES);
afterAll(() => {
  memory.free();
  context.close();
});

function fakeCase(kernel: string, copies: number, run: (copy: number) => void): BenchCase {
  return {
    ...{ kernel, shape: "1x1", tokens: 1, threads: 1, residence: "stream", copies, run },
    work: { operations: 0, bytes: 0, weights: 0 },
    verify: () => null,
  };
}

function options(changes: Partial<MeasureOptions> = {}): MeasureOptions {
  const signal = new AbortController().signal;
  return { rounds: 3, slice_ms: 0, sample_us: 0, on_progress: () => {}, signal, ...changes };
}

test("cases take turns, and each is called at least twice a round: once unmeasured", async () => {
  const order: string[] = [];
  const cases = ["a", "b"].map((name) => fakeCase(name, 1, () => void order.push(name)));
  const shares: number[] = [];
  const { measurements, rounds } = await measure(
    cases,
    [context, rangeOf(memory)],
    options({ on_progress: (share) => void shares.push(share) }),
  );
  expect(order.join("")).toMatch(/^(a{2,}b{2,}){3}$/);
  expect(rounds).toHaveLength(3);
  expect(shares).toEqual([0, 1 / 6, 1 / 3, 0.5, 2 / 3, 5 / 6].map((share) => expect.closeTo(share)));
  expect(measurements.map(({ bench_case }) => bench_case.kernel)).toEqual(["a", "b"]);
  for (const { time_ns } of measurements) {
    expect(time_ns.count).toBeGreaterThanOrEqual(3);
    expect(time_ns.minimum).toBeLessThanOrEqual(time_ns.median);
  }
});

test("a time is that of one call, however many make a sample", async () => {
  const spin = fakeCase("spin", 1, () => {
    const end = Bun.nanoseconds() + 50_000;
    while (Bun.nanoseconds() < end);
  });
  const { measurements } = await measure(
    [spin],
    [context, rangeOf(memory)],
    options({ rounds: 1, slice_ms: 5, sample_us: 500 }),
  );
  expect(measurements[0]?.time_ns.minimum).toBeGreaterThanOrEqual(50_000);
  expect(measurements[0]?.time_ns.minimum).toBeLessThan(400_000);
});

test("operands rotate, each as often as the next", async () => {
  const seen: number[] = [];
  await measure(
    [fakeCase("a", 3, (copy) => void seen.push(copy))],
    [context, rangeOf(memory)],
    options({ rounds: 9 }),
  );
  expect(new Set(seen)).toEqual(new Set([0, 1, 2]));
  for (const [index, copy] of seen.entries()) {
    if (index > 0) expect(copy).toBe(((seen[index - 1] ?? 0) + 1) % 3);
  }
});

test("a signal ends it between two cases", async () => {
  const interruption = new AbortController();
  const cases = [
    fakeCase("first", 1, () => interruption.abort(new Error("enough"))),
    fakeCase("second", 1, () => {
      throw new Error("must not run");
    }),
  ];
  const measured = measure(cases, [context, rangeOf(memory)], options({ signal: interruption.signal }));
  expect(measured).rejects.toThrow("enough");
  await measured.catch(() => {});
});
