/** Opening a packed model and the checks around a pass: options, token ids, the cache's end, a pass that is stopped. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { BATCH_TOKENS_MAX } from "../../src/limits.ts";
import {
  CONTEXT_TOKENS_DEFAULT,
  PackedModel,
  type PackedModelOptions,
} from "../../src/model/packed-model.ts";
import { bestCpuLevel } from "../../src/native/kernels.ts";
import { refusal } from "../format/refusal.ts";
import { TemporaryFolder } from "../packing/checkpoint-folder.ts";
import { packRandomModel, randomTensors } from "./random-model.ts";
import type { ReferenceConfig } from "./reference-forward.ts";

const TINY: ReferenceConfig & { max_position_embeddings: number } = {
  model_type: "hunyuan_v1_dense",
  hidden_size: 36,
  intermediate_size: 52,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 12,
  vocab_size: 48,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
  max_position_embeddings: 600,
};

const folder = new TemporaryFolder();
let path: string;
let model: PackedModel | null = null;

beforeAll(async () => {
  path = await packRandomModel(folder, TINY, 5, { linear: "f32", embedding: "f32" });
});
afterEach(() => {
  model?.close();
  model = null;
});
afterAll(() => folder[Symbol.dispose]());

function open(options: PackedModelOptions = {}): PackedModel {
  model = PackedModel.open(path, { thread_count: 1, ...options });
  return model;
}

describe("opening", () => {
  test("says what the model is and computes with", async () => {
    const { directory, file_bytes, context_tokens, thread_count, cpu_level, key_value_element, tokenizer } =
      open();
    expect(directory.config.architecture).toBe("hunyuan_v1_dense");
    expect(file_bytes).toBe((await Bun.file(path).stat()).size);
    expect({ context_tokens, thread_count, key_value_element, tokenizer }).toEqual({
      context_tokens: 600,
      thread_count: 1,
      key_value_element: "f16",
      tokenizer: null,
    });
    expect(cpu_level).toBe(bestCpuLevel());
    expect(open({ context_tokens: 7, cpu_level: "scalar", key_value_element: "f32" })).toMatchObject({
      context_tokens: 7,
      cpu_level: "scalar",
      key_value_element: "f32",
    });
  });

  test("with its file locked in memory", () => {
    const locked = () => Number(/^VmLck:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
    const before = locked();
    const opened = open({ lock_memory: true });
    expect((locked() - before) * 1024).toBe(Math.ceil(opened.file_bytes / 4096) * 4096);
    opened.close();
    expect(locked()).toBe(before);
  });

  test("a longer model gets the default context unless asked", async () => {
    using other = new TemporaryFolder();
    const long = { ...TINY, max_position_embeddings: 100_000 };
    const long_path = await packRandomModel(other, long, 5, { linear: "f32", embedding: "f32" });
    const opened = PackedModel.open(long_path, { thread_count: 1 });
    expect(opened.context_tokens).toBe(CONTEXT_TOKENS_DEFAULT);
    opened.close();
  });

  test.each([0, 601, 1.5, -3])("a context of %d tokens is refused", (context_tokens) => {
    expect(refusal(() => open({ context_tokens }))).toEqual({
      code: "argument_invalid",
      message: `context_tokens: expected an integer from 1 to 600, this model's limit, received ${context_tokens}`,
    });
  });

  test("no file, and a file that is none of ours", () => {
    expect(refusal(() => PackedModel.open(folder.at("nothing"), {})).code).toBe("file_unreadable");
    writeFileSync(folder.at("text"), "once upon a time");
    expect(refusal(() => PackedModel.open(folder.at("text"), {})).code).toBe("format_invalid");
  });
});

describe("a pass", () => {
  test.each([
    ["no token", [], "0 ids"],
    ["more than a batch", Array(BATCH_TOKENS_MAX + 1).fill(1), `${BATCH_TOKENS_MAX + 1} ids`],
    ["a token outside the vocabulary", [1, 48], "id 48"],
  ])("%s is refused", (_, ids: number[], received) => {
    const opened = open();
    const cache = opened.createCache();
    expect(refusal(() => opened.forward(cache, Uint32Array.from(ids), true))).toEqual({
      code: "argument_invalid",
      message: `token ids: expected 1 to ${BATCH_TOKENS_MAX} ids below 48, received ${received}`,
    });
    expect(cache.length).toBe(0);
    cache.free();
  });

  test("runs up to the cache's last position and not beyond", () => {
    const opened = open();
    const cache = opened.createCache(4);
    opened.forward(cache, Uint32Array.of(1, 2, 3, 4), false);
    expect(cache.length).toBe(4);
    expect(refusal(() => opened.forward(cache, Uint32Array.of(5), false))).toEqual({
      code: "context_exceeded",
      message:
        "the sequence is longer than its cache: expected at most 4 tokens, received 5. " +
        "Shorten the prompt or open the model with a larger context",
    });
    cache.free();
  });

  test("that is stopped between layers can be run again", () => {
    const opened = open();
    const [stopped, plain] = [opened.createCache(), opened.createCache()];
    opened.forward(plain, Uint32Array.of(1, 2), false);
    opened.forward(plain, Uint32Array.of(3), true);
    const expected = opened.logits.slice();
    opened.forward(stopped, Uint32Array.of(1, 2), false);
    let layers = 0;
    const stop = () => {
      layers += 1;
      if (layers === 2) throw new Error("enough");
    };
    expect(() => opened.forward(stopped, Uint32Array.of(9), true, stop)).toThrow("enough");
    expect(stopped.length).toBe(2);
    opened.forward(stopped, Uint32Array.of(3), true);
    expect(opened.logits).toEqual(expected);
    stopped.free();
    plain.free();
  });

  test("sequences do not see each other", () => {
    const opened = open();
    const [one, other] = [opened.createCache(), opened.createCache()];
    opened.forward(one, Uint32Array.of(1, 2, 3), true);
    const expected = opened.logits.slice();
    opened.forward(one, Uint32Array.of(4), true);
    opened.forward(other, Uint32Array.of(1, 2), false);
    opened.forward(one, Uint32Array.of(5), true);
    opened.forward(other, Uint32Array.of(3), true);
    expect(opened.logits).toEqual(expected);
    one.free();
    other.free();
  });

  test("argmax is the place of the largest logit", () => {
    const opened = open();
    const cache = opened.createCache();
    opened.forward(cache, Uint32Array.of(1, 2, 3), true);
    expect(opened.argmax()).toBe(opened.logits.indexOf(Math.max(...opened.logits)));
    cache.free();
  });

  test.each(["f32", "q8"] as const)(
    "with a %s head, weights that overflow end in a refusal",
    async (embedding) => {
      using other = new TemporaryFolder();
      const tensors = randomTensors(TINY, 5);
      for (const name of ["v_proj", "o_proj"]) {
        const weights = tensors.get(`model.layers.1.self_attn.${name}.weight`)?.weights;
        weights?.forEach((weight, index) => {
          weights[index] = weight * 1e38;
        });
      }
      const wild_path = await packRandomModel(other, TINY, 5, { linear: "f32", embedding }, tensors);
      const opened = PackedModel.open(wild_path, { thread_count: 1 });
      const cache = opened.createCache();
      const next = () => {
        opened.forward(cache, Uint32Array.of(1, 2, 3), true);
        return opened.argmax();
      };
      expect(refusal(next).code).toBe("numbers_not_finite");
      // Only the integer kernels look at their input; a pass that they refuse leaves the cache as it was.
      expect(cache.length).toBe(embedding === "q8" ? 0 : 3);
      cache.free();
      opened.close();
    },
  );

  test("a closed model refuses; closing twice is fine", () => {
    const opened = open();
    const cache = opened.createCache();
    opened.close();
    opened.close();
    expect(refusal(() => opened.forward(cache, Uint32Array.of(1), true))).toEqual({
      code: "closed",
      message: "the kernels were closed",
    });
    cache.free();
  });
});
