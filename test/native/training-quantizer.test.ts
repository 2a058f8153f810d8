/**
 * Fake quantization: every method and granularity against its definition, written plainly here in f64, bit for bit; and
 * Sherry's results against the packer, which must find them on the grid and store the same values.
 */
import { afterAll, describe, expect, test } from "bun:test";
import type { CpuLevel } from "../../src/native/kernels.ts";
import {
  type QuantizerChoice,
  type QuantizerMethod,
  TrainingKernels,
} from "../../src/native/training-kernels.ts";
import { packCheckpoint } from "../../src/packing/packer.ts";
import { parseScaleOption } from "../../src/packing/scale-option.ts";
import {
  DOWN_PROJ,
  TemporaryFolder,
  TINY_CONFIG,
  tinyTensors,
  unpackFile,
  writeFolder,
} from "../packing/checkpoint-folder.ts";
import { sparseAbsMean } from "../packing/reference-quantizer.ts";

const LEVELS: readonly CpuLevel[] = process.arch === "x64" ? ["scalar", "avx2"] : ["scalar"];
const contexts = LEVELS.flatMap((cpu_level) =>
  [1, 3].map((thread_count) => TrainingKernels.create({ cpu_level, thread_count })),
);
afterAll(() => {
  for (const kernels of contexts) kernels.close();
});

/** Weights of many sizes with ties, zeros of both signs and blocks of zeros. */
function weightsOf(rows: number, columns: number): Float32Array {
  let seed = rows * 1000 + columns;
  return Float32Array.from({ length: rows * columns }, (_, index) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    if (Math.floor(index / 4) % 11 === 3) return index % 2 === 0 ? 0 : -0;
    const value = seed / 2 ** 31 - 1;
    if (seed % 13 === 0) return 0;
    if (seed % 17 === 0) return -0;
    return index % 9 < 4 ? Math.round(value * 4) / 4 : value * 0.3;
  });
}

/** The quantized weights of one range that shares a scale, by the definition. */
function quantizeRange(weights: Float32Array, method: QuantizerMethod): Float32Array {
  const sum = (values: Iterable<number>) => {
    let total = 0;
    for (const value of values) total += value;
    return total;
  };
  const magnitudes = Array.from(weights, Math.abs);
  const mean = Math.fround(sum(magnitudes) / weights.length);
  const signed = (weight: number, scale: number) => (weight < 0 ? -scale : scale);
  switch (method) {
    case "none":
      return weights;
    case "sherry":
      throw new Error("sherry's definition is that of the packer's tests");
    case "absmean":
      return weights.map((weight) => (Math.abs(weight) < mean / 2 ? 0 : signed(weight, mean)));
    case "binary":
      return weights.map((weight) => signed(weight, mean));
    case "twn": {
      const threshold = Math.fround(0.75 * mean);
      const above = magnitudes.filter((magnitude) => magnitude > threshold);
      const scale = Math.fround(sum(above) / above.length);
      return weights.map((weight) => (Math.abs(weight) <= threshold ? 0 : signed(weight, scale)));
    }
  }
}

function definition(
  weights: Float32Array,
  rows: number,
  columns: number,
  { method, granularity, group_columns }: QuantizerChoice,
): Float32Array {
  const reach = granularity === "group" ? group_columns : granularity;
  if (method === "sherry") return sparseAbsMean({ rows, columns, weights }, reach, "f32");
  const length =
    granularity === "tensor" ? weights.length : granularity === "channel" ? columns : group_columns;
  const result = new Float32Array(weights.length);
  for (let begin = 0; begin < weights.length; begin += length) {
    result.set(quantizeRange(weights.subarray(begin, begin + length), method), begin);
  }
  return result;
}

function quantize(
  kernels: TrainingKernels,
  weights: Float32Array,
  rows: number,
  columns: number,
  choice: QuantizerChoice,
  lambda: number,
): Float32Array {
  const w = TrainingKernels.buffer(weights.length);
  const effective = TrainingKernels.buffer(weights.length);
  w.values.set(weights);
  kernels.fakeQuantize(effective, w, { out_features: rows, in_features: columns }, choice, lambda);
  const result = effective.values.slice();
  w.free();
  effective.free();
  return result;
}

const SHAPES: readonly [number, number][] = [
  [1, 128],
  [3, 256],
  [17, 384],
  [70, 128],
  // Rows that fill no whole vectors, for the granularities that take any row.
  [5, 36],
];
const GRANULARITIES = [
  { granularity: "tensor", group_columns: 0 },
  { granularity: "channel", group_columns: 0 },
  { granularity: "group", group_columns: 32 },
  { granularity: "group", group_columns: 64 },
  { granularity: "group", group_columns: 128 },
] as const;

describe.each(["none", "sherry", "absmean", "twn", "binary"] as const)("%s", (method) => {
  test.each(GRANULARITIES)("$granularity $group_columns equals its definition", (granularity) => {
    const choice = { method, ...granularity };
    for (const [rows, columns] of SHAPES) {
      if (granularity.group_columns !== 0 && columns % granularity.group_columns !== 0) continue;
      const weights = weightsOf(rows, columns);
      const expected = definition(weights, rows, columns, choice);
      for (const kernels of contexts) {
        expect(quantize(kernels, weights, rows, columns, choice, 0)).toEqual(expected);
        if (method === "none") continue;
        // The residual is added in f32, and not fused: the same two roundings on every level.
        const mixed = expected.map((value, index) => value + Math.fround(0.375 * (weights[index] ?? 0)));
        expect(quantize(kernels, weights, rows, columns, choice, 0.375)).toEqual(mixed);
      }
    }
  });
});

test("of weights that are all zero, no method makes a number that is none", () => {
  for (const method of ["sherry", "absmean", "twn", "binary"] as const) {
    for (const kernels of contexts) {
      const choice = { method, granularity: "group", group_columns: 32 } as const;
      const result = quantize(kernels, new Float32Array(64).fill(-0), 1, 64, choice, 0);
      expect(result.every((value) => Object.is(value, 0))).toBe(true);
    }
  }
});

test("sherry's zero positions: the least, of equal ones the first", () => {
  for (const kernels of contexts) {
    const w = TrainingKernels.buffer(16);
    w.values.set([1, -1, 1, 1, 3, 2, 0, -0, -4, 3, 2, 1, 5, 0.5, 0.5, 1]);
    const states = new Uint8Array(4);
    kernels.quantizerStates(states, w, { out_features: 2, in_features: 8 });
    expect([...states]).toEqual([0, 2, 3, 1]);
    w.free();
  }
});

test.each(GRANULARITIES.slice(0, 3))(
  "the packer takes $granularity $group_columns without loss",
  async (granularity) => {
    using place = new TemporaryFolder();
    const [rows, columns] = [16, 32];
    const weights = weightsOf(rows, columns);
    const choice = { method: "sherry", ...granularity } as const;
    const quantized = quantize(contexts[0] as TrainingKernels, weights, rows, columns, choice, 0);
    const tensors = tinyTensors();
    for (const name of ["gate_proj", "up_proj"]) {
      const shape = [columns, rows];
      tensors.set(`model.layers.0.mlp.${name}.weight`, {
        ...{ shape, dtype: "F32" },
        weights: new Float32Array(columns * rows),
      });
    }
    tensors.set(DOWN_PROJ, { shape: [rows, columns], dtype: "F32", weights: quantized });
    const folder = writeFolder(place.at("model"), {
      config: { ...TINY_CONFIG, intermediate_size: columns },
      tensors,
    });
    const path = place.at("model.sherry");
    const summary = await packCheckpoint({
      ...{ input: folder, output: path, linear: "sherry", embedding: "f32", head: null, label: null },
      scale: parseScaleOption("auto"),
    });
    expect(summary.tensors.find(({ name }) => name === DOWN_PROJ)).toMatchObject({
      on_grid: true,
      relative_rms_error: 0,
      error_max: 0,
    });
    expect(unpackFile(path).get(DOWN_PROJ)).toEqual(quantized);
  },
);
