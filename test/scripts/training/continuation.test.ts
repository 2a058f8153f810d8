/** Continuing the real stories260K, on a few texts of its own and for a few steps; skipped where the model is not. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { continueModel } from "../../../scripts/training/continuation.ts";
import { run } from "../../../scripts/training/continue-command.ts";
import { SKIPS_SHARED, STORIES_FOLDER } from "../../shared.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

// Training takes as long as the machine is busy.
setDefaultTimeout(120_000);

const at = temporaryFolder();

describe.skipIf(SKIPS_SHARED)("stories260K", () => {
  test("loses much by projection and wins most of it back by training", async () => {
    const [before, projected, trained] = await continueModel({
      ...{ from: STORIES_FOLDER, output: at("continued"), samples: 16, sample_tokens: 96 },
      ...{ steps: 50, sequence_tokens: 64, sequences: 8, learning_rate: 0.004, teacher_weight: 0.5 },
    });
    if (!before || !projected || !trained) throw new Error("a model is missing");
    expect(before.perplexity).toBeLessThan(6);
    expect(projected.perplexity).toBeGreaterThan(50 * before.perplexity);
    expect(trained.perplexity).toBeLessThan(projected.perplexity / 5);
    for (const { perplexity, runtime_perplexity } of [before, projected, trained]) {
      // A projected model's logits are far apart, where int8 activations weigh more.
      expect(Math.abs(runtime_perplexity / perplexity - 1)).toBeLessThan(0.03);
    }
    expect(before.text).toStartWith("Once upon a time, there was a little girl named Lily.");
    expect(existsSync(join(at("continued"), "continuation.md"))).toBe(true);
  });
});

test("a model has to be named", async () => {
  await expect(run([])).rejects.toThrow(
    "bun run train:continue: expected --from DIR, received no model. Run 'bun run train:continue --help'",
  );
});
