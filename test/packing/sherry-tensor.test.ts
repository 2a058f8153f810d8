/** Sparse-AbsMean, the grid and the codes through the whole packer, held against the plain quantizer of the tests. */
import { describe, expect, test } from "bun:test";
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { openFileSource } from "../../src/format/byte-source.ts";
import type { ScaleDescription } from "../../src/format/directory.ts";
import { decodeCode } from "../../src/format/layout.ts";
import { readPackedFile } from "../../src/format/reader.ts";
import { verifyPackedFile } from "../../src/format/verify.ts";
import { PackingStatistics } from "../../src/native/packing.ts";
import { openCheckpoint } from "../../src/packing/checkpoint.ts";
import type { PackOptions } from "../../src/packing/pack-options.ts";
import { packCheckpoint } from "../../src/packing/packer.ts";
import { parseScaleOption } from "../../src/packing/scale-option.ts";
import { prepareSherry } from "../../src/packing/sherry-tensor.ts";
import type { PackSummary } from "../../src/packing/summary.ts";
import { asyncRefusal } from "../format/refusal.ts";
import { SKIPS_SHARED, STORIES_FOLDER } from "../shared.ts";
import {
  DOWN_PROJ,
  TemporaryFolder,
  type TestTensor,
  TINY_CONFIG,
  tinyTensors,
  unpackFile,
  writeFolder,
} from "./checkpoint-folder.ts";
import { type ReferenceReach, sparseAbsMean } from "./reference-quantizer.ts";

type Choices = Partial<Omit<PackOptions, "scale">> & { scale?: string };

function pack(input: string, output: string, { scale, ...choices }: Choices = {}): Promise<PackSummary> {
  return packCheckpoint({
    input,
    output,
    linear: "sherry",
    embedding: "f32",
    head: null,
    label: null,
    scale: parseScaleOption(scale ?? "auto"),
    ...choices,
  });
}

function tensorOf(path: string, name: string) {
  const source = openFileSource(path);
  try {
    const entry = readPackedFile(source).tensor(name);
    if (entry === undefined) throw new Error(`${name} is missing`);
    return entry;
  } finally {
    source.close();
  }
}

/** The layer under test: its rows are bound to nothing but the heads, so they can be any even number. */
const K_PROJ = "model.layers.0.self_attn.k_proj.weight";

/** Packs a small model with that k_proj [rows][columns] and gives back what the file says of it. */
async function packOne(weights: Float32Array, rows: number, columns: number, scale = "auto") {
  using place = new TemporaryFolder();
  const config = {
    ...{ model_type: "llama", hidden_size: columns, intermediate_size: 8, num_hidden_layers: 1 },
    ...{ num_attention_heads: rows, num_key_value_heads: rows / 2, head_dim: 2, vocab_size: 4 },
  };
  const other = (shape: number[]): TestTensor => {
    const length = shape.reduce((product, size) => product * size, 1);
    return { shape, dtype: "F32", weights: new Float32Array(length).fill(0.5) };
  };
  const prefix = "model.layers.0";
  const tensors = new Map<string, TestTensor>([
    ["model.embed_tokens.weight", other([4, columns])],
    [`${prefix}.input_layernorm.weight`, other([columns])],
    [`${prefix}.self_attn.q_proj.weight`, other([2 * rows, columns])],
    [K_PROJ, { shape: [rows, columns], dtype: "F32", weights }],
    [`${prefix}.self_attn.v_proj.weight`, other([rows, columns])],
    [`${prefix}.self_attn.o_proj.weight`, other([columns, 2 * rows])],
    [`${prefix}.post_attention_layernorm.weight`, other([columns])],
    [`${prefix}.mlp.gate_proj.weight`, other([8, columns])],
    [`${prefix}.mlp.up_proj.weight`, other([8, columns])],
    [`${prefix}.mlp.down_proj.weight`, other([columns, 8])],
    ["model.norm.weight", other([columns])],
  ]);
  const folder = writeFolder(place.at("model"), { config, tensors });
  const path = place.at("model.sherry");
  const summary = await pack(folder, path, { scale });
  const source = openFileSource(path);
  expect(verifyPackedFile(source).problems).toEqual([]);
  source.close();
  const { kind, scale: stored_scale } = tensorOf(path, K_PROJ);
  const of_summary = summary.tensors.find((tensor) => tensor.name === K_PROJ);
  if (of_summary === undefined) throw new Error("the summary lacks k_proj");
  return { kind, scale: stored_scale, unpacked: unpackFile(path).get(K_PROJ), summary: of_summary };
}

/** Weights on the grid: the code of every block and the scale of every segment by rule. */
function gridWeights(rows: number, columns: number, scaleOf: (row: number, segment: number) => number) {
  const weights = new Float32Array(rows * columns);
  for (let block = 0; block < weights.length / 4; block += 1) {
    const row = Math.floor((block * 4) / columns);
    const segment = Math.floor(((block * 4) % columns) / 32);
    const code = (block * 7 + row) % 32;
    decodeCode(code >> 1, code & 1).forEach((sign, position) => {
      weights[block * 4 + position] = sign === 0 ? 0 : sign * scaleOf(row, segment);
    });
  }
  return weights;
}

describe("codes", () => {
  test("all 32 codes come back, in every row of a tile and in a last, short tile", async () => {
    const weights = gridWeights(66, 132, () => 0.375);
    const { unpacked, summary } = await packOne(weights, 66, 132);
    expect(unpacked).toEqual(weights);
    expect(summary).toMatchObject({ on_grid: true, relative_rms_error: 0, error_max: 0 });
  });

  test("of equal magnitudes the first is dropped; kept zeros are positive; a zero scale has zeros", async () => {
    const weights = new Float32Array(2 * 36);
    weights.set([-1, 1, -1, 1, -0, -0, 0, 3, 2, -5, 0.5, -0.25]);
    const { unpacked } = await packOne(weights, 2, 36, "group:32");
    // (1 + 1 + 1) + (0 + 0 + 3) + (2 + 5 + 0.5) over 24 kept weights.
    const scale = Math.fround(13.5 / 24);
    const rest = Array.from({ length: 5 }, () => [0, scale, scale, scale]).flat();
    const first = [0, scale, -scale, scale, 0, scale, scale, scale, scale, -scale, scale, 0];
    expect([...(unpacked?.slice(0, 32) ?? [])]).toEqual([...first, ...rest]);
    expect(unpacked?.slice(32).every((weight) => Object.is(weight, 0))).toBe(true);
  });
});

describe("recognising the grid", () => {
  const cases: [string, (row: number, segment: number) => number, ScaleDescription][] = [
    ["tensor", () => 0.3, { granularity: "tensor", group_columns: 0, element: "f32" }],
    ["channel", (row) => 1 / (row + 3), { granularity: "channel", group_columns: 0, element: "f32" }],
    [
      "256",
      (row, segment) => (row + 1 + (segment >> 3)) / 64,
      { granularity: "group", group_columns: 256, element: "f16" },
    ],
    [
      "128",
      (row, segment) => (row + 1 + (segment >> 2)) / 64,
      { granularity: "group", group_columns: 128, element: "f16" },
    ],
    [
      "64",
      (row, segment) => (row + 1 + (segment >> 1)) / 64,
      { granularity: "group", group_columns: 64, element: "f16" },
    ],
    [
      "32",
      (row, segment) => (row + 1 + segment) / 64,
      { granularity: "group", group_columns: 32, element: "f16" },
    ],
    // Two neighbours differ and the row goes back to its first scale: the group must not look whole.
    [
      "32, returning",
      (_, segment) => (segment === 2 ? 2 : 1),
      { granularity: "group", group_columns: 32, element: "f16" },
    ],
    [
      "bf16",
      (_, segment) => 2 ** (segment + 20),
      { granularity: "group", group_columns: 32, element: "bf16" },
    ],
    ["f32", (_, segment) => 1 / (segment + 3), { granularity: "group", group_columns: 32, element: "f32" }],
    [
      "zeros beside",
      (_, segment) => (segment === 3 ? 0 : 0.5),
      { granularity: "group", group_columns: 32, element: "f16" },
    ],
    ["zeros", () => 0, { granularity: "tensor", group_columns: 0, element: "f32" }],
  ];
  test.each(cases)("the coarsest granularity that holds: %s", async (_, scaleOf, expected) => {
    const weights = gridWeights(6, 608, scaleOf);
    const { scale, unpacked, summary } = await packOne(weights, 6, 608);
    expect(scale).toEqual(expected);
    expect(unpacked).toEqual(weights);
    expect(summary).toMatchObject({ on_grid: true, relative_rms_error: 0 });
  });

  test("an explicit granularity is kept, without loss where the grid has it or a coarser one", async () => {
    const weights = gridWeights(6, 608, (row) => (row + 1) / 64);
    for (const group_columns of [32, 64, 128, 256]) {
      const { scale, unpacked, summary } = await packOne(weights, 6, 608, `group:${group_columns}`);
      expect(scale).toMatchObject({ granularity: "group", group_columns, element: "f16" });
      expect(unpacked).toEqual(weights);
      expect(summary.on_grid).toBe(true);
    }
    const { scale, unpacked, summary } = await packOne(weights, 6, 608, "tensor");
    expect(scale).toEqual({ granularity: "tensor", group_columns: 0, element: "f32" });
    expect(unpacked).toEqual(sparseAbsMean({ rows: 6, columns: 608, weights }, "tensor", "f32"));
    expect(summary.on_grid).toBe(false);
  });

  test("one weight off the grid is enough", async () => {
    const weights = gridWeights(70, 64, () => 0.5);
    const last = weights.findLastIndex((weight) => weight !== 0);
    weights[last] = 0.501;
    const { summary, unpacked } = await packOne(weights, 70, 64);
    expect(summary.on_grid).toBe(false);
    expect(unpacked).toEqual(sparseAbsMean({ rows: 70, columns: 64, weights }, "channel", "f32"));
  });
});

describe("scales that f16 would lose", () => {
  const rows = 2;
  const columns = 256;
  const bent = (magnitude: number) =>
    Float32Array.from({ length: rows * columns }, (_, index) => (((index * 5) % 9) - 4.3) * magnitude);
  test.each([
    ["too large", 1e5],
    ["subnormal", 1e-6],
    ["zero", 1e-12],
  ])("%s: the tensor keeps f32", async (_, magnitude) => {
    const weights = bent(magnitude);
    const { scale, unpacked } = await packOne(weights, rows, columns, "group:128");
    expect(scale).toEqual({ granularity: "group", group_columns: 128, element: "f32" });
    expect(unpacked).toEqual(sparseAbsMean({ rows, columns, weights }, 128, "f32"));
  });

  test("within its range: f16", async () => {
    const weights = bent(0.01);
    const { scale, unpacked } = await packOne(weights, rows, columns);
    expect(scale).toEqual({ granularity: "group", group_columns: 128, element: "f16" });
    expect(unpacked).toEqual(sparseAbsMean({ rows, columns, weights }, 128, "f16"));
  });

  test("so small that even f32 gives zero: the weights become zeros, and stay them", async () => {
    const weights = new Float32Array(2 * 64);
    weights[1] = 2 ** -149;
    weights[70] = 1;
    const { unpacked, summary } = await packOne(weights, 2, 64, "channel");
    expect(unpacked?.slice(0, 64).every((weight) => Object.is(weight, 0))).toBe(true);
    expect(summary.on_grid).toBe(false);
    const again = await packOne(unpacked ?? weights, 2, 64, "channel");
    expect(again.summary.on_grid).toBe(true);
    expect(again.unpacked).toEqual(unpacked ?? weights);
  });
});

describe.skipIf(SKIPS_SHARED)("stories260K (needs ../shared)", () => {
  const reaches: [string, ReferenceReach, "f32" | "f16"][] = [
    ["tensor", "tensor", "f32"],
    ["channel", "channel", "f32"],
    ["group:32", 32, "f16"],
    ["group:64", 64, "f16"],
    ["group:128", 128, "f16"],
    ["group:256", 256, "f16"],
    ["auto", 128, "f16"],
  ];

  test.each(reaches)(
    "--scale %s: unpacked weights equal the plain quantizer's bit for bit",
    async (scale, reach, element) => {
      using place = new TemporaryFolder();
      await pack(STORIES_FOLDER, place.at("dense.sherry"), { linear: "f32" });
      await pack(STORIES_FOLDER, place.at("packed.sherry"), { scale });
      const original = unpackFile(place.at("dense.sherry"));
      const packed = unpackFile(place.at("packed.sherry"));
      let linear = 0;
      for (const [name, weights] of original) {
        const { kind, shape } = tensorOf(place.at("packed.sherry"), name);
        if (kind !== "sherry") {
          expect(packed.get(name)).toEqual(weights);
          continue;
        }
        linear += 1;
        const [rows, columns] = [shape[0], shape[1] ?? 0];
        // In auto mode a group that is a whole row is a channel.
        const whole_row = scale === "auto" && columns <= 128;
        const expected: Float32Array = whole_row
          ? sparseAbsMean({ rows, columns, weights }, "channel", "f32")
          : sparseAbsMean({ rows, columns, weights }, reach, element);
        expect(packed.get(name)).toEqual(expected);
      }
      expect(linear).toBe(35);
    },
  );

  test.each(["auto", "tensor", "channel", "group:32", "group:64", "group:128", "group:256"])(
    "--scale %s: packing the unpacked result again is recognised and gives the same bytes",
    async (scale) => {
      using place = new TemporaryFolder();
      const first = place.at("first.sherry");
      await pack(STORIES_FOLDER, first, { scale });
      const tensors = new Map<string, TestTensor>();
      for (const [name, weights] of unpackFile(first)) {
        tensors.set(name, { shape: tensorOf(first, name).shape, dtype: "F32", weights });
      }
      const names = ["tokenizer.json", "tokenizer_config.json", "generation_config.json"];
      const files = Object.fromEntries(names.map((name) => [name, readFileSync(join(STORIES_FOLDER, name))]));
      const config = JSON.parse(readFileSync(join(STORIES_FOLDER, "config.json"), "utf8"));
      const folder = writeFolder(place.at("again"), { config, tensors, files });
      const summary = await pack(folder, place.at("second.sherry"), { scale });
      expect(summary).toMatchObject({ linear_tensors: 35, on_grid_tensors: 35, projected_tensors: 0 });
      expect(summary.sentences).toEqual([
        "35 of 35 linear tensors were on the 3:4 grid already and were packed without loss.",
      ]);
      expect(readFileSync(place.at("second.sherry")).equals(readFileSync(first))).toBe(true);
    },
  );
});

describe("refusals", () => {
  const message = async (tensors: ReadonlyMap<string, TestTensor>, config?: Record<string, unknown>) => {
    using place = new TemporaryFolder();
    const folder = writeFolder(place.at("model"), { tensors, ...(config === undefined ? {} : { config }) });
    return pack(folder, place.at("out.sherry")).then(
      () => "packed",
      (error: Error) => error.message,
    );
  };

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "%p among the weights is named by tensor, row and column",
    async (bad) => {
      const tensors = tinyTensors();
      const down = tensors.get(DOWN_PROJ)?.weights ?? new Float32Array();
      down[5 * 24 + 7] = bad;
      expect(await message(tensors)).toBe(
        `tensor ${DOWN_PROJ}, row 5, column 7: expected a finite number, received an infinity or a NaN. ` +
          "The checkpoint is damaged, or its training diverged",
      );
    },
  );

  test("in_features that are no multiple of four", async () => {
    const tensors = tinyTensors();
    for (const name of ["gate_proj", "up_proj"]) {
      tensors.set(`model.layers.0.mlp.${name}.weight`, {
        shape: [26, 16],
        dtype: "F32",
        weights: new Float32Array(416),
      });
    }
    tensors.set(DOWN_PROJ, { shape: [16, 26], dtype: "F32", weights: new Float32Array(416) });
    expect(await message(tensors, { ...TINY_CONFIG, intermediate_size: 26 })).toBe(
      `in_features of tensor ${DOWN_PROJ}: expected a multiple of 4, the block of 3:4 sparsity, received 26. ` +
        "Pack this model with --linear q8",
    );
  });

  test("weights that change between the two passes", async () => {
    using place = new TemporaryFolder();
    const tensors = tinyTensors();
    tensors.set(DOWN_PROJ, { shape: [16, 24], dtype: "F32", weights: gridWeights(16, 24, () => 0.5) });
    const folder = writeFolder(place.at("model"), { tensors });
    const checkpoint = openCheckpoint(folder);
    const tensor = checkpoint.tensors.find(({ name }) => name === DOWN_PROJ);
    if (tensor === undefined) throw new Error("down_proj is missing");
    const advance = async () => {};
    const prepared = await prepareSherry(tensor, "auto", advance);
    expect(prepared.on_grid).toBe(true);
    const file = openSync(place.at("model", "model.safetensors"), "r+");
    writeSync(file, new Uint8Array(Float32Array.of(0.25).buffer), 0, 4, tensor.offset + 40);
    closeSync(file);
    const refused = await asyncRefusal(() => prepared.write(() => {}, new PackingStatistics(), advance));
    checkpoint.close();
    expect(refused).toEqual({
      code: "checkpoint_invalid",
      message:
        `tensor ${DOWN_PROJ}: expected the weights that were there a moment ago, received other ones. ` +
        "The checkpoint changed while it was packed; pack it again when it is at rest",
    });
  });
});
