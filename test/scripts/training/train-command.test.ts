/** `bun run train` and `bun run train:compare` as commands: help, result, interrupt, what they say on the way. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import * as compare from "../../../scripts/training/compare-command.ts";
import { duration, trainingProgress } from "../../../scripts/training/progress.ts";
import { run } from "../../../scripts/training/train-command.ts";
import { FakeTerminal } from "../../cli/fake-terminal.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { tinyConfig } from "./tiny-run.ts";

// Training takes as long as the machine is busy.
setDefaultTimeout(120_000);

const at = temporaryFolder();

function written(name: string, settings: object): string {
  const path = at(`${name}.json`);
  writeFileSync(path, JSON.stringify({ ...tinyConfig(at(name)), steps: 5, ...settings }));
  return path;
}

describe("bun run train", () => {
  test("prints its result as one object", async () => {
    const terminal = new FakeTerminal();
    const config = written("json", { samples: { interval_steps: 5, prompts: ["Once"], max_tokens: 4 } });
    expect(await run(["--config", config, "--json"], terminal, null)).toBe(0);
    const result = JSON.parse(terminal.output);
    expect(result).toMatchObject({ folder: at("json"), step: 5, bits_per_weight: 1.75 });
    expect(result.runtime_perplexity).toBeGreaterThan(1);
    expect(terminal.errors).toContain("Training a tokenizer of 300 tokens on 40 documents\n");
    expect(terminal.errors).toMatch(
      /step 5 of 5 {2}loss \d\.\d{3} {2}lambda 0\.00 {2}\d+ tokens\/s {2}0 s left\n/,
    );
    expect(terminal.watcher_count).toBe(0);
  });

  test("prints a table, into the folder that is asked for", async () => {
    const terminal = new FakeTerminal();
    const config = written("table", {});
    expect(await run(["--config", config, "--output", at("elsewhere")], terminal, null)).toBe(0);
    expect(terminal.output).toContain(at("elsewhere"));
    expect(terminal.output).toMatch(/held-out perplexity +\d+\.\d{4} in training, lambda 0/);
  });

  test("stops for an interrupt with a checkpoint, and goes on", async () => {
    const terminal = new FakeTerminal();
    const config = written("interrupted", { steps: 4_000, evaluation: { interval_steps: 0, tokens: 64 } });
    const stopped = run(["--config", config], terminal, null);
    setTimeout(() => terminal.interrupt(), 300);
    expect(await stopped).toBe(130);
    expect(terminal.errors).toEndWith("Interrupted; the checkpoint is written, --resume goes on.\n");
    const again = new FakeTerminal();
    const going_on = run(["--config", config, "--resume"], again, null);
    setTimeout(() => again.interrupt(), 300);
    expect(await going_on).toBe(130);
    expect(again.errors).toMatch(/Going on after step \d+ of 4000 \(checkpoint\/state\.safetensors\)/);
  });

  test("shows its options, and wants a configuration", async () => {
    const terminal = new FakeTerminal();
    expect(await run(["--help"], terminal, null)).toBe(0);
    expect(terminal.output).toContain("--resume");
    await expect(run([], terminal, null)).rejects.toThrow(
      "bun run train: expected --config FILE, received no configuration. Run 'bun run train --help' for the options",
    );
  });
});

describe("bun run train:compare", () => {
  test("prints the table, and the comparison as one object", async () => {
    const { name, output: _, seed: __, quantization: ___, ...base } = tinyConfig("");
    const config = at("compare.json");
    const rows = [{ method: "binary", group_columns: 32 }];
    writeFileSync(
      config,
      JSON.stringify({ name, output: at("compared"), seeds: [4], base: { ...base, steps: 5 }, rows }),
    );
    const terminal = new FakeTerminal();
    expect(await compare.run(["--config", config], terminal, null)).toBe(0);
    expect(terminal.errors).toContain("Run 1 of 1: binary-seed4\n");
    expect(terminal.output).toContain("| binary | group 32 | 1.500 |");
    const json = new FakeTerminal();
    expect(await compare.run(["--config", config, "--json"], json, null)).toBe(0);
    expect(JSON.parse(json.output).rows).toHaveLength(1);
  });

  test("shows its options", async () => {
    const terminal = new FakeTerminal();
    expect(await compare.run(["--help"], terminal, null)).toBe(0);
    expect(terminal.output).toContain("bun run train:compare");
  });
});

describe("progress", () => {
  const progress = { step: 3, steps: 10, loss: 2, gradient_norm: 1, learning_rate: 0.1, lambda: 0.5 };

  test("is a bar on a terminal", () => {
    const terminal = new FakeTerminal();
    const shown = trainingProgress(terminal, 120);
    shown.step({ ...progress, tokens_per_second: 1234.4, seconds_left: 70 });
    expect(terminal.errors).toContain(
      "30 %  step 3 of 10  loss 2.000  lambda 0.50  1234 tokens/s  1 min 10 s left",
    );
    shown.end();
  });

  test("is a line now and then elsewhere", () => {
    const terminal = new FakeTerminal();
    const shown = trainingProgress(terminal, null);
    for (let step = 1; step <= 10; step += 1) {
      shown.step({ ...progress, step, tokens_per_second: 10, seconds_left: 0 });
    }
    // The first and the last; half a minute has not passed between them.
    expect(terminal.errors.trim().split("\n")).toHaveLength(2);
  });

  test.each([
    [0, "0 s"],
    [59.4, "59 s"],
    [61, "1 min 01 s"],
    [3_700, "1 h 01 min"],
  ])("tells %d seconds as %s", (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });
});
