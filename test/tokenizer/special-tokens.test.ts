/** Both ways of writing a special token, and what is neither. */
import { describe, expect, test } from "bun:test";
import { readSpecialTokens } from "../../src/tokenizer/special-tokens.ts";
import { errorOf } from "./fixtures.ts";

describe("readSpecialTokens", () => {
  test("reads plain texts and objects with content; null and absent tokens are absent", () => {
    const tokens = readSpecialTokens({
      bos_token: "<s>",
      eos_token: { content: "</s>", lstrip: false, __type: "AddedToken" },
      pad_token: null,
      additional_special_tokens: ["<a>", { content: "<b>" }],
      model_max_length: 512,
    });
    expect(tokens).toEqual({ named: { bos_token: "<s>", eos_token: "</s>" }, additional: ["<a>", "<b>"] });
    expect(readSpecialTokens({})).toEqual({ named: {}, additional: [] });
  });

  test("refuses what is neither, by name", () => {
    const cases = [
      [{ bos_token: 5 }, "bos_token: expected text, or an object with a text content, received 5"],
      [
        { eos_token: { content: 5 } },
        "eos_token: expected text, or an object with a text content, received an object",
      ],
      [
        { additional_special_tokens: "<a>" },
        'additional_special_tokens: expected a list of tokens, received "<a>"',
      ],
      [
        { additional_special_tokens: ["<a>", []] },
        "additional_special_tokens[1]: expected text, or an object with a text content, received a list of 0",
      ],
    ] as const;
    for (const [config, message] of cases) {
      const error = errorOf(() => readSpecialTokens(config));
      expect(error.code).toBe("tokenizer_invalid");
      expect(error.message).toBe(`tokenizer_config.json: ${message}`);
    }
  });
});
