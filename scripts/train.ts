#!/usr/bin/env bun
/** `bun run train --config FILE`: trains a model, exports it and evaluates it with the runtime. See docs/training.md. */
import { main } from "../src/cli/sherry.ts";

process.stdout.on("error", () => {});
process.exitCode = await main(["train", ...process.argv.slice(2)], undefined, {
  train: { summary: "Train a model", load: () => import("./training/train-command.ts") },
});
