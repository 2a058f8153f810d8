/** The whole page: its sections, runs told apart, and nothing in it that a log could have smuggled in. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { reportPage } from "../../../../scripts/training/report/page.ts";
import { parseRun } from "../../../../scripts/training/report/read-log.ts";
import { run } from "../../../../scripts/training/report/report-command.ts";
import { styleRuns } from "../../../../scripts/training/report/run-styles.ts";
import { attempt } from "../../../cli/run-command.ts";
import { temporaryFolder } from "../../../temporary-folder.ts";
import { type SampleOptions, sampleComparison, sampleLog } from "./sample-log.ts";

const at = temporaryFolder();
const runOf = (options: SampleOptions = {}) => parseRun(sampleLog(options), "log.jsonl");

function writeRun(folder: string, options: SampleOptions = {}): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "log.jsonl"), sampleLog(options));
  return folder;
}

describe("the page", () => {
  test("has every section of two runs", () => {
    const page = reportPage(
      [runOf(), runOf({ name: "two", method: "absmean", arenas: false, unfinished: true })],
      null,
    );
    const titles = [
      ...["Held-out perplexity", "Held-out loss", "Training loss", "Lambda, the weight of the residual"],
      ...["Effective rank of dL/dX, mean over layers", "Blocks whose zero moved since the last look"],
      ...["Gradient norm", "Learning rate", "Training speed", "q_proj, at most 64", "block 1, up_proj"],
    ];
    for (const title of titles) expect(page).toContain(`<figcaption>${title}</figcaption>`);
    expect(page).toContain("one: sherry + Arenas (cosine), group of 32</li>");
    expect(page).toContain("two: absmean, group of 32</li>");
    expect(page).toContain("4 of 4, unfinished");
    expect(page).toContain("<b>Once</b> upon step 4</blockquote>");
    expect(page).toContain("Earlier texts (3)");
    expect(page.match(/<details open>/g)).toHaveLength(1);
    expect(page).not.toContain("<h2>Comparison</h2>");
  });

  test("needs no network and no script, whatever logs say", () => {
    const hostile = '<script src="https://example.com/x.js"></script><img src=x onerror="alert(1)">&';
    const page = reportPage([runOf({ name: hostile, method: hostile, text: hostile })], null);
    expect(page).not.toMatch(/<script|<img|<link|<iframe|url\(|@import/i);
    expect(page).toContain("&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;");
  });

  test("of a run that has just started has what there is", () => {
    const [start] = sampleLog().split("\n");
    const page = reportPage([parseRun(`${start}\n`, "log.jsonl")], null);
    expect(page).toContain("0 of 4, unfinished");
    expect(page).not.toContain("<figure");
    expect(page).not.toContain("NaN");
  });
});

describe("runs", () => {
  test("are told apart by colour, then by dash; equal names are numbered", () => {
    const { runs, legend } = styleRuns(Array.from({ length: 8 }, (_, seed) => runOf({ seed })));
    expect(new Set(runs.map(({ style }) => style)).size).toBe(8);
    expect(runs.slice(0, 2).map(({ label }) => label)).toEqual(["one", "one (2)"]);
    expect(legend).toHaveLength(8);
    const methods = Array.from({ length: 10 }, (_, index) =>
      runOf({ name: `m${index}`, method: `m${index}` }),
    );
    expect(styleRuns(methods).runs.at(-1)?.style).toBe("curve-1 dash-1");
  });

  test("of one method share a colour when there are many", () => {
    const many = Array.from({ length: 12 }, (_, index) =>
      runOf({ name: `run${index}`, method: index % 2 === 0 ? "twn" : "binary", arenas: false }),
    );
    const { runs, legend } = styleRuns(many);
    expect(new Set(runs.map(({ style }) => style)).size).toBe(2);
    expect(legend.map(({ label }) => label)).toEqual([
      "twn, group of 32, 6 runs",
      "binary, group of 32, 6 runs",
    ]);
  });
});

describe("bun run train:report", () => {
  test("draws the runs of a comparison's folder, with its table", async () => {
    for (const name of ["sherry-seed10", "sherry-seed2"]) writeRun(join(at("compare"), name));
    writeFileSync(join(at("compare"), "comparison.json"), JSON.stringify(sampleComparison()));
    const output = at("page.html");
    const result = await attempt(run, [at("compare"), "--output", output]);
    expect(result).toEqual({ exit_code: 0, output: `Wrote ${output}: 2 runs\n`, errors: "" });
    const page = await Bun.file(output).text();
    expect(page).toContain("name small; seeds 1, 2; steps 4; parameters 1,234,567.");
    expect(page).toContain(
      '<td>sherry + Arenas (linear)</td><td>group of 32</td><td class="number">1.75</td>',
    );
    expect(page).toContain('<td>6.25, 6.5</td><td class="number">6.4</td><td class="number">–</td>');
    // Seed 2 before seed 10.
    expect(page.indexOf("sherry-seed2")).toBeLessThan(page.indexOf("sherry-seed10"));
  });

  test("draws single runs once each, with a comparison from elsewhere", async () => {
    const folder = writeRun(at("single"));
    writeFileSync(at("other.json"), JSON.stringify(sampleComparison()));
    const output = at("single.html");
    const result = await attempt(run, [folder, folder, "--comparison", at("other.json"), "--output", output]);
    expect(result.output).toBe(`Wrote ${output}: 1 run\n`);
    expect(await Bun.file(output).text()).toContain("<h2>Comparison</h2>");
  });

  test("says what it cannot draw", async () => {
    mkdirSync(at("empty"));
    const one = writeRun(at("one"));
    const refused = async (...argv: string[]) => (await attempt(run, argv)).errors;
    expect(await refused()).toContain(
      "argument_invalid: bun run train:report: expected RUN..., received nothing",
    );
    expect(await refused(at("empty"))).toContain("expected a run's folder with log.jsonl");
    expect(await refused(one, "--output", join(at("nowhere"), "x.html"))).toContain(
      "file_unwritable: the report's page: expected a file that can be written",
    );
    for (const name of ["a", "b"]) {
      writeRun(join(at(name), "run"));
      writeFileSync(join(at(name), "comparison.json"), JSON.stringify(sampleComparison()));
    }
    expect(await refused(at("a"), at("b"))).toContain("comparison: expected one, to show its table");
    const crowd = Array.from({ length: 257 }, (_, index) => writeRun(at(`crowd${index}`), { steps: 0 }));
    expect(await refused(...crowd)).toContain("runs: expected at most 256, received 257");
  });

  test("shows its options", async () => {
    expect((await attempt(run, ["--help"])).output).toContain("Usage: bun run train:report RUN... [options]");
  });
});
