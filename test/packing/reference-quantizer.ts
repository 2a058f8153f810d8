/**
 * Sparse-AbsMean a second time, plainly and on its own, for the packer to be held against bit for bit. Written from the
 * definition (arXiv 2601.07892, section 3) and the packer's stated decisions: of equal magnitudes the first is dropped, a
 * kept zero counts as positive, sums run in f64 in the row's order, rows are added in order.
 */

/** Columns that share a scale: a number, a whole row, or the whole tensor. */
export type ReferenceReach = number | "channel" | "tensor";

export interface ReferenceMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly weights: Float32Array;
}

/** The weights that the packed tensor stands for, +0 for every zero. */
export function sparseAbsMean(
  { rows, columns, weights }: ReferenceMatrix,
  reach: ReferenceReach,
  scale_element: "f32" | "f16",
): Float32Array {
  const group_columns = typeof reach === "number" ? reach : columns;
  const result = new Float32Array(rows * columns);
  const kept = keptSigns(weights);
  const scale_of = (sum: number, count: number) =>
    roundScale(Math.fround(sum / (0.75 * count)), scale_element);
  let tensor_sum = 0;
  for (let row = 0; row < rows; row += 1) {
    for (let begin = 0; begin < columns; begin += group_columns) {
      const end = Math.min(columns, begin + group_columns);
      let sum = 0;
      for (let index = row * columns + begin; index < row * columns + end; index += 1) {
        if (kept[index] !== 0) sum += Math.abs(weights[index] ?? 0);
      }
      tensor_sum += sum;
      const scale = scale_of(sum, end - begin);
      for (let index = row * columns + begin; index < row * columns + end; index += 1) {
        result[index] = multiply(scale, kept[index] ?? 0);
      }
    }
  }
  if (reach !== "tensor") return result;
  const scale = scale_of(tensor_sum, rows * columns);
  return kept.map((sign) => multiply(scale, sign));
}

/** +1, -1, and 0 for the weight that each block of four loses. */
function keptSigns(weights: Float32Array): Float32Array {
  const signs = weights.map((weight) => (weight < 0 ? -1 : 1));
  for (let block = 0; block < weights.length; block += 4) {
    let least = block;
    for (let index = block + 1; index < block + 4; index += 1) {
      if (Math.abs(weights[index] ?? 0) < Math.abs(weights[least] ?? 0)) least = index;
    }
    signs[least] = 0;
  }
  return signs;
}

function multiply(scale: number, sign: number): number {
  return sign === 0 || scale === 0 ? 0 : scale * sign;
}

function roundScale(scale: number, element: "f32" | "f16"): number {
  if (element === "f32") return scale;
  const view = new DataView(new ArrayBuffer(2));
  view.setFloat16(0, scale);
  return view.getFloat16(0);
}
