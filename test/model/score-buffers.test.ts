/** A scored pass says after every token what single passes say, to the bit, and leaves the cache as they do. */
import { expect, test } from "bun:test";
import { SherryError } from "../../src/errors.ts";
import { PackedModel } from "../../src/model/packed-model.ts";
import { SCORED_TOKENS_MAX } from "../../src/model/score-buffers.ts";
import { parseScaleReach } from "../../src/packing/scale-option.ts";
import { makeModel } from "../../src/packing/synthetic/make-model.ts";
import { chooseShape } from "../../src/packing/synthetic/shapes.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const pathOf = temporaryFolder();

test("logits, probabilities and likeliest tokens of every position", async () => {
  const shape = chooseShape(
    "qwen3",
    { num_hidden_layers: 2, hidden_size: 64, intermediate_size: 96, num_attention_heads: 4, vocab_size: 300 },
    true,
  );
  const output = pathOf("model.sherry");
  await makeModel({
    ...{
      shape,
      output,
      form: "sherry",
      seed: 1,
      scale: parseScaleReach("channel"),
      embedding: "q8",
      head: null,
    },
  });
  const model = PackedModel.open(output, { thread_count: 1 });
  try {
    const ids = Uint32Array.from({ length: 39 }, (_, index) => (index * 37) % 300);
    const [one, many] = [model.createCache(), model.createCache()];
    const single = [...ids].map((id) => {
      model.forward(one, Uint32Array.of(id), true);
      return { logits: model.logits.slice(), likeliest: model.argmax() };
    });
    for (const [begin, end] of [
      [0, 1],
      [1, 7],
      [7, 39],
    ] as const) {
      const scored = model.forwardScored(many, ids.subarray(begin, end));
      expect(many.length).toBe(end);
      expect(scored.logits.length).toBe((end - begin) * 300);
      for (let row = 0; row < end - begin; row += 1) {
        const expected = single[begin + row];
        expect(scored.logits.slice(row * 300, (row + 1) * 300)).toEqual(
          expected?.logits ?? new Float32Array(),
        );
        expect(scored.likeliest[row]).toBe(expected?.likeliest ?? -1);
        const sum = scored.probabilities.slice(row * 300, (row + 1) * 300).reduce((a, b) => a + b, 0);
        expect(sum).toBeCloseTo(1, 5);
      }
    }
    // A plain pass may follow; and more than a scored pass holds is refused.
    model.forward(many, Uint32Array.of(5), true);
    model.forward(one, Uint32Array.of(5), true);
    one.length = 0;
    expect(() => model.forwardScored(one, new Uint32Array(SCORED_TOKENS_MAX + 1))).toThrow(
      new SherryError("argument_invalid", "token ids", {
        expected: `1 to ${SCORED_TOKENS_MAX} ids below 300`,
        received: `${SCORED_TOKENS_MAX + 1} ids`,
      }),
    );
    one.free();
    many.free();
  } finally {
    model.close();
    model.close();
  }
});
