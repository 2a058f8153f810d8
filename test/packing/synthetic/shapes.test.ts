/** Choosing a shape: names, given sizes, and every refusal. */
import { describe, expect, test } from "bun:test";
import { SherryError } from "../../../src/errors.ts";
import { parseModelConfig } from "../../../src/packing/checkpoint-config.ts";
import {
  chooseShape,
  MODEL_SHAPES,
  type ShapeSizes,
  shapeConfigJson,
} from "../../../src/packing/synthetic/shapes.ts";

const SIZES: ShapeSizes = {
  num_hidden_layers: 2,
  hidden_size: 64,
  intermediate_size: 96,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
  vocab_size: 300,
  max_position_embeddings: 128,
};

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof SherryError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "nothing";
}

describe("chooseShape", () => {
  test("every named shape gives a config that the packer takes", () => {
    for (const { name } of MODEL_SHAPES) {
      const shape = chooseShape(name, {}, true);
      const config = parseModelConfig(shapeConfigJson(shape), null, false);
      expect(config.architecture).toBe(shape.architecture);
      expect(config.tie_word_embeddings).toBe(true);
      expect(config.num_attention_heads * config.head_dim).toBeGreaterThanOrEqual(1536);
    }
    const config = parseModelConfig(shapeConfigJson(chooseShape("hy-mt-1.8b", {}, true)), null, false);
    expect(config.rope_scaling).toEqual({ type: "dynamic_alpha", alpha: 1_000 });
  });

  test("given sizes replace a shape's own, and end what was published about it", () => {
    expect(chooseShape("bitnet-3b", {}, true).published_file_bytes).toBe(712_400_000);
    const changed = chooseShape("bitnet-3b", { num_hidden_layers: 1 }, true);
    expect(changed).toMatchObject({ num_hidden_layers: 1, hidden_size: 3_200, published_file_bytes: null });
    expect(chooseShape("bitnet-3b", {}, false)).toMatchObject({
      tie_word_embeddings: false,
      published_file_bytes: null,
    });
  });

  test("an architecture alone takes its sizes from the caller", () => {
    const { num_key_value_heads, head_dim, max_position_embeddings, ...needed } = SIZES;
    expect(chooseShape("qwen3", needed, true)).toMatchObject({
      ...needed,
      architecture: "qwen3",
      num_key_value_heads: 4,
      head_dim: 16,
      max_position_embeddings: 2_048,
    });
    for (const field of Object.keys(needed) as (keyof typeof needed)[]) {
      const { [field]: left_out, ...rest } = needed;
      expect(refusal(() => chooseShape("qwen3", rest, true))).toBe(
        `argument_invalid: ${field}: expected a number: qwen3 alone is no shape, received nothing. Give all sizes, or one of llama-3.2-1b, llama-3.2-3b, bitnet-0.7b, bitnet-3b, hy-mt-1.8b, qwen3-1.7b`,
      );
      expect(left_out).toBeGreaterThan(0);
    }
  });

  test("sizes that contradict each other, and unknown names, are refused", () => {
    const choose = (changes: Partial<ShapeSizes>) =>
      refusal(() => chooseShape("llama", { ...SIZES, ...changes }, true));
    expect(choose({ num_key_value_heads: 3 })).toBe(
      "argument_invalid: num_key_value_heads: expected a divisor of num_attention_heads (4), received 3",
    );
    expect(choose({ head_dim: 7 })).toBe("argument_invalid: head_dim: expected an even number, received 7");
    expect(choose({ hidden_size: 66 })).toBe(
      "argument_invalid: hidden_size: expected a multiple of 4, the block of 3:4 sparsity, received 66",
    );
    expect(choose({ intermediate_size: 98 })).toBe(
      "argument_invalid: intermediate_size: expected a multiple of 4, the block of 3:4 sparsity, received 98",
    );
    expect(choose({ num_attention_heads: 1, num_key_value_heads: 1, head_dim: 6 })).toBe(
      "argument_invalid: head_dim: expected a head_dim that makes num_attention_heads * head_dim a multiple of 4, received 6",
    );
    expect(choose({ vocab_size: 257 })).toBe(
      "argument_invalid: vocab_size: expected at least 258: the bytes and two markers, received 257",
    );
    expect(refusal(() => chooseShape("hy-mt-1.8b", { head_dim: 2 }, true))).toBe(
      "argument_invalid: head_dim: expected more than 2, received 2",
    );
    expect(refusal(() => chooseShape("gpt-5", {}, true))).toBe(
      "argument_invalid: the model's shape: expected llama-3.2-1b, llama-3.2-3b, bitnet-0.7b, bitnet-3b, hy-mt-1.8b, qwen3-1.7b, llama, qwen3, hunyuan_v1_dense, received gpt-5",
    );
  });
});
