/** GGUF blocks to f32: exact against encoders written from ggml's packing loops. */
import { describe, expect, test } from "bun:test";
import { decodeRows } from "../../../src/packing/gguf/decode.ts";
import { blockSize, type GgufTensorType } from "../../../src/packing/gguf/tensor-types.ts";
import { refusal } from "../../format/refusal.ts";
import { randomNumbers } from "../../format/sample-file.ts";
import { halfBytes, q4Block, q6KBlock, q8Block, stq1Block, tq1Block, tq2Block } from "./reference-blocks.ts";

const random = randomNumbers(11);
const integer = (minimum: number, maximum: number) =>
  minimum + Math.floor(random() * (maximum - minimum + 1));
const integers = (count: number, minimum: number, maximum: number) =>
  Array.from({ length: count }, () => integer(minimum, maximum));
const half = (value: number) => Float16Array.of(value)[0] ?? 0;

/** 256 values with one zero in each strided group of four. */
function sparseValues(): number[] {
  const values = integers(256, 0, 1).map((bit) => 2 * bit - 1);
  for (let group = 0; group < 64; group += 1) {
    values[Math.floor(group / 16) * 64 + (group % 16) + 16 * integer(0, 3)] = 0;
  }
  return values;
}

/** One block and the weights it means. */
const SAMPLES: Readonly<Partial<Record<GgufTensorType, () => [Uint8Array, number[]]>>> = {
  Q8_0: () => {
    const [scale, values] = [half(random() - 0.5), integers(32, -128, 127)];
    return [q8Block(scale, values), values.map((value) => scale * value)];
  },
  Q4_0: () => {
    const [scale, values] = [half(random() - 0.5), integers(32, -8, 7)];
    return [q4Block(scale, values), values.map((value) => scale * value)];
  },
  Q6_K: () => {
    const [scale, sub_scales, values] = [
      half(random() - 0.5),
      integers(16, -128, 127),
      integers(256, -32, 31),
    ];
    const weights = values.map((value, index) => scale * (sub_scales[Math.floor(index / 16)] ?? 0) * value);
    return [q6KBlock(scale, sub_scales, values), weights];
  },
  TQ1_0: () => {
    const [scale, values] = [half(random()), integers(256, -1, 1)];
    return [tq1Block(scale, values), values.map((value) => scale * value)];
  },
  TQ2_0: () => {
    const [scale, values] = [half(random()), integers(256, -1, 1)];
    return [tq2Block(scale, values), values.map((value) => scale * value)];
  },
  STQ1_0: () => {
    const [scale, values] = [half(random()), sparseValues()];
    return [stq1Block(scale, values), values.map((value) => scale * value)];
  },
};

describe.each(Object.entries(SAMPLES))("%s", (name, sample) => {
  const type = name as GgufTensorType;

  test("200 random blocks in rows of two decode exactly", () => {
    const samples = Array.from({ length: 200 }, sample);
    const bytes = Uint8Array.from(samples.flatMap(([block]) => [...block]));
    const expected = samples.flatMap(([, weights]) => weights);
    const { columns } = blockSize(type);
    expect(bytes).toHaveLength(200 * blockSize(type).bytes);
    const weights = new Float32Array(200 * columns);
    expect(decodeRows(bytes, type, 2 * columns, weights)).toBeNull();
    // Doubles that are no f32 would differ here: the products are exact in both.
    expect([...weights]).toEqual(expected);
  });

  test("a scale that is not finite is found", () => {
    const [block] = sample();
    const { columns, bytes } = blockSize(type);
    const scale_at = type === "Q8_0" || type === "Q4_0" ? 0 : bytes - 2;
    block.set(halfBytes(Number.NaN), scale_at);
    const two = Uint8Array.from([...sample()[0], ...block]);
    expect(decodeRows(two, type, 2 * columns, new Float32Array(2 * columns))).toBe(columns);
  });
});

test("F32, F16 and BF16", () => {
  const values = [1.5, -0.25, 3, 1e-3];
  const weights = new Float32Array(4);
  decodeRows(new Uint8Array(Float32Array.from(values).buffer), "F32", 2, weights);
  expect([...weights]).toEqual(values.map(Math.fround));
  decodeRows(new Uint8Array(Float16Array.from(values).buffer), "F16", 4, weights);
  expect([...weights]).toEqual([...Float16Array.from(values)]);
  const upper = [0x3fc0, 0xbe80, 0x4040, 0x7f80];
  expect(decodeRows(new Uint8Array(Uint16Array.from(upper).buffer), "BF16", 4, weights)).toBe(3);
  expect([...weights]).toEqual([1.5, -0.25, 3, Number.POSITIVE_INFINITY]);
});

test("lengths that do not fit together are refused", () => {
  expect(refusal(() => decodeRows(new Uint8Array(33), "Q8_0", 32, new Float32Array(32)))).toEqual({
    code: "argument_invalid",
    message: "rows of Q8_0: expected 34 bytes for 32 weights in rows of 32, received 33",
  });
  for (const columns of [33, 48]) {
    expect(refusal(() => decodeRows(new Uint8Array(34), "Q8_0", columns, new Float32Array(96))).code).toBe(
      "argument_invalid",
    );
  }
});
