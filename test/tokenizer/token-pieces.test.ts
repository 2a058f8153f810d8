/** What single tokens stand for. */
import { describe, expect, test } from "bun:test";
import { readDecoderDefinition } from "../../src/tokenizer/decoder-definition.ts";
import { readTokenizerDefinition } from "../../src/tokenizer/definition.ts";
import { TokenPieces } from "../../src/tokenizer/token-pieces.ts";
import { byteLevelTokenizer, jsonBytes, piecesTokenizer } from "./fixtures.ts";

function piecesOf(file: Record<string, unknown>) {
  const definition = readTokenizerDefinition(jsonBytes(file), {});
  const pieces = new TokenPieces(definition, readDecoderDefinition(definition.decoder));
  return (text: string, skip_special_tokens = true) =>
    pieces.piece(definition.token_texts.indexOf(text), skip_special_tokens);
}

const NOTHING = { bytes: new Uint8Array(0) };

describe("byte level", () => {
  const pieceOf = piecesOf(byteLevelTokenizer());

  test("whole characters are text, parts of one are bytes", () => {
    expect(pieceOf("Ġthe")).toEqual({ text: " the" });
    expect(pieceOf("Ċ")).toEqual({ text: "\n" });
    expect(pieceOf("ðŁ")).toEqual({ bytes: Uint8Array.of(0xf0, 0x9f) });
  });

  test("added tokens stand for themselves; special ones can be skipped", () => {
    expect(pieceOf("<tool é>")).toEqual({ text: "<tool é>" });
    expect(pieceOf("<|end|>")).toEqual(NOTHING);
    expect(pieceOf("<|end|>", false)).toEqual({ text: "<|end|>" });
  });

  test("a token outside the alphabet stands for itself", () => {
    const file = byteLevelTokenizer();
    const model = file["model"] as { vocab: Record<string, number> };
    const vocab = { ...model.vocab, "｜x": 280 };
    const added_tokens: unknown[] = [];
    expect(piecesOf({ ...file, added_tokens, model: { ...model, vocab } })("｜x")).toEqual({ text: "｜x" });
  });
});

describe("pieces", () => {
  const pieceOf = piecesOf(piecesTokenizer());

  test("▁ is a space and <0xXX> a byte", () => {
    expect(pieceOf("▁a")).toEqual({ text: " a" });
    expect(pieceOf("<0x0A>")).toEqual({ bytes: Uint8Array.of(10) });
  });

  test("what only resembles a byte is text", () => {
    const file = piecesTokenizer();
    const vocab = { "<0x1G>": 0, "<0x+1>": 1, "<0x001>": 2 };
    const odd = piecesOf({ ...file, added_tokens: [], model: { ...(file["model"] as object), vocab } });
    for (const text of Object.keys(vocab)) expect(odd(text)).toEqual({ text });
  });

  test("special tokens and ids without a token add nothing", () => {
    expect(pieceOf("<s>")).toEqual(NOTHING);
    expect(pieceOf("<s>", false)).toEqual({ text: "<s>" });
    expect(pieceOf("not in the vocabulary")).toEqual(NOTHING);
  });
});
