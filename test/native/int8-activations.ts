/** Activations to int8 once more, plainly: what zig/kernels/prepare.zig states, one number after another. */

export interface Int8Activations {
  /** In natural order. */
  readonly values: Int8Array;
  /** One for 256 columns. */
  readonly scales: Float32Array;
}

/** @param x one token's vector */
export function int8Activations(x: Float32Array): Int8Activations {
  const values = new Int8Array(x.length);
  const scales = new Float32Array(Math.ceil(x.length / 256));
  for (let block = 0; block < scales.length; block += 1) {
    const columns = x.subarray(block * 256, block * 256 + 256);
    const largest = columns.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    if (largest === 0) continue;
    scales[block] = largest / 127;
    const inverse = Math.fround(127 / largest);
    for (const [index, value] of columns.entries()) {
      values[block * 256 + index] = nearestEven(Math.fround(value * inverse));
    }
  }
  return { values, scales };
}

function nearestEven(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
