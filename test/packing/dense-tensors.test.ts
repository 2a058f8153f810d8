/** f32, f16, bf16 and q8: rounding to the definition, from every kind of checkpoint, and what does not fit. */
import { describe, expect, test } from "bun:test";
import { openFileSource } from "../../src/format/byte-source.ts";
import { readPackedFile } from "../../src/format/reader.ts";
import { verifyPackedFile } from "../../src/format/verify.ts";
import type { PackOptions } from "../../src/packing/pack-options.ts";
import { packCheckpoint } from "../../src/packing/packer.ts";
import { asyncRefusal } from "../format/refusal.ts";
import {
  DOWN_PROJ,
  EMBEDDING,
  elementBytes,
  TemporaryFolder,
  type TestElement,
  type TestTensor,
  TINY_CONFIG,
  tinyTensors,
  unpackFile,
  writeFolder,
} from "./checkpoint-folder.ts";

const OPTIONS = { linear: "f32", embedding: "f32", head: null, scale: "auto", label: null } as const;

interface Packed {
  readonly kinds: ReadonlyMap<string, string>;
  readonly unpacked: ReadonlyMap<string, Float32Array>;
  readonly summary: Awaited<ReturnType<typeof packCheckpoint>>;
}

async function packed(
  tensors: ReadonlyMap<string, TestTensor>,
  options: Partial<PackOptions>,
  config: Readonly<Record<string, unknown>> = TINY_CONFIG,
): Promise<Packed> {
  using place = new TemporaryFolder();
  const input = writeFolder(place.at("model"), { tensors, config });
  const output = place.at("out.sherry");
  const summary = await packCheckpoint({ ...OPTIONS, input, output, ...options });
  const source = openFileSource(output);
  try {
    expect(verifyPackedFile(source).problems).toEqual([]);
    const { directory } = readPackedFile(source);
    const kinds = new Map(directory.tensors.map((tensor) => [tensor.name, tensor.kind]));
    return { kinds, unpacked: unpackFile(output), summary };
  } finally {
    source.close();
  }
}

/** Numbers of many magnitudes, f16's subnormal range and both zeros among them. */
function variedWeights(length: number): Float32Array {
  return Float32Array.from({ length }, (_, index) => {
    const number = (((index * 2_654_435_761) % 1_000_003) / 1_000_003 - 0.5) * 2 ** (8 - (index % 34));
    return index % 50 === 49 ? -0 : number;
  });
}

function toBf16(weight: number): number {
  const bits = new Uint32Array(Float32Array.of(weight).buffer)[0] ?? 0;
  // Half of what is cut off, and a tie goes to the even one.
  const rounded = Math.floor((bits + 0x7fff + ((bits >>> 16) & 1)) / 65_536) % 65_536;
  return new Float32Array(Uint32Array.of(rounded * 65_536).buffer)[0] ?? 0;
}

function toF16(weight: number): number {
  const view = new DataView(new ArrayBuffer(2));
  view.setFloat16(0, weight);
  return view.getFloat16(0);
}

/** The definition of q8, plainly: the least f16 scale that keeps a group of 32 within 127, halves away from zero. */
function toQ8(weights: Float32Array, columns: number): Float32Array {
  const result = new Float32Array(weights.length);
  const view = new DataView(new ArrayBuffer(2));
  for (let row = 0; row < weights.length; row += columns) {
    for (let begin = row; begin < row + columns; begin += 32) {
      const group = weights.subarray(begin, Math.min(begin + 32, row + columns));
      const exact = Math.fround(Math.max(...group.map(Math.abs)) / 127);
      view.setFloat16(0, exact);
      if (view.getFloat16(0) < exact) view.setUint16(0, view.getUint16(0) + 1);
      const scale = view.getFloat16(0);
      for (const [index, weight] of group.entries()) {
        const quotient = scale === 0 ? 0 : Math.fround(weight / scale);
        const value = Math.sign(quotient) * Math.floor(Math.abs(quotient) + 0.5);
        result[begin + index] = value * scale;
      }
    }
  }
  return result;
}

const equal = (left: Float32Array | undefined, right: Float32Array) => {
  // Number by number, zeros of either sign alike: a q8 zero has no sign.
  expect(left?.length).toBe(right.length);
  expect(left?.findIndex((number, index) => number !== right[index])).toBe(-1);
};

describe("every kind of linear layer", () => {
  const tensors = tinyTensors();
  tensors.set(DOWN_PROJ, { shape: [16, 24], dtype: "F32", weights: variedWeights(384) });
  const weights = tensors.get(DOWN_PROJ)?.weights ?? new Float32Array();

  test.each([
    ["f32", (all: Float32Array) => all],
    ["f16", (all: Float32Array) => all.map(toF16)],
    ["bf16", (all: Float32Array) => all.map(toBf16)],
    ["q8", (all: Float32Array) => toQ8(all, 24)],
  ] as const)("%s", async (linear, expected) => {
    const { kinds, unpacked, summary } = await packed(tensors, { linear });
    expect(kinds.get(DOWN_PROJ)).toBe(linear);
    expect(kinds.get("model.norm.weight")).toBe("f32");
    expect(kinds.get(EMBEDDING)).toBe("f32");
    equal(unpacked.get(DOWN_PROJ), expected(weights));
    const entry = summary.tensors.find((tensor) => tensor.name === DOWN_PROJ);
    let squared_error = 0;
    let squared_weight = 0;
    let error_max = 0;
    for (const [index, stored] of expected(weights).entries()) {
      const weight = weights[index] ?? 0;
      squared_error += (weight - stored) ** 2;
      squared_weight += weight ** 2;
      error_max = Math.max(error_max, Math.abs(weight - stored));
    }
    expect(entry?.relative_rms_error).toBeCloseTo(Math.sqrt(squared_error / squared_weight), 12);
    expect(entry?.error_max).toBeCloseTo(error_max, 12);
    expect(entry?.on_grid).toBeNull();
    expect(summary.sentences).toEqual([`The 7 linear tensors are stored as ${linear}.`]);
  });
});

describe("every kind of checkpoint", () => {
  test.each(["F32", "F16", "BF16"] as const)("%s elements arrive as they are", async (dtype: TestElement) => {
    const tensors = tinyTensors();
    tensors.set(DOWN_PROJ, { shape: [16, 24], dtype, weights: variedWeights(384) });
    const bytes = elementBytes(tensors.get(DOWN_PROJ) ?? { shape: [], dtype, weights: new Float32Array() });
    const view = new DataView(bytes.buffer);
    const expected = Float32Array.from({ length: 384 }, (_, index) => {
      if (dtype === "F32") return view.getFloat32(index * 4, true);
      if (dtype === "F16") return view.getFloat16(index * 2, true);
      return new Float32Array(Uint32Array.of(view.getUint16(index * 2, true) * 65_536).buffer)[0] ?? 0;
    });
    const { unpacked } = await packed(tensors, {});
    expect(unpacked.get(DOWN_PROJ)).toEqual(expected);
  });
});

describe("embedding and head", () => {
  const config = { ...TINY_CONFIG, tie_word_embeddings: false };
  const tensors = tinyTensors().set("lm_head.weight", {
    shape: [10, 16],
    dtype: "F32",
    weights: variedWeights(160),
  });

  test("the head is stored as the embedding, unless it is chosen", async () => {
    const same = await packed(tensors, { embedding: "q8" }, config);
    expect([same.kinds.get(EMBEDDING), same.kinds.get("lm_head.weight")]).toEqual(["q8", "q8"]);
    const other = await packed(tensors, { embedding: "f16", head: "bf16" }, config);
    expect([other.kinds.get(EMBEDDING), other.kinds.get("lm_head.weight")]).toEqual(["f16", "bf16"]);
    equal(other.unpacked.get("lm_head.weight"), variedWeights(160).map(toBf16));
  });
});

describe("numbers that do not fit", () => {
  const withWeight = (weight: number) => {
    const weights = new Float32Array(384);
    weights[3 * 24 + 11] = weight;
    return tinyTensors().set(DOWN_PROJ, { shape: [16, 24], dtype: "F32", weights });
  };
  const advice = "Store this tensor as f32 or bf16";

  test("f16: past 65504", async () => {
    await packed(withWeight(65_519), { linear: "f16" });
    expect(await asyncRefusal(() => packed(withWeight(65_520), { linear: "f16" }))).toEqual({
      code: "checkpoint_unsupported",
      message: `tensor ${DOWN_PROJ}, row 3, column 11: expected a number within the range of f16, received 65520. ${advice}`,
    });
  });

  test("bf16: what would round to infinity", async () => {
    const { message } = await asyncRefusal(() => packed(withWeight(-3.402_823_4e38), { linear: "bf16" }));
    expect(message).toBe(
      `tensor ${DOWN_PROJ}, row 3, column 11: expected a number within the range of bf16, received ${Math.fround(-3.402_823_4e38)}. ${advice}`,
    );
  });

  test("q8: a scale past f16", async () => {
    await packed(withWeight(65_504 * 127), { linear: "q8" });
    expect(await asyncRefusal(() => packed(withWeight(65_505 * 127), { linear: "q8" }))).toEqual({
      code: "checkpoint_unsupported",
      message:
        `tensor ${DOWN_PROJ}, row 3, column 0: expected 32 weights small enough for a q8 scale in f16 (below 8.3 million), ` +
        `received a larger one among them. ${advice}`,
    });
  });
});
