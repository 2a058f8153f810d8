/**
 * A real pretrained model against an independent implementation: stories260K packed in several ways, held against
 * llama2.c's float32 run (tokens of the prompts, logits of their last position, 64 greedy tokens).
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { TextModel } from "../../src/generation/text-model.ts";
import { PackedModel, type PackedModelOptions } from "../../src/model/packed-model.ts";
import { usableCpuLevels } from "../../src/native/kernels.ts";
import { packCheckpoint } from "../../src/packing/packer.ts";
import { deviation, runModel } from "../model/measured-logits.ts";
import { packedReference } from "../model/random-model.ts";
import { type ReferenceConfig, referenceLogits } from "../model/reference-forward.ts";
import { TemporaryFolder } from "../packing/checkpoint-folder.ts";
import { type ReferenceCase, referenceCases, SKIPS_SHARED, STORIES_FOLDER } from "../shared.ts";

type Kind = "f32" | "f16" | "bf16" | "q8";

interface Answer {
  readonly logits: Float32Array;
  readonly greedy: readonly number[];
}

/** The logits after the prompt, and as many greedy tokens as the reference has. */
function answer(model: PackedModel, { prompt_tokens, greedy }: ReferenceCase): Answer {
  const cache = model.createCache();
  try {
    model.forward(cache, Uint32Array.from(prompt_tokens), true);
    const logits = model.logits.slice();
    const tokens: number[] = [];
    while (tokens.length < greedy.length) {
      const token = model.argmax();
      tokens.push(token);
      model.forward(cache, Uint32Array.of(token), true);
    }
    return { logits, greedy: tokens };
  } finally {
    cache.free();
  }
}

function logSumExp(logits: Float32Array): number {
  const largest = Math.max(...logits);
  return largest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
}

/** The largest difference from the reference, among the logits that it lists and their log-sum-exp. */
function distance(logits: Float32Array, { last_logits_head, last_logsumexp }: ReferenceCase): number {
  const differences = last_logits_head.map((value, index) => Math.abs(value - (logits[index] ?? Number.NaN)));
  return Math.max(...differences, Math.abs(logSumExp(logits) - last_logsumexp));
}

describe.skipIf(SKIPS_SHARED)("stories260K", () => {
  const folder = new TemporaryFolder();
  let cases: readonly ReferenceCase[] = [];

  const packed = (linear: Kind | "sherry") => folder.at(`${linear}.sherry`);
  const pack = (linear: Kind | "sherry") =>
    packCheckpoint({
      input: STORIES_FOLDER,
      output: packed(linear),
      linear,
      embedding: linear === "sherry" ? "q8" : linear,
      head: null,
      scale: "auto",
      label: null,
    });

  function answers(kind: Kind, options: PackedModelOptions): Answer[] {
    const model = PackedModel.open(packed(kind), { thread_count: 1, ...options });
    try {
      return cases.map((one) => answer(model, one));
    } finally {
      model.close();
    }
  }

  beforeAll(async () => {
    cases = await referenceCases();
    for (const kind of ["f32", "f16", "bf16", "q8", "sherry"] as const) await pack(kind);
  });
  afterAll(() => folder[Symbol.dispose]());

  test("the five prompts become the reference's tokens", () => {
    expect(cases).toHaveLength(5);
    const model = TextModel.open(packed("f32"), { thread_count: 1 });
    for (const { prompt, prompt_tokens } of cases) {
      expect([...model.encodePrompt({ text: prompt })]).toEqual([...prompt_tokens]);
    }
    model.close();
  });

  // Logits lie between -17 and 17. f32 differs in the order of additions; f16 and bf16 weights carry 2^-11 and 2^-8 of
  // themselves; q8 adds int8 activations, whose steps are 1/127 of the largest of 64 or 172.
  test.each([
    ["f32", "f32", 1e-4],
    ["f32", "f16", 1e-2],
    ["f16", "f32", 1e-2],
    ["bf16", "f32", 0.1],
    ["q8", "f32", 0.5],
    ["q8", "f16", 0.5],
  ] as const)(
    "%s weights, cache in %s: logits and log-sum-exp within %d",
    (kind, key_value_element, tolerance) => {
      for (const [index, { logits }] of answers(kind, { key_value_element }).entries()) {
        const reference = cases[index];
        if (reference === undefined) throw new RangeError(`no case ${index}`);
        expect(distance(logits, reference)).toBeLessThan(tolerance);
      }
    },
  );

  test.each([
    ["f32", "f32"],
    ["f32", "f16"],
    ["f16", "f32"],
    ["f16", "f16"],
  ] as const)("%s weights, cache in %s: the reference's 64 greedy tokens", (kind, key_value_element) => {
    const expected = cases.map(({ greedy }) => [...greedy]);
    expect(expected.map((greedy) => greedy.length)).toEqual([64, 64, 64, 64, 64]);
    expect(answers(kind, { key_value_element }).map(({ greedy }) => [...greedy])).toEqual(expected);
  });

  test.each(["f32", "q8"] as const)("%s: every level and number of threads gives the same bits", (kind) => {
    const plain = answers(kind, { cpu_level: "scalar" });
    expect(plain).toHaveLength(5);
    for (const cpu_level of usableCpuLevels().slice(1)) {
      expect(answers(kind, { cpu_level })).toEqual(plain);
      expect(answers(kind, { cpu_level, thread_count: 2 })).toEqual(plain);
    }
  });

  test.each(["f32", "f16", "q8", "sherry"] as const)(
    "%s: a prompt at once gives the bits of its tokens one by one",
    (kind) => {
      const ids = cases.at(-1)?.prompt_tokens ?? [];
      expect(ids.length).toBeGreaterThan(8);
      const options = { thread_count: 1 };
      const [at_once] = runModel(packed(kind), ids, ids.length, options);
      expect(runModel(packed(kind), ids, 1, options).at(-1)).toEqual(at_once);
    },
  );

  test("sherry: the logits of a float64 pass over the unpacked weights, activations in int8", async () => {
    const config: ReferenceConfig = await Bun.file(`${STORIES_FOLDER}/config.json`).json();
    const ids = cases[2]?.prompt_tokens ?? [];
    const expected = referenceLogits(packedReference(packed("sherry"), config, "f32"), ids);
    const { median, largest } = deviation(
      expected,
      runModel(packed("sherry"), ids, 1, { key_value_element: "f32", thread_count: 1 }),
    );
    // As in test/model/forward.test.ts: rounding, and now and then an activation on the border of two int8 values.
    expect(median).toBeLessThan(5e-6);
    expect(largest).toBeLessThan(0.05);
  });
});
