/** Floats to Q6_K: what comes back through GGUF's own decoder, and the whole way through the packer. */
import { describe, expect, test } from "bun:test";
import { openFileSource } from "../../src/format/byte-source.ts";
import { readPackedFile } from "../../src/format/reader.ts";
import { unpackTensor } from "../../src/format/unpack.ts";
import { PackingStatistics } from "../../src/native/packing.ts";
import { decodeRows } from "../../src/packing/gguf/decode.ts";
import { packCheckpoint } from "../../src/packing/packer.ts";
import { Q6K_BYTES } from "../../src/packing/q6k-blocks.ts";
import { quantizeQ6k } from "../../src/packing/q6k-quantize.ts";
import { asyncRefusal } from "../format/refusal.ts";
import { randomNumbers } from "../format/sample-tensors.ts";
import { TemporaryFolder, TINY_CONFIG, tinyTensors, writeFolder } from "./checkpoint-folder.ts";

function throughQ6k(weights: Float32Array): { decoded: Float32Array; statistics: PackingStatistics } {
  const blocks = new Uint8Array((weights.length / 256) * Q6K_BYTES);
  const statistics = new PackingStatistics();
  expect(quantizeQ6k(weights, blocks, statistics)).toBeNull();
  const decoded = new Float32Array(weights.length);
  expect(decodeRows(blocks, "Q6_K", weights.length, decoded)).toBeNull();
  return { decoded, statistics };
}

describe("quantizeQ6k", () => {
  test("random weights come back within half a step, and the statistics say how far off", () => {
    const random = randomNumbers(31);
    const weights = Float32Array.from({ length: 1024 }, () => random() - 0.5);
    const { decoded, statistics } = throughQ6k(weights);
    let squared = 0;
    for (const [index, weight] of weights.entries()) {
      const group = weights.subarray(index - (index % 16), index - (index % 16) + 16);
      const largest = Math.max(...group.map(Math.abs));
      // A step is 1/32 of the largest; half of it from rounding, the rest because code 63 stands for 31 steps only and
      // because the sub-scale is rounded to 1/127 of the block's largest.
      const error = Math.abs(weight - (decoded[index] ?? 0));
      expect(error).toBeLessThan(largest * (1.6 / 32));
      squared += error * error;
    }
    const total = weights.reduce((sum, weight) => sum + weight * weight, 0);
    expect(statistics.relative_rms_error).toBeCloseTo(Math.sqrt(squared / total), 5);
    expect(statistics.relative_rms_error).toBeLessThan(0.03);
  });

  test("what is on its grid already comes back exactly, and zeros stay zeros", () => {
    const on_grid = Float32Array.from({ length: 256 }, (_, index) => ((index * 37) % 64) - 32);
    for (let group = 0; group < 16; group += 1) on_grid[group * 16] = -32;
    expect([...throughQ6k(on_grid.map((weight) => weight * 127)).decoded]).toEqual([
      ...on_grid.map((weight) => weight * 127),
    ]);
    expect(throughQ6k(new Float32Array(256)).decoded.every((weight) => weight === 0)).toBe(true);
  });

  test("a weight past what an f16 scale can hold is found", () => {
    const weights = new Float32Array(512);
    weights[300] = 1e12;
    expect(quantizeQ6k(weights, new Uint8Array(2 * Q6K_BYTES), new PackingStatistics())).toBe(256);
  });
});

describe("--embedding q6k", () => {
  const options = { linear: "f32", embedding: "q6k", head: null, scale: "auto", label: null } as const;

  test("is refused for rows that are no whole blocks, naming the tensor", async () => {
    using place = new TemporaryFolder();
    const input = writeFolder(place.at("model"));
    const refused = await asyncRefusal(() =>
      packCheckpoint({ ...options, input, output: place.at("out.sherry") }),
    );
    expect(refused.code).toBe("checkpoint_unsupported");
    expect(refused.message).toContain(
      "tensor model.embed_tokens.weight as q6k: expected a multiple of 256 columns, received 16",
    );
  });

  test("packs an embedding of 256 columns", async () => {
    using place = new TemporaryFolder();
    const hidden_size = 256;
    const tensors = tinyTensors();
    for (const [name, tensor] of tensors) {
      const shape = tensor.shape.map((size) => (size === TINY_CONFIG.hidden_size ? hidden_size : size));
      // Query heads together are as wide as the tiny hidden size, and stay so.
      if (name.endsWith("q_proj.weight")) shape[0] = TINY_CONFIG.hidden_size;
      if (name.endsWith("o_proj.weight")) shape[1] = TINY_CONFIG.hidden_size;
      const length = shape.reduce((product, size) => product * size, 1);
      const weights = Float32Array.from({ length }, (_, index) => ((index * 29) % 61) / 64 - 0.5);
      tensors.set(name, { shape, dtype: "F32", weights });
    }
    const config = { ...TINY_CONFIG, hidden_size };
    const input = writeFolder(place.at("model"), { config, tensors });
    const output = place.at("out.sherry");
    await packCheckpoint({ ...options, input, output });
    const source = openFileSource(output);
    const entry = readPackedFile(source).tensor("model.embed_tokens.weight");
    if (entry === undefined) throw new Error("the embedding is missing");
    expect(entry.kind).toBe("q6k");
    const unpacked = unpackTensor(entry, source.read(entry.offset, entry.bytes));
    source.close();
    const weights = tensors.get("model.embed_tokens.weight")?.weights ?? new Float32Array(0);
    expect(unpacked).toHaveLength(weights.length);
    for (const [index, weight] of weights.entries()) {
      expect(Math.abs(weight - (unpacked[index] ?? 0))).toBeLessThan(0.03);
    }
  });
});
