/** Byte-pair vocabularies out of GGUF: merges, roles, and how each pre-tokenizer cuts a text. */
import { describe, expect, test } from "bun:test";
import { preTokenizerOf } from "../../../src/tokenizer/from-gguf/pre-tokenizers.ts";
import { tokenizerFromGguf } from "../../../src/tokenizer/from-gguf.ts";
import { refusal } from "../../format/refusal.ts";
import { BYTE_ALPHABET, inByteAlphabet } from "../fixtures.ts";
import { bytePairs, load, metadataOf } from "../gguf-metadata.ts";

const plain = { add_special_tokens: false };
const special = { add_special_tokens: true };

describe("byte pairs", () => {
  const kinds = (more: readonly number[]) => [...BYTE_ALPHABET.map(() => 1), ...more];

  test("merge by rank, take whole words where the pre-tokenizer says so, and know their roles", () => {
    const pieces = ["he", "ell", "hello", "<|begin|>", "<tool>", "[PAD]"];
    const values = bytePairs(pieces, ["h e"], {
      token_type: kinds([1, 1, 1, 3, 4, 5]),
      bos_token_id: 259,
    });
    const tokenizer = load(values);
    const tokens = (text: string, options = plain) =>
      tokenizer.encode(text, options).map((id) => tokenizer.tokenText(id));
    expect(tokens("hello")).toEqual(["he", "l", "l", "o"]);
    expect(tokens("h<|begin|><tool>")).toEqual(["h", "<|begin|>", "<tool>"]);
    expect([...tokenizer.special_token_ids]).toEqual([259]);
    expect(tokens("h", special)).toEqual(["h"]);
    const llama3 = load({ ...values, pre: "llama-bpe" });
    expect(llama3.encode("hello", special)).toEqual([259, 258]);
    expect(llama3.encode("hello", plain)).toEqual([258]);
    expect(load({ ...values, pre: "llama-bpe", add_bos_token: false }).encode("hello", special)).toEqual([
      258,
    ]);
    expect(
      tokenizerFromGguf(metadataOf({ ...values, eos_token_id: 261, padding_token_id: 4 })).tokenizer_config,
    ).toEqual({
      bos_token: "<|begin|>",
      eos_token: "[PAD]",
      add_bos_token: false,
      add_eos_token: false,
    });
  });

  test("the first of two equal merges counts, and names that objects have are tokens", () => {
    const pieces = ["ab", "bc", "__", "__p", "__proto__", "constructor", "\u0120\u0120"];
    const values = bytePairs(pieces, ["a b", "b c", "a b", "_ _", "\u0120 \u0120"]);
    const tokenizer = load(values);
    expect(tokenizer.encode("abc", plain).map((id) => tokenizer.tokenText(id))).toEqual(["ab", "c"]);
    expect(tokenizer.tokenId("__proto__")).toBe(260);
    expect(tokenizer.encode("__", plain)).toEqual([258]);
  });

  test("a hole in the vocabulary gets a name of its own", () => {
    expect(load(bytePairs(["", "x y"], [])).tokenText(256)).toBe("[EMPTY_256]");
  });

  const texts = (...pieces: string[]) => pieces.map((piece) => inByteAlphabet(piece));
  const splits: [string, string, string[]][] = [
    [
      "gpt-2",
      "I'll pay 12345  now!!\n\n x",
      texts("I", "'ll", " pay", " 12345", " ", " now", "!!", "\n\n", " x"),
    ],
    [
      "llama-bpe",
      "I'LL pay 12345  now!!\n\n x",
      texts("I", "'LL", " pay", " ", "123", "45", " ", " now", "!!\n\n", " x"),
    ],
    ["qwen2", "it's 123\r\n\ta", texts("it", "'s", " ", "1", "2", "3", "\r\n", "\ta")],
    ["smollm", "a 12 b", texts("a", " ", "1", "2", " b")],
    ["falcon", "a1234, b", texts("a", "123", "4", ",", " b")],
    ["default", "a1234 $5", texts("a", "123", "4", " ", "$", "5")],
    [
      "hunyuan-dense",
      "Hy-MT 2025\u5e74\u3067\u3059, (ok) cafe\u0301!\n\n  b",
      texts(
        "Hy",
        "-MT",
        " ",
        "202",
        "5",
        "\u5e74\u3067\u3059",
        ",",
        " (",
        "ok",
        ")",
        " cafe\u0301",
        "!\n\n",
        " ",
        " b",
      ),
    ],
  ];
  test.each(splits)("%s cuts %p into its words", (pre, text, words) => {
    // Every word is a token, so with whole words taken the ids show the cuts; merges would need all of their steps.
    const pieces = [...new Set(words.filter((word) => word.length > 1))];
    const steps = new Set<string>();
    for (const word of pieces) {
      for (let end = 2; end <= word.length; end += 1)
        steps.add(`${word.slice(0, end - 1)} ${word.slice(end - 1, end)}`);
    }
    const parts = new Set([...steps].map((step) => step.replace(" ", "")));
    const tokenizer = load(bytePairs([...parts], [...steps], { pre, bos_token_id: 0 }));
    expect(tokenizer.encode(text, plain).map((id) => tokenizer.tokenText(id) ?? "")).toEqual(words);
    expect(tokenizer.decode(tokenizer.encode(text, plain), { skip_special_tokens: true })).toBe(text);
  });

  test("a name that is not built in, and none, are refused", () => {
    expect(refusal(() => preTokenizerOf("qwen35"))).toEqual({
      code: "tokenizer_unsupported",
      message:
        'tokenizer.ggml.pre: expected the name of a pre-tokenizer that is built in, received "qwen35". ' +
        "Pack the original checkpoint, with its tokenizer.json",
    });
    expect(refusal(() => load({ ...bytePairs([], []), pre: 7 }))).toEqual({
      code: "tokenizer_unsupported",
      message:
        "tokenizer.ggml.pre: expected the name of a pre-tokenizer that is built in, received none. " +
        "Convert the model again with a current converter, which writes the name",
    });
    expect(refusal(() => preTokenizerOf("constructor")).code).toBe("tokenizer_unsupported");
  });
});
