/** The toy model that other tests load: small, sound, labelled, and the same bytes from every run. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { openFileSource } from "../src/format/byte-source.ts";
import { readPackedFile } from "../src/format/reader.ts";
import { verifyPackedFile } from "../src/format/verify.ts";
import { loadTokenizer } from "../src/tokenizer/tokenizer.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { makeToyModel, toyModelPath } from "./toy-model.ts";

const at = temporaryFolder();

test("two runs give the same bytes", async () => {
  await makeToyModel(at("again.sherry"));
  expect(readFileSync(at("again.sherry")).equals(readFileSync(await toyModelPath()))).toBe(true);
});

test("it is small, sound and labelled, with every linear layer packed", async () => {
  const source = openFileSource(await toyModelPath());
  try {
    expect(source.bytes).toBeLessThan(400_000);
    expect(verifyPackedFile(source).problems).toEqual([]);
    const file = readPackedFile(source);
    expect(file.directory.label).toBe("toy model: random weights, its text means nothing");
    const linear = file.directory.tensors.filter((tensor) => tensor.name.includes("_proj"));
    expect(linear.map((tensor) => tensor.kind)).toEqual(new Array(14).fill("sherry"));
    const granularities = new Set(linear.map((tensor) => tensor.scale?.granularity));
    expect(granularities).toEqual(new Set(["channel", "group"]));
  } finally {
    source.close();
  }
});

test("its tokenizer takes any text and gives it back, one token a byte after the beginning", async () => {
  const source = openFileSource(await toyModelPath());
  try {
    const file = readPackedFile(source);
    const tokenizer = loadTokenizer(
      file.readTokenizer() ?? new Uint8Array(),
      file.directory.tokenizer_config,
    );
    expect(tokenizer.vocab_size).toBe(258);
    const text = "Every byte: \t\n ~ ¡ ­ ÿ Ā € 漢 🎈";
    const ids = tokenizer.encode(text, { add_special_tokens: true });
    expect(ids).toEqual([256, ...new TextEncoder().encode(text)]);
    expect(tokenizer.decode(ids, { skip_special_tokens: true })).toBe(text);
    expect(tokenizer.encode("<|end|>", { add_special_tokens: false })).toEqual([257]);
  } finally {
    source.close();
  }
});
