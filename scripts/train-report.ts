#!/usr/bin/env bun
/** `bun run train:report RUN...`: draws runs as one HTML page. See docs/training.md. */
import { main } from "../src/cli/sherry.ts";

process.stdout.on("error", () => {});
process.exitCode = await main(["train:report", ...process.argv.slice(2)], undefined, {
  "train:report": {
    summary: "Draw runs as a page",
    load: () => import("./training/report/report-command.ts"),
  },
});
