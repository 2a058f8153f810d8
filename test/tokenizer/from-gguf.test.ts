/** Tokenizers out of GGUF: llama.cpp's real vocabularies and their expected ids, roles, and every refusal by its key. */
import { describe, expect, test } from "bun:test";
import { memorySource } from "../../src/format/byte-source.ts";
import { readGgufPart } from "../../src/packing/gguf/part.ts";
import { endTokenIds, tokenizerFromGguf } from "../../src/tokenizer/from-gguf.ts";
import { loadTokenizer } from "../../src/tokenizer/tokenizer.ts";
import { refusal } from "../format/refusal.ts";
import { BYTE_ALPHABET, SKIPS_SHARED, sharedFile } from "./fixtures.ts";
import type { Value } from "./gguf-metadata.ts";
import { bytePairs, load, metadataOf, ROLES, sentencePieces } from "./gguf-metadata.ts";

const plain = { add_special_tokens: false };

describe.skipIf(SKIPS_SHARED).each(["gpt-2", "llama-spm"])("%s of llama.cpp", (name) => {
  test("gives the expected ids of every text, and the texts back", async () => {
    const bytes = await sharedFile(`models/vocab/${name}.gguf`).bytes();
    const { tokenizer_json, tokenizer_config } = tokenizerFromGguf(
      readGgufPart(memorySource(bytes), name).metadata,
    );
    const tokenizer = loadTokenizer(tokenizer_json, tokenizer_config);
    const texts = (await sharedFile(`models/vocab/${name}.gguf.inp`).text()).split("\n__ggml_vocab_test__\n");
    const lines = (await sharedFile(`models/vocab/${name}.gguf.out`).text()).split("\n");
    expect(texts).toHaveLength(47);
    for (const [index, text] of texts.entries()) {
      const expected = (lines[index] ?? "").split(" ").filter(Boolean).map(Number);
      const token_ids = tokenizer.encode(text, plain);
      expect({ text, token_ids }).toEqual({ text, token_ids: expected });
      expect(tokenizer.decode(token_ids, { skip_special_tokens: true })).toBe(text);
    }
  });
});

describe("roles", () => {
  test("end tokens: the file's own, then those known by their texts", () => {
    const pieces = ["<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<x>"];
    const values = bytePairs(pieces, [], {
      token_type: [...BYTE_ALPHABET.map(() => 1), 4, 3, 1, 3],
      eos_token_id: 259,
      eot_token_id: 257,
    });
    // <|eot_id|> is spelled with letters here, so it ends nothing.
    expect(endTokenIds(metadataOf(values))).toEqual([259, 257, 256]);
    expect([...load(values).special_token_ids].sort()).toEqual([256, 257, 259]);
    expect(endTokenIds(metadataOf({ ...values, eom_token_id: 258 }))).toEqual([259, 257, 258, 256]);
    expect(endTokenIds(metadataOf(sentencePieces(["a"], [0])))).toEqual([2]);
  });

  test("the chat template is handed on", () => {
    const values = { ...bytePairs([], []), "tokenizer.chat_template": "{{ bos_token }}" };
    expect(tokenizerFromGguf(metadataOf(values)).chat_template).toBe("{{ bos_token }}");
    expect(tokenizerFromGguf(metadataOf(bytePairs([], []))).chat_template).toBeNull();
  });
});

describe("refusals", () => {
  const spm = sentencePieces(["a"], [0]);
  const without = (values: Readonly<Record<string, Value>>, key: string) =>
    Object.fromEntries(Object.entries(values).filter(([name]) => name !== key));
  const cases: [string, Readonly<Record<string, Value>>, string][] = [
    ["no model", {}, 'model: expected "llama" or "gpt2", received nothing'],
    ["no tokens", { model: "gpt2" }, "tokens: expected an array of texts, received nothing"],
    [
      "a text twice",
      { ...spm, tokens: [...ROLES, "</s>"] },
      'tokens: expected each text once, received "</s>" as 2 and 3',
    ],
    ["too few kinds", { ...spm, token_type: [1] }, "token_type: expected 4, one for each token, received 1"],
    ["an unknown kind", { ...spm, token_type: [1, 1, 1, 9] }, "token_type[3]: expected 0 to 6, received 9"],
    ["an id outside", { ...spm, bos_token_id: 4 }, "bos_token_id: expected an id below 4, received 4"],
    ["no scores", without(spm, "scores"), "scores: expected 4 numbers, one for each token, received nothing"],
    ["too few scores", { ...spm, scores: [1] }, "scores: expected 4 numbers, one for each token, received 1"],
    [
      "a score that is no number",
      { ...spm, scores: [0, 0, 0, Number.NaN] },
      "scores[3]: expected a finite number, received NaN",
    ],
    [
      "a piece without end",
      { ...spm, tokens: [...ROLES, "a".repeat(257)] },
      "tokens[3]: expected at most 256 characters, received 257",
    ],
    [
      "no merges",
      without(bytePairs([], []), "merges"),
      "merges: expected an array of texts, received nothing",
    ],
    ["half a merge", bytePairs([], ["ab"]), 'merges[0]: expected two texts and a space, received "ab"'],
    ["an empty part", bytePairs([], ["a "]), 'merges[0]: expected two texts and a space, received "a "'],
    [
      "a part that is no token",
      bytePairs([], ["a bb"]),
      'merges[0]: expected parts and a result that are tokens, received "bb"',
    ],
    [
      "a result that is no token",
      bytePairs([], ["a b"]),
      'merges[0]: expected parts and a result that are tokens, received "ab"',
    ],
    [
      "BOS wanted and none",
      bytePairs([], [], { add_bos_token: true }),
      "bos_token_id: expected an id, as tokenizer.ggml.add_bos_token is true, received nothing",
    ],
    [
      "EOS wanted and none",
      bytePairs([], [], { add_eos_token: true }),
      "eos_token_id: expected an id, as tokenizer.ggml.add_eos_token is true, received nothing",
    ],
  ];
  test.each(cases)("%s", (_name, values, message) => {
    expect(refusal(() => tokenizerFromGguf(metadataOf(values)))).toEqual({
      code: "tokenizer_invalid",
      message: `tokenizer.ggml.${message}`,
    });
  });

  test("an end token outside", () => {
    expect(refusal(() => endTokenIds(metadataOf({ ...spm, eot_token_id: 9 })))).toEqual({
      code: "tokenizer_invalid",
      message: "tokenizer.ggml.eot_token_id: expected an id below 4, received 9",
    });
  });

  test("another kind of tokenizer, and bytes among byte pairs", () => {
    expect(refusal(() => tokenizerFromGguf(metadataOf({ ...spm, model: "bert" })))).toEqual({
      code: "tokenizer_unsupported",
      message:
        'tokenizer.ggml.model: expected "llama" or "gpt2", received "bert". Pack the original checkpoint, with its tokenizer.json',
    });
    const bytes = bytePairs(["<0x00>"], [], { token_type: [...BYTE_ALPHABET.map(() => 1), 6] });
    expect(refusal(() => tokenizerFromGguf(metadataOf(bytes)))).toEqual({
      code: "tokenizer_unsupported",
      message:
        "tokenizer.ggml.token_type[256]: expected no byte tokens in a byte-pair vocabulary, whose bytes are letters of " +
        'their own, received "<0x00>"',
    });
  });
});
