/** Tokenizers as GGUF metadata: what came out of GGUF goes back, and what GGUF has no word for is refused by name. */
import { describe, expect, test } from "bun:test";
import type { Directory, ModelConfig } from "../../../src/format/directory.ts";
import { openGguf } from "../../../src/packing/gguf/reader.ts";
import type { GgufValue } from "../../../src/packing/gguf/writer.ts";
import { tokenizerMetadata } from "../../../src/packing/to-gguf/tokenizer.ts";
import { endTokenIds, type TokenizerMetadata, tokenizerFromGguf } from "../../../src/tokenizer/from-gguf.ts";
import { refusal } from "../../format/refusal.ts";
import { CONFIG, CONTENTS } from "../../format/sample-file.ts";
import {
  byteLevelTokenizer,
  jsonBytes,
  PIECES_DECODER,
  piecesTokenizer,
  SKIPS_SHARED,
  sharedFile,
} from "../../tokenizer/fixtures.ts";
import { bytePairs, metadataOf, sentencePieces, type Value } from "../../tokenizer/gguf-metadata.ts";

interface Parts {
  readonly config?: Partial<ModelConfig>;
  readonly tokenizer_config?: Record<string, unknown>;
  readonly chat_template?: string | null;
}

function directoryOf(parts: Parts): Directory {
  const { tokenizer_config = {}, chat_template = null } = parts;
  const config = { ...CONFIG, bos_token_id: null, eos_token_ids: [], ...parts.config };
  return { ...CONTENTS, config, tokenizer_config, chat_template, tokenizer: null, tensors: [] };
}

/** Arrays as arrays, without the keys' common beginning. */
function plain(metadata: ReadonlyMap<string, GgufValue>): Record<string, Value> {
  return Object.fromEntries(
    [...metadata].map(([key, value]) => {
      const name = key.replace("tokenizer.ggml.", "");
      if (value.type === "bool") return [name, value.value !== 0];
      if (value.type === "string") return [name, value.value];
      if (value.type !== "array") return [name, Number(value.value)];
      return [name, value.element === "string" ? [...value.values] : [...value.values].map(Number)];
    }),
  );
}

/** From GGUF to a packed file's parts, to GGUF, and once more: the metadata of the second time. */
function thereAndBack(metadata: TokenizerMetadata): Record<string, Value> {
  const read = tokenizerFromGguf(metadata);
  const { chat_template, tokenizer_config } = read;
  const config = {
    bos_token_id: metadata.integer("tokenizer.ggml.bos_token_id", 0, 1e9) ?? null,
    eos_token_ids: [...endTokenIds(metadata)],
  };
  const directory = directoryOf({ config, chat_template, tokenizer_config });
  const result = plain(tokenizerMetadata(directory, read.tokenizer_json));
  const again = tokenizerFromGguf(metadataOf(result));
  expect(new TextDecoder().decode(again.tokenizer_json)).toBe(new TextDecoder().decode(read.tokenizer_json));
  expect(again.tokenizer_config).toEqual(tokenizer_config);
  expect(again.chat_template).toBe(chat_template);
  expect([...endTokenIds(metadataOf(result))].toSorted()).toEqual(config.eos_token_ids.toSorted());
  return result;
}

describe("byte pairs from GGUF come back", () => {
  test.each([
    ["llama-bpe", "llama-bpe"],
    ["smaug-bpe", "dbrx"],
    ["qwen2", "qwen2"],
    ["hunyuan", "qwen2"],
    ["hunyuan-dense", "hunyuan-dense"],
    ["deepseek-v3", "hunyuan-dense"],
    ["gpt-2", "gpt-2"],
    ["starcoder", "starcoder"],
    ["falcon", "falcon"],
    ["default", "default"],
  ])("cut as %s, which %s means, too", (pre, expected) => {
    expect(
      thereAndBack(metadataOf(bytePairs(["th", "the"], ["t h", "th e"], { pre, add_bos_token: false }))),
    ).toMatchObject({
      model: "gpt2",
      pre: expected,
      merges: ["t h", "th e"],
      add_bos_token: false,
    });
  });

  test("with roles, kinds of tokens, end tokens, tokens around a text and a template", () => {
    const pieces = ["<|begin|>", "<|end|>", "<|eot_id|>", "<tool>", "<|stop|>", "<|halt|>"];
    const kinds = [...new Array(256).fill(1), 3, 3, 3, 4, 3, 3];
    const result = thereAndBack(
      metadataOf(
        bytePairs(pieces, [], {
          ...{ token_type: kinds, bos_token_id: 256, eos_token_id: 257, padding_token_id: 257 },
          ...{ eot_token_id: 260, eom_token_id: 261, add_bos_token: true, add_eos_token: true },
          "tokenizer.chat_template": "{{ bos_token }}",
        }),
      ),
    );
    expect(result).toEqual({
      ...{ model: "gpt2", pre: "gpt-2", token_type: kinds, merges: [], tokens: result["tokens"] ?? "" },
      ...{ bos_token_id: 256, eos_token_id: 257, padding_token_id: 257 },
      ...{ eot_token_id: 260, eom_token_id: 261, add_bos_token: true, add_eos_token: true },
      "tokenizer.chat_template": "{{ bos_token }}",
    });
  });
});

describe("SentencePiece from GGUF comes back", () => {
  const bytes = Array.from(
    { length: 256 },
    (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
  );

  test("with other scores of the same order", () => {
    const given = sentencePieces(
      [...bytes, "▁", "a", "b", "ab", "▁a", "▁ab"],
      [...bytes.map(() => 0), -9, -8, -7, -1, -2, -3],
      { token_type: [2, 3, 3, ...bytes.map(() => 6), 1, 1, 1, 1, 1, 1] },
    );
    const result = thereAndBack(metadataOf(given));
    expect(result).toMatchObject({ model: "llama", token_type: given.token_type, add_space_prefix: true });
    expect(result).toMatchObject({ unknown_token_id: 0, bos_token_id: 1, eos_token_id: 2 });
    const scores = (result["scores"] as readonly number[]).slice(-3);
    expect(scores).toEqual([0, -1, -2].map((score) => (score === 0 ? -0 : score)));
  });

  test("without bytes, without a space before the text, with a token of the user", () => {
    const result = thereAndBack(
      metadataOf(
        sentencePieces(["a", "b", "ab", "<x>"], [-2, -3, -1, 0], {
          ...{ add_space_prefix: false, add_bos_token: false, token_type: [2, 3, 3, 1, 1, 1, 4] },
        }),
      ),
    );
    expect(result).toMatchObject({ add_space_prefix: false, add_bos_token: false });
    expect(result["token_type"]).toEqual([2, 3, 3, 1, 1, 1, 4]);
  });
});

describe("a tokenizer.json of a checkpoint", () => {
  const pieces = () => {
    const tokenizer = piecesTokenizer();
    // Every split of a piece has to be among the merges, as SentencePiece tries them all.
    const merges = ["a b", "▁ ab", "▁a b", "▁ a", "▁ ▁", "▁ 😀"];
    return { ...tokenizer, model: { ...(tokenizer["model"] as object), merges } };
  };

  test("of byte pairs has its pre-tokenizer recognised by its expression", () => {
    const tokenizer = byteLevelTokenizer();
    const config = { bos_token_id: 263, eos_token_ids: [264] };
    const tokenizer_config = { bos_token: "<|begin|>", eos_token: { content: "<|end|>" }, other: 1 };
    const ids = Object.fromEntries(
      (tokenizer["added_tokens"] as { id: number; content: string }[]).map(({ id, content }) => [
        content,
        id,
      ]),
    );
    const parts = {
      config: { ...config, bos_token_id: ids["<|begin|>"] ?? -1, eos_token_ids: [ids["<|end|>"] ?? -1] },
      tokenizer_config,
    };
    const metadata = plain(tokenizerMetadata(directoryOf(parts), jsonBytes(tokenizer)));
    expect(metadata).toMatchObject({
      pre: "dbrx",
      bos_token_id: ids["<|begin|>"] ?? -1,
      add_bos_token: true,
    });
    const model = { ...(tokenizer["model"] as object), ignore_merges: true };
    const whole = tokenizerMetadata(directoryOf(parts), jsonBytes({ ...tokenizer, model }));
    expect(plain(whole)["pre"]).toBe("llama-bpe");
  });

  test("of pieces goes, unless it lacks a merge that GGUF implies", () => {
    const parts = { config: { bos_token_id: 1, eos_token_ids: [2] } };
    expect(plain(tokenizerMetadata(directoryOf(parts), jsonBytes(pieces())))["model"]).toBe("llama");
    expect(refusal(() => tokenizerMetadata(directoryOf(parts), jsonBytes(piecesTokenizer())))).toEqual({
      code: "checkpoint_unsupported",
      message: "tokenizer.json: merges: expected what a GGUF file can say, received something else",
    });
  });

  test.each([
    [{ truncation: { max_length: 5 } }, "tokenizer.json: truncation: expected null, received an object"],
    [{ model: 5 }, "tokenizer.json: model: expected an object, received 5"],
    [{ model: { type: "Unigram" } }, 'tokenizer.json: model: type: expected "BPE", received "Unigram"'],
    [
      { normalizer: { type: "NFC" } },
      "tokenizer.json: normalizer: expected null: GGUF has no word for one, received an object",
    ],
    [{ decoder: { type: "Fuse" } }, 'tokenizer.json: decoder: type: expected "ByteLevel", received "Fuse"'],
    [
      { pre_tokenizer: { type: "Whitespace" } },
      'tokenizer.json: pre_tokenizer 0: type: expected "ByteLevel" as the last one, received "Whitespace"',
    ],
    [
      { post_processor: { type: "BertProcessing" } },
      "tokenizer.json: post_processor: expected tokens before and after a text, received an object",
    ],
    [
      { post_processor: { type: "TemplateProcessing", single: [] } },
      "tokenizer.json: post_processor: single: expected at most one token before the text and one after it, received []",
    ],
    [
      { added_tokens: [{ id: 270, content: "x", rstrip: true }] },
      "tokenizer.json: added_tokens[0]: rstrip: expected false: GGUF has no word for it, received true",
    ],
    [
      { added_tokens: [{ id: 300, content: "xyz" }] },
      'tokenizer.json: model.vocab: expected the ids 0 to 263, each once, received 300 for "xyz"',
    ],
    [
      { added_tokens: [{ id: 5, content: "the" }] },
      "tokenizer.json: added_tokens[0]: id: expected 260, as in the vocabulary, received 5",
    ],
  ])("%j is refused by name", (change, message) => {
    const tokenizer = { ...byteLevelTokenizer(), ...change };
    const refused = refusal(() => tokenizerMetadata(directoryOf({}), jsonBytes(tokenizer)));
    expect(refused).toEqual({ code: "checkpoint_unsupported", message });
  });

  test.each([
    [
      { byte_fallback: true },
      "tokenizer.json: model: byte_fallback: expected false beside byte pairs, received true",
    ],
    [{ dropout: 0.1 }, "tokenizer.json: model: dropout: expected null, received 0.1"],
    [{ merges: [["a"]] }, 'tokenizer.json: model.merges[0]: expected two texts, received ["a"]'],
    [{ merges: 1 }, "tokenizer.json: model: merges: expected an array, received 1"],
    [{ vocab: [] }, "tokenizer.json: model: vocab: expected an object of ids by text, received []"],
  ])("a model with %j, too", (change, message) => {
    const tokenizer = byteLevelTokenizer();
    const changed = { ...tokenizer, model: { ...(tokenizer["model"] as object), ...change } };
    const refused = refusal(() => tokenizerMetadata(directoryOf({}), jsonBytes(changed)));
    expect(refused).toEqual({ code: "checkpoint_unsupported", message });
  });

  test("words that are cut in another way, once and in several steps", () => {
    const byte_level = { type: "ByteLevel", add_prefix_space: false, use_regex: false };
    const split = (Regex: string, more = {}) => ({
      type: "Split",
      pattern: { Regex },
      behavior: "Isolated",
      ...more,
    });
    const refusalOf = (pretokenizers: readonly object[]) =>
      refusal(() =>
        tokenizerMetadata(
          directoryOf({}),
          jsonBytes({ ...byteLevelTokenizer(), pre_tokenizer: { type: "Sequence", pretokenizers } }),
        ),
      ).message;
    const expected =
      "tokenizer.json: pre_tokenizer: expected a way of cutting words that GGUF has a name for";
    expect(refusalOf([split("a+"), byte_level])).toBe(`${expected}, received a+`);
    expect(refusalOf([split("a"), split("b"), byte_level])).toBe(`${expected}, received 2 other expressions`);
    expect(refusalOf([split("a", { behavior: "Removed" }), byte_level])).toBe(
      'tokenizer.json: pre_tokenizer 0: behavior: expected "Isolated", received "Removed"',
    );
    expect(refusalOf([split("a", { invert: true }), byte_level])).toBe(
      "tokenizer.json: pre_tokenizer 0: invert: expected false, received true",
    );
    expect(refusalOf([{ ...split("a"), pattern: { String: "a" } }, byte_level])).toBe(
      "tokenizer.json: pre_tokenizer 0: pattern: expected a regular expression, received an object",
    );
    expect(refusalOf([{ type: "Digits" }, byte_level])).toBe(
      'tokenizer.json: pre_tokenizer 0: type: expected "Split", received "Digits"',
    );
    expect(refusalOf([{ ...byte_level, add_prefix_space: true }])).toBe(
      "tokenizer.json: pre_tokenizer 0: add_prefix_space: expected false, received true",
    );
  });

  test.each([
    [
      { decoder: { type: "Sequence", decoders: PIECES_DECODER.decoders.slice(1) } },
      "tokenizer.json: decoder: expected the one that undoes the normalizer, received an object",
    ],
    [
      { normalizer: { type: "Lowercase" } },
      "tokenizer.json: normalizer: expected spaces as letters, and nothing else: GGUF has no word for more, received an object",
    ],
    [
      { added_tokens: [{ id: 0, content: "<unk>", normalized: true }] },
      "tokenizer.json: added_tokens[0]: normalized: expected false, received true",
    ],
  ])("pieces with %j", (change, message) => {
    const refused = refusal(() => tokenizerMetadata(directoryOf({}), jsonBytes({ ...pieces(), ...change })));
    expect(refused).toEqual({ code: "checkpoint_unsupported", message });
  });
});

describe("roles and end tokens that GGUF cannot say", () => {
  const given = bytePairs(["<|a|>", "<|b|>", "<|c|>", "<|d|>", "<|im_end|>"], [], {
    token_type: [...new Array(256).fill(1), 3, 3, 3, 3, 3],
  });
  const { tokenizer_json } = tokenizerFromGguf(metadataOf(given));
  test.each([
    [
      { tokenizer_config: { pad_token: "nobody" } },
      'tokenizer_config.json: pad_token: expected a token, received "nobody"',
    ],
    [
      { config: { bos_token_id: 257 }, tokenizer_config: { bos_token: "<|a|>" } },
      "bos_token_id: expected 256, the tokenizer's bos_token: GGUF has one for both, received 257",
    ],
    [
      { config: { eos_token_ids: [256, 257, 258, 259, 260] } },
      "eos_token_ids: expected at most two beside the tokenizer's eos_token, received [256,257,258,259,260]",
    ],
    [{ config: { eos_token_ids: [256] } }, "eos_token_ids: expected token 260 among them, received [256]"],
    [
      { config: { eos_token_ids: [260] }, tokenizer_config: { pad_token: "a" } },
      'tokenizer_config.json: pad_token: expected a token with that role alone, received "a"',
    ],
  ])("%j", (parts, message) => {
    const refused = refusal(() => tokenizerMetadata(directoryOf(parts), tokenizer_json));
    expect(refused).toEqual({ code: "checkpoint_unsupported", message });
  });
});

test.skipIf(SKIPS_SHARED).each(["gpt-2", "llama-spm"])(
  "the real vocabulary %s comes back as the same tokenizer",
  (name) => {
    const file = openGguf(sharedFile(`models/vocab/${name}.gguf`).name ?? "");
    thereAndBack(file.metadata);
    file.close();
  },
  20_000,
);
