/** tokenizer.json that is broken, or asks for what would come out wrong, is refused by name. */
import { describe, expect, test } from "bun:test";
import { TOKENIZER_BYTES_MAX } from "../../src/limits.ts";
import { readTokenizerDefinition } from "../../src/tokenizer/definition.ts";
import { byteLevelTokenizer, errorOf, jsonBytes, piecesTokenizer } from "./fixtures.ts";

function refusal(file: unknown): string {
  const bytes = file instanceof Uint8Array ? file : jsonBytes(file);
  const error = errorOf(() => readTokenizerDefinition(bytes, {}));
  return `${error.code}: ${error.message}`;
}

function withModel(changes: Record<string, unknown>): Record<string, unknown> {
  const file = piecesTokenizer();
  return { ...file, model: { ...(file["model"] as object), ...changes } };
}

describe("readTokenizerDefinition", () => {
  test("lists every token by id and hands the library what it needs", () => {
    const { token_texts, added_tokens, library_input } = readTokenizerDefinition(
      jsonBytes(byteLevelTokenizer()),
      {},
    );
    expect(token_texts.slice(-3)).toEqual(["<|begin|>", "<|end|>", "<tool é>"]);
    expect(token_texts[0]).toBe("Ā");
    expect(added_tokens.map((token) => token.special)).toEqual([true, true, false]);
    expect(library_input["decoder"]).toMatchObject({ type: "ByteLevel" });
  });

  test("fills in parts that old files leave out", () => {
    const { model, decoder } = piecesTokenizer();
    const { type: _, ...untyped } = model as Record<string, unknown>;
    const { library_input, added_tokens } = readTokenizerDefinition(
      jsonBytes({ model: untyped, decoder }),
      {},
    );
    expect(library_input).toMatchObject({ normalizer: null, pre_tokenizer: null, post_processor: null });
    expect(library_input["model"]).toMatchObject({ type: "BPE" });
    expect(added_tokens).toEqual([]);
  });

  test("refuses bytes that are no JSON in UTF-8", () => {
    expect(refusal(new TextEncoder().encode("{"))).toStartWith(
      "tokenizer_invalid: tokenizer.json: expected JSON in UTF-8, received 1 bytes that are not (",
    );
    expect(refusal(Uint8Array.of(0x22, 0xff, 0x22))).toStartWith(
      "tokenizer_invalid: tokenizer.json: expected JSON",
    );
    expect(refusal(new TextEncoder().encode("["))).toEndWith("Fetch the checkpoint's tokenizer.json again");
    expect(refusal([])).toBe(
      "tokenizer_invalid: tokenizer.json: root: expected an object, received a list of 0",
    );
  });

  test("refuses a file above the limit before it reads it", () => {
    const bytes = new Uint8Array(TOKENIZER_BYTES_MAX + 1);
    expect(refusal(bytes)).toBe(
      "tokenizer_invalid: tokenizer.json: size: expected at most 268435456 bytes, received 268435457",
    );
  });

  test("refuses other models than byte-pair encoding, by type", () => {
    expect(refusal(withModel({ type: "Unigram" }))).toBe(
      'tokenizer_unsupported: tokenizer.json: model type: expected "BPE", received "Unigram". ' +
        "This tokenizer would give wrong ids here; use a checkpoint with another one",
    );
    expect(refusal({ model: { vocab: { a: 0 } } })).toStartWith(
      'tokenizer_unsupported: tokenizer.json: model type: expected "BPE", received null',
    );
    expect(refusal({})).toBe(
      "tokenizer_invalid: tokenizer.json: model: expected an object, received nothing",
    );
    for (const option of ["continuing_subword_prefix", "end_of_word_suffix"]) {
      expect(refusal(withModel({ [option]: "##" }))).toStartWith(
        `tokenizer_unsupported: tokenizer.json: model.${option}: expected none, received "##"`,
      );
    }
    expect(refusal(withModel({ unk_token: {} }))).toBe(
      "tokenizer_invalid: tokenizer.json: model.unk_token: expected a text or null, received an object",
    );
  });

  test("refuses a vocabulary that is none", () => {
    const place = "tokenizer_invalid: tokenizer.json: model.vocab: expected";
    expect(refusal(withModel({ vocab: [] }))).toBe(
      `${place} an object of token texts and ids, received a list of 0`,
    );
    expect(refusal(withModel({ vocab: {} }))).toBe(`${place} at least one token, received none`);
    for (const id of [-1, 0.5, 2 ** 24, "1", null]) {
      expect(refusal(withModel({ vocab: { a: id } }))).toBe(
        `${place} ids from 0 to 16777215, received ${JSON.stringify(id)}`,
      );
    }
    expect(refusal(withModel({ vocab: { "\ud83d": 0 } }))).toBe(
      `${place} texts of whole characters, received "\\ud83d"`,
    );
  });

  test("refuses merges that are none, or that mix both ways of writing them", () => {
    expect(refusal(withModel({ merges: {} }))).toBe(
      "tokenizer_invalid: tokenizer.json: model.merges: expected a list of pairs, received an object",
    );
    for (const merge of ["a", "a b c", " a", 5, ["a", "b"]]) {
      expect(refusal(withModel({ merges: ["a b", merge] }))).toStartWith(
        "tokenizer_invalid: tokenizer.json: model.merges[1]: expected two texts with one space between them, received",
      );
    }
    for (const merge of [["a"], ["a", 1], ["a", ""], "a b", null]) {
      expect(refusal(withModel({ merges: [["a", "b"], merge] }))).toStartWith(
        "tokenizer_invalid: tokenizer.json: model.merges[1]: expected a pair of texts, received",
      );
    }
  });
});
