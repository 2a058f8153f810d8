/** Writes a tensor as `int4`: codes as the rows come, then all scales. Memory: a few rows and the tensor's scales. */
import { SherryError } from "../errors.ts";
import { INT4_CHUNK_BYTES, INT4_TILE_ROWS, int4Layout } from "../format/int4-layout.ts";
import { type PackingStatistics, quantizeInt4 } from "../native/packing.ts";
import type { CheckpointTensor } from "./checkpoint-weights.ts";
import { type Advance, matrixShape, placeOf, rowTiles } from "./row-tiles.ts";
import type { PreparedTensor, Sink } from "./tensor-writers.ts";

/** Weights that are quantized at once, unless eight rows have more. */
const PIECE_WEIGHTS = 262_144;

export function prepareInt4(tensor: CheckpointTensor): PreparedTensor {
  return {
    kind: "int4",
    scale: null,
    on_grid: null,
    write: (sink, statistics, advance) => writeInt4(tensor, sink, statistics, advance),
  };
}

async function writeInt4(
  tensor: CheckpointTensor,
  sink: Sink,
  statistics: PackingStatistics,
  advance: Advance,
): Promise<void> {
  const { rows, columns } = matrixShape(tensor);
  const layout = int4Layout({ rows, columns });
  const tile_scales = layout.groups * INT4_TILE_ROWS;
  const scales = new Uint16Array(layout.tiles * tile_scales);
  // Whole tiles, so that no tile's codes lie in two pieces.
  const piece_rows = Math.max(1, Math.floor(PIECE_WEIGHTS / columns / INT4_TILE_ROWS)) * INT4_TILE_ROWS;
  let codes = new Uint8Array(0);
  for (const piece of rowTiles(tensor, piece_rows)) {
    const first_tile = piece.row / INT4_TILE_ROWS;
    const tiles = Math.ceil(piece.rows / INT4_TILE_ROWS);
    const codes_bytes = tiles * layout.groups * INT4_CHUNK_BYTES;
    if (codes.length < codes_bytes) codes = new Uint8Array(codes_bytes);
    const piece_codes = codes.subarray(0, codes_bytes);
    const piece_scales = scales.subarray(first_tile * tile_scales, (first_tile + tiles) * tile_scales);
    const found = quantizeInt4(piece.weights, piece, piece_codes, piece_scales, statistics);
    if (found !== null) {
      throw new SherryError("checkpoint_unsupported", placeOf(tensor, piece.row, found), {
        expected: "32 weights small enough for an int4 scale in f16 (below 573,000)",
        received: "a larger one among them",
        next_step: "Store this tensor as f32 or bf16",
      });
    }
    sink(piece_codes);
    await advance(piece.weights.length);
  }
  sink(new Uint8Array(scales.buffer));
}
