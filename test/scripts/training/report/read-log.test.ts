/** A log read back: what is in it, what may be missing, and the line and field that a refusal names. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readComparison } from "../../../../scripts/training/report/read-comparison.ts";
import { parseRun, readRun } from "../../../../scripts/training/report/read-log.ts";
import { refusal } from "../../../format/refusal.ts";
import { temporaryFolder } from "../../../temporary-folder.ts";
import { logText, sampleComparison, sampleLines, sampleLog } from "./sample-log.ts";

const at = temporaryFolder();

/** The lines with one field of line `index` changed; undefined takes it away. */
function changed(index: number, change: object): string {
  const lines = sampleLines();
  lines[index] = { ...lines[index], ...change };
  return logText(lines);
}

describe("a log", () => {
  test("comes back by kind, from a folder or from the file", () => {
    const folder = at("run");
    mkdirSync(folder);
    writeFileSync(join(folder, "log.jsonl"), sampleLog());
    const run = readRun(folder);
    expect(run).toEqual(readRun(join(folder, "log.jsonl")));
    expect(run.name).toBe("run");
    expect(run.start).toMatchObject({ method: "sherry", steps: 4 });
    expect([run.steps, run.evaluations, run.diagnostics, run.samples].map((lines) => lines.length)).toEqual([
      4, 4, 4, 4,
    ]);
    expect(run.finish?.runtime_perplexity).toBe(2.72);
  });

  test("may hold fields and empty lines that are not known here", () => {
    const run = parseRun(`${changed(1, { temperature_celsius: 40 })}\n\n`, "log.jsonl");
    expect(run.steps).toHaveLength(4);
    expect(run.name).toBe("one");
  });

  test("of a run that is being written loses its last, half line, even within a character", () => {
    const whole = Buffer.from(sampleLog({ unfinished: true }));
    const half = Buffer.from('{"kind":"sample","step":9,"prompt":"ä').subarray(0, -1);
    writeFileSync(at("half.jsonl"), Buffer.concat([whole, half]));
    const run = readRun(at("half.jsonl"));
    expect(run.samples).toHaveLength(4);
    expect(run.finish).toBeNull();
  });

  test.each([
    ["no JSON", "nonsense\n", "log.jsonl, line 1: expected one JSON object, received nonsense"],
    [
      "a kind that is none",
      changed(1, { kind: "stop" }),
      'log.jsonl, line 2, kind: expected start, step, evaluation, diagnostics, sample or finish, received "stop"',
    ],
    [
      "a number that is a text",
      changed(1, { loss: "low" }),
      'log.jsonl, line 2, loss: expected a number, received "low"',
    ],
    ["a number that is null", changed(1, { loss: null }), "line 2, loss: expected a number, received null"],
    ["a missing field", changed(1, { loss: undefined }), "line 2, loss: expected a value, received nothing"],
    ["another version", changed(0, { version: 2 }), "line 1, version: expected version 1, received 2"],
    [
      "a layer's share above 1",
      changed(3, {
        layers: [
          {
            ...{ name: "q", effective_rank: 1, effective_rank_max: 1, zero_moved_fraction: 1.5 },
            histogram: { low: 0, high: 1, counts: [1] },
          },
        ],
      }),
      "line 4, layers.0.zero_moved_fraction: expected a share from 0 to 1, received 1.5",
    ],
    ["an empty file", "", "log.jsonl: expected a first line of kind start, received no whole line"],
    [
      "no start",
      logText(sampleLines().slice(1)),
      "log.jsonl: expected a first line of kind start, received step",
    ],
    [
      "two runs",
      sampleLog() + sampleLog(),
      "log.jsonl: expected one run, received a second line of kind start",
    ],
  ])("with %s is refused", (_, source, message) => {
    const error = refusal(() => parseRun(source, "log.jsonl"));
    expect(error.code).toBe("argument_invalid");
    expect(error.message).toContain(message);
  });

  test("that is not there is named", () => {
    expect(refusal(() => readRun(at("nowhere"))).code).toBe("file_not_found");
  });
});

describe("a comparison", () => {
  test("comes back", () => {
    writeFileSync(at("comparison.json"), JSON.stringify(sampleComparison()));
    expect(readComparison(at("comparison.json")).rows).toHaveLength(2);
  });

  test("that is broken is refused by its field", () => {
    writeFileSync(at("broken.json"), "{");
    expect(refusal(() => readComparison(at("broken.json"))).message).toContain("expected one JSON object");
    writeFileSync(at("rows.json"), JSON.stringify({ ...sampleComparison(), rows: [{ method: 1 }] }));
    expect(refusal(() => readComparison(at("rows.json"))).message).toContain(
      "rows.json, rows.0.method: expected a text, received 1",
    );
  });
});
