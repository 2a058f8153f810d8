/** Options that the tokenizer library leaves aside are refused; those that it honours pass. */
import { describe, expect, test } from "bun:test";
import { checkTextPreparation } from "../../src/tokenizer/text-preparation.ts";
import { errorOf } from "./fixtures.ts";

function refusal(part: "normalizer" | "pre_tokenizer", step: unknown): string {
  const error = errorOf(() => checkTextPreparation(part, step));
  return `${error.code}: ${error.message}`;
}

const PATTERN = { Regex: "\\s+" };

describe("checkTextPreparation", () => {
  test("passes what the library honours", () => {
    for (const step of [
      null,
      { type: "ByteLevel" },
      { type: "Split", pattern: PATTERN, behavior: "Isolated", invert: false },
      { type: "Split", pattern: { String: " " }, behavior: "Removed", invert: true },
      { type: "Punctuation", behavior: "Contiguous" },
      { type: "Metaspace", split: false, prepend_scheme: "first" },
      { type: "Sequence", pretokenizers: [{ type: "Digits" }, { type: "ByteLevel" }] },
    ]) {
      expect(checkTextPreparation("pre_tokenizer", step)).toBeUndefined();
    }
    const replace = { type: "Replace", pattern: { String: " " }, content: "▁" };
    expect(checkTextPreparation("normalizer", { type: "Sequence", normalizers: [replace] })).toBeUndefined();
  });

  test("refuses what is no step", () => {
    expect(refusal("normalizer", "NFC")).toBe(
      'tokenizer_invalid: tokenizer.json: normalizer: expected an object or null, received "NFC"',
    );
    expect(refusal("pre_tokenizer", { type: "Sequence" })).toBe(
      "tokenizer_invalid: tokenizer.json: pre_tokenizer: expected a Sequence with a list of steps, received nothing",
    );
  });

  test("refuses nesting that would exhaust the stack", () => {
    let step: unknown = { type: "NFC" };
    for (let level = 0; level < 17; level += 1) step = { type: "Sequence", normalizers: [step] };
    expect(refusal("normalizer", step)).toBe(
      "tokenizer_invalid: tokenizer.json: normalizer: expected at most 16 levels, received more",
    );
  });

  test("refuses patterns that the library would skip", () => {
    for (const pattern of [undefined, null, {}, { Regex: 5 }]) {
      expect(refusal("normalizer", { type: "Replace", pattern })).toStartWith(
        "tokenizer_invalid: tokenizer.json: normalizer: expected a Replace whose pattern has a String or a Regex",
      );
    }
    const nested = { type: "Sequence", pretokenizers: [{ type: "Split", behavior: "Isolated" }] };
    expect(refusal("pre_tokenizer", nested)).toBe(
      "tokenizer_invalid: tokenizer.json: pre_tokenizer: " +
        "expected a Split whose pattern has a String or a Regex, received nothing",
    );
  });

  test("refuses options that the library would leave aside", () => {
    const next_step = "This tokenizer would give wrong ids here; use a checkpoint with another one";
    const place = "tokenizer_unsupported: tokenizer.json: pre_tokenizer";
    const split = { type: "Split", pattern: PATTERN };
    for (const [step, message] of [
      [
        { ...split, behavior: "MergedWithNext" },
        'Split\'s behavior: expected Removed, or Isolated and not inverted, received "MergedWithNext"',
      ],
      [
        { ...split, behavior: "Isolated", invert: true },
        'Split\'s behavior: expected Removed, or Isolated and not inverted, received "Isolated", inverted',
      ],
      [{ type: "Punctuation" }, "Punctuation's behavior: expected Contiguous, received nothing"],
      [{ type: "Metaspace", prepend_scheme: "first" }, "Metaspace's split: expected false, received true"],
      [
        { type: "Metaspace", split: false },
        "Metaspace's prepend_scheme: expected always, first or never, received nothing",
      ],
    ] as const) {
      expect(refusal("pre_tokenizer", step)).toBe(`${place}: ${message}. ${next_step}`);
    }
  });
});
