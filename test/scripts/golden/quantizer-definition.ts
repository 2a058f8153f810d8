/**
 * The quantizers and the quantized linear layer as their papers define them, in plain loops over float64: the
 * independent reference that the golden vectors, and through them the Zig kernels and the PyTorch module, are held to.
 * Sources: arXiv 2601.07892 section 3 (sherry), 2402.17764 (absmean), 1605.04711 (twn), 1603.05279 (binary).
 */
import type { Matrix, QuantizerSettings } from "../../../scripts/golden/quantizer-cases.ts";
import { groupLength, type LayerOperations } from "../../../scripts/golden/quantizer-vectors.ts";

/** Scale, and codes -1, 0 or 1, of one group. */
type Coder = (group: Float32Array) => { scale: number; codes: number[] };

const magnitudeSum = (values: Iterable<number>) =>
  [...values].reduce((sum, value) => sum + Math.abs(value), 0);
const signOf = (value: number) => (value < 0 ? -1 : 1);

const sherry: Coder = (group) => {
  const codes: number[] = Array.from(group, signOf);
  for (let block = 0; block < group.length; block += 4) {
    let least = block;
    for (let index = block + 1; index < block + 4; index += 1) {
      if (Math.abs(group[index] ?? 0) < Math.abs(group[least] ?? 0)) least = index;
    }
    codes[least] = 0;
  }
  const kept = group.filter((_, index) => codes[index] !== 0);
  return { scale: magnitudeSum(kept) / (0.75 * group.length), codes };
};

const absmean: Coder = (group) => {
  const scale = Math.fround(magnitudeSum(group) / group.length);
  return { scale, codes: Array.from(group, (value) => (Math.abs(value) < scale / 2 ? 0 : signOf(value))) };
};

const twn: Coder = (group) => {
  const threshold = 0.75 * (magnitudeSum(group) / group.length);
  const codes = Array.from(group, (value) => (Math.abs(value) > threshold ? signOf(value) : 0));
  const kept = group.filter((_, index) => codes[index] !== 0);
  return { scale: kept.length === 0 ? 0 : magnitudeSum(kept) / kept.length, codes };
};

const binary: Coder = (group) => ({
  scale: magnitudeSum(group) / group.length,
  codes: Array.from(group, signOf),
});

const CODERS: Readonly<Record<string, Coder>> = { sherry, absmean, twn, binary };

function effectiveWeight(weight: Matrix, settings: QuantizerSettings, lambda: number): Float32Array {
  const coder = CODERS[settings.method];
  const length = groupLength(weight, settings);
  const result = new Float32Array(weight.values.length);
  for (let start = 0; start < result.length; start += length) {
    const group = weight.values.subarray(start, start + length);
    const { scale, codes } = coder?.(group) ?? { scale: 1, codes: Array.from(group) };
    for (let index = 0; index < length; index += 1) {
      result[start + index] = Math.fround(scale) * (codes[index] ?? 0) + lambda * (group[index] ?? 0);
    }
  }
  return result;
}

/** Sum over the shared index of left [rows][shared] and right [shared][columns], each read through its accessor. */
function product(
  rows: number,
  columns: number,
  shared: number,
  left: (row: number, index: number) => number,
  right: (index: number, column: number) => number,
): Float32Array {
  const result = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      let sum = 0;
      for (let index = 0; index < shared; index += 1) sum += left(row, index) * right(index, column);
      result[row * columns + column] = sum;
    }
  }
  return result;
}

const at = (matrix: Matrix, row: number, column: number) => matrix.values[row * matrix.columns + column] ?? 0;

export const definition: LayerOperations = {
  effectiveWeight,
  layer(weight, settings, lambda, input, output_gradient) {
    const { rows, columns } = weight;
    const tokens = input.rows;
    const effective = { rows, columns, values: effectiveWeight(weight, settings, lambda) };
    const weight_gradient = product(
      rows,
      columns,
      tokens,
      (row, token) => (1 + lambda) * at(output_gradient, token, row),
      (token, column) => at(input, token, column),
    );
    return {
      output: product(
        tokens,
        rows,
        columns,
        (token, column) => at(input, token, column),
        (column, row) => at(effective, row, column),
      ),
      input_gradient: product(
        tokens,
        columns,
        rows,
        (token, row) => at(output_gradient, token, row),
        (row, column) => at(effective, row, column),
      ),
      weight_gradient,
    };
  },
};
