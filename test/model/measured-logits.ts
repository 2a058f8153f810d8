/** Runs a packed model over given tokens in one way or another, and measures its logits against a reference's. */
import { PackedModel, type PackedModelOptions } from "../../src/model/packed-model.ts";

/**
 * The logits after each of the last tokens: the first `prefill` tokens in one pass, the others one by one.
 * The first row is that of token prefill - 1.
 */
export function runModel(
  path: string,
  ids: readonly number[],
  prefill: number,
  options: PackedModelOptions,
): Float32Array[] {
  const model = PackedModel.open(path, options);
  const cache = model.createCache();
  try {
    const batches = [ids.slice(0, prefill), ...ids.slice(prefill).map((id) => [id])];
    return batches.map((batch) => {
      model.forward(cache, Uint32Array.from(batch), true);
      return model.logits.slice();
    });
  } finally {
    cache.free();
    model.close();
  }
}

export interface Deviation {
  /** Of the rows' largest differences, each as a share of the row's largest expected magnitude. */
  readonly median: number;
  readonly largest: number;
}

export function deviation(expected: readonly Float64Array[], received: readonly Float32Array[]): Deviation {
  if (expected.length !== received.length || expected.length === 0)
    throw new RangeError("rows differ in number");
  const shares = expected.map((row, index) => {
    const other = received[index] ?? new Float32Array(0);
    if (other.length !== row.length) throw new RangeError("rows differ in length");
    const magnitude = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    // NaN must not hide behind a comparison.
    return (
      row.reduce((most, value, place) => Math.max(most, Math.abs(value - (other[place] ?? Number.NaN))), 0) /
      magnitude
    );
  });
  shares.sort((left, right) => left - right);
  return { median: shares[shares.length >> 1] ?? Number.NaN, largest: shares.at(-1) ?? Number.NaN };
}
