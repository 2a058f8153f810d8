/** The sampler against a plain sorting one written here, its distribution, and its refusals. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SherryError } from "../../src/errors.ts";
import type { SamplerOptions } from "../../src/sampling/options.ts";
import { Random } from "../../src/sampling/random.ts";
import { createSampler } from "../../src/sampling/sampler.ts";

/** Probabilities of what may be drawn, by transformers' order of operations, with a sort for everything. */
function referenceDistribution(
  logits: Float32Array,
  options: Omit<SamplerOptions, "seed">,
): Map<number, number> {
  const { temperature = 1, top_k = 0, top_p = 1, min_p = 0 } = options;
  let kept = Array.from(logits, (logit, id) => ({ id, logit: logit / temperature }));
  kept.sort((a, b) => b.logit - a.logit || a.id - b.id);
  if (top_k > 0) kept = kept.slice(0, top_k);
  const softmax = () => {
    const weights = kept.map(({ logit }) => Math.exp(logit - (kept[0]?.logit ?? 0)));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return weights.map((weight) => weight / sum);
  };
  if (top_p < 1) {
    let sum = 0;
    const size = softmax().findIndex((probability) => {
      sum += probability;
      return sum >= top_p;
    });
    if (size >= 0) kept = kept.slice(0, size + 1);
  }
  const probabilities = softmax();
  kept = kept.filter((_, place) => (probabilities[place] ?? 0) >= min_p * (probabilities[0] ?? 0));
  return new Map(softmax().map((probability, place) => [kept[place]?.id ?? -1, probability]));
}

function randomLogits(seed: number, length: number, spread: number): Float32Array {
  const random = Random.fromSeed(seed);
  return Float32Array.from({ length }, () => (random.nextUniform() + random.nextUniform() - 1) * spread);
}

function draw(options: SamplerOptions, logits: Float32Array, count: number): number[] {
  const sampler = createSampler(options);
  return Array.from({ length: count }, () => sampler.sample(logits));
}

function thrown(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

/** The `count` likeliest tokens, likeliest first, equal logits by id. */
function likeliest(logits: Float32Array, count: number): { ids: Uint32Array; logits: Float32Array } {
  const order = [...logits.keys()].sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0) || a - b);
  const ids = Uint32Array.from(order.slice(0, count));
  return { ids, logits: Float32Array.from(ids, (id) => logits[id] ?? 0) };
}

describe("from the likeliest tokens alone", () => {
  test("draws what the whole vocabulary gives, token for token", () => {
    const option_sets = fc.record({
      temperature: fc.constantFrom(0, 0.3, 1, 2.5),
      top_k: fc.integer({ min: 1, max: 60 }),
      top_p: fc.constantFrom(0, 0.2, 0.9, 1),
      min_p: fc.constantFrom(0, 0.05, 0.5),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(option_sets, fc.nat(), fc.boolean(), (options, logits_seed, is_coarse) => {
        const whole = createSampler(options);
        const top = createSampler(options);
        const count = top.top_count ?? 0;
        expect(count).toBe(options.temperature === 0 ? 1 : options.top_k);
        for (let round = 0; round < 5; round += 1) {
          const fine = randomLogits(logits_seed + round, 100, is_coarse ? 6 : 20);
          const logits = is_coarse ? fine.map(Math.round) : fine;
          const { ids, logits: top_logits } = likeliest(logits, count);
          expect(top.sampleTop(ids, top_logits)).toBe(whole.sample(logits));
        }
      }),
      { seed: 21, numRuns: 400 },
    );
  });

  test("the whole vocabulary counts without top_k, with a very large one, and with a penalty", () => {
    expect(createSampler({ seed: 1 }).top_count).toBeNull();
    expect(createSampler({ seed: 1, top_k: 4_097 }).top_count).toBeNull();
    expect(createSampler({ seed: 1, top_k: 4_096 }).top_count).toBe(4_096);
    expect(createSampler({ seed: 1, top_k: 5, repetition_penalty: 1.1 }).top_count).toBeNull();
    expect(createSampler({ seed: 1, temperature: 0, repetition_penalty: 1.1 }).top_count).toBeNull();
  });

  test("another number of tokens is refused", () => {
    const two = [Uint32Array.of(3, 4), Float32Array.of(1, 0)] as const;
    const of_three = thrown(() => createSampler({ seed: 1, top_k: 3 }).sampleTop(...two)) as SherryError;
    expect(of_three).toBeInstanceOf(SherryError);
    expect(of_three.code).toBe("argument_invalid");
    expect(of_three.message).toBe(
      "the likeliest tokens: expected 3 ids with their logits, received 2 ids, 2 logits",
    );
    const of_all = thrown(() => createSampler({ seed: 1 }).sampleTop(...two)) as SherryError;
    expect(of_all.message).toContain("expected the logits of all tokens, received 2 ids, 2 logits");
  });
});

describe("greedy", () => {
  test("takes the largest logit, the lowest id among equals, and leaves the logits alone", () => {
    const logits = Float32Array.of(-1, 3, 2, 3);
    expect(draw({ temperature: 0, seed: 1, repetition_penalty: 2 }, logits, 3)).toEqual([1, 1, 1]);
    expect([...logits]).toEqual([-1, 3, 2, 3]);
    expect(draw({ temperature: 0, seed: 1 }, Float32Array.of(-3e38), 1)).toEqual([0]);
  });

  test("is what top_k 1, top_p 0 and min_p 1 come to without equal logits", () => {
    fc.assert(
      fc.property(fc.nat(1_000), fc.integer({ min: 1, max: 300 }), (seed, length) => {
        const logits = randomLogits(seed, length, 8);
        const greedy = draw({ temperature: 0, seed }, logits, 1);
        expect(draw({ top_k: 1, seed }, logits, 1)).toEqual(greedy);
        expect(draw({ top_p: 0, temperature: 3, seed }, logits, 1)).toEqual(greedy);
        expect(draw({ min_p: 1, seed }, logits, 1)).toEqual(greedy);
        expect(draw({ temperature: 1e-9, seed }, logits, 1)).toEqual(greedy);
      }),
      { seed: 21, numRuns: 200 },
    );
    expect(draw({ top_k: 1, seed: 3 }, Float32Array.of(1, 5, 5), 20)).toEqual(new Array(20).fill(1));
  });
});

describe("drawing", () => {
  test("the same seed gives the same tokens, another seed others", () => {
    const logits = randomLogits(5, 500, 4);
    for (const options of [{}, { top_k: 20 }, { top_p: 0.8 }, { min_p: 0.1 }]) {
      const first = draw({ ...options, seed: 9 }, logits, 50);
      expect(draw({ ...options, seed: 9 }, logits, 50)).toEqual(first);
      expect(draw({ ...options, seed: 10 }, logits, 50)).not.toEqual(first);
    }
  });

  test("draws only what the sorting reference keeps, all of it, and as often", () => {
    const settings: Omit<SamplerOptions, "seed">[] = [
      {},
      { temperature: 0.5 },
      { temperature: 2.5 },
      { top_k: 5 },
      { top_p: 0.7 },
      { min_p: 0.2 },
      { temperature: 1.3, top_k: 8, top_p: 0.9, min_p: 0.05 },
      { temperature: 0.7, top_p: 0.95, min_p: 0.02 },
    ];
    const logits = Float32Array.of(2, 0.5, -1, 1.5, 0, 2.5, -0.5, 1, -2, 0.25, 1.75, -3);
    for (const options of settings) {
      const reference = referenceDistribution(logits, options);
      const count = 40_000;
      const counts = new Map<number, number>();
      for (const id of draw({ ...options, seed: 77 }, logits, count))
        counts.set(id, (counts.get(id) ?? 0) + 1);
      expect([...counts.keys()].sort()).toEqual([...reference.keys()].sort());
      let chi_square = 0;
      for (const [id, probability] of reference) {
        chi_square += ((counts.get(id) ?? 0) - probability * count) ** 2 / (probability * count);
      }
      // At most 11 degrees of freedom: 31.3 is exceeded once in a thousand.
      expect(chi_square).toBeLessThan(31.3);
    }
  });

  test("with random logits and options, stays inside what the sorting reference keeps", () => {
    fc.assert(
      fc.property(
        fc.nat(10_000),
        fc.integer({ min: 1, max: 400 }),
        fc.record({
          temperature: fc.double({ min: 0.05, max: 4, noNaN: true }),
          top_k: fc.nat(450),
          top_p: fc.double({ min: 0, max: 1, noNaN: true }),
          min_p: fc.double({ min: 0, max: 0.5, noNaN: true }),
        }),
        (seed, length, options) => {
          const logits = randomLogits(seed, length, 12);
          const reference = referenceDistribution(logits, options);
          for (const id of draw({ ...options, seed }, logits, 8)) expect(reference.has(id)).toBe(true);
        },
      ),
      { seed: 22, numRuns: 500 },
    );
  });

  test("works on after the vocabulary's size changes", () => {
    const sampler = createSampler({ seed: 1, top_p: 0.5, repetition_penalty: 1.5 });
    expect(sampler.sample(Float32Array.of(9, 0, 0))).toBe(0);
    expect(sampler.sample(Float32Array.of(0, 9))).toBe(1);
    expect(sampler.sample(Float32Array.of(0, 0, 0, 9))).toBe(3);
  });
});

describe("repetition penalty", () => {
  test("divides positive and multiplies negative logits of observed tokens, once each", () => {
    const choose = (logits: Float32Array, observed: number[]) => {
      const sampler = createSampler({ temperature: 0, repetition_penalty: 2, seed: 0 });
      for (const id of observed) sampler.observe(id);
      return sampler.sample(logits);
    };
    // 4 / 2 = 2 stays above 1.9 and falls below 2.1, however often the token was seen.
    expect(choose(Float32Array.of(4, 1.9), [0, 0, 0])).toBe(0);
    expect(choose(Float32Array.of(4, 2.1), [0])).toBe(1);
    // -1 * 2 = -2 stays above -2.1 and falls below -1.9.
    expect(choose(Float32Array.of(-1, -2.1), [0])).toBe(0);
    expect(choose(Float32Array.of(-1, -1.9), [0])).toBe(1);
    expect(choose(Float32Array.of(4, 2.1), [])).toBe(0);
  });

  test("shifts the distribution by the formula", () => {
    const sampler = createSampler({ repetition_penalty: 1.5, seed: 3 });
    sampler.observe(0);
    const logits = Float32Array.of(1.5, 1.5);
    let observed_count = 0;
    for (let count = 0; count < 20_000; count += 1) observed_count += sampler.sample(logits) === 0 ? 1 : 0;
    // e^1 / (e^1 + e^1.5) = 0.3775; the tolerance is four standard deviations.
    expect(Math.abs(observed_count / 20_000 - 0.37754)).toBeLessThan(0.0137);
  });

  test("1 is off: unknown tokens may be observed, nothing changes", () => {
    const sampler = createSampler({ temperature: 0, seed: 0 });
    sampler.observe(1_000_000);
    expect(sampler.sample(Float32Array.of(1, 2))).toBe(1);
  });
});

describe("refusals", () => {
  test("logits that are not finite, before and after the penalty", () => {
    for (const [bad, shown] of [
      [Number.NaN, "NaN"],
      [Number.POSITIVE_INFINITY, "Infinity"],
      [Number.NEGATIVE_INFINITY, "-Infinity"],
    ] as const) {
      for (const temperature of [0, 1]) {
        const sampler = createSampler({ temperature, top_k: 1, seed: 0 });
        expect(thrown(() => sampler.sample(Float32Array.of(1, 2, bad, 3)))).toMatchObject({
          code: "numbers_not_finite",
          message:
            `The model's logits: expected 4 finite numbers, received ${shown} for token 2. ` +
            "Check the model's file with sherry verify",
        });
      }
    }
    const overflowing = createSampler({ temperature: 0, repetition_penalty: 0.01, seed: 0 });
    overflowing.observe(0);
    expect(thrown(() => overflowing.sample(Float32Array.of(3e38, 0)))).toHaveProperty(
      "code",
      "numbers_not_finite",
    );
  });

  test("no logits, and tokens that are none or not among them", () => {
    expect(thrown(() => createSampler({ seed: 0 }).sample(new Float32Array(0)))).toMatchObject({
      code: "argument_invalid",
      message: "logits: expected at least one, received none",
    });
    const sampler = createSampler({ repetition_penalty: 1.1, seed: 0 });
    expect(thrown(() => sampler.observe(-1))).toMatchObject({
      code: "argument_invalid",
      message: "observed token id: expected a whole number of at least 0, received -1",
    });
    sampler.observe(2);
    expect(thrown(() => sampler.sample(Float32Array.of(1, 2)))).toMatchObject({
      code: "argument_invalid",
      message: "observed token id: expected an id below 2, the number of logits, received 2",
    });
  });

  test("options out of range", () => {
    expect(thrown(() => createSampler({ seed: -1 }))).toBeInstanceOf(SherryError);
    expect(thrown(() => createSampler({ seed: 0, temperature: -1 }))).toHaveProperty(
      "code",
      "argument_invalid",
    );
  });
});
