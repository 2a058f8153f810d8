/**
 * Perplexity, bits a byte and divergence against the plain float64 forward pass, window by window, on random models and on
 * a real one.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { SherryError } from "../../src/errors.ts";
import { type ScoringOptions, scoreText } from "../../src/generation/scoring.ts";
import { compareOnText, divergence } from "../../src/generation/scoring-difference.ts";
import { scoringWindows } from "../../src/generation/scoring-windows.ts";
import { TextModel } from "../../src/generation/text-model.ts";
import type { ScoredTokens } from "../../src/model/score-buffers.ts";
import { packedReference } from "../model/random-model.ts";
import { type ReferenceConfig, referenceLogits } from "../model/reference-forward.ts";
import { SKIPS_SHARED, STORIES_FOLDER } from "../shared.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { makeScoringFolder, packAs, SCORING_CONFIG } from "./scoring-models.ts";

const pathOf = temporaryFolder();
const F32 = { linear: "f32", embedding: "f32" } as const;
const TEXT = "Hello, world! Grüße und 今日は. ".repeat(3);

async function withModels<Result>(paths: readonly string[], work: (models: TextModel[]) => Promise<Result>) {
  const models = paths.map((path) => TextModel.open(path, { key_value_element: "f32", thread_count: 1 }));
  try {
    return await work(models);
  } finally {
    for (const model of models) model.close();
  }
}

/** ln p of every token of the vocabulary after each token but the last, [tokens - 1][vocabulary]. */
function referenceLogProbabilities(
  path: string,
  config: ReferenceConfig,
  ids: readonly number[],
  sizes: { context: number; stride: number },
): Float64Array[] {
  const reference = packedReference(path, config, "f32");
  const result: Float64Array[] = [];
  for (const { begin, end, first_scored } of scoringWindows(ids.length, sizes)) {
    const logits = referenceLogits(reference, ids.slice(begin, end - 1));
    for (const row of logits.slice(first_scored - 1 - begin)) {
      const largest = row.reduce((a, b) => Math.max(a, b));
      const log_sum = largest + Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
      result.push(row.map((logit) => logit - log_sum));
    }
  }
  return result;
}

function referenceNats(log_probabilities: readonly Float64Array[], ids: readonly number[]): number {
  const sum = log_probabilities.reduce((so_far, row, index) => so_far - (row[ids[index + 1] ?? 0] ?? 0), 0);
  return sum / log_probabilities.length;
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "no error",
    (error: unknown) => (error instanceof SherryError ? `${error.code}: ${error.message}` : String(error)),
  );

describe("on random models", () => {
  let [f32, q8, other, wider] = ["", "", "", ""];

  beforeAll(async () => {
    await makeScoringFolder(pathOf("one"));
    f32 = await packAs(pathOf("one"), pathOf("f32.sherry"), F32);
    q8 = await packAs(pathOf("one"), pathOf("q8.sherry"), { linear: "q8", embedding: "f32" });
    await makeScoringFolder(pathOf("two"), 2);
    other = await packAs(pathOf("two"), pathOf("other.sherry"), F32);
    await makeScoringFolder(pathOf("three"), 3, { vocab_size: 304 });
    wider = await packAs(pathOf("three"), pathOf("wider.sherry"), F32);
  });

  test("perplexity and bits a byte are the reference's, whatever the windows", async () => {
    await withModels([f32], async ([model]) => {
      if (model === undefined) return;
      const ids = model.tokenizer.encode(TEXT, { add_special_tokens: true });
      for (const sizes of [
        { context: 128, stride: 64 },
        { context: 50, stride: 13 },
        { context: 40, stride: 39 },
      ]) {
        const score = await scoreText(model, TEXT, sizes);
        const nats = referenceNats(referenceLogProbabilities(f32, SCORING_CONFIG, ids, sizes), ids);
        // f32 sums of some hundred products: relative rounding of a logit near 1e-6, of logits near 10.
        expect(Math.abs(score.nats_per_token - nats)).toBeLessThan(2e-5);
        expect(score.perplexity).toBeCloseTo(Math.exp(score.nats_per_token), 9);
        expect(score.scored_tokens).toBe(ids.length - 1);
        expect(score.scored_bytes).toBe(Buffer.byteLength(TEXT));
        const bits = (score.nats_per_token * score.scored_tokens) / Math.LN2;
        expect(score.bits_per_byte).toBeCloseTo(bits / score.scored_bytes, 9);
        expect(score).toMatchObject(sizes);
      }
    });
  });

  test("a part of the text is measured as if it were all", async () => {
    await withModels([f32], async ([model]) => {
      if (model === undefined) return;
      const part = await scoreText(model, TEXT, { max_tokens: 14 });
      const alone = await scoreText(model, "Hello, world!", {});
      expect({ ...part, seconds: 0, tokens_per_second: 0 }).toEqual({
        ...alone,
        seconds: 0,
        tokens_per_second: 0,
      });
      expect([part.scored_tokens, part.scored_bytes, part.context, part.stride]).toEqual([13, 13, 128, 64]);
    });
  });

  test("divergence, agreement and both perplexities are the reference's", async () => {
    const sizes = { context: 50, stride: 25 };
    const difference = await withModels([f32, other], ([first, second]) => {
      if (first === undefined || second === undefined) throw new Error("no models");
      return compareOnText(first, second, TEXT, sizes);
    });
    const ids = [256, ...new TextEncoder().encode(TEXT)];
    const p = referenceLogProbabilities(f32, SCORING_CONFIG, ids, sizes);
    const q = referenceLogProbabilities(other, SCORING_CONFIG, ids, sizes);
    const divergences = p.map((row, at) =>
      row.reduce((sum, ln_p, token) => sum + Math.exp(ln_p) * (ln_p - (q[at]?.[token] ?? 0)), 0),
    );
    const mean = divergences.reduce((sum, value) => sum + value, 0) / divergences.length;
    const sorted = divergences.toSorted((a, b) => a - b);
    // Probabilities are f32: relative 1e-6 of terms near 10.
    expect(Math.abs(difference.divergence.mean - mean)).toBeLessThan(5e-5);
    expect(difference.divergence.maximum).toBeCloseTo(sorted.at(-1) ?? 0, 3);
    expect(difference.divergence.median).toBeCloseTo(sorted[Math.ceil(sorted.length / 2) - 1] ?? 0, 3);
    expect(difference.divergence.percentile_90).toBeCloseTo(
      sorted[Math.ceil(sorted.length * 0.9) - 1] ?? 0,
      3,
    );
    const likeliest = (row: Float64Array | undefined) => row?.indexOf(Math.max(...row));
    const agreements = p.filter((row, at) => likeliest(row) === likeliest(q[at])).length;
    expect(difference.top_1_agreement).toBe(agreements / p.length);
    expect(Math.log(difference.perplexity.first)).toBeCloseTo(referenceNats(p, ids), 4);
    expect(Math.log(difference.perplexity.second)).toBeCloseTo(referenceNats(q, ids), 4);
  });

  test("a model does not differ from itself, and little from its q8", async () => {
    await withModels([f32, f32, q8], async ([first, same, near]) => {
      if (first === undefined || same === undefined || near === undefined) return;
      const none = await compareOnText(first, same, TEXT);
      expect([none.divergence.maximum, none.top_1_agreement]).toEqual([0, 1]);
      expect(none.perplexity.first).toBe(none.perplexity.second);
      const little = await compareOnText(first, near, TEXT);
      expect(little.divergence.mean).toBeWithin(1e-7, 0.05);
    });
  });

  test("progress and interrupts", async () => {
    await withModels([f32], async ([model]) => {
      if (model === undefined) return;
      const seen: number[] = [];
      const text = TEXT.repeat(40);
      const sizes = { context: 128, stride: 1 };
      const controller = new AbortController();
      const on_progress: ScoringOptions["on_progress"] = ({ scored_tokens, tokens_total }) => {
        seen.push(scored_tokens);
        expect(tokens_total).toBe(Buffer.byteLength(text));
        if (seen.length === 2) controller.abort(new Error("enough"));
      };
      const options = { ...sizes, on_progress, signal: controller.signal };
      expect(await codeOf(scoreText(model, text, options))).toBe("Error: enough");
      expect(seen.length).toBe(2);
      expect(seen[1]).toBeGreaterThan(seen[0] ?? 0);
    });
  });

  test("what cannot be measured is refused", async () => {
    await withModels([f32, wider], async ([model, second]) => {
      if (model === undefined || second === undefined) return;
      expect(await codeOf(scoreText(model, ""))).toBe(
        "argument_invalid: the text to measure: expected at least two tokens, a start token included, received 1. Take a longer text",
      );
      expect(await codeOf(scoreText(model, TEXT, { context: 129 }))).toBe(
        "argument_invalid: context: expected an integer from 2 to 128, the model's own limit, received 129",
      );
      expect(await codeOf(scoreText(model, TEXT, { context: 20, stride: 20 }))).toStartWith(
        "argument_invalid: stride",
      );
      expect(await codeOf(compareOnText(model, second, TEXT))).toBe(
        "argument_invalid: comparing two models: expected models with the same tokenizer and vocabulary, received vocabularies of 300 and 304 tokens. Compare packings of one checkpoint; bits a byte of 'sherry perplexity' compare across tokenizers",
      );
    });
  });
});

test("divergence of worked distributions", () => {
  const scores = (...probabilities: number[]): ScoredTokens => ({
    vocab_size: probabilities.length,
    // Logits may have any offset.
    logits: Float32Array.from(probabilities, (p) => Math.log(p) + probabilities.length),
    probabilities: Float32Array.from(probabilities),
    likeliest: Uint32Array.of(probabilities.indexOf(Math.max(...probabilities))),
  });
  expect(divergence(scores(0.5, 0.5), scores(0.75, 0.25), 0)).toBeCloseTo(0.5 * Math.log(4 / 3), 6);
  expect(divergence(scores(0.75, 0.25), scores(0.5, 0.5), 0)).toBeCloseTo(
    0.75 * Math.log(1.5) + 0.25 * Math.log(0.5),
    6,
  );
  expect(divergence(scores(0.2, 0.3, 0.5), scores(0.2, 0.3, 0.5), 0)).toBe(0);
});

describe.skipIf(SKIPS_SHARED)("on stories260K", () => {
  const story =
    "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day she saw a big dog.";

  test("perplexity of a short text is that of the float64 reference; q8 costs little, another tokenizer is refused", async () => {
    const f32 = await packAs(STORIES_FOLDER, pathOf("stories-f32.sherry"), F32);
    const q8 = await packAs(STORIES_FOLDER, pathOf("stories-q8.sherry"), { linear: "q8", embedding: "q8" });
    const config: ReferenceConfig = await Bun.file(join(STORIES_FOLDER, "config.json")).json();
    await makeScoringFolder(pathOf("four"), 4, { vocab_size: config.vocab_size });
    const foreign = await packAs(pathOf("four"), pathOf("foreign.sherry"), F32);
    await withModels([f32, q8, foreign], async ([model, near, stranger]) => {
      if (model === undefined || near === undefined || stranger === undefined) return;
      const ids = model.tokenizer.encode(story, { add_special_tokens: true });
      const head_dim = config.hidden_size / config.num_attention_heads;
      for (const sizes of [
        { context: 256, stride: 128 },
        { context: 24, stride: 12 },
      ]) {
        const score = await scoreText(model, story, sizes);
        const full_config = { ...config, head_dim: config.head_dim ?? head_dim };
        const nats = referenceNats(referenceLogProbabilities(f32, full_config, ids, sizes), ids);
        expect(Math.abs(score.nats_per_token - nats)).toBeLessThan(2e-5);
      }
      const [score, near_score] = [await scoreText(model, story), await scoreText(near, story)];
      expect(score.perplexity).toBeWithin(1.4, 2.2);
      expect(Math.abs(near_score.nats_per_token - score.nats_per_token)).toBeLessThan(0.03);
      expect(score.scored_bytes).toBe(story.length);
      expect(await codeOf(compareOnText(model, stranger, story))).toContain("received two tokenizers");
    });
  });
});
