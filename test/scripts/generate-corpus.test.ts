/** The command that writes the corpus: both forms, both ranges of seeds, and what it refuses. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HELD_OUT_SEED_BEGIN, markedText, storyDocuments } from "../../scripts/corpus/documents.ts";
import { runGenerateCorpus } from "../../scripts/generate-corpus.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sherry-corpus-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function generate(...argv: string[]): string {
  const output = join(folder, "documents");
  runGenerateCorpus([...argv, "--output", output]);
  return readFileSync(output, "utf8");
}

test("text carries the markers, more of it than one write takes", () => {
  const expected = [...storyDocuments(5, 205)].map((document) => `${markedText(document)}\n`);
  expect(expected.join("").length).toBeGreaterThan(2 * 65_536);
  expect(generate("--seed-begin", "5", "--count", "200")).toBe(expected.join(""));
});

test("JSON lines carry seeds; held-out seeds are their own range", () => {
  const lines = generate("--seed-begin", "2", "--count", "40", "--held-out", "--json").trimEnd().split("\n");
  const begin = HELD_OUT_SEED_BEGIN + 2;
  const expected = [...storyDocuments(begin, begin + 40)].map((document, index) => ({
    seed: begin + index,
    ...document,
  }));
  expect(lines.map((line): unknown => JSON.parse(line))).toEqual(expected);
});

test("without --output documents go to standard output", () => {
  const script = join(import.meta.dir, "../../scripts/generate-corpus.ts");
  const { exitCode, stdout } = Bun.spawnSync([process.execPath, script, "--count", "2"]);
  expect(exitCode).toBe(0);
  expect(stdout.toString()).toBe([...storyDocuments(0, 2)].map((one) => `${markedText(one)}\n`).join(""));
  const refused = Bun.spawnSync([process.execPath, script, "--count", "none"]);
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr.toString()).toContain(
    "--count: expected an integer from 1 to 4294967296, received none",
  );
});

test("what cannot be is refused", () => {
  expect(() => runGenerateCorpus([])).toThrow(
    "--count: expected how many documents to write, received nothing",
  );
  expect(() => generate("--count", "0")).toThrow(
    "--count: expected an integer from 1 to 4294967296, received 0",
  );
  expect(() => generate("--seed-begin", "4294967295", "--count", "2")).toThrow(
    "seed_end: expected a whole number from 0 to 4294967296, received 4294967297",
  );
  const nowhere = join(folder, "missing", "file");
  expect(() => runGenerateCorpus(["--count", "1", "--output", nowhere])).toThrow(
    `${nowhere}: expected a file that can be written`,
  );
});
