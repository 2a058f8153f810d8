/**
 * Writes a tensor as `sherry`: codes tile after tile as the rows come, then the scales, in the order of docs/format.md.
 * Memory: one tile of weights and codes, and the tensor's scales.
 *
 * Legend: R rows, K columns, G groups of a row.
 */
import { SherryError } from "../errors.ts";
import type { ScaleDescription } from "../format/directory.ts";
import { CHUNK_BYTES, elementBytes, scaleIndex, sherryLayout, TILE_ROWS } from "../format/layout.ts";
import { encodeTile, narrowElements, PackingStatistics, scanGrid } from "../native/packing.ts";
import type { CheckpointTensor } from "./checkpoint-weights.ts";
import { SEGMENT_COLUMNS } from "./grid.ts";
import { type Advance, matrixShape, type RowTile, rowTiles } from "./row-tiles.ts";
import type { ScaleOption } from "./scale-option.ts";
import { type ProjectedScales, planSherry } from "./sherry-plan.ts";
import { PIECE_ELEMENTS, type PreparedTensor, type Sink } from "./tensor-writers.ts";

/** @throws SherryError checkpoint_unsupported when K is no multiple of four; numbers_not_finite; from reading */
export async function prepareSherry(
  tensor: CheckpointTensor,
  option: ScaleOption,
  advance: Advance,
): Promise<PreparedTensor> {
  const { scale, projected } = await planSherry(tensor, option, advance);
  return {
    kind: "sherry",
    scale,
    on_grid: projected === null,
    write: (sink, statistics, advance_write) =>
      writeSherry(tensor, scale, projected, sink, statistics, advance_write),
  };
}

/** @throws SherryError checkpoint_unsupported. Separate, so that it is known before the first tensor is packed. */
export function checkSherryShape(tensor: CheckpointTensor): void {
  const { columns } = matrixShape(tensor);
  if (columns % 4 === 0) return;
  throw new SherryError("checkpoint_unsupported", `in_features of tensor ${tensor.name}`, {
    expected: "a multiple of 4, the block of 3:4 sparsity",
    received: String(columns),
    next_step: "Pack this model with --linear q8",
  });
}

async function writeSherry(
  tensor: CheckpointTensor,
  scale: ScaleDescription,
  projected: ProjectedScales | null,
  sink: Sink,
  statistics: PackingStatistics,
  advance: Advance,
): Promise<void> {
  const { rows, columns } = matrixShape(tensor);
  const layout = sherryLayout({ rows, columns, ...scale });
  const codes = new Uint8Array(layout.chunks * CHUNK_BYTES);
  const stored_scales = new Float32Array(layout.scales_count);
  const tile_scales = new TileScales(tensor, projected);
  for (const tile of rowTiles(tensor, TILE_ROWS)) {
    const scales = tile_scales.of(tile);
    encodeTile(tile.weights, tile, tile_scales.group_columns, scales, codes, statistics);
    sink(codes);
    for (let row = 0; row < tile.rows; row += 1) {
      for (let group = 0; group < layout.groups; group += 1) {
        const column = group * scale.group_columns;
        const value = scales[row * tile_scales.groups + Math.floor(column / tile_scales.group_columns)] ?? 0;
        stored_scales[scaleIndex(layout, scale, tile.row + row, column)] = value;
      }
    }
    await advance(tile.weights.length);
  }
  writeScales(stored_scales, scale, sink);
}

/** The scales of one tile after the other, f32 [rows][groups]. */
class TileScales {
  readonly group_columns: number;
  readonly groups: number;
  readonly #tensor: CheckpointTensor;
  readonly #projected: ProjectedScales | null;
  /** Scratch for one tile. */
  readonly #scales: Float32Array;

  constructor(tensor: CheckpointTensor, projected: ProjectedScales | null) {
    this.#tensor = tensor;
    this.#projected = projected;
    this.group_columns = projected?.group_columns ?? SEGMENT_COLUMNS;
    this.groups = Math.ceil(matrixShape(tensor).columns / this.group_columns);
    this.#scales = new Float32Array(TILE_ROWS * this.groups);
  }

  of(tile: RowTile): Float32Array {
    const scales = this.#scales.subarray(0, tile.rows * this.groups);
    if (this.#projected !== null) {
      const { values, one_for_tensor } = this.#projected;
      if (one_for_tensor) return scales.fill(values[0] ?? 0);
      return values.subarray(tile.row * this.groups, (tile.row + tile.rows) * this.groups);
    }
    if (scanGrid(tile.weights, tile, scales)) return scales;
    throw new SherryError("checkpoint_invalid", `tensor ${this.#tensor.name}`, {
      expected: "the weights that were there a moment ago",
      received: "other ones",
      next_step: "The checkpoint changed while it was packed; pack it again when it is at rest",
    });
  }
}

/** The scales fit their element exactly: they were rounded to it, or it was chosen for them. */
export function writeScales(scales: Float32Array, scale: ScaleDescription, sink: Sink): void {
  const ignored = new PackingStatistics();
  for (let start = 0; start < scales.length; start += PIECE_ELEMENTS) {
    const piece = scales.subarray(start, start + PIECE_ELEMENTS);
    const bytes = new Uint8Array(piece.length * elementBytes(scale.element));
    narrowElements(piece, scale.element, bytes, ignored);
    sink(bytes);
  }
}
