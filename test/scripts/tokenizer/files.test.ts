/** A trained tokenizer: the merges of a slow independent trainer, loading, round trips, the chat format, refusals. */
import { describe, expect, test } from "bun:test";
import { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import fc from "fast-check";
import { markedText, storyDocuments } from "../../../scripts/corpus/documents.ts";
import {
  SPECIAL_TOKENS,
  type TokenizerFile,
  tokenizerConfig,
  trainBytePairEncoding,
} from "../../../scripts/tokenizer/files.ts";
import { BYTE_ALPHABET, splitPieces } from "../../../scripts/tokenizer/pre-tokenizer.ts";
import { loadChatTemplate } from "../../../src/tokenizer/chat-template.ts";
import { loadTokenizer } from "../../../src/tokenizer/tokenizer.ts";

const documents = [...storyDocuments(0, 300)];
const texts = documents.map(markedText);
const trained = trainBytePairEncoding(texts, 800);
const config = tokenizerConfig(512);
const tokenizer = loadTokenizer(new TextEncoder().encode(JSON.stringify(trained)), config);
const RAW = { add_special_tokens: false };

/** Recounts all pairs for every merge. */
function slowMerges(learned_texts: readonly string[], merge_count: number): [string, string][] {
  const encoder = new TextEncoder();
  let words = learned_texts
    .flatMap(splitPieces)
    .map((piece) => [...encoder.encode(piece)].map((byte) => BYTE_ALPHABET[byte] ?? ""));
  const id_of = new Map(BYTE_ALPHABET.map((text, id) => [text, id]));
  const merges: [string, string][] = [];
  while (merges.length < merge_count) {
    const counts = new Map<string, { pair: [string, string]; count: number }>();
    for (const word of words) {
      for (let index = 1; index < word.length; index += 1) {
        const pair: [string, string] = [word[index - 1] ?? "", word[index] ?? ""];
        const entry = counts.get(pair.join(" ")) ?? { pair, count: 0 };
        entry.count += 1;
        counts.set(pair.join(" "), entry);
      }
    }
    const id = (text: string | undefined) => id_of.get(text ?? "") ?? -1;
    const [best] = [...counts.values()].sort(
      (one, other) =>
        other.count - one.count || id(one.pair[0]) - id(other.pair[0]) || id(one.pair[1]) - id(other.pair[1]),
    );
    if (best === undefined || best.count < 2) break;
    const [left, right] = best.pair;
    merges.push(best.pair);
    if (!id_of.has(left + right)) id_of.set(left + right, id_of.size);
    words = words.map((word) => {
      const merged: string[] = [];
      for (let index = 0; index < word.length; index += 1) {
        const is_pair = word[index] === left && word[index + 1] === right;
        merged.push(is_pair ? left + right : (word[index] ?? ""));
        if (is_pair) index += 1;
      }
      return merged;
    });
  }
  return merges;
}

function mergesOf({ model }: TokenizerFile): [string, string][] {
  return model.merges.map(([left, right]) => [left, right]);
}

describe("merges", () => {
  test("are a slow trainer's, on stories and on texts full of overlaps and ties", () => {
    const samples = [
      documents.slice(0, 12).map(({ text }) => text),
      ["aaaa aaa aaaaa baaa abab babab aabb", "aaaaaaa xaxaxa ababab zzzz éééé 日本日本 🦊🦊🦊"],
    ];
    for (const sample of samples) {
      const expected = slowMerges(sample, 120);
      expect(expected.length).toBeGreaterThan(15);
      const token_count = new Set(expected.map(([left, right]) => left + right)).size;
      expect(mergesOf(trainBytePairEncoding(sample, 256 + token_count, []))).toEqual(expected);
    }
  });

  test("are the same in any run, and a smaller vocabulary is the beginning of a larger one", () => {
    expect(trainBytePairEncoding(texts, 800)).toEqual(trained);
    const smaller = mergesOf(trainBytePairEncoding(texts, 500));
    expect(mergesOf(trained).slice(0, smaller.length)).toEqual(smaller);
  });

  test("never learn from special tokens", () => {
    const [end = ""] = SPECIAL_TOKENS;
    const with_tokens = trainBytePairEncoding([`abab${end}abab${end}`.repeat(3)], 260);
    const apart = trainBytePairEncoding(
      Array.from({ length: 6 }, () => "abab"),
      260,
    );
    expect(mergesOf(with_tokens)).toEqual(mergesOf(apart));
  });
});

describe("the written tokenizer", () => {
  test("has as many tokens as asked for, the special ones last", () => {
    expect(tokenizer.vocab_size).toBe(800);
    expect(SPECIAL_TOKENS.map((token) => tokenizer.tokenId(token))).toEqual([797, 798, 799]);
    expect([...tokenizer.special_token_ids]).toEqual([797, 798, 799]);
  });

  test("compresses stories", () => {
    const { text } = documents.find(({ chat }) => chat === null) ?? { text: "" };
    const ids = tokenizer.encode(text, RAW);
    expect(ids.length).toBeLessThan(text.length / 2.5);
    expect(tokenizer.decode(ids, { skip_special_tokens: false })).toBe(text);
  });

  test("gives any text back, with the library's own ids", () => {
    const library = new LibraryTokenizer(
      JSON.parse(JSON.stringify(trained)),
      JSON.parse(JSON.stringify(config)),
    );
    const check = (text: string) => {
      const ids = tokenizer.encode(text, RAW);
      expect(tokenizer.decode(ids, { skip_special_tokens: false })).toBe(text);
      expect(ids).toEqual(library.encode(text, RAW).ids);
    };
    for (const text of [
      "",
      " ",
      "\n\n  \t",
      "🦊 says 你好, naïve café!",
      "e\u0301 \u0000 \ufeff",
      "<|end|>x<|user|>",
    ]) {
      check(text);
    }
    fc.assert(fc.property(fc.string({ unit: "binary" }), check), { seed: 5, numRuns: 200 });
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), check), { seed: 6, numRuns: 100 });
  });

  test("writes chats as the corpus does", () => {
    const template = loadChatTemplate(config.chat_template, config);
    const user = { role: "user", content: " Hello! " } as const;
    const assistant = { role: "assistant", content: "Hi." } as const;
    const prompt = template.render([user], { add_generation_prompt: true });
    expect(prompt).toBe("<|user|>Hello!<|assistant|>");
    const answered = template.render([user, assistant], { add_generation_prompt: false });
    expect(answered).toBe(markedText({ text: "", chat: { user: "Hello!", assistant: "Hi." } }));
    const system = { role: "system", content: "Be kind." } as const;
    expect(template.render([system, user, assistant, user], { add_generation_prompt: true })).toBe(
      "<|user|>Be kind.\n\nHello!<|assistant|>Hi.<|end|><|user|>Hello!<|assistant|>",
    );
    expect(() => template.render([user, system], { add_generation_prompt: true })).toThrow(
      "This model knows turns of user and assistant and a first one of system, and no system",
    );
    expect(() => template.render([{ role: "tool", content: "x" }], { add_generation_prompt: true })).toThrow(
      "and no tool",
    );
  });
});

describe("what cannot be trained is refused", () => {
  const train =
    (size: number, special_tokens?: readonly string[], text = "some words") =>
    () =>
      trainBytePairEncoding([text], size, special_tokens);

  test("sizes", () => {
    for (const size of [-1, 0, 258, 300.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 21]) {
      expect(train(size)).toThrow(
        `The vocabulary size: expected a whole number from 259 (256 bytes and 3 special tokens) to 1048576, received ${size}`,
      );
    }
    expect(train(259)).not.toThrow();
    expect(train(258, [], "abab abab")).not.toThrow();
    expect(train(400, [], "abab abab")).toThrow(
      "The vocabulary size: expected at most 258 tokens beside the special ones, which is all that pairs in these texts give, received 400",
    );
  });

  test("special tokens", () => {
    expect(train(300, [""])).toThrow('A special token: expected a text, received ""');
    expect(train(300, ["<x>", "<x>"])).toThrow('A special token: expected each text once, received "<x>"');
    expect(train(257, ["a"])).toThrow(
      'A special token: expected a text that is no token of its own already, received "a"',
    );
  });
});
