/** SentencePiece vocabularies out of GGUF: merges found again from scores, held against encoding by scores. */
import { describe, expect, test } from "bun:test";
import fast_check from "fast-check";
import { tokenizerFromGguf } from "../../../src/tokenizer/from-gguf.ts";
import { refusal } from "../../format/refusal.ts";
import { load, metadataOf, ROLE_KINDS, ROLES, sentencePieces } from "../gguf-metadata.ts";

const plain = { add_special_tokens: false };
const special = { add_special_tokens: true };

/** Encoding as llama.cpp's llm_tokenizer_spm does it: the highest-scored joined pair, the leftmost of several. */
function encodePieces(text: string, tokens: readonly string[], scores: readonly number[]): string[] {
  const symbols = Array.from(text.replaceAll(" ", "\u2581"));
  for (;;) {
    let best: { score: number; index: number } | null = null;
    for (let index = 0; index + 1 < symbols.length; index += 1) {
      const score = scores[tokens.indexOf(`${symbols[index]}${symbols[index + 1]}`)];
      if (score !== undefined && (best === null || score > best.score)) best = { score, index };
    }
    if (best === null) return symbols;
    symbols.splice(best.index, 2, `${symbols[best.index]}${symbols[best.index + 1]}`);
  }
}

describe("SentencePiece", () => {
  test("random vocabularies encode as by scores", () => {
    let compared = 0;
    fast_check.assert(
      fast_check.property(
        fast_check.uniqueArray(fast_check.stringMatching(/^[ab\u2581]{2,4}$/), {
          minLength: 1,
          maxLength: 12,
        }),
        fast_check.array(fast_check.stringMatching(/^[ab ]{1,14}$/), { minLength: 1, maxLength: 8 }),
        (drawn, texts) => {
          // Longer pieces score lower than the shorter ones they are made of, as in trained vocabularies.
          const merged = [...drawn].sort((left, right) => left.length - right.length);
          const pieces = ["a", "b", "\u2581", ...merged];
          const scores = pieces.map((_, index) => -index);
          const tokenizer = load(
            sentencePieces(pieces, scores, { add_bos_token: false, add_space_prefix: false }),
          );
          for (const text of texts) {
            const expected = encodePieces(text, pieces, scores);
            const texts_of_ids = tokenizer.encode(text, plain).map((id) => tokenizer.tokenText(id) ?? "");
            expect({ text, pieces, tokens: texts_of_ids }).toEqual({ text, pieces, tokens: expected });
            compared += 1;
          }
        },
      ),
      { seed: 12, numRuns: 400 },
    );
    expect(compared).toBeGreaterThan(400);
  });

  test("a piece that overlaps itself joins on the left", () => {
    const pieces = ["a", "b", "ab", "ba", "aba"];
    const scores = [0, 0, -1, -2, -3];
    const tokenizer = load(sentencePieces(pieces, scores, { add_bos_token: false, add_space_prefix: false }));
    for (const text of ["ababa", "abaaba", "abababa", "baaba"]) {
      const tokens = tokenizer.encode(text, plain).map((id) => tokenizer.tokenText(id) ?? "");
      expect(tokens).toEqual(encodePieces(text, pieces, scores));
    }
  });

  test("runs of spaces with one score join as by scores", () => {
    const runs = [2, 4, 8, 5, 6, 3, 7].map((length) => "\u2581".repeat(length));
    const pieces = ["\u2581", "a", ...runs];
    const scores = [-5, -5, ...runs.map(() => -9)];
    const tokenizer = load(sentencePieces(pieces, scores, { add_bos_token: false, add_space_prefix: false }));
    for (let length = 1; length < 40; length += 1) {
      const text = " ".repeat(length);
      const tokens = tokenizer.encode(text, plain).map((id) => tokenizer.tokenText(id) ?? "");
      expect(tokens).toEqual(encodePieces(text, pieces, scores));
    }
  });

  test("equal scores that the order of ids cannot tell apart are refused", () => {
    const next_step = "Pack the original checkpoint, with its tokenizer.json";
    const overlap = sentencePieces(["a", "b", "c", "bc", "ab"], [0, 0, 0, -1, -1]);
    expect(refusal(() => tokenizerFromGguf(metadataOf(overlap)))).toEqual({
      code: "tokenizer_unsupported",
      message:
        "tokenizer.ggml.scores: expected different scores for pieces that can overlap, " +
        `received -1 for both "ab" and "bc". ${next_step}`,
    });
    // The same pieces the other way round are in the right order.
    expect(load(sentencePieces(["a", "b", "c", "ab", "bc"], [0, 0, 0, -1, -1])).tokenId("ab")).toBe(6);
    const runs = [3, 2, 5].map((length) => "a".repeat(length));
    expect(
      refusal(() => tokenizerFromGguf(metadataOf(sentencePieces(["a", ...runs], [0, -1, -1, -1])))),
    ).toMatchObject({
      code: "tokenizer_unsupported",
      message: expect.stringContaining("received -1 for both"),
    });
  });

  test("bytes stand for what has no letter, and spaces begin a text", () => {
    const names = Array.from(
      { length: 256 },
      (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
    );
    const pieces = [...names, "\u2581", "a", "\u2581a"];
    const values = {
      ...sentencePieces(
        pieces,
        pieces.map((_, index) => -index),
      ),
      token_type: [...ROLE_KINDS, ...names.map(() => 6), 1, 1, 1],
    };
    const tokenizer = load(values);
    const ids = tokenizer.encode("a\u00e9", plain);
    expect(ids.map((id) => tokenizer.tokenText(id))).toEqual(["\u2581a", "<0xC3>", "<0xA9>"]);
    expect(tokenizer.decode(ids, { skip_special_tokens: true })).toBe("a\u00e9");
    expect(tokenizer.encode("a", special)).toEqual([1, ...tokenizer.encode("a", plain)]);
    expect(tokenizer.encode("a</s>a", plain)).toEqual([261, 2, 261]);
    const no_prefix = load({ ...values, add_space_prefix: false, add_bos_token: false, add_eos_token: true });
    expect(no_prefix.encode("a", special)).toEqual([260, 2]);
    expect(no_prefix.decode([261], { skip_special_tokens: true })).toBe(" a");
    expect(
      refusal(() =>
        load({ ...values, tokens: [...ROLES, ...pieces.map((text) => text.replace("<0x41>", "A"))] }),
      ),
    ).toEqual({
      code: "tokenizer_invalid",
      message:
        "tokenizer.ggml.tokens: expected all 256 byte tokens or none, received 1 missing, <0x41> among them",
    });
  });
});
