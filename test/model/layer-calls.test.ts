/**
 * Passes follow each other with the same sequences, with others, in another order, with more tokens, after an end amid the
 * layers: each gives the logits that a model which computes its ids in one pass gives.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { timeKernels } from "../../src/bench/kernel-timers.ts";
import type { KeyValueCache } from "../../src/model/key-value-cache.ts";
import { LayerCalls } from "../../src/model/layer-calls.ts";
import { PackedModel } from "../../src/model/packed-model.ts";
import { Kernels } from "../../src/native/kernels.ts";
import { TemporaryFolder } from "../packing/checkpoint-folder.ts";
import { packRandomModel } from "./random-model.ts";
import type { ReferenceConfig } from "./reference-forward.ts";

const CONFIG: ReferenceConfig & { max_position_embeddings: number } = {
  ...{ model_type: "llama", hidden_size: 64, intermediate_size: 96, num_hidden_layers: 3, head_dim: 16 },
  ...{ num_attention_heads: 4, num_key_value_heads: 2, vocab_size: 90, rms_norm_eps: 1e-5 },
  ...{ tie_word_embeddings: true, max_position_embeddings: 64 },
};

const folder = new TemporaryFolder();
let path = "";
let model: PackedModel;
let reference: PackedModel;

beforeAll(async () => {
  path = await packRandomModel(folder, CONFIG, 5, { linear: "sherry", embedding: "q8" });
  model = PackedModel.open(path, { thread_count: 2 });
  reference = PackedModel.open(path, { thread_count: 1, cpu_level: "scalar" });
});
afterAll(() => {
  model.close();
  reference.close();
  folder[Symbol.dispose]();
});

/** A sequence with what it has been given so far. */
class Sequence {
  readonly cache: KeyValueCache = model.createCache(48);
  readonly ids: number[] = [];
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  next(count: number): Uint32Array {
    const ids = Array.from({ length: count }, (_, index) => {
      return (this.#seed * 13 + (this.ids.length + index) * 7) % CONFIG.vocab_size;
    });
    return Uint32Array.from(ids);
  }
}

function logitsOf(ids: readonly number[]): Float32Array {
  const cache = reference.createCache(48);
  reference.forward(cache, Uint32Array.from(ids), true);
  cache.free();
  return reference.logits.slice();
}

/** One pass, `counts` tokens of each; what it says is held against the reference. */
function pass(sequences: readonly Sequence[], counts: readonly number[], onLayer?: () => void): void {
  const steps = sequences.map((sequence, index) => {
    return { cache: sequence.cache, ids: sequence.next(counts[index] ?? 1), wants: "logits" } as const;
  });
  const results = model.forwardTogether(steps, onLayer);
  for (const [index, sequence] of sequences.entries()) {
    sequence.ids.push(...(steps[index]?.ids ?? []));
    const result = results[index];
    expect(result?.kind === "logits" && result.logits).toEqual(logitsOf(sequence.ids));
  }
}

test("every pass gives the reference's logits, whatever the pass before was of", () => {
  const [a, b, c] = [1, 2, 3].map((seed) => new Sequence(seed));
  if (a === undefined || b === undefined || c === undefined) throw new RangeError("three sequences");
  const schedule: [Sequence[], number[]][] = [
    ...([
      [[a], [5]],
      [[a], [1]],
      [[a], [1]],
      [[b], [1]],
      [[a], [1]],
    ] as [Sequence[], number[]][]),
    ...([
      [
        [a, b],
        [1, 1],
      ],
      [
        [a, b],
        [1, 1],
      ],
      [
        [b, a],
        [1, 1],
      ],
      [[b], [1]],
    ] as [Sequence[], number[]][]),
    ...([
      [[c], [4]],
      [[c], [4]],
      [
        [c, a],
        [1, 4],
      ],
      [
        [c, a],
        [4, 1],
      ],
      [
        [c, a],
        [1, 1],
      ],
    ] as [Sequence[], number[]][]),
    ...([
      [
        [a, b, c],
        [1, 1, 1],
      ],
      [
        [a, b, c],
        [1, 1, 1],
      ],
      [
        [a, b],
        [1, 1],
      ],
    ] as [Sequence[], number[]][]),
  ];
  for (const [sequences, counts] of schedule) pass(sequences, counts);
  // A new sequence may get the memory of one that has ended.
  const length = b.cache.length;
  pass([b], [1]);
  b.cache.free();
  const d = new Sequence(4);
  pass([d], [1]);
  pass([d], [1]);
  expect(length).toBe(b.ids.length - 1);
  for (const { cache } of [a, c, d]) cache.free();
});

test("a pass that ended amid its layers can be made again, and another one instead", () => {
  const [a, b] = [new Sequence(5), new Sequence(6)];
  pass([a], [3]);
  let layers = 0;
  const stop = () => {
    layers += 1;
    if (layers === 3) throw new RangeError("enough");
  };
  expect(() => pass([a], [1], stop)).toThrow("enough");
  expect(layers).toBe(3);
  pass([b], [2]);
  pass([a], [1]);
  pass([a], [1]);
  a.cache.free();
  b.cache.free();
});

test("all layers are one crossing into native code, and one each where there is something to do before each", () => {
  const sequence = new Sequence(5);
  const crossingsOf = (onLayer: (() => void) | null) => {
    const steps = [{ cache: sequence.cache, ids: Uint32Array.of(3), wants: "nothing" }] as const;
    return timeKernels(() => void model.forwardTogether(steps, onLayer)).crossings;
  };
  let layers = 0;
  const apart = crossingsOf(() => {
    layers += 1;
  });
  expect(layers).toBe(CONFIG.num_hidden_layers);
  // Embedding and positions, then the layers.
  expect(crossingsOf(null)).toBe(3);
  expect(apart).toBe(2 + layers);
  sequence.cache.free();
});

test("the calls of the passes used last are kept, so many and no more", () => {
  const kernels = Kernels.create({ cpu_level: "scalar", thread_count: 1 });
  const calls = new LayerCalls();
  const caches = Array.from({ length: 9 }, () => model.createCache(8));
  const asked: number[] = [];
  const prepare = (index: number) => {
    const cache = caches[index];
    if (cache === undefined) throw new RangeError("no such cache");
    calls.prepare(kernels, 1, [{ cache, tokens: 1 }], () => asked.push(index));
  };
  expect(() => calls.run(kernels, 0, 1)).toThrow("no calls of layer 0");
  for (const index of [0, 1, 2, 3, 4, 5, 6, 7, 0, 3]) prepare(index);
  expect(asked).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  // The ninth takes the place of the one that was used longest ago.
  for (const index of [8, 0, 3, 2, 1]) prepare(index);
  expect(asked.slice(8)).toEqual([8, 1]);
  for (const cache of caches) cache.free();
  kernels.close();
});

test("what cannot be written down leaves nothing that a later pass would take for its own", () => {
  const kernels = Kernels.create({ cpu_level: "scalar", thread_count: 1 });
  const calls = new LayerCalls();
  const cache = model.createCache(8);
  const parts = [{ cache, tokens: 1 }];
  let asked = 0;
  const work = (layer: number) => {
    asked += 1;
    if (asked === 2) throw new RangeError(`layer ${layer}`);
  };
  expect(() => calls.prepare(kernels, 3, parts, work)).toThrow("layer 1");
  calls.prepare(kernels, 3, parts, work);
  expect(asked).toBe(5);
  calls.prepare(kernels, 3, parts, work);
  expect(asked).toBe(5);
  expect(() => calls.run(kernels, 3, 4)).toThrow("no calls of layer 3");
  expect(() => calls.prepare(kernels, 4, [{ cache, tokens: 2 }], work)).toThrow("the cache has no layer 3");
  cache.free();
  kernels.close();
});
