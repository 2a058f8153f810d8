/** Encoding and decoding through the whole tokenizer, and what a broken file is answered with. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { loadTokenizer } from "../../src/tokenizer/tokenizer.ts";
import {
  byteLevelTokenizer,
  errorOf,
  jsonBytes,
  piecesTokenizer,
  SKIPS_SHARED,
  sharedFile,
} from "./fixtures.ts";

interface Reference {
  readonly cases: readonly { prompt: string; prompt_tokens: number[]; greedy: number[] }[];
}

describe.skipIf(SKIPS_SHARED)("stories260K", () => {
  const load = async () => {
    const folder = "models/stories260K";
    const bytes = await sharedFile(`${folder}/tokenizer.json`).bytes();
    const config = await sharedFile(`${folder}/tokenizer_config.json`).json();
    const reference: Reference = await sharedFile(`${folder}/reference.json`).json();
    return { tokenizer: loadTokenizer(bytes, config), cases: reference.cases };
  };

  test("encodes the five reference prompts to llama2.c's ids", async () => {
    const { tokenizer, cases } = await load();
    expect(cases.length).toBe(5);
    for (const { prompt, prompt_tokens } of cases) {
      expect(tokenizer.encode(prompt, { add_special_tokens: true })).toEqual(prompt_tokens);
      expect(tokenizer.encode(prompt, { add_special_tokens: false })).toEqual(prompt_tokens.slice(1));
    }
    expect(tokenizer.vocab_size).toBe(512);
    expect([...tokenizer.special_token_ids]).toEqual([0, 1, 2]);
  });

  test("streams each answer as the decode of prompt and answer minus the decode of the prompt", async () => {
    const { tokenizer, cases } = await load();
    const answers: string[] = [];
    for (const { prompt_tokens, greedy } of cases) {
      const decoder = tokenizer.streamDecoder(prompt_tokens);
      const answer = greedy.map((token_id) => decoder.push(token_id)).join("") + decoder.flush();
      const prompt_text = tokenizer.decode(prompt_tokens, { skip_special_tokens: true });
      const whole = tokenizer.decode([...prompt_tokens, ...greedy], { skip_special_tokens: true });
      expect(prompt_text + answer).toBe(whole);
      answers.push(answer);
    }
    expect(answers[0]).toStartWith("Once upon a time, there was a little girl named Lily.");
    expect(answers[1]).toStartWith(", there was a little girl named Lily. She loved to play");
    expect(answers[3]).toStartWith(" a little girl named Lily. I love to play");
  });
});

describe("a byte-level tokenizer", () => {
  const tokenizer = loadTokenizer(jsonBytes(byteLevelTokenizer()), {});

  test("uses its merges and adds its special tokens when asked", () => {
    const texts = (text: string, add_special_tokens: boolean) =>
      tokenizer.encode(text, { add_special_tokens }).map((token_id) => tokenizer.tokenText(token_id));
    expect(texts("in the", true)).toEqual(["<|begin|>", "in", "Ġthe"]);
    expect(texts("in the", false)).toEqual(["in", "Ġthe"]);
    expect(texts("in<|end|>", false)).toEqual(["in", "<|end|>"]);
    expect(texts("", false)).toEqual([]);
  });

  test("looks tokens up both ways", () => {
    const end = tokenizer.tokenId("<|end|>");
    expect(end).toBe(tokenizer.vocab_size - 2);
    expect(tokenizer.tokenText(end ?? -1)).toBe("<|end|>");
    expect(tokenizer.tokenId("no such token")).toBeUndefined();
    expect(tokenizer.tokenText(tokenizer.vocab_size)).toBeUndefined();
  });

  test("gives every text back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (text) => {
        const token_ids = tokenizer.encode(text, { add_special_tokens: true });
        expect(tokenizer.decode(token_ids, { skip_special_tokens: true })).toBe(text);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test("decodes special tokens only when they are not skipped", () => {
    const token_ids = tokenizer.encode("in<|end|>", { add_special_tokens: true });
    expect(tokenizer.decode(token_ids, { skip_special_tokens: true })).toBe("in");
    expect(tokenizer.decode(token_ids, { skip_special_tokens: false })).toBe("<|begin|>in<|end|>");
    expect(tokenizer.decode([], { skip_special_tokens: true })).toBe("");
  });

  test("encodes 100,000 characters in a time that grows with the length, not with its square", () => {
    const bestMs = (length: number, unit: string) => {
      const text = unit.repeat(length / unit.length);
      const times = Array.from({ length: 3 }, () => {
        const start = performance.now();
        tokenizer.encode(text, { add_special_tokens: false });
        return performance.now() - start;
      });
      return Math.min(...times);
    };
    for (const unit of ["the fox ", "a", " ", "😀"]) {
      const short_ms = Math.max(5, bestMs(12_800, unit));
      // Eight times the text; a square would take 64 times as long. The slack is for a busy machine.
      expect(bestMs(102_400, unit) / short_ms).toBeLessThan(40);
    }
  });
});

describe("a tokenizer of pieces", () => {
  const tokenizer = loadTokenizer(jsonBytes(piecesTokenizer()), {});

  test("spells unknown characters as bytes and gives every text back", () => {
    expect(
      tokenizer.encode("ab ü", { add_special_tokens: false }).map((id) => tokenizer.tokenText(id)),
    ).toEqual(["▁ab", "▁", "<0xC3>", "<0xBC>"]);
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 40 }), (text) => {
        // The format writes a space and ▁ alike.
        fc.pre(!text.includes("▁"));
        const token_ids = tokenizer.encode(text, { add_special_tokens: false });
        expect(tokenizer.decode(token_ids, { skip_special_tokens: true })).toBe(text);
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  test("drops what it cannot write when there is neither byte nor unknown token, as the reference does", () => {
    const file = piecesTokenizer();
    const model = { ...(file["model"] as object), byte_fallback: false, unk_token: null };
    const without = loadTokenizer(jsonBytes({ ...file, model }), {});
    expect(without.encode("aüb", { add_special_tokens: false }).map((id) => without.tokenText(id))).toEqual([
      "▁a",
      "b",
    ]);
  });
});

describe("a file that cannot be loaded", () => {
  test("names the part of a type that the library does not know", () => {
    for (const [part, name] of [
      ["normalizer", "Normalizer"],
      ["pre_tokenizer", "PreTokenizer"],
      ["post_processor", "PostProcessor"],
    ] as const) {
      const file = { ...byteLevelTokenizer(), [part]: { type: "Wishful" } };
      const error = errorOf(() => loadTokenizer(jsonBytes(file), {}));
      expect(error.code).toBe("tokenizer_unsupported");
      expect(error.message).toBe(
        `tokenizer.json: ${name}: expected a type that the tokenizer library knows, received Wishful. ` +
          "Use a checkpoint whose tokenizer has another one",
      );
    }
  });

  test("fails at loading when a part breaks only in use", () => {
    const file = { ...byteLevelTokenizer(), post_processor: { type: "TemplateProcessing" } };
    const error = errorOf(() => loadTokenizer(jsonBytes(file), {}));
    expect(error.code).toBe("tokenizer_invalid");
    expect(error.message).toContain(
      "tokenizer.json: expected a file that Hugging Face tokenizers can load, received",
    );
  });

  test("names a token of the post-processor that the vocabulary lacks", () => {
    const post_processor = {
      type: "TemplateProcessing",
      single: [{ SpecialToken: { id: "<gone>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
    };
    const error = errorOf(() => loadTokenizer(jsonBytes({ ...byteLevelTokenizer(), post_processor }), {}));
    expect(error.code).toBe("tokenizer_invalid");
    expect(error.message).toBe(
      "tokenizer.json: expected only tokens of the vocabulary as unknown token and in the post-processor, " +
        'received "<gone>"',
    );
  });

  test("answers thousands of damaged files with a typed error or a working tokenizer", () => {
    const whole = JSON.stringify(piecesTokenizer());
    fc.assert(
      fc.property(
        fc.nat(whole.length - 1),
        fc.constantFrom("", '"', "0", "{", "]", "null", "-1"),
        (position, patch) => {
          const damaged = whole.slice(0, position) + patch + whole.slice(position + 1);
          try {
            loadTokenizer(new TextEncoder().encode(damaged), {}).encode("a b é", {
              add_special_tokens: true,
            });
          } catch (error) {
            expect(error).toHaveProperty("name", "SherryError");
          }
        },
      ),
      { seed: 3, numRuns: 3_000 },
    );
  });
});
