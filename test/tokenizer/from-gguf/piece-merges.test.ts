/** Merges out of scores: their order, which the encoder takes for ranks. */
import { expect, test } from "bun:test";
import { piecesToMerges } from "../../../src/tokenizer/from-gguf/piece-merges.ts";
import { readVocabulary } from "../../../src/tokenizer/from-gguf/vocabulary.ts";
import { metadataOf, sentencePieces } from "../gguf-metadata.ts";

function mergesOf(pieces: readonly string[], scores: readonly number[], more = {}): string[] {
  const vocabulary = readVocabulary(metadataOf(sentencePieces(pieces, scores, more)));
  return piecesToMerges(vocabulary, [0, 0, 0, ...scores]).map((pair) => pair.join("+"));
}

test("higher scores come first, and every split into two pieces is there", () => {
  expect(mergesOf(["a", "b", "c", "ab", "bc", "abc"], [0, 0, 0, -2, -1, -3])).toEqual([
    "b+c",
    "a+b",
    "a+bc",
    "ab+c",
  ]);
});

test("of one piece's splits, those at its periods come first", () => {
  // "ab" + "a" repeats "a" at the end; "a" + "ba" does not begin anew with "ba".
  expect(mergesOf(["a", "b", "ab", "ba", "aba"], [0, 0, -1, -2, -3]).slice(2)).toEqual(["ab+a", "a+ba"]);
});

test("control tokens, bytes and the unknown token are neither joined nor parts", () => {
  const pieces = ["<", "s>", "<s", ">"];
  expect(mergesOf(pieces, [0, 0, 0, 0])).toEqual([]);
  expect(mergesOf(["a", "b", "ab"], [0, 0, -1], { token_type: [2, 3, 3, 1, 3, 1] })).toEqual([]);
  expect(mergesOf(["a", "b", "ab"], [0, 0, -1], { token_type: [2, 3, 3, 1, 4, 5] })).toEqual(["a+b"]);
});
