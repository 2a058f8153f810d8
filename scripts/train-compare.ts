#!/usr/bin/env bun
/** `bun run train:compare --config FILE`: trains every method on the same data and budget. See docs/training.md. */
import { main } from "../src/cli/sherry.ts";

process.stdout.on("error", () => {});
process.exitCode = await main(["train:compare", ...process.argv.slice(2)], undefined, {
  "train:compare": { summary: "Compare methods", load: () => import("./training/compare-command.ts") },
});
