/** From times to speeds, shares, cycles and ratios, by numbers that can be checked by hand. */
import { expect, test } from "bun:test";
import { type BenchCase, caseName, checksumOf, type Residence } from "../../src/bench/bench-case.ts";
import { levelName, type MachineFacts, sizeBytes } from "../../src/bench/machine-facts.ts";
import { linearShapes, quickPlan, threadCounts, uniqueShapes } from "../../src/bench/plan.ts";
import { bandwidthFor, caseResults, type ReadResult, readResult } from "../../src/bench/results.ts";

function matrixCase(kernel: string, residence: Residence, tokens = 1): BenchCase {
  return {
    ...{ kernel, shape: "64x128", tokens, threads: 2, residence, copies: 1 },
    work: { operations: 2 * 64 * 128 * tokens, bytes: 1280, weights: 64 * 128 },
    run: () => {},
    verify: () => null,
  };
}

function measured(bench_case: BenchCase, minimum: number) {
  return { bench_case, time_ns: { minimum, median: 2 * minimum, maximum: 3 * minimum, count: 5 } };
}

function read(changes: Partial<ReadResult>): ReadResult {
  return {
    ...{ buffer_bytes: 4096, threads: 2, pages: "huge", prefetches: false, residence: "cache", level: "L1" },
    ...{ gigabytes_per_s: 10, median_gigabytes_per_s: 9 },
    ...changes,
  };
}

test("a ternary product: weights, operations, bytes, share, cycles and ratios", () => {
  const sherry = matrixCase("sherry", "cache");
  const [result] = caseResults(
    [
      measured(sherry, 128),
      measured(matrixCase("2-bit", "cache"), 256),
      measured(matrixCase("2-bit", "stream"), 1),
      measured(matrixCase("f32", "cache"), 1280),
      measured(matrixCase("sherry, scalar", "cache"), 12_800),
    ],
    new Map([[sherry, "abc"]]),
    [read({ gigabytes_per_s: 40 })],
    3e9,
  );
  expect(result).toEqual({
    ...{
      kernel: "sherry",
      shape: "64x128",
      tokens: 1,
      threads: 2,
      residence: "cache",
      copies: 1,
      samples: 5,
    },
    ...{ minimum_us: 0.128, median_us: 0.256, gigaweights_per_s: 64, gigaoperations_per_s: 128 },
    ...{ gigabytes_per_s: 10, bandwidth_share: 0.25, checksum: "abc" },
    // 128 ns at 3 GHz are 384 cycles for 64 times 128 weights.
    cycles_per_128_weights: expect.closeTo(6),
    ratios: { "2-bit": 2, f32: 10, scalar: 100 },
  });
});

test("prepared products are held against the prepared baseline, streaming ones against the streaming", () => {
  const results = caseResults(
    [
      measured(matrixCase("sherry prepared", "stream"), 100),
      measured(matrixCase("2-bit prepared", "stream"), 150),
      measured(matrixCase("2-bit", "stream"), 999),
      measured(matrixCase("sherry, scalar", "cache"), 5000),
    ],
    new Map(),
    [],
    null,
  );
  expect(results[0]?.ratios).toEqual({ "2-bit": 1.5, scalar: 50 });
  expect(results[0]).toMatchObject({ bandwidth_share: null, cycles_per_128_weights: null, checksum: null });
  expect(results[1]?.ratios).toEqual({});
});

test("the bandwidth of a case is that of the nearest buffer that holds it, the better of the loads", () => {
  const reads = [
    read({ buffer_bytes: 1024, gigabytes_per_s: 100 }),
    read({ buffer_bytes: 8192, gigabytes_per_s: 30 }),
    read({ buffer_bytes: 8192, gigabytes_per_s: 35, prefetches: true }),
    read({ buffer_bytes: 65_536, gigabytes_per_s: 20 }),
    read({ residence: "stream", buffer_bytes: 1 << 24, gigabytes_per_s: 7 }),
    read({ residence: "stream", buffer_bytes: 1 << 24, gigabytes_per_s: 9, pages: "small" }),
  ];
  expect(bandwidthFor(reads, 2, "cache", 2048)).toBe(100);
  expect(bandwidthFor(reads, 2, "cache", 2049)).toBe(35);
  expect(bandwidthFor(reads, 2, "stream", 1e9)).toBe(7);
  expect(bandwidthFor(reads, 2, "cache", 1e9)).toBeNull();
  expect(bandwidthFor(reads, 1, "cache", 1)).toBeNull();
});

const FACTS: MachineFacts = {
  ...{ cpu_model: "a CPU", architecture: "x64", system: "linux", usable_cpus: 2, memory_bytes: 1e9 },
  ...{ huge_pages: null, bun_version: "1" },
  caches: [
    { level: 1, bytes: 32_768, shared_by: "0" },
    { level: 2, bytes: 1_048_576, shared_by: "0" },
    { level: 3, bytes: 8_388_608, shared_by: "0-1" },
  ],
};

test("reads carry the name of the smallest cache that holds them; the last one is shared", () => {
  expect(levelName(FACTS, 32_768, 2)).toBe("L1");
  expect(levelName(FACTS, 32_769, 1)).toBe("L2");
  expect(levelName(FACTS, 4_194_304, 2)).toBe("L3");
  expect(levelName(FACTS, 4_194_305, 2)).toBe("DRAM");
  expect(levelName({ ...FACTS, caches: [] }, 1, 1)).toBe("unknown");
  const setting = {
    ...({ buffer_bytes: 640, threads: 2, pages: "huge", prefetches: false, residence: "stream" } as const),
  };
  const result = readResult(FACTS, setting, measured(matrixCase("read", "stream"), 128));
  expect(result).toEqual({ ...setting, level: "stream", gigabytes_per_s: 10, median_gigabytes_per_s: 5 });
});

test("sizes as the kernel writes them", () => {
  expect(["48K", "2M", "1G", "512"].map(sizeBytes)).toEqual([49_152, 2_097_152, 1_073_741_824, 512]);
  expect(["", "K", "48k", "-1K"].map(sizeBytes)).toEqual([null, null, null, null]);
});

test("thread counts and shapes of a plan", () => {
  expect([1, 2, 3, 8].map(threadCounts)).toEqual([[1], [1, 2], [1, 2, 3], [1, 2, 4, 8]]);
  const [model] = quickPlan().models;
  if (model === undefined) throw new Error("the quick plan has no model");
  expect(linearShapes(model)).toEqual([
    [128, 128],
    [64, 128],
    [256, 128],
    [128, 256],
  ]);
  expect(
    uniqueShapes([
      [1, 2],
      [2, 1],
      [1, 2],
    ]),
  ).toEqual([
    [1, 2],
    [2, 1],
  ]);
});

test("names of cases, and checksums that see every part", () => {
  expect(caseName(matrixCase("sherry", "cache"))).toBe("sherry 64x128, 2 threads, cache");
  expect(caseName({ ...matrixCase("q8", "stream", 8), threads: 1 })).toBe(
    "q8 64x128 x 8 tokens, 1 thread, stream",
  );
  const [a, b] = [Uint8Array.of(1, 2), Uint8Array.of(3)];
  expect(checksumOf(a, b)).toMatch(/^[0-9a-f]{16}$/);
  expect(checksumOf(a, b)).not.toBe(checksumOf(b, a));
});
