/**
 * The loss curve of a run of 200 steps against the one that test/golden/ keeps: a change of a kernel, of the data or of
 * the optimizer shows here. To write it anew: SHERRY_WRITE_GOLDEN=1 bun test test/scripts/training/golden.test.ts
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readLog } from "../../../scripts/training/log.ts";
import { train } from "../../../scripts/training/train.ts";
import { Random } from "../../../src/sampling/random.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { tinyRun } from "./tiny-run.ts";

// Training takes as long as the machine is busy.
setDefaultTimeout(120_000);

const at = temporaryFolder();
const PATH = join(import.meta.dir, "../../golden/training-loss.json");
/**
 * In nats, of losses that fall from 5.7 to 1.4. Instruction sets round differently, and a block's zero that moves one step
 * earlier carries that on: the scalar level differs from AVX2 by at most 0.024 in a step and by 0.0001 in the mean.
 */
const TOLERANCE = 0.05;
/** The mean over the run averages such differences out. */
const MEAN_TOLERANCE = 0.005;

/** Sentences of this file's own, so that the curve does not depend on how the corpus grows. */
function writeSentences(path: string): void {
  const random = Random.fromSeed(2_026);
  const one = (words: string) => {
    const choices = words.split(" ");
    return choices[random.nextUint32() % choices.length] ?? "";
  };
  const sentence = () =>
    `The ${one("old small red quick quiet")} ${one("fox hen owl mouse crow goose")} ${one("saw found lost hid took")} ` +
    `${one("a the")} ${one("stone berry ring letter basket key")} ${one("by under behind near")} the ${one("river tree wall house hill")}.`;
  const documents = Array.from({ length: 600 }, () => Array.from({ length: 4 }, sentence).join(" "));
  writeFileSync(path, documents.join("\n"));
}

interface Golden {
  readonly version: 1;
  readonly losses: readonly number[];
  readonly perplexity: number;
}

test("a run of 200 steps has the golden loss curve", async () => {
  const path = at("sentences.txt");
  writeSentences(path);
  const texts = { files: [path], document_separator: "\n", document_end: "<|end|>" };
  const config = tinyRun(at("golden"), { data: { texts }, steps: 200, diagnostics: { interval_steps: 0 } });
  const { perplexity } = await train({ config, resume: false });
  const losses = readLog(join(at("golden"), "log.jsonl")).flatMap((line) =>
    line.kind === "step" ? [Number(line.loss.toFixed(5))] : [],
  );
  if (process.env["SHERRY_WRITE_GOLDEN"] === "1") {
    writeFileSync(PATH, `${JSON.stringify({ version: 1, losses, perplexity } satisfies Golden)}\n`);
  }
  const golden: Golden = JSON.parse(readFileSync(PATH, "utf8"));
  expect(golden.version).toBe(1);
  expect(losses).toHaveLength(golden.losses.length);
  const differences = losses.map((loss, step) => loss - (golden.losses[step] ?? Number.NaN));
  for (const [step, difference] of differences.entries()) {
    expect(Math.abs(difference), `step ${step + 1}`).toBeLessThan(TOLERANCE);
  }
  const mean = differences.reduce((sum, difference) => sum + difference, 0) / differences.length;
  expect(Math.abs(mean)).toBeLessThan(MEAN_TOLERANCE);
  expect(Math.abs(Math.log(perplexity / golden.perplexity))).toBeLessThan(TOLERANCE);
});
