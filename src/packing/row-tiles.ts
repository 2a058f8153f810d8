/**
 * A checkpoint tensor as f32, a few rows at a time: what keeps the packer's memory small whatever the tensor's size.
 */
import { SherryError } from "../errors.ts";
import { widenElements } from "../native/packing.ts";
import type { CheckpointTensor } from "./checkpoint-weights.ts";

/** Rows `row` .. `row + rows` of a tensor. `weights` f32 [rows][columns] is overwritten by the next tile. */
export interface RowTile {
  readonly row: number;
  readonly rows: number;
  readonly columns: number;
  readonly weights: Float32Array;
}

/** Elements that a tile of a tensor without a tile height of its own holds at most, unless one row has more. */
const TILE_ELEMENTS_MAX = 262_144;

/** Told how many weights a step took; may wait (so that signals and timers run) and may throw to stop the work. */
export type Advance = (weights: number) => Promise<void>;

/** Rows and columns; a vector is one row. */
export function matrixShape(tensor: CheckpointTensor): { rows: number; columns: number } {
  const { shape } = tensor;
  return shape.length === 2 ? { rows: shape[0], columns: shape[1] } : { rows: 1, columns: shape[0] };
}

/**
 * The tiles of a tensor from its first row to its last.
 * @param tile_rows the height of every tile but the last; by default as many rows as are handy
 * @throws SherryError numbers_not_finite, naming tensor, row and column; format_invalid | file_unreadable from reading
 */
export function* rowTiles(tensor: CheckpointTensor, tile_rows?: number): Generator<RowTile> {
  const { rows, columns } = matrixShape(tensor);
  const height = Math.min(rows, tile_rows ?? Math.max(1, Math.floor(TILE_ELEMENTS_MAX / columns)));
  const row_bytes = tensor.bytes / rows;
  const buffer = new Float32Array(height * columns);
  for (let row = 0; row < rows; row += height) {
    const tile_height = Math.min(height, rows - row);
    const weights = buffer.subarray(0, tile_height * columns);
    const source = tensor.source.read(tensor.offset + row * row_bytes, tile_height * row_bytes);
    const found = widenElements(source, tensor.element, weights);
    if (found !== null) {
      throw new SherryError("numbers_not_finite", placeOf(tensor, row, found), {
        expected: "a finite number",
        received: "an infinity or a NaN",
        next_step: "The checkpoint is damaged, or its training diverged",
      });
    }
    yield { row, rows: tile_height, columns, weights };
  }
}

/** "tensor NAME, row R, column C" of the weight at `index` of a tile that begins at row `tile_row`. */
export function placeOf(tensor: CheckpointTensor, tile_row: number, index: number): string {
  const { columns } = matrixShape(tensor);
  return `tensor ${tensor.name}, row ${tile_row + Math.floor(index / columns)}, column ${index % columns}`;
}
