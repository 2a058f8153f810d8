/** `sherry compare` on made-up models: report, JSON, interrupts and refusals. */
import { beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { run as compare } from "../../src/cli/compare.ts";
import { makeScoringFolder, packAs } from "../generation/scoring-models.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { FakeTerminal } from "./fake-terminal.ts";
import { attempt } from "./run-command.ts";

const pathOf = temporaryFolder();
const [model, near, text] = [pathOf("model.sherry"), pathOf("near.sherry"), pathOf("text.txt")];

beforeAll(async () => {
  await makeScoringFolder(pathOf("folder"));
  await packAs(pathOf("folder"), model, { linear: "f32", embedding: "f32" });
  await packAs(pathOf("folder"), near, { linear: "q8", embedding: "q8" });
  writeFileSync(text, "A short text to measure on.\n");
});

describe("sherry compare", () => {
  test("a report, or the same as JSON", async () => {
    const { exit_code, output, errors } = await attempt(compare, [
      model,
      near,
      "--text",
      text,
      "--threads",
      "1",
    ]);
    expect([exit_code, errors]).toEqual([0, ""]);
    expect(
      output
        .trimEnd()
        .split("\n")
        .map((line) => line.replace(/[\d.]+/g, "N")),
    ).toEqual([
      "KL divergence, nats   mean N, median N",
      "  percentiles         N: N, N: N",
      "                      N: N, largest N",
      "same likeliest token  N %",
      "perplexity            N and N",
      "tokens                N, windows of N, stride N",
      "time                  N s",
    ]);
    const same = await attempt(compare, [model, model, "--text", text, "--json"]);
    expect(JSON.parse(same.output)).toMatchObject({
      first: model,
      second: model,
      text,
      scored_tokens: 28,
      top_1_agreement: 1,
      divergence: { mean: 0, maximum: 0 },
    });
  });

  test("an interrupt ends it with 130; refusals and help", async () => {
    const long = pathOf("longer.txt");
    writeFileSync(long, "A long text to measure on.\n".repeat(2_000));
    const terminal = new FakeTerminal();
    setTimeout(() => terminal.interrupt(), 300);
    const argv = [model, near, "--text", long, "--stride", "1", "--threads", "1"];
    expect((await attempt(compare, argv, null, terminal)).errors).toBe("Interrupted.\n");
    expect((await attempt(compare, [model, near])).errors).toStartWith(
      "argument_invalid: sherry compare: expected --text",
    );
    expect((await attempt(compare, [model, "--text", text])).errors).toBe(
      `argument_invalid: sherry compare: expected FIRST SECOND, received ${model}. Run 'sherry compare --help' for the options`,
    );
    expect((await attempt(compare, ["--help"])).output).toContain("sherry compare FIRST SECOND [options]");
  });
});
