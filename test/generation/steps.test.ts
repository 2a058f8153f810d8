/**
 * The token loop on a model whose head is `split8`: where the likeliest tokens decide it computes those alone, and the
 * text is the one that all logits give.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { generateSteps } from "../../src/generation/steps.ts";
import { TextModel } from "../../src/generation/text-model.ts";
import type { GenerateOptions, Prompt } from "../../src/generation/types.ts";
import { PackedModel } from "../../src/model/packed-model.ts";
import { usableCpuLevels } from "../../src/native/kernels.ts";
import { packCheckpoint } from "../../src/packing/packer.ts";
import { createSampler } from "../../src/sampling/sampler.ts";
import { refusal } from "../format/refusal.ts";
import { TemporaryFolder } from "../packing/checkpoint-folder.ts";
import { referenceCases, SKIPS_SHARED, STORIES_FOLDER } from "../shared.ts";
import { makeScoringFolder, packAs } from "./scoring-models.ts";

function generated(model: TextModel, prompt: Prompt, options: GenerateOptions): number[] {
  const request = { prompt, options: model.resolve(options), queue_ms: 0, check: () => {} };
  return [...generateSteps(model, request)].flatMap((chunk) => chunk?.token_ids ?? []);
}

/** The same answer from all logits, by a loop of its own. */
function fromAllLogits(text_model: TextModel, prompt: Prompt, options: GenerateOptions): number[] {
  const { model, end_token_ids } = text_model;
  const resolved = text_model.resolve(options);
  const sampler = createSampler(resolved);
  const cache = model.createCache();
  try {
    const tokens: number[] = [];
    let ids = text_model.encodePrompt(prompt);
    for (const id of ids) sampler.observe(id);
    while (tokens.length < resolved.max_tokens) {
      model.forward(cache, ids, true);
      const token = sampler.sample(model.logits);
      if (end_token_ids.has(token)) break;
      tokens.push(token);
      sampler.observe(token);
      ids = Uint32Array.of(token);
    }
    return tokens;
  } finally {
    cache.free();
  }
}

const GREEDY = { temperature: 0, max_tokens: 40, seed: 1 };
const OPTION_SETS: readonly GenerateOptions[] = [
  GREEDY,
  { temperature: 1, top_k: 1, max_tokens: 20, seed: 2 },
  { temperature: 0.8, top_k: 40, max_tokens: 60, seed: 3 },
  { temperature: 1.3, top_k: 200, top_p: 0.9, max_tokens: 60, seed: 4 },
  { temperature: 1, top_k: 20, min_p: 0.05, max_tokens: 60, seed: 5 },
];
const NEEDS_ALL: readonly GenerateOptions[] = [
  { ...GREEDY, repetition_penalty: 1.3 },
  { temperature: 1, top_p: 0.9, max_tokens: 20, seed: 6 },
  { temperature: 1, top_k: 257, max_tokens: 20, seed: 7 },
];

function expectSameText(model: TextModel, prompt: Prompt): void {
  for (const options of OPTION_SETS) {
    // Logits that no pass has written show that none were computed.
    model.model.logits.fill(0);
    const tokens = generated(model, prompt, options);
    expect(model.model.logits.every((logit) => logit === 0)).toBe(true);
    expect(tokens.length).toBeGreaterThan(5);
    expect(tokens).toEqual(fromAllLogits(model, prompt, options));
  }
  for (const options of NEEDS_ALL) {
    expect(generated(model, prompt, options)).toEqual(fromAllLogits(model, prompt, options));
  }
}

describe("a random model with 2,000 tokens", () => {
  const folder = new TemporaryFolder();
  beforeAll(async () => {
    await makeScoringFolder(folder.at("checkpoint"), 3, { vocab_size: 2_000 });
    await packAs(folder.at("checkpoint"), folder.at("split8.sherry"), {
      linear: "sherry",
      embedding: "split8",
    });
    await packAs(folder.at("checkpoint"), folder.at("q8.sherry"), { linear: "sherry", embedding: "q8" });
  });
  afterAll(() => folder[Symbol.dispose]());

  test.each([
    ["scalar", 1],
    ...usableCpuLevels()
      .slice(1)
      .map((level) => [level, 2] as const),
  ] as const)("gives the text that all logits give (%s, %d threads)", (cpu_level, thread_count) => {
    const model = TextModel.open(folder.at("split8.sherry"), { cpu_level, thread_count });
    expect(model.model.top_tokens_max).toBe(256);
    for (const first of [5, 700, 1_999]) expectSameText(model, { token_ids: [first, 3, 9] });
    model.close();
  });

  test.each([
    ["scalar", 1],
    ...usableCpuLevels()
      .slice(1)
      .map((level) => [level, 2] as const),
  ] as const)("gives that text with a coarse pass first, too (%s, %d threads)", (cpu_level, thread_count) => {
    const options = { cpu_level, thread_count, coarse_head: true };
    const model = TextModel.open(folder.at("split8.sherry"), options);
    expectSameText(model, { token_ids: [700, 3, 9] });
    model.close();
  });

  test("the coarse pass searches for one sequence alone, and several get what they get without", () => {
    const path = folder.at("split8.sherry");
    const models = [false, true].map((coarse_head) =>
      PackedModel.open(path, { thread_count: 1, coarse_head }),
    );
    const found = models.map((model) => {
      const caches = [model.createCache(), model.createCache()];
      const results = [1, 2].map((sequences) =>
        model
          .forwardTogether(
            caches.slice(0, sequences).map((cache, index) => ({
              ...{ cache, ids: Uint32Array.of(3, index + 4) },
              wants: { top: 1 },
            })),
          )
          .map((result) => {
            if (result.kind !== "top") throw new Error(result.kind);
            const { ids, logits, counts } = result.top;
            return { ids: [...ids], logits: [...logits], counts };
          }),
      );
      for (const cache of caches) cache.free();
      model.close();
      return results;
    });
    const [plain, coarse] = found;
    const [alone, alone_coarse] = [plain?.[0]?.[0], coarse?.[0]?.[0]];
    // A coarse pass lets more rows through at once: its scores are further from the logits.
    expect(alone_coarse?.counts.candidates).toBeGreaterThan(alone?.counts.candidates ?? 0);
    expect(alone_coarse?.counts.coarse_fell_back).toBe(false);
    expect(alone_coarse).toMatchObject({ ids: alone?.ids, logits: alone?.logits });
    expect(coarse?.[1]).toEqual(plain?.[1] ?? []);
  });

  test("a coarse pass for a head of another kind is refused", () => {
    expect(refusal(() => PackedModel.open(folder.at("q8.sherry"), { coarse_head: true }))).toEqual({
      code: "argument_invalid",
      message:
        "coarse_head: expected a model whose head is of kind split8, received one of kind q8. " +
        "Load the model without it, or pack it with a split8 head",
    });
  });

  test("the likeliest tokens of one pass: the largest logits of the same pass", () => {
    const { model } = TextModel.open(folder.at("split8.sherry"), { thread_count: 1 });
    const ids = Uint32Array.of(17, 4, 250);
    for (const count of [1, 40, 256]) {
      const caches = [model.createCache(), model.createCache()] as const;
      model.forward(caches[0], ids, true);
      model.forwardTop(caches[1], ids, count);
      const { logits } = model;
      const order = [...logits.keys()].sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0) || a - b);
      expect([...model.top.ids]).toEqual(order.slice(0, count));
      expect([...model.top.logits]).toEqual(order.slice(0, count).map((id) => logits[id] ?? 0));
      expect(caches[1].length).toBe(3);
      for (const cache of caches) cache.free();
    }
    model.close();
  });

  test("the check is made before every layer of the prompt and every further token; what it throws ends the answer", () => {
    const model = TextModel.open(folder.at("split8.sherry"), { thread_count: 1 });
    const layers = model.model.directory.config.num_hidden_layers;
    const answer = (checks_allowed: number) => {
      let checks = 0;
      const check = () => {
        checks += 1;
        if (checks > checks_allowed) throw new Error("enough");
      };
      const options = model.resolve({ ...GREEDY, max_tokens: 4 });
      const tokens: number[] = [];
      const steps = generateSteps(model, { prompt: { token_ids: [700, 3, 9] }, options, queue_ms: 0, check });
      const run = () => {
        for (const chunk of steps) tokens.push(...(chunk?.token_ids ?? []));
      };
      return { run, tokens, made: () => checks };
    };
    const whole = answer(Number.POSITIVE_INFINITY);
    whole.run();
    expect(whole.tokens.length).toBe(4);
    // The last token is not computed with.
    expect(whole.made()).toBe(layers + 3);
    for (const [allowed, tokens] of [
      [layers - 1, 0],
      [layers, 1],
      [layers + 2, 3],
    ] as const) {
      const ended = answer(allowed);
      expect(ended.run).toThrow("enough");
      expect(ended.tokens).toEqual(whole.tokens.slice(0, tokens));
    }
    model.close();
  });

  test("counts out of range, and a head of another kind, are refused", () => {
    const { model } = TextModel.open(folder.at("split8.sherry"), { thread_count: 1 });
    const { model: q8_model } = TextModel.open(folder.at("q8.sherry"), { thread_count: 1 });
    expect(q8_model.top_tokens_max).toBe(0);
    for (const [of, count, limit] of [
      [model, 0, 256],
      [model, 257, 256],
      [model, 1.5, 256],
      [q8_model, 1, 0],
    ] as const) {
      const cache = of.createCache();
      expect(refusal(() => of.forwardTop(cache, Uint32Array.of(1), count))).toEqual({
        code: "argument_invalid",
        message:
          `the number of likeliest tokens: expected an integer from 1 to ${limit}, this model's limit, received ${count}. ` +
          "Ask for all logits, or pack the model with a split8 head",
      });
      expect(cache.length).toBe(0);
      cache.free();
    }
    model.close();
    q8_model.close();
  });
});

describe.skipIf(SKIPS_SHARED)("stories260K", () => {
  test("--embedding split8 gives the text that all logits give, with a coarse pass first and without", async () => {
    using folder = new TemporaryFolder();
    const output = folder.at("stories.sherry");
    await packCheckpoint({
      input: STORIES_FOLDER,
      output,
      linear: "f32",
      embedding: "split8",
      head: null,
      scale: "auto",
      label: null,
    });
    for (const coarse_head of [false, true]) {
      const model = TextModel.open(output, { thread_count: 1, coarse_head });
      for (const { prompt } of await referenceCases()) expectSameText(model, { text: prompt });
      model.close();
    }
  });
});
