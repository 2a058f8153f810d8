/**
 * The quantizers' golden vectors: the stored file is what the kernels answer today, and both agree with the definition
 * in float64.
 */
import { expect, test } from "bun:test";
import { withNativeLayer } from "../../../scripts/golden/native-layer.ts";
import {
  GOLDEN_COMMAND,
  GOLDEN_MAGIC,
  GOLDEN_VERSION,
  type GoldenVectors,
  goldenText,
  goldenVectors,
} from "../../../scripts/golden/quantizer-vectors.ts";
import { QUANTIZERS_PATH } from "../../../scripts/write-golden-vectors.ts";
import { Kernels } from "../../../src/native/kernels.ts";
import { definition } from "./quantizer-definition.ts";

const text = await Bun.file(QUANTIZERS_PATH).text();
const stored: GoldenVectors = JSON.parse(text);
const defined = goldenVectors(definition);

/** Scales are rounded once, from a float64 sum: another order of the sum gives the neighbouring float32 at most. */
const SCALE_TOLERANCE = 2 ** -22;
/** float32 sums of at most 128 products of numbers about 1, in another order than the definition's float64 sums. */
const PRODUCT_TOLERANCE = 2e-6;

function expectClose(
  received: readonly number[],
  expected: readonly number[],
  relative: number,
  absolute: number,
) {
  expect(received).toHaveLength(expected.length);
  const worst = expected.findIndex((value, index) => {
    const difference = Math.abs((received[index] ?? Number.NaN) - value);
    return !(difference <= relative * Math.abs(value) + absolute);
  });
  expect(worst, `received ${received[worst]}, expected ${expected[worst]}`).toBe(-1);
}

function expectAgreement(received: GoldenVectors, expected: GoldenVectors): void {
  expect(received.matrices).toEqual(expected.matrices);
  expect(received.quantized).toHaveLength(expected.quantized.length);
  expected.quantized.forEach(({ scales, ...entry }, index) => {
    const { scales: received_scales = [], ...received_entry } = received.quantized[index] ?? {};
    expect(received_entry).toEqual(entry);
    expectClose(received_scales, scales, SCALE_TOLERANCE, 0);
  });
  expect(received.gradients).toHaveLength(expected.gradients.length);
  expected.gradients.forEach(({ output, input_gradient, weight_gradient, ...entry }, index) => {
    const found = received.gradients[index];
    expect(found).toMatchObject(entry);
    expectClose(found?.output ?? [], output, PRODUCT_TOLERANCE, PRODUCT_TOLERANCE);
    expectClose(found?.input_gradient ?? [], input_gradient, PRODUCT_TOLERANCE, PRODUCT_TOLERANCE);
    expectClose(found?.weight_gradient ?? [], weight_gradient, PRODUCT_TOLERANCE, PRODUCT_TOLERANCE);
  });
}

test("the file says what it is and how it is made again", () => {
  const { magic, version, command } = stored;
  expect({ magic, version, command }).toEqual({
    magic: GOLDEN_MAGIC,
    version: GOLDEN_VERSION,
    command: GOLDEN_COMMAND,
  });
});

test("the file agrees with the definition in float64", () => {
  expectAgreement(stored, defined);
});

test("the file is what the scalar kernels answer today, byte for byte", () => {
  withNativeLayer("scalar", (operations) => expect(goldenText(goldenVectors(operations))).toBe(text));
});

test("this machine's best kernels agree with the definition", () => {
  const kernels = Kernels.create({ thread_count: 1 });
  const { cpu_level } = kernels;
  kernels.close();
  withNativeLayer(cpu_level, (operations) => expectAgreement(goldenVectors(operations), defined));
});

test("schedules of lambda rise to 1 once and end at exactly 0", () => {
  expect(stored.schedules).toHaveLength(12);
  for (const { lambdas, warm_up } of stored.schedules) {
    expect(Math.max(...lambdas)).toBe(1);
    expect(lambdas.indexOf(1)).toBe(Math.round(warm_up * lambdas.length));
    expect(lambdas.at(-1)).toBe(0);
  }
});

test("a difference is noticed", () => {
  const [first, ...rest] = stored.quantized;
  if (first === undefined) throw new Error("no entry");
  const flipped = { ...first, signs: first.signs.map((row) => row.replace("+", "-")) };
  expect(() => expectAgreement({ ...stored, quantized: [flipped, ...rest] }, defined)).toThrow();
  const rescaled = { ...first, scales: first.scales.map((scale) => scale * 1.001) };
  expect(() => expectAgreement({ ...stored, quantized: [rescaled, ...rest] }, defined)).toThrow();
});
