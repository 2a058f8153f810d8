/** Packing as int4: the choice of scales against its definition, bit for bit, and a model that speaks the same on all levels. */
import { afterAll, describe, expect, test } from "bun:test";
import { openFileSource } from "../../src/format/byte-source.ts";
import { readPackedFile } from "../../src/format/reader.ts";
import { unpackTensor } from "../../src/format/unpack.ts";
import { verifyPackedFile } from "../../src/format/verify.ts";
import { PackedModel } from "../../src/model/packed-model.ts";
import { type CpuLevel, usableCpuLevels } from "../../src/native/kernels.ts";
import { packCheckpoint } from "../../src/packing/packer.ts";
import { asyncRefusal } from "../format/refusal.ts";
import { randomNumbers } from "../format/sample-tensors.ts";
import { packRandomModel } from "../model/random-model.ts";
import type { ReferenceConfig } from "../model/reference-forward.ts";
import { DOWN_PROJ, TemporaryFolder, TINY_CONFIG, tinyTensors, writeFolder } from "./checkpoint-folder.ts";

const { fround, f16round } = Math;
const OPTIONS = { linear: "int4", embedding: "f32", head: null, scale: "auto", label: null } as const;

/** Columns that fill no group, and rows that fill no tile. */
const CONFIG = { ...TINY_CONFIG, hidden_size: 20, intermediate_size: 75, head_dim: 8 };

function tensorsOf(weights: Float32Array) {
  const { hidden_size, intermediate_size } = CONFIG;
  const tensors = tinyTensors();
  for (const [name, tensor] of tensors) {
    const shape = tensor.shape.map((size) =>
      size === 16 ? hidden_size : size === 24 ? intermediate_size : size,
    );
    tensors.set(name, { ...tensor, shape: shape });
  }
  const sized = (name: string, shape: readonly number[]) => {
    const length = shape.reduce((product, size) => product * size, 1);
    const values = Float32Array.from({ length }, (_, index) => ((index * 29) % 61) / 64 - 0.5);
    tensors.set(name, { shape, dtype: "F32", weights: values });
  };
  for (const [name, { shape }] of [...tensors]) sized(name, shape);
  const layer = "model.layers.0";
  sized(`${layer}.self_attn.q_proj.weight`, [16, hidden_size]);
  sized(`${layer}.self_attn.k_proj.weight`, [8, hidden_size]);
  sized(`${layer}.self_attn.v_proj.weight`, [8, hidden_size]);
  sized(`${layer}.self_attn.o_proj.weight`, [hidden_size, 16]);
  return tensors.set(DOWN_PROJ, { shape: [hidden_size, intermediate_size], dtype: "F32", weights });
}

/** Sums in eight lanes and their fold, as zig/kernels/lanes.zig has it. */
function laneSum(values: readonly number[]): number {
  const lanes = new Float32Array(8);
  for (const [index, value] of values.entries()) lanes[index % 8] = (lanes[index % 8] ?? 0) + value;
  const four = [0, 1, 2, 3].map((lane) => fround((lanes[lane] ?? 0) + (lanes[lane + 4] ?? 0)));
  const [a = 0, b = 0, c = 0, d = 0] = four;
  return fround(fround(a + c) + fround(b + d));
}

/** The definition of int4, plainly: of eight scales the one with the least squared error, the first of equals. */
function toInt4(weights: Float32Array, columns: number): Float32Array {
  const result = new Float32Array(weights.length);
  for (let row = 0; row < weights.length; row += columns) {
    for (let begin = row; begin < row + columns; begin += 32) {
      const group = weights.subarray(begin, Math.min(begin + 32, row + columns));
      const largest = Math.max(...group.map(Math.abs));
      if (largest === 0) continue;
      let least = Number.POSITIVE_INFINITY;
      for (let step = 0; step < 8; step += 1) {
        const scale = Math.max(f16round(fround(largest / (7 + step / 4))), 2 ** -24);
        if (scale === Number.POSITIVE_INFINITY) continue;
        const values = [...group].map((weight) => {
          const quotient = fround(weight / scale);
          const rounded = Math.sign(quotient) * Math.floor(Math.abs(quotient) + 0.5);
          return Math.max(-8, Math.min(7, rounded));
        });
        const differences = values.map((value, index) => fround((group[index] ?? 0) - fround(value * scale)));
        const squared_error = laneSum(differences.map((difference) => fround(difference * difference)));
        if (squared_error >= least) continue;
        least = squared_error;
        for (const [index, value] of values.entries()) result[begin + index] = value * scale;
      }
    }
  }
  return result;
}

/** Normal numbers of many magnitudes, groups of zeros and of f16's smallest numbers among them. */
function variedWeights(): Float32Array {
  const random = randomNumbers(77);
  return Float32Array.from({ length: 20 * 75 }, (_, index) => {
    const group = Math.floor(index / 25);
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return group % 11 === 10 ? 0 : normal * 2 ** (10 - (group % 36));
  });
}

test("packed weights are those of the definition, padding is zero, and the summary says what was lost", async () => {
  using place = new TemporaryFolder();
  const weights = variedWeights();
  const input = writeFolder(place.at("model"), { tensors: tensorsOf(weights), config: CONFIG });
  const output = place.at("out.sherry");
  const summary = await packCheckpoint({ ...OPTIONS, input, output });
  const source = openFileSource(output);
  expect(verifyPackedFile(source).problems).toEqual([]);
  const file = readPackedFile(source);
  const entry = file.tensor(DOWN_PROJ);
  if (entry === undefined) throw new Error("no such tensor");
  expect(entry).toMatchObject({ kind: "int4", scale: null, column_order: null });
  const received = unpackTensor(entry, source.read(entry.offset, entry.bytes));
  source.close();
  const expected = toInt4(weights, 75);
  expect(received.findIndex((weight, index) => weight !== expected[index])).toBe(-1);
  const squared = (values: Float32Array) => values.reduce((sum, value) => sum + value * value, 0);
  const lost = Math.sqrt(
    squared(weights.map((weight, index) => weight - (expected[index] ?? 0))) / squared(weights),
  );
  const described = summary.tensors.find(({ name }) => name === DOWN_PROJ);
  expect(described?.relative_rms_error).toBeCloseTo(lost, 6);
  expect(summary.sentences).toEqual(["The 7 linear tensors are stored as int4."]);
});

test("a weight too large for any scale is named", async () => {
  using place = new TemporaryFolder();
  const weights = variedWeights();
  weights[2 * 75 + 70] = 65_520 * 8.75;
  const input = writeFolder(place.at("model"), { tensors: tensorsOf(weights), config: CONFIG });
  expect(await asyncRefusal(() => packCheckpoint({ ...OPTIONS, input, output: null }))).toEqual({
    code: "checkpoint_unsupported",
    message:
      `tensor ${DOWN_PROJ}, row 2, column 64: expected 32 weights small enough for an int4 scale in f16 (below 573,000), ` +
      "received a larger one among them. Store this tensor as f32 or bf16",
  });
});

test("the same pieces whatever their size: a table of more weights than one piece holds", async () => {
  using place = new TemporaryFolder();
  // Two pieces: 262,144 weights hold 13,104 rows of 20, and the second piece ends in half a tile.
  const rows = 13_108;
  const random = randomNumbers(3);
  const table = Float32Array.from({ length: rows * 20 }, () => random() - 0.5);
  const tensors = tensorsOf(variedWeights());
  tensors.set("model.embed_tokens.weight", { shape: [rows, 20], dtype: "F32", weights: table });
  const config = { ...CONFIG, vocab_size: rows };
  const input = writeFolder(place.at("model"), { tensors, config });
  const output = place.at("out.sherry");
  await packCheckpoint({ ...OPTIONS, linear: "f32", embedding: "int4", input, output });
  const source = openFileSource(output);
  expect(verifyPackedFile(source).problems).toEqual([]);
  const entry = readPackedFile(source).tensor("model.embed_tokens.weight");
  if (entry === undefined) throw new Error("no such tensor");
  const received = unpackTensor(entry, source.read(entry.offset, entry.bytes));
  source.close();
  const expected = toInt4(table, 20);
  expect(received.findIndex((weight, index) => weight !== expected[index])).toBe(-1);
});

describe("a random model", () => {
  const folder = new TemporaryFolder();
  afterAll(() => folder[Symbol.dispose]());
  const config: ReferenceConfig = {
    model_type: "qwen3",
    hidden_size: 76,
    intermediate_size: 100,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 20,
    vocab_size: 101,
    rms_norm_eps: 1e-5,
    // A tied head would make random weights repeat their last token.
    tie_word_embeddings: false,
    rope_theta: 10_000,
  };

  function greedy(path: string, cpu_level: CpuLevel, thread_count: number): number[] {
    const model = PackedModel.open(path, { cpu_level, thread_count, context_tokens: 64 });
    const cache = model.createCache();
    try {
      const ids = [5, 17, 99, 3, 42, 8, 60, 61, 62, 1];
      for (let batch: readonly number[] = [...ids]; ids.length < 40; batch = ids.slice(-1)) {
        model.forward(cache, Uint32Array.from(batch), true);
        ids.push(model.argmax());
      }
      return ids;
    } finally {
      cache.free();
      model.close();
    }
  }

  test.each(["sherry", "int4"] as const)(
    "embedding int4, linear %s: the same tokens on every level",
    async (linear) => {
      const path = await packRandomModel(folder, config, 5, { linear, embedding: "int4" });
      const scalar = greedy(path, "scalar", 1);
      expect(new Set(scalar.slice(10)).size).toBeGreaterThan(5);
      for (const level of usableCpuLevels()) expect(greedy(path, level, 2)).toEqual(scalar);
    },
  );
});
