/**
 * Writes a tensor as `split8`: int8 with one scale a row, in two planes of nibbles (docs/head.md). The planes lie one
 * after the other, so the tensor is read and quantized once for each; memory is one tile of rows and the scales.
 */
import { split8Layout } from "../format/split8-layout.ts";
import { PackingStatistics, quantizeSplit8 } from "../native/packing.ts";
import type { CheckpointTensor } from "./checkpoint-weights.ts";
import { type Advance, matrixShape, rowTiles } from "./row-tiles.ts";
import type { PreparedTensor, Sink } from "./tensor-writers.ts";

export function prepareSplit8(tensor: CheckpointTensor): PreparedTensor {
  return {
    kind: "split8",
    scale: null,
    on_grid: null,
    write: async (sink, statistics, advance) => {
      const scales = await writePlane(tensor, "high", sink, statistics, advance);
      // The second pass loses what the first has lost, and that is counted already.
      await writePlane(tensor, "low", sink, new PackingStatistics(), advance);
      sink(new Uint8Array(scales.buffer));
    },
  };
}

/** Writes one plane and the zeros after it. @returns the scales of all rows. */
async function writePlane(
  tensor: CheckpointTensor,
  plane: "high" | "low",
  sink: Sink,
  statistics: PackingStatistics,
  advance: Advance,
): Promise<Float32Array> {
  const { rows, columns } = matrixShape(tensor);
  const layout = split8Layout({ rows, columns });
  const scales = new Float32Array(rows);
  let buffer = new Uint8Array(0);
  for (const tile of rowTiles(tensor)) {
    const plane_bytes = tile.rows * layout.row_bytes;
    if (buffer.length < 2 * plane_bytes) buffer = new Uint8Array(2 * plane_bytes);
    const target = {
      high: buffer.subarray(0, plane_bytes),
      low: buffer.subarray(plane_bytes, 2 * plane_bytes),
      scales: scales.subarray(tile.row, tile.row + tile.rows),
    };
    quantizeSplit8(tile.weights, tile, target, statistics);
    sink(target[plane]);
    await advance(tile.weights.length / 2);
  }
  if (layout.low_offset > layout.plane_bytes) sink(new Uint8Array(layout.low_offset - layout.plane_bytes));
  return scales;
}
