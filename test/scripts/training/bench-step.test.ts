/** Whole steps of a tiny run, timed: the products are a part of each, and their operations are the model's. */
import { expect, test } from "bun:test";
import { benchSteps } from "../../../scripts/training/bench-step.ts";
import { openSession } from "../../../scripts/training/session.ts";
import { TemporaryFolder } from "../../packing/checkpoint-folder.ts";
import { tinyRun } from "./tiny-run.ts";

test("a step's products and its tokens", () => {
  using place = new TemporaryFolder();
  const folder = place.at("run");
  const session = openSession(tinyRun(folder), folder, () => {});
  try {
    const bench = benchSteps(session, 3);
    expect(bench).toMatchObject({ threads: 2, tokens: 128 });
    expect(bench.product_ms).toBeGreaterThan(0);
    expect(bench.step_ms).toBeGreaterThan(bench.product_ms);
    expect(bench.product_share).toBeCloseTo(bench.product_ms / bench.step_ms, 10);
    // Each weight of a layer and of the head meets each token in three products, a multiplication and an addition each:
    // two layers of q and o 32 x 32, k and v 16 x 32, gate, up and down 64 x 32, and a head of 32 columns.
    const weights = 2 * (2 * 1024 + 2 * 512 + 3 * 2048) + session.model.config.vocab_size * 32;
    expect(bench.product_gflops * bench.product_ms * 1e6).toBeCloseTo(3 * 2 * 128 * weights, -2);
  } finally {
    session.close();
  }
});
