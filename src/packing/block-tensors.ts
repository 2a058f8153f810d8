/**
 * Tensors of a GGUF file whose blocks a kind of ours can hold as they are: codes, integers and scales move to other
 * places, and no weight goes through a float. A few rows at a time, as everywhere in the packer.
 */
import type { TensorKind } from "../format/directory.ts";
import { TILE_ROWS } from "../format/layout.ts";
import type { CheckpointTensor } from "./checkpoint-weights.ts";
import { prepareDense } from "./dense-tensors.ts";
import { hasExactQ8, prepareExactQ8 } from "./exact-q8.ts";
import type { GgufModelTensor } from "./gguf/model.ts";
import { blocksToCodes } from "./gguf/stq1.ts";
import { writeQ6k } from "./q6k-tensor.ts";
import type { Advance } from "./row-tiles.ts";
import { arrangeScales, encodeTileCodes, SCALE_BY_256, tileCodesBytes } from "./sherry-codes.ts";
import type { PreparedTensor, Sink } from "./tensor-writers.ts";

/** As `kind` without going through floats; null where there is no such way. */
export function prepareBlocks(tensor: GgufModelTensor, kind: TensorKind): PreparedTensor | null {
  if (kind === "sherry" && tensor.type === "STQ1_0") {
    return {
      ...{ kind, scale: SCALE_BY_256, column_order: "strided", on_grid: true, keeps_blocks: true },
      write: (sink, _statistics, advance) => writeStq1(tensor, sink, advance),
    };
  }
  if (kind === "q6k" && tensor.type === "Q6_K") {
    return {
      ...{ kind, scale: null, on_grid: null, keeps_blocks: true },
      write: (sink, _statistics, advance) => writeQ6k(tensor, sink, advance),
    };
  }
  return kind === "q8" && hasExactQ8(tensor.type) ? prepareExactQ8(tensor) : null;
}

/**
 * An embedding or a head as the checkpoint has it, without loss: floats as they are, Q6_K as q6k, small integers with one
 * scale as q8. STQ1_0 is among the latter: a look-up takes single rows, which the tiles of `sherry` do not give.
 */
export function prepareAsStored(tensor: CheckpointTensor): PreparedTensor {
  const { blocks } = tensor;
  const exact = blocks === undefined ? null : (prepareBlocks(blocks, "q6k") ?? prepareBlocks(blocks, "q8"));
  return exact ?? prepareDense(tensor, tensor.element);
}

/** Codes tile after tile, then all scales. */
async function writeStq1(tensor: GgufModelTensor, sink: Sink, advance: Advance): Promise<void> {
  const { name, rows, columns } = tensor;
  const groups = columns / SCALE_BY_256.group_columns;
  const scales = new Uint16Array(rows * groups);
  const tile = new Uint8Array(tileCodesBytes(columns));
  for (let row = 0; row < rows; row += TILE_ROWS) {
    const row_count = Math.min(TILE_ROWS, rows - row);
    const blocks = tensor.readBlocks(row, row_count);
    const run = blocksToCodes(blocks, `tensor ${name}, rows ${row} to ${row + row_count - 1}`);
    encodeTileCodes(run.codes, columns, tile);
    scales.set(run.scales, row * groups);
    sink(tile);
    await advance(row_count * columns);
  }
  sink(new Uint8Array(arrangeScales(rows, columns, scales).buffer));
}
