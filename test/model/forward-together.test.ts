/**
 * Several sequences in one pass: each gets the bits that it gets alone, on every level and number of threads, whatever
 * its context, beside whatever others; and one that is refused leaves all of them as they were.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { BATCH_TOKENS_MAX, SEQUENCES_TOGETHER_MAX } from "../../src/limits.ts";
import type { KeyValueCache } from "../../src/model/key-value-cache.ts";
import { PackedModel, type PackedModelOptions } from "../../src/model/packed-model.ts";
import type { SequenceStep, StepResult } from "../../src/model/sequence-steps.ts";
import { usableCpuLevels } from "../../src/native/kernels.ts";
import { refusal } from "../format/refusal.ts";
import { TemporaryFolder } from "../packing/checkpoint-folder.ts";
import { packRandomModel } from "./random-model.ts";
import type { ReferenceConfig } from "./reference-forward.ts";

const CONFIG: ReferenceConfig & { max_position_embeddings: number } = {
  model_type: "qwen3",
  hidden_size: 68,
  intermediate_size: 132,
  num_hidden_layers: 2,
  num_attention_heads: 6,
  num_key_value_heads: 2,
  head_dim: 20,
  vocab_size: 160,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
  max_position_embeddings: 700,
};

const folders = { sherry: new TemporaryFolder(), dense: new TemporaryFolder() };
const paths = { sherry: "", dense: "" };

beforeAll(async () => {
  paths.sherry = await packRandomModel(folders.sherry, CONFIG, 3, { linear: "sherry", embedding: "split8" });
  paths.dense = await packRandomModel(folders.dense, CONFIG, 4, { linear: "f32", embedding: "q8" });
});
afterAll(() => {
  for (const folder of Object.values(folders)) folder[Symbol.dispose]();
});

/** Ids of a sequence, another sequence for every seed. */
function idsOf(seed: number, count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, index) => (seed * 31 + index * 17 + 5) % CONFIG.vocab_size);
}

/** What is in a sequence's cache, what it brings to the pass, and how much room its cache has beyond. */
interface Member {
  /** Of its ids. */
  readonly seed: number;
  readonly context: number;
  readonly tokens: number;
  readonly room: number;
  readonly wants: SequenceStep["wants"];
}

/** Short and long contexts on both sides of a span's border, a prompt's tokens, and caches that the pass fills. */
const MEMBERS: readonly Member[] = [
  { seed: 0, context: 0, tokens: 1, room: 3, wants: "logits" },
  { seed: 1, context: 255, tokens: 1, room: 0, wants: { top: 3 } },
  { seed: 2, context: 256, tokens: 1, room: 9, wants: "logits" },
  { seed: 3, context: 0, tokens: 9, room: 0, wants: "nothing" },
  { seed: 4, context: 600, tokens: 1, room: 0, wants: "logits" },
  { seed: 5, context: 300, tokens: 20, room: 1, wants: "logits" },
  { seed: 6, context: 7, tokens: 1, room: 600, wants: { top: 1 } },
];

function withModel<Result>(
  path: string,
  options: PackedModelOptions,
  use: (model: PackedModel) => Result,
): Result {
  const model = PackedModel.open(path, options);
  try {
    return use(model);
  } finally {
    model.close();
  }
}

function fill(model: PackedModel, member: Member): KeyValueCache {
  const cache = model.createCache(member.context + member.tokens + member.room);
  const ids = idsOf(member.seed, member.context);
  for (let begin = 0; begin < ids.length; begin += BATCH_TOKENS_MAX) {
    model.forward(cache, ids.subarray(begin, begin + BATCH_TOKENS_MAX), false);
  }
  return cache;
}

function newIds(member: Member): Uint32Array {
  return idsOf(member.seed, member.context + member.tokens).subarray(member.context);
}

/** The logits of a member after its tokens and, where its cache has room, after one more: what the cache holds shows. */
interface Said {
  readonly after: Float32Array;
  readonly next: Float32Array | null;
}

function nextLogits(model: PackedModel, member: Member, cache: KeyValueCache): Float32Array | null {
  if (member.room === 0) return null;
  model.forward(cache, Uint32Array.of(9), true);
  return model.logits.slice();
}

function alone(path: string, options: PackedModelOptions, members: readonly Member[]): Said[] {
  return withModel(path, options, (model) =>
    members.map((member) => {
      const cache = fill(model, member);
      model.forward(cache, newIds(member), true);
      const after = model.logits.slice();
      const next = nextLogits(model, member, cache);
      cache.free();
      return { after, next };
    }),
  );
}

/** Ids by logit, equal ones by id. */
function likeliest(logits: Float32Array, count: number): number[] {
  const ids = Array.from(logits.keys());
  return ids.sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0) || a - b).slice(0, count);
}

function expectResult(
  model: PackedModel,
  { wants }: Member,
  result: StepResult | undefined,
  said: Float32Array,
) {
  if (wants === "nothing") {
    expect(result?.kind).toBe("nothing");
  } else if (result?.kind === "logits") {
    expect(result.logits).toEqual(said);
    expect(model.argmax(result.row)).toBe(likeliest(said, 1)[0] ?? -1);
  } else {
    const ids = likeliest(said, typeof wants === "object" ? wants.top : 0);
    expect(result?.kind === "top" ? [...result.top.ids] : []).toEqual(ids);
    expect(result?.kind === "top" ? [...result.top.logits] : []).toEqual(ids.map((id) => said[id] ?? 0));
  }
}

function expectTogether(
  path: string,
  options: PackedModelOptions,
  members: readonly Member[],
  said: readonly Said[],
) {
  withModel(path, options, (model) => {
    const caches = members.map((member) => fill(model, member));
    const steps = members.map((member, index): SequenceStep => {
      const cache = caches[index];
      if (cache === undefined) throw new RangeError(`no cache ${index}`);
      return { cache, ids: newIds(member), wants: member.wants };
    });
    const results = model.forwardTogether(steps);
    expect(results).toHaveLength(members.length);
    for (const [index, member] of members.entries()) {
      expectResult(model, member, results[index], said[index]?.after ?? new Float32Array());
    }
    for (const [index, member] of members.entries()) {
      const cache = caches[index];
      if (cache === undefined) throw new RangeError(`no cache ${index}`);
      expect(cache.length).toBe(member.context + member.tokens);
      expect(nextLogits(model, member, cache)).toEqual(said[index]?.next ?? null);
      cache.free();
    }
  });
}

const OPTIONS: readonly PackedModelOptions[] = [
  { thread_count: 1, cpu_level: "scalar" },
  ...usableCpuLevels()
    .slice(1)
    .map((cpu_level) => ({ thread_count: 2, cpu_level })),
  { thread_count: 3, key_value_element: "q8" },
];

describe.each(OPTIONS)("%j", (options) => {
  test.each(["sherry", "dense"] as const)(
    "%s: every sequence says what it says alone",
    (name) => {
      const members = MEMBERS.map(
        (member): Member =>
          // Only a split8 head finds the likeliest tokens without all logits.
          name === "dense" && typeof member.wants === "object" ? { ...member, wants: "logits" } : member,
      );
      const path = paths[name];
      const said = alone(path, options, members);
      expectTogether(path, options, members, said);
      // In other company, and single ones: the scalar level takes its time and has said enough.
      const ranges =
        options.cpu_level === "scalar"
          ? []
          : ([
              [3, 7],
              [1, 3],
              [4, 5],
              [1, 2],
            ] as const);
      for (const range of ranges) {
        expectTogether(path, options, members.slice(...range), said.slice(...range));
      }
    },
    20_000,
  );
});

test("as many sequences as one pass takes", () => {
  const members = Array.from(
    { length: SEQUENCES_TOGETHER_MAX },
    (_, seed): Member => ({ seed, context: seed % 5, tokens: 1, room: seed % 2, wants: "logits" }),
  );
  const options = { thread_count: 2 };
  expectTogether(paths.sherry, options, members, alone(paths.sherry, options, members));
});

describe("refusals leave every sequence as it was", () => {
  let model: PackedModel;
  let caches: KeyValueCache[];

  beforeAll(() => {
    model = PackedModel.open(paths.dense, { thread_count: 1 });
    caches = Array.from({ length: SEQUENCES_TOGETHER_MAX + 1 }, () => model.createCache(4));
    for (const cache of caches.slice(0, 2)) model.forward(cache, Uint32Array.of(1, 2, 3), false);
  });
  afterAll(() => {
    for (const cache of caches) cache.free();
    model.close();
  });

  const step = (
    index: number,
    ids: readonly number[],
    wants: SequenceStep["wants"] = "logits",
  ): SequenceStep => {
    const cache = caches[index];
    if (cache === undefined) throw new RangeError(`no cache ${index}`);
    return { cache, ids: Uint32Array.from(ids), wants };
  };
  const LIMITS = `1 to ${SEQUENCES_TOGETHER_MAX} sequences with at most ${BATCH_TOKENS_MAX} tokens in all`;

  test.each([
    ["no sequence", () => [], `expected ${LIMITS}, received 0 sequences with 0 tokens`],
    [
      "too many",
      () => caches.map((_, index) => step(index, [1])),
      `expected ${LIMITS}, received 65 sequences with 65 tokens`,
    ],
    [
      "too many tokens in all",
      () => [step(2, Array(200).fill(1)), step(3, Array(57).fill(1))],
      `expected ${LIMITS}, received 2 sequences with 257 tokens`,
    ],
    ["a cache twice", () => [step(0, [1]), step(2, [1]), step(0, [1])], "received the same cache twice"],
    [
      "no token",
      () => [step(0, [1]), step(1, [])],
      "token ids of sequence 1: expected 1 to 256 ids below 160, received 0 ids",
    ],
    ["a token outside the vocabulary", () => [step(0, [1]), step(1, [160])], "token ids of sequence 1: "],
    [
      "a full cache",
      () => [step(0, [1]), step(1, [1, 2])],
      "the sequence is longer than its cache: expected at most 4 tokens, received 5 of sequence 1",
    ],
    [
      "likeliest tokens that the head does not find",
      () => [step(0, [1]), step(1, [1], { top: 1 })],
      "the number of likeliest tokens of sequence 1: expected an integer from 1 to 0",
    ],
  ] as const)("%s", (_, steps, message) => {
    const { message: received } = refusal(() => model.forwardTogether(steps()));
    expect(received).toContain(message);
    expect(caches.slice(0, 3).map(({ length }) => length)).toEqual([3, 3, 0]);
  });

  test("a pass that is stopped between layers", () => {
    let layers = 0;
    const stop = () => {
      layers += 1;
      if (layers === 2) throw new Error("enough");
    };
    expect(() => model.forwardTogether([step(0, [5]), step(1, [6])], stop)).toThrow("enough");
    expect(caches.slice(0, 2).map(({ length }) => length)).toEqual([3, 3]);
    const [first, second] = model.forwardTogether([step(0, [4]), step(1, [4])]);
    if (first?.kind !== "logits" || second?.kind !== "logits") throw new Error("no logits");
    expect(first.logits).toEqual(second.logits);
    expect(caches.slice(0, 2).map(({ length }) => length)).toEqual([4, 4]);
  });
});
