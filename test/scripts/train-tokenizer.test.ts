/** The command that trains a tokenizer: the folder it writes loads as a checkpoint's, and what it refuses. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runTrainTokenizer } from "../../scripts/train-tokenizer.ts";
import { isRecord } from "../../src/tokenizer/json.ts";
import { loadTokenizer, type Tokenizer } from "../../src/tokenizer/tokenizer.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sherry-tokenizer-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function train(name: string, ...argv: string[]): { tokenizer: Tokenizer; config: Record<string, unknown> } {
  const output = join(folder, name);
  runTrainTokenizer(["--output", output, ...argv]);
  const config: unknown = JSON.parse(readFileSync(join(output, "tokenizer_config.json"), "utf8"));
  if (!isRecord(config)) throw new Error("tokenizer_config.json is no object");
  return { tokenizer: loadTokenizer(readFileSync(join(output, "tokenizer.json")), config), config };
}

test("stories give a tokenizer of the size asked for", () => {
  const { tokenizer, config } = train("stories", "--vocab-size", "600", "--stories", "60");
  expect(tokenizer.vocab_size).toBe(600);
  expect(tokenizer.tokenId("Ġthe")).toBeGreaterThan(255);
  expect(config["model_max_length"]).toBe(512);
  expect(config["bos_token"]).toBe(null);
  expect(config["eos_token"]).toBe("<|end|>");
});

test("files alone give their own words", () => {
  const text = join(folder, "text.txt");
  writeFileSync(text, "zebra zebra zebra zebra zebra");
  const { tokenizer, config } = train(
    "files",
    "--vocab-size",
    "264",
    "--text",
    text,
    "--context-length",
    "99",
  );
  expect(tokenizer.encode(" zebra", { add_special_tokens: false })).toHaveLength(1);
  expect(config["model_max_length"]).toBe(99);
});

test("what cannot be is refused", () => {
  expect(() => runTrainTokenizer(["--output", folder])).toThrow(
    "--vocab-size: expected the number of tokens, received nothing",
  );
  expect(() => runTrainTokenizer(["--vocab-size", "600"])).toThrow(
    "--output: expected the folder to write into, received nothing",
  );
  expect(() => train("small", "--vocab-size", "100", "--stories", "1")).toThrow(
    "The vocabulary size: expected a whole number from 259",
  );
  const bytes = join(folder, "bytes");
  writeFileSync(bytes, Uint8Array.of(0xff, 0xfe, 0xfd));
  expect(() => train("bytes out", "--vocab-size", "300", "--text", bytes)).toThrow(
    `${bytes}: expected a text in UTF-8`,
  );
  expect(() => train("bytes/below-a-file", "--vocab-size", "259", "--stories", "1")).toThrow(
    "expected a folder that can be written",
  );
});
