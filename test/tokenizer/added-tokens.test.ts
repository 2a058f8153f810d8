/** Added tokens of both files, joined as transformers joins them. */
import { describe, expect, test } from "bun:test";
import { readAddedTokens } from "../../src/tokenizer/added-tokens.ts";
import { loadTokenizer } from "../../src/tokenizer/tokenizer.ts";
import { byteLevelTokenizer, errorOf, jsonBytes } from "./fixtures.ts";

const VOCAB = new Map([
  ["a", 0],
  ["<s>", 1],
  ["</s>", 2],
]);

function refusal(list: unknown, tokenizer_config: Record<string, unknown> = {}): string {
  const error = errorOf(() => readAddedTokens(list, tokenizer_config, VOCAB));
  return `${error.code}: ${error.message}`;
}

describe("readAddedTokens", () => {
  test("keeps the options that change what matches", () => {
    const list = [{ id: 3, content: "<x>", special: true, normalized: false, lstrip: true, rstrip: false }];
    expect(readAddedTokens(list, {}, VOCAB)).toEqual([
      { id: 3, content: "<x>", special: true, normalized: false, lstrip: true, rstrip: false },
    ]);
    expect(readAddedTokens([{ id: 3, content: "<x>" }], {}, VOCAB)).toEqual([
      { id: 3, content: "<x>", special: false, lstrip: false, rstrip: false },
    ]);
  });

  test("joins tokens and named special tokens that only tokenizer_config.json has", () => {
    const tokens = readAddedTokens(
      [{ id: 3, content: "<x>", special: true }],
      {
        added_tokens_decoder: {
          "3": { content: "<x>", special: false },
          "4": { content: "<y>", special: true },
          "9": { content: "a", special: false },
        },
        bos_token: { content: "<s>" },
        eos_token: "</s>",
        pad_token: "<nowhere>",
        additional_special_tokens: ["<y>"],
      },
      VOCAB,
    );
    expect(tokens.map(({ id, content, special }) => [id, content, special])).toEqual([
      [3, "<x>", true],
      [4, "<y>", true],
      [0, "a", false],
      [1, "<s>", true],
      [2, "</s>", true],
    ]);
  });

  test("makes a marker of tokenizer_config.json one token, skipped in the answer", () => {
    const file = byteLevelTokenizer();
    const end_id = loadTokenizer(jsonBytes(file), {}).vocab_size;
    const added_tokens_decoder = { [end_id]: { content: "<|user|>", special: true } };
    const tokenizer = loadTokenizer(jsonBytes(file), { added_tokens_decoder });
    const token_ids = tokenizer.encode("a<|user|>b", { add_special_tokens: false });
    expect(token_ids[1]).toBe(end_id);
    expect(token_ids.length).toBe(3);
    expect(tokenizer.decode(token_ids, { skip_special_tokens: true })).toBe("ab");
  });

  test("refuses tokens that are none", () => {
    const place = "tokenizer_invalid: tokenizer.json: added_tokens";
    expect(refusal({})).toBe(`${place}: expected a list, received an object`);
    expect(refusal([5])).toBe(`${place}[0]: expected an object, received 5`);
    expect(refusal([{ id: 3, content: "" }])).toBe(
      `${place}[0].content: expected a text that is not empty, received ""`,
    );
    expect(refusal([{ id: 3 }])).toBe(
      `${place}[0].content: expected a text that is not empty, received nothing`,
    );
    expect(refusal([{ id: -3, content: "x" }])).toBe(
      `${place}[0]: expected ids from 0 to 16777215, received -3`,
    );
    expect(refusal([{ id: 3, content: "\udc00" }])).toBe(
      `${place}[0]: expected texts of whole characters, received "\\udc00"`,
    );
    const config_place = "tokenizer_invalid: tokenizer_config.json: added_tokens_decoder";
    expect(refusal([], { added_tokens_decoder: [] })).toBe(
      `${config_place}: expected an object, received a list of 0`,
    );
    expect(refusal([], { added_tokens_decoder: { x: { content: "y" } } })).toBe(
      `${config_place}["x"]: expected ids from 0 to 16777215, received null`,
    );
  });

  test("refuses two texts for one id", () => {
    expect(refusal([{ id: 1, content: "<x>" }])).toBe(
      'tokenizer_invalid: added token "<x>": expected an id of its own, received 1, which is "<s>"',
    );
    expect(refusal([], { added_tokens_decoder: { "2": { content: "<y>" } } })).toBe(
      'tokenizer_invalid: added token "<y>": expected an id of its own, received 2, which is "</s>"',
    );
  });

  test("refuses tokens that only match whole words, which the library cannot do", () => {
    expect(refusal([{ id: 3, content: "<x>", single_word: true }])).toBe(
      'tokenizer_unsupported: tokenizer.json: added_tokens[0].single_word: expected false, received true for "<x>". ' +
        "This tokenizer would give wrong ids here; use a checkpoint with another one",
    );
  });
});
