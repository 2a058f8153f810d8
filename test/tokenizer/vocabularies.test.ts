/** GPT-2's and Llama 2's real vocabularies: the ids that llama.cpp expects, and every text given back by the stream. */
import { describe, expect, test } from "bun:test";
import { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import fc from "fast-check";
import { loadTokenizer } from "../../src/tokenizer/tokenizer.ts";
import { jsonBytes, SKIPS_SHARED, sharedFile } from "./fixtures.ts";
import { gpt2Tokenizer, llamaTokenizer, readGgufMetadata } from "./gguf-vocabulary.ts";

describe.skipIf(SKIPS_SHARED).each([
  ["gpt-2", gpt2Tokenizer],
  ["llama-spm", llamaTokenizer],
] as const)("%s", (name, build) => {
  const load = async () => {
    const file = build(readGgufMetadata(await sharedFile(`models/vocab/${name}.gguf`).bytes()));
    return { file, tokenizer: loadTokenizer(jsonBytes(file), {}) };
  };

  test("encodes and streams the 46 texts", async () => {
    const { tokenizer } = await load();
    const inputs = (await sharedFile(`models/vocab/${name}.gguf.inp`).text()).split(
      "\n__ggml_vocab_test__\n",
    );
    const outputs = (await sharedFile(`models/vocab/${name}.gguf.out`).text()).split("\n");
    let compared = 0;
    for (const [index, text] of inputs.slice(0, 46).entries()) {
      const expected = (outputs[index] ?? "").split(" ").filter(Boolean).map(Number);
      const token_ids = tokenizer.encode(text, { add_special_tokens: false });
      expect({ text, token_ids }).toEqual({ text, token_ids: expected });
      const decoder = tokenizer.streamDecoder();
      const pushed = token_ids.map((token_id) => decoder.push(token_id));
      expect(pushed.every((piece) => piece.isWellFormed() && !piece.includes("\ufffd"))).toBe(true);
      expect(pushed.join("")).toBe(text);
      expect(decoder.flush()).toBe("");
      compared += 1;
    }
    expect(compared).toBe(46);
  });

  test("streams random tokens as the library decodes them", async () => {
    const { file, tokenizer } = await load();
    const library = new LibraryTokenizer(file, {});
    fc.assert(
      fc.property(
        fc.array(fc.nat(tokenizer.vocab_size - 1), { minLength: 1, maxLength: 40 }),
        (token_ids) => {
          const expected = library.decode(token_ids, {
            skip_special_tokens: true,
            clean_up_tokenization_spaces: false,
          });
          expect(tokenizer.decode(token_ids, { skip_special_tokens: true })).toBe(expected);
        },
      ),
      { seed: 6, numRuns: 500 },
    );
  });
});
