/** Writes tensors as f32, f16, bf16 or q8, a few rows at a time. */
import { SherryError } from "../errors.ts";
import type { FloatElement } from "../format/directory.ts";
import { elementBytes, q8Layout } from "../format/layout.ts";
import { narrowElements, type PackingStatistics, quantizeQ8 } from "../native/packing.ts";
import type { CheckpointTensor } from "./checkpoint-weights.ts";
import { type Advance, matrixShape, placeOf, rowTiles } from "./row-tiles.ts";
import type { PreparedTensor, Sink } from "./tensor-writers.ts";

export function prepareDense(tensor: CheckpointTensor, element: FloatElement): PreparedTensor {
  return {
    kind: element,
    scale: null,
    on_grid: null,
    write: (sink, statistics, advance) => writeDense(tensor, element, sink, statistics, advance),
  };
}

export function prepareQ8(tensor: CheckpointTensor): PreparedTensor {
  return {
    kind: "q8",
    scale: null,
    on_grid: null,
    write: (sink, statistics, advance) => writeQ8(tensor, sink, statistics, advance),
  };
}

async function writeDense(
  tensor: CheckpointTensor,
  element: FloatElement,
  sink: Sink,
  statistics: PackingStatistics,
  advance: Advance,
): Promise<void> {
  let bytes = new Uint8Array(0);
  for (const tile of rowTiles(tensor)) {
    const tile_bytes = tile.weights.length * elementBytes(element);
    if (bytes.length < tile_bytes) bytes = new Uint8Array(tile_bytes);
    const piece = bytes.subarray(0, tile_bytes);
    const found = narrowElements(tile.weights, element, piece, statistics);
    if (found !== null) {
      throw new SherryError("checkpoint_unsupported", placeOf(tensor, tile.row, found), {
        expected: `a number within the range of ${element}`,
        received: String(tile.weights[found]),
        next_step: "Store this tensor as f32 or bf16",
      });
    }
    sink(piece);
    await advance(tile.weights.length);
  }
}

/** Values as the rows come, then all scales: memory is one tile and the tensor's scales. */
async function writeQ8(
  tensor: CheckpointTensor,
  sink: Sink,
  statistics: PackingStatistics,
  advance: Advance,
): Promise<void> {
  const { rows, columns } = matrixShape(tensor);
  const layout = q8Layout({ rows, columns });
  const scales = new Uint16Array(rows * layout.groups);
  let values = new Uint8Array(0);
  for (const tile of rowTiles(tensor)) {
    const values_bytes = tile.rows * layout.padded_columns;
    if (values.length < values_bytes) values = new Uint8Array(values_bytes);
    const piece = values.subarray(0, values_bytes);
    const tile_scales = scales.subarray(tile.row * layout.groups, (tile.row + tile.rows) * layout.groups);
    const found = quantizeQ8(tile.weights, tile, piece, tile_scales, statistics);
    if (found !== null) {
      throw new SherryError("checkpoint_unsupported", placeOf(tensor, tile.row, found), {
        expected: "32 weights small enough for a q8 scale in f16 (below 8.3 million)",
        received: "a larger one among them",
        next_step: "Store this tensor as f32 or bf16",
      });
    }
    sink(piece);
    await advance(tile.weights.length);
  }
  if (layout.scales_offset > layout.values_bytes) {
    sink(new Uint8Array(layout.scales_offset - layout.values_bytes));
  }
  sink(new Uint8Array(scales.buffer));
}
