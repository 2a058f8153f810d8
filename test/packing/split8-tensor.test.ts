/** `--embedding split8` and `--head split8`: the packed values against the definition, from checkpoint to file. */
import { expect, test } from "bun:test";
import { openFileSource } from "../../src/format/byte-source.ts";
import { readPackedFile } from "../../src/format/reader.ts";
import { verifyPackedFile } from "../../src/format/verify.ts";
import { PackingStatistics, quantizeSplit8 } from "../../src/native/packing.ts";
import { packCheckpoint } from "../../src/packing/packer.ts";
import { refusal } from "../format/refusal.ts";
import {
  EMBEDDING,
  plainWeights,
  TemporaryFolder,
  TINY_CONFIG,
  tinyTensors,
  unpackFile,
  writeFolder,
} from "./checkpoint-folder.ts";

const HEAD = "lm_head.weight";

/** The least f32 that is not below the row's largest magnitude / 120, and halves away from zero. */
function toSplit8(weights: Float32Array, columns: number): Float32Array {
  const result = new Float32Array(weights.length);
  const scale_bits = new Uint32Array(1);
  const scale = new Float32Array(scale_bits.buffer);
  for (let begin = 0; begin < weights.length; begin += columns) {
    const row = weights.subarray(begin, begin + columns);
    const exact = Math.max(...row.map(Math.abs)) / 120;
    scale[0] = exact;
    if ((scale[0] ?? 0) < exact) scale_bits[0] = (scale_bits[0] ?? 0) + 1;
    for (const [index, weight] of row.entries()) {
      const quotient = scale[0] === 0 ? 0 : Math.fround(weight / (scale[0] ?? 1));
      result[begin + index] = Math.sign(quotient) * Math.floor(Math.abs(quotient) + 0.5) * (scale[0] ?? 0);
    }
  }
  return result;
}

/** Values of many magnitudes, zeros of a whole row and subnormal rows among them. */
function variedWeights(rows: number, columns: number): Float32Array {
  return plainWeights(rows * columns, 3).map((weight, index) => {
    const row = Math.floor(index / columns);
    if (row === 1) return 0;
    return row === 2 ? weight * 2 ** -140 : weight * 2 ** ((index * 7) % 5);
  });
}

// Number by number, zeros of either sign alike: a stored zero has no sign.
const expectEqual = (left: Float32Array | undefined, right: Float32Array) => {
  expect(left?.length).toBe(right.length);
  expect(left?.findIndex((number, index) => number !== right[index])).toBe(-1);
};

test("the embedding, and a head of its own, are what the definition gives", async () => {
  using place = new TemporaryFolder();
  const tensors = new Map(tinyTensors());
  const embedding = variedWeights(10, 16);
  const head = variedWeights(10, 16).reverse();
  tensors.set(EMBEDDING, { shape: [10, 16], dtype: "F32", weights: embedding });
  tensors.set(HEAD, { shape: [10, 16], dtype: "F32", weights: head });
  const config = { ...TINY_CONFIG, tie_word_embeddings: false };
  const input = writeFolder(place.at("model"), { tensors, config });
  for (const [kinds, expected] of [
    [
      { embedding: "split8", head: null },
      { [EMBEDDING]: "split8", [HEAD]: "split8" },
    ],
    [
      { embedding: "f32", head: "split8" },
      { [EMBEDDING]: "f32", [HEAD]: "split8" },
    ],
  ] as const) {
    const output = place.at("out.sherry");
    const summary = await packCheckpoint({
      input,
      output,
      linear: "f32",
      scale: "auto",
      label: null,
      ...kinds,
    });
    const source = openFileSource(output);
    expect(verifyPackedFile(source).problems).toEqual([]);
    const { directory } = readPackedFile(source);
    source.close();
    for (const [name, kind] of Object.entries(expected)) {
      expect(directory.tensors.find((tensor) => tensor.name === name)?.kind).toBe(kind);
    }
    const stored = unpackFile(output);
    expectEqual(stored.get(HEAD), toSplit8(head, 16));
    expectEqual(stored.get(EMBEDDING), kinds.embedding === "split8" ? toSplit8(embedding, 16) : embedding);
    const entry = summary.tensors.find((tensor) => tensor.name === HEAD);
    const errors = toSplit8(head, 16).map((number, index) => Math.abs(number - (head[index] ?? 0)));
    expect(entry?.error_max).toBeCloseTo(Math.max(...errors), 12);
    expect(entry?.relative_rms_error).toBeGreaterThan(0);
  }
});

test("buffers of another length are refused before anything is written", () => {
  const statistics = new PackingStatistics();
  const shape = { rows: 2, columns: 65 };
  const right = () => ({ high: new Uint8Array(128), low: new Uint8Array(128), scales: new Float32Array(2) });
  const run = (source: Float32Array, changes: Partial<ReturnType<typeof right>> = {}) =>
    quantizeSplit8(source, shape, { ...right(), ...changes }, statistics);
  run(new Float32Array(130));
  const wrong = (name: string, work: () => void, expected: number, received: number) =>
    expect(refusal(work)).toEqual({
      code: "internal",
      message: `packing: the length of ${name}: expected ${expected}, received ${received}`,
    });
  wrong("source", () => run(new Float32Array(129)), 130, 129);
  wrong("high", () => run(new Float32Array(130), { high: new Uint8Array(127) }), 128, 127);
  wrong("low", () => run(new Float32Array(130), { low: new Uint8Array(129) }), 128, 129);
  wrong("scales", () => run(new Float32Array(130), { scales: new Float32Array(3) }), 2, 3);
});
