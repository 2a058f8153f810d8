/**
 * Writes a tensor as `q6k`: from Q6_K blocks as they are, or from floats through our quantizer. Memory: a few rows and
 * the tensor's scales.
 */
import { SherryError } from "../errors.ts";
import { TILE_ROWS } from "../format/layout.ts";
import { Q6K_BLOCK_COLUMNS, Q6K_SUB_SCALES, q6kLayout } from "../format/q6k-layout.ts";
import type { PackingStatistics } from "../native/packing.ts";
import type { CheckpointTensor } from "./checkpoint-weights.ts";
import { emptyQ6kParts, Q6K_BYTES, splitQ6kBlocks } from "./q6k-blocks.ts";
import { quantizeQ6k } from "./q6k-quantize.ts";
import { type Advance, matrixShape, placeOf, rowTiles } from "./row-tiles.ts";
import type { PreparedTensor, Sink } from "./tensor-writers.ts";

/** Rows of Q6_K blocks, read in order. */
export interface Q6kSource {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** 210 bytes a block. */
  readBlocks(row: number, row_count: number): Uint8Array;
}

/** @throws SherryError checkpoint_unsupported for rows that are no whole number of blocks. */
export function prepareQ6k(tensor: CheckpointTensor): PreparedTensor {
  const { columns } = matrixShape(tensor);
  if (columns % Q6K_BLOCK_COLUMNS !== 0) {
    throw new SherryError("checkpoint_unsupported", `tensor ${tensor.name} as q6k`, {
      expected: `a multiple of ${Q6K_BLOCK_COLUMNS} columns`,
      received: String(columns),
      next_step: "Store it as int4, q8 or f16",
    });
  }
  return {
    kind: "q6k",
    scale: null,
    on_grid: null,
    write: (sink, statistics, advance) => writeQ6k(quantizedRows(tensor, statistics), sink, advance),
  };
}

/** The tensor's rows as blocks, quantized when they are read; only ever from the first row to the last. */
function quantizedRows(tensor: CheckpointTensor, statistics: PackingStatistics): Q6kSource {
  const tiles = rowTiles(tensor, TILE_ROWS);
  return {
    name: tensor.name,
    ...matrixShape(tensor),
    readBlocks() {
      const { value: tile } = tiles.next();
      if (tile === undefined) throw new RangeError(`tensor ${tensor.name} has no more rows`);
      const blocks = new Uint8Array((tile.weights.length / Q6K_BLOCK_COLUMNS) * Q6K_BYTES);
      const found = quantizeQ6k(tile.weights, blocks, statistics);
      if (found === null) return blocks;
      throw new SherryError("checkpoint_unsupported", placeOf(tensor, tile.row, found), {
        expected: "256 weights small enough for a Q6_K scale in f16",
        received: "a larger one among them",
        next_step: "Store this tensor as f32 or bf16",
      });
    },
  };
}

/** Codes as the rows come, then all sub-scales and all scales. */
export async function writeQ6k(tensor: Q6kSource, sink: Sink, advance: Advance): Promise<void> {
  const { name, rows, columns } = tensor;
  const layout = q6kLayout({ rows, columns });
  const sub_scales = new Uint8Array(rows * layout.blocks * Q6K_SUB_SCALES);
  const scales = new Uint16Array(rows * layout.blocks);
  for (let row = 0; row < rows; row += TILE_ROWS) {
    const row_count = Math.min(TILE_ROWS, rows - row);
    const parts = emptyQ6kParts(row_count * layout.blocks);
    const found = splitQ6kBlocks(tensor.readBlocks(row, row_count), parts);
    if (found !== null) {
      const place = `row ${row + Math.floor(found / layout.blocks)}, block ${found % layout.blocks}`;
      throw new SherryError("numbers_not_finite", `tensor ${name}, ${place}: scale of Q6_K`, {
        expected: "a finite number",
        received: "an infinity or a NaN",
        next_step: "The file is damaged; get it again",
      });
    }
    sink(parts.codes);
    sub_scales.set(parts.sub_scales, row * layout.blocks * Q6K_SUB_SCALES);
    scales.set(parts.scales, row * layout.blocks);
    await advance(row_count * columns);
  }
  sink(sub_scales);
  const padding_bytes = layout.scales_offset - (layout.sub_scales_offset + sub_scales.length);
  if (padding_bytes > 0) sink(new Uint8Array(padding_bytes));
  sink(new Uint8Array(scales.buffer));
}
