/** Streaming equals decoding whole sequences, by the tokenizer library as the independent reference. */
import { describe, expect, test } from "bun:test";
import { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import fc from "fast-check";
import { loadTokenizer } from "../../src/tokenizer/tokenizer.ts";
import { byteLevelTokenizer, errorOf, inByteAlphabet, jsonBytes, piecesTokenizer } from "./fixtures.ts";

/** Texts whose characters take one to four bytes, joined ones among them. */
const TEXTS = [
  "plain",
  "é ü ß",
  "漢字かな交じり",
  "😀👍🏽",
  "👨‍👩‍👧",
  "🇩🇪",
  "a\u0301",
  "\ufeffmark",
  "\n\t ",
];

for (const [family, file] of [
  ["byte level", byteLevelTokenizer()],
  ["pieces", piecesTokenizer()],
] as const) {
  describe(family, () => {
    const tokenizer = loadTokenizer(jsonBytes(file), {});
    const library = new LibraryTokenizer(file, {});
    const libraryDecode = (token_ids: number[]) =>
      library.decode(token_ids, { skip_special_tokens: true, clean_up_tokenization_spaces: false });
    const token_sequence = fc.array(fc.nat(tokenizer.vocab_size - 1), { minLength: 1, maxLength: 24 });

    test("random tokens: every prefix of pushes, flushed, equals the library's decode", () => {
      fc.assert(
        fc.property(token_sequence, (token_ids) => {
          // The library's byte fallback drops byte order marks; that difference has a test of its own below.
          fc.pre(!tokenizer.decode(token_ids, { skip_special_tokens: true }).includes("\ufeff"));
          let text = "";
          const decoder = tokenizer.streamDecoder();
          for (const [index, token_id] of token_ids.entries()) {
            const pushed = decoder.push(token_id);
            expect(pushed.isWellFormed()).toBe(true);
            text += pushed;
            const other = tokenizer.streamDecoder();
            const prefix = token_ids.slice(0, index + 1);
            const whole = prefix.map((id) => other.push(id)).join("") + other.flush();
            expect(whole).toBe(libraryDecode(prefix));
            // What was emitted is final: the text only grows.
            expect(whole).toStartWith(text);
          }
          expect(text + decoder.flush()).toBe(libraryDecode(token_ids));
          expect(tokenizer.decode(token_ids, { skip_special_tokens: true })).toBe(libraryDecode(token_ids));
        }),
        { seed: 4, numRuns: 1_500 },
      );
    });

    test("real texts never leave half a character in what is pushed", () => {
      for (const text of TEXTS) {
        const decoder = tokenizer.streamDecoder();
        let streamed = "";
        for (const token_id of tokenizer.encode(text, { add_special_tokens: false })) {
          const pushed = decoder.push(token_id);
          expect(pushed).not.toContain("\ufffd");
          expect(pushed.isWellFormed()).toBe(true);
          streamed += pushed;
        }
        expect(streamed).toBe(text);
        expect(decoder.flush()).toBe("");
      }
    });

    test("random bytes come out as the WHATWG decoder has them", () => {
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 1, maxLength: 12 }), (bytes) => {
          const token_ids = Array.from(bytes, (byte) => byteToken(tokenizer, byte));
          const expected = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
          // A leading space byte is cut from the start of a text of pieces.
          const stripped = family === "pieces" ? expected.replace(/^ /, "") : expected;
          expect(tokenizer.decode(token_ids, { skip_special_tokens: true })).toBe(stripped);
        }),
        { seed: 5, numRuns: 2_000 },
      );
    });

    test("an unfinished character becomes U+FFFD at the flush and not before", () => {
      const decoder = tokenizer.streamDecoder();
      expect(decoder.push(byteToken(tokenizer, 0xf0))).toBe("");
      expect(decoder.push(byteToken(tokenizer, 0x9f))).toBe("");
      expect(decoder.push(byteToken(tokenizer, 0x98))).toBe("");
      expect(decoder.flush()).toBe("\ufffd");
      expect(decoder.flush()).toBe("");
    });

    test("a character goes on across a special token and a padded id, which add nothing", () => {
      const special = [...tokenizer.special_token_ids][0] ?? -1;
      const decoder = tokenizer.streamDecoder();
      expect(decoder.push(byteToken(tokenizer, 0xc3))).toBe("");
      expect(decoder.push(special)).toBe("");
      expect(decoder.push(tokenizer.vocab_size + 5)).toBe("");
      expect(decoder.push(byteToken(tokenizer, 0xa9))).toBe("é");
    });

    test("keeps a byte order mark, as the reference tokenizer does", () => {
      // The library's byte fallback drops it; Hugging Face tokenizers, which it follows, does not.
      const mark = [0xef, 0xbb, 0xbf].map((byte) => byteToken(tokenizer, byte));
      expect(tokenizer.decode(mark, { skip_special_tokens: true })).toBe("\ufeff");
    });

    test("a character that the prompt left unfinished is emitted whole with the answer", () => {
      const decoder = tokenizer.streamDecoder([byteToken(tokenizer, 0xe6), byteToken(tokenizer, 0xbc)]);
      expect(decoder.push(byteToken(tokenizer, 0xa2))).toBe("漢");
    });

    test("refuses what is no token id", () => {
      for (const token_id of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        const error = errorOf(() => tokenizer.streamDecoder().push(token_id));
        expect(error.code).toBe("argument_invalid");
        expect(error.message).toBe(`token id: expected a whole number of at least 0, received ${token_id}`);
      }
      expect(errorOf(() => tokenizer.streamDecoder([-1])).code).toBe("argument_invalid");
    });
  });
}

describe("the leading space of pieces", () => {
  const tokenizer = loadTokenizer(jsonBytes(piecesTokenizer()), {});
  const id = (text: string) => tokenizer.tokenId(text) ?? -1;

  test("is cut once, from the start of the whole text only", () => {
    const decoder = tokenizer.streamDecoder();
    expect(["▁a", "▁a", "▁▁"].map((text) => decoder.push(id(text)))).toEqual(["a", " a", "  "]);
    const spaces = tokenizer.streamDecoder();
    expect(["▁", "▁", "a"].map((text) => spaces.push(id(text)))).toEqual(["", " ", "a"]);
  });

  test("stays in an answer that continues text, and goes where the prompt has none", () => {
    expect(tokenizer.streamDecoder([id("<s>"), id("▁a")]).push(id("▁a"))).toBe(" a");
    expect(tokenizer.streamDecoder([id("<s>")]).push(id("▁a"))).toBe("a");
    expect(tokenizer.streamDecoder().push(id("▁a"))).toBe("a");
  });
});

function byteToken(tokenizer: { tokenId(text: string): number | undefined }, byte: number): number {
  const hex = byte.toString(16).toUpperCase().padStart(2, "0");
  const token_id = tokenizer.tokenId(`<0x${hex}>`) ?? tokenizer.tokenId(inByteAlphabet(Uint8Array.of(byte)));
  if (token_id === undefined) throw new Error(`no token for byte ${byte}`);
  return token_id;
}
