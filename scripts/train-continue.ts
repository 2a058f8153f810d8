#!/usr/bin/env bun
/** `bun run train:continue --from FOLDER`: turns a trained model into a Sherry one. See docs/training.md. */
import { main } from "../src/cli/sherry.ts";

process.stdout.on("error", () => {});
process.exitCode = await main(["train:continue", ...process.argv.slice(2)], undefined, {
  "train:continue": {
    summary: "Continue a model as Sherry",
    load: () => import("./training/continue-command.ts"),
  },
});
