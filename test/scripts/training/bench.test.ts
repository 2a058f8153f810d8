/** The training bench at a tiny size: every kernel is timed, and products have their share of a peak where there is one. */
import { expect, test } from "bun:test";
import { benchTraining } from "../../../scripts/training/bench.ts";
import { Kernels } from "../../../src/native/kernels.ts";

test("every kernel has a time for each number of threads", () => {
  const kernels = Kernels.create({ thread_count: 1 });
  const { cpu_level } = kernels;
  kernels.close();
  const shares: number[] = [];
  const { rows, peaks } = benchTraining({
    sizes: { hidden_sizes: [128], tokens: 16, sequence_tokens: 8, head_dim: 64, vocabulary: 32 },
    cpu_level,
    thread_counts: [1, 2],
    rounds: 1,
    slice_ms: 0,
    on_progress: (share) => shares.push(share),
  });
  expect(shares).toEqual([0, 0.5]);
  expect(peaks.map(({ threads }) => threads)).toEqual([1, 2]);
  expect(rows.length).toBe(2 * 19);
  for (const row of rows) {
    expect(row.minimum_us).toBeGreaterThan(0);
    expect(row.median_us).toBeGreaterThanOrEqual(row.minimum_us);
    const is_product = row.kernel.startsWith("linear");
    if (is_product) expect(row.gflops).toBeGreaterThan(0);
    expect(row.peak_share !== null).toBe(row.gflops !== null && cpu_level !== "scalar");
  }
});
