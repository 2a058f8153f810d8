/** The measurements of the head's agreement, tiny: they run, agree, and would notice a miss. */
import { expect, test } from "bun:test";
import { isTop } from "../../scripts/head-agreement/agreement.ts";
import { measureMadeUpHeads } from "../../scripts/head-agreement/made-up-heads.ts";
import { measureModelHead } from "../../scripts/head-agreement/model-head.ts";
import { runHeadAgreement } from "../../scripts/head-agreement.ts";
import { run as makeModel } from "../../src/cli/make-model.ts";
import { HEAD_COARSE_MARGIN } from "../../src/native/coarse-head.ts";
import { HEAD_MARGIN } from "../../src/native/head.ts";
import { FakeTerminal } from "../cli/fake-terminal.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const pathOf = temporaryFolder();

const TINY = {
  positions: 60,
  rows: 2_000,
  columns: 64,
  margin: HEAD_MARGIN,
  coarse_margin: null,
  threads: 1,
  seed: 7,
};

test("with the margin that is used no position differs", () => {
  const reported: string[] = [];
  const shares: number[] = [];
  const results = measureMadeUpHeads(
    TINY,
    ({ head, entropy }) => reported.push(`${head}, ${entropy}`),
    (share) => shares.push(share),
  );
  expect(shares).toEqual(Array.from({ length: 12 }, (_, index) => index / 12));
  expect(reported).toHaveLength(12);
  expect(new Set(reported).size).toBe(12);
  for (const { misses, positions, rows_rescored } of results) {
    expect(misses).toBe(0);
    expect(positions).toBe(60);
    expect(rows_rescored.map(({ count }) => count)).toEqual([1, 40, 256]);
  }
});

test("with no margin some do", () => {
  const results = measureMadeUpHeads({ ...TINY, margin: 0, positions: 300 });
  const misses = results.reduce((sum, result) => sum + result.misses, 0);
  expect(misses).toBeGreaterThan(0);
});

test("with the coarse pass no position differs either, and with a coarse margin far too small some do", () => {
  const misses = (coarse_margin: number, positions: number) =>
    measureMadeUpHeads({ ...TINY, coarse_margin, positions }).reduce((sum, result) => sum + result.misses, 0);
  expect(misses(HEAD_COARSE_MARGIN, 60)).toBe(0);
  expect(misses(0, 300)).toBeGreaterThan(0);
});

async function modelWithHead(kind: string): Promise<string> {
  const path = pathOf(`${kind}.sherry`);
  const sizes =
    "--layers 1 --hidden 64 --ffn 96 --heads 4 --key-value-heads 2 --head-dim 16 --vocabulary 700 --positions 64";
  await makeModel(`llama ${sizes} --embedding ${kind} -o ${path}`.split(" "), new FakeTerminal(), null);
  return path;
}

test("over a text no position of a model's head differs, with the coarse pass and without", async () => {
  const path = await modelWithHead("split8");
  const text = "Once upon a time there was a fox who counted every leaf. ".repeat(6);
  for (const coarse of [false, true]) {
    const shares: number[] = [];
    const options = { path, text, positions: null, coarse, threads: 1 };
    const { head, positions, misses, rows_rescored } = measureModelHead(options, (share) =>
      shares.push(share),
    );
    expect([head, misses]).toEqual([path, 0]);
    // One token a byte, and the one that begins the text.
    expect(positions).toBe(text.length + 1);
    expect(shares.at(-1)).toBe(1);
    expect(rows_rescored.map(({ count }) => count)).toEqual([1, 40, 256]);
    expect(rows_rescored.every(({ mean }) => mean >= 1)).toBe(true);
    expect(measureModelHead({ ...options, positions: 50 }).positions).toBe(50);
  }
});

test("options that do not go together are refused, each with what to do", () => {
  for (const [line, ...parts] of [
    ["--text a.txt", "--text", "a model that reads it", "Name a .sherry file"],
    ["--coarse-margin 3", "--coarse-margin", "a coarse pass", "Add --coarse"],
    ["a.sherry", "--text", "what the model reads", "Name a text file"],
    ["a.sherry --text a.txt --rows 9", "--rows", "made-up heads", "Leave the option or the model out"],
  ] as const) {
    for (const part of parts) expect(() => runHeadAgreement(line.split(" "))).toThrow(part);
  }
});

test("a model with another head is refused", async () => {
  const path = await modelWithHead("q8");
  expect(() => measureModelHead({ path, text: "abc", positions: null, coarse: false, threads: 1 })).toThrow(
    /expected a split8 head/,
  );
});

test("the likeliest rows are those with the largest logits, of equal ones the first, each with its own logit", () => {
  const logits = Float32Array.of(1, 5, 3, 5, -2, 3);
  const judge = (ids: number[], top = ids.map((id) => logits[id] ?? 0)) =>
    isTop(Uint32Array.from(ids), Float32Array.from(top), logits);
  expect(judge([1, 3, 2])).toBe(true);
  expect(judge([1])).toBe(true);
  expect(judge([3, 1, 2])).toBe(false);
  expect(judge([1, 2])).toBe(false);
  expect(judge([1, 3, 5])).toBe(false);
  expect(judge([1, 1])).toBe(false);
  expect(judge([1, 3, 2], [5, 5, 3.0000002])).toBe(false);
});
