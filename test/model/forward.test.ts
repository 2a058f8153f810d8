/**
 * The forward pass against reference-forward.ts: tiny random models of the three families, packed by the real packer, in
 * every kind of weight; and against itself: levels, threads and batch sizes give the same bits.
 */
import { afterAll, describe, expect, test } from "bun:test";
import type { PackedModelOptions } from "../../src/model/packed-model.ts";
import { usableCpuLevels } from "../../src/native/kernels.ts";
import { TemporaryFolder } from "../packing/checkpoint-folder.ts";
import { deviation, runModel } from "./measured-logits.ts";
import { type Kinds, packedReference, packRandomModel } from "./random-model.ts";
import { type ReferenceConfig, referenceLogits } from "./reference-forward.ts";

/** 32 tokens: 27 as a prompt, which is more than the kernels make tables for, then five one by one. */
const IDS = [
  ...[3, 17, 9, 40, 2, 2, 31, 11, 28, 0, 22, 46, 13, 7, 35, 19],
  ...[5, 44, 26, 1, 38, 14, 9, 33, 20, 6, 47, 12, 29, 3, 41, 16],
];
const PREFILL = 27;

/**
 * All arithmetic is f32 with a few dozen additions in a row, each rounding by 2^-24: a handful of layers stays within
 * 2e-6 of the largest logit (seen: 5e-7).
 */
const ROUNDING = 2e-6;
/**
 * An activation that lies between two int8 values, or a key between two f16 or int8 values, may fall to the other side in f32
 * than in f64. That moves the logits from there on by a step of that rounding; most positions see none.
 */
const INT8_STEP = 0.05;
const F16_STEP = 1e-3;
const Q8_STEP = 0.03;

const [, ...FURTHER_LEVELS] = usableCpuLevels();

type Rope = Pick<ReferenceConfig, "rope_theta" | "rope_scaling" | "rope_parameters">;

const LLAMA3 = {
  rope_type: "llama3",
  factor: 8,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 1024,
};
const DYNAMIC = {
  type: "dynamic",
  alpha: 1000,
  factor: 1,
  mscale: 1,
  mscale_all_dim: 1,
  beta_fast: 32,
  beta_slow: 1,
};

/** By family, for groups of one, two and four queries a key: together every way of scaling, in both spellings. */
const ROPES: Readonly<Record<ReferenceConfig["model_type"], readonly Rope[]>> = {
  llama: [
    { rope_theta: 10_000 },
    { rope_theta: 10_000, rope_scaling: LLAMA3 },
    { rope_parameters: { rope_type: "linear", rope_theta: 500, factor: 4 } },
  ],
  qwen3: [
    { rope_theta: 1e6, rope_scaling: null },
    { rope_parameters: { rope_type: "default", rope_theta: 1e6 } },
    { rope_parameters: { ...LLAMA3, rope_theta: 10_000 } },
  ],
  hunyuan_v1_dense: [
    { rope_theta: 10_000, rope_scaling: DYNAMIC },
    { rope_parameters: { ...DYNAMIC, rope_type: "dynamic", rope_theta: 10_000 } },
    {},
  ],
};

/** Heads of 12, 10 and 16 elements, where hidden_size / heads is 9 or 6: the sizes that no vector width divides too. */
const HEADS = [
  { num_attention_heads: 4, num_key_value_heads: 4, head_dim: 12 },
  { num_attention_heads: 6, num_key_value_heads: 3, head_dim: 10 },
  { num_attention_heads: 4, num_key_value_heads: 1, head_dim: 16 },
];

function tinyConfig(
  model_type: ReferenceConfig["model_type"],
  group: number,
  is_tied: boolean,
): ReferenceConfig {
  const heads = HEADS[group];
  const rope = ROPES[model_type][group];
  if (heads === undefined || rope === undefined) throw new RangeError(`no group ${group}`);
  return {
    model_type,
    hidden_size: 36,
    intermediate_size: 52,
    num_hidden_layers: 2,
    ...heads,
    vocab_size: 48,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: is_tied,
    ...rope,
  };
}

const folders: TemporaryFolder[] = [];
function newFolder(): TemporaryFolder {
  const folder = new TemporaryFolder();
  folders.push(folder);
  return folder;
}
afterAll(() => {
  for (const folder of folders) folder[Symbol.dispose]();
});

const EXACT: PackedModelOptions = { key_value_element: "f32", thread_count: 1, context_tokens: 64 };
const F32: Kinds = { linear: "f32", embedding: "f32" };

/** The logits of the prompt's end and of the tokens after it, against the reference's. */
async function measure(
  config: ReferenceConfig,
  seed: number,
  kinds: Kinds,
  options: PackedModelOptions,
  { ids, prefill } = { ids: IDS, prefill: PREFILL },
) {
  const path = await packRandomModel(newFolder(), config, seed, kinds);
  const reference = packedReference(path, config, options.key_value_element ?? "f16");
  const expected = referenceLogits(reference, ids).slice(prefill - 1);
  return deviation(expected, runModel(path, ids, prefill, options));
}

const FAMILIES = ["llama", "qwen3", "hunyuan_v1_dense"] as const;

describe.each(FAMILIES)("%s in f32", (family) => {
  for (const is_tied of [true, false]) {
    for (const [group, { num_attention_heads, num_key_value_heads }] of HEADS.entries()) {
      const head = is_tied ? "tied" : "untied";
      test(`${head} head, ${num_attention_heads} heads on ${num_key_value_heads}: the reference's logits`, async () => {
        const { largest } = await measure(tinyConfig(family, group, is_tied), 7 + group, F32, EXACT);
        expect(largest).toBeLessThan(ROUNDING);
      });
    }
  }
});

describe.each(FAMILIES)("%s, other kinds of weights on the weights as packed", (family) => {
  const config = tinyConfig(family, 1, false);

  test.each(["f16", "bf16"] as const)("%s: within float rounding", async (kind) => {
    const { largest } = await measure(config, 21, { linear: kind, embedding: kind }, EXACT);
    expect(largest).toBeLessThan(ROUNDING);
  });

  test.each(["q8", "int4"] as const)(
    "%s: within float rounding of a reference with int8 activations",
    async (kind) => {
      const { median, largest } = await measure(config, 22, { linear: kind, embedding: kind }, EXACT);
      expect(median).toBeLessThan(ROUNDING);
      expect(largest).toBeLessThan(INT8_STEP);
    },
  );

  test.each([
    ["tensor", 0],
    ["channel", 0],
    ["group", 32],
  ] as const)(
    "sherry by %s %d: within float rounding of a reference with int8 activations",
    async (granularity, group_columns) => {
      const kinds: Kinds = { linear: "sherry", embedding: "q8", scale: { granularity, group_columns } };
      const { median, largest } = await measure(config, 23, kinds, EXACT);
      expect(median).toBeLessThan(ROUNDING);
      expect(largest).toBeLessThan(INT8_STEP);
    },
  );

  test("a cache in f16: within float rounding of a reference that keeps f16", async () => {
    // Fewer keys and values than all the tokens have, of which one would fall to the other side of an f16 step.
    const few = { ids: IDS.slice(0, 16), prefill: 11 };
    const { median, largest } = await measure(config, 24, F32, { ...EXACT, key_value_element: "f16" }, few);
    expect(median).toBeLessThan(ROUNDING);
    expect(largest).toBeLessThan(F16_STEP);
  });
});

describe.each(FAMILIES)("%s, a cache in q8", (family) => {
  test.each([0, 1, 2])(
    "heads of size %d: within float rounding of a reference that keeps int8, but where a key falls to another step",
    async (group) => {
      const few = { ids: IDS.slice(0, 12), prefill: 5 };
      const options: PackedModelOptions = { ...EXACT, key_value_element: "q8" };
      const { median, largest } = await measure(tinyConfig(family, group, false), 25, F32, options, few);
      expect(median).toBeLessThan(ROUNDING);
      expect(largest).toBeLessThan(Q8_STEP);
    },
  );
});

test("sherry wider than one activation block and one tile of rows", async () => {
  const config = { ...tinyConfig("qwen3", 1, true), hidden_size: 264, intermediate_size: 516, head_dim: 44 };
  const { median, largest } = await measure(config, 31, { linear: "sherry", embedding: "f16" }, EXACT);
  expect(median).toBeLessThan(ROUNDING);
  expect(largest).toBeLessThan(INT8_STEP);
});

describe.each(FAMILIES)("%s gives the same bits", (family) => {
  const kinds: readonly (readonly [string, Kinds])[] = [
    ["f32", F32],
    ["q8", { linear: "q8", embedding: "q8" }],
    ["int4", { linear: "int4", embedding: "int4" }],
    ["sherry", { linear: "sherry", embedding: "f16" }],
  ];
  for (const [name, kind] of kinds) {
    for (const key_value_element of ["f32", "f16", "q8"] as const) {
      const options = { key_value_element, context_tokens: 64 };
      const pack = () => packRandomModel(newFolder(), tinyConfig(family, 2, false), 41, kind);

      test(`${name}, cache in ${key_value_element}: one and two threads, a prompt at once and in pieces`, async () => {
        const path = await pack();
        const plain = runModel(path, IDS, PREFILL, { ...options, thread_count: 1 });
        expect(plain).toHaveLength(IDS.length - PREFILL + 1);
        expect(runModel(path, IDS, PREFILL, { ...options, thread_count: 2 })).toEqual(plain);
        for (const prefill of [1, 2, 8]) {
          const received = runModel(path, IDS, prefill, { ...options, thread_count: 1 });
          expect(received.slice(-plain.length)).toEqual(plain);
        }
      });

      test.skipIf(FURTHER_LEVELS.length === 0)(
        `${name}, cache in ${key_value_element}: every level`,
        async () => {
          const path = await pack();
          const scalar = runModel(path, IDS, PREFILL, { ...options, cpu_level: "scalar" });
          for (const cpu_level of FURTHER_LEVELS) {
            expect(runModel(path, IDS, PREFILL, { ...options, cpu_level })).toEqual(scalar);
          }
        },
      );
    }
  }
});
