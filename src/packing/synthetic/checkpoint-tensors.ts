/**
 * The tensors of a random checkpoint, as the packer takes tensors: bf16 elements read by ranges from a source that makes
 * them on demand. Nothing of a tensor is kept but the tile that was read last.
 */
import type { ByteSource, FileSource } from "../../format/byte-source.ts";
import type { ModelConfig } from "../../format/directory.ts";
import { denseBytes, TILE_ROWS } from "../../format/layout.ts";
import type { RoledTensor } from "../checkpoint.ts";
import type { ScaleReach } from "../scale-option.ts";
import { type PlannedTensor, planTensors } from "../tensor-plan.ts";
import { truncateToBf16 } from "./bfloat16.ts";
import { GridMatrix } from "./grid-matrix.ts";
import { TableMatrix } from "./table-matrix.ts";

export interface SyntheticTensor extends RoledTensor {
  /** The same weights as packed codes; null for all but linear layers. */
  readonly grid: GridMatrix | null;
}

/** @throws SherryError argument_invalid for an impossible size or seed */
export function syntheticTensors(config: ModelConfig, seed: number, reach: ScaleReach): SyntheticTensor[] {
  return planTensors(config).map((planned) => syntheticTensor(planned, seed, reach));
}

function syntheticTensor(planned: PlannedTensor, seed: number, reach: ScaleReach): SyntheticTensor {
  const { name, role, shape } = planned;
  const bytes = denseBytes(shape, "bf16");
  const tensor = { name, role, shape, element: "bf16", offset: 0, bytes } as const;
  if (shape.length === 1) return { ...tensor, grid: null, source: onesSource(bytes) };
  const [rows, columns] = shape;
  if (role === "linear") {
    const grid = new GridMatrix(seed, name, [rows, columns], reach);
    return { ...tensor, grid, source: new TiledSource(bytes, columns, (tile) => grid.tileWeights(tile)) };
  }
  const table = new TableMatrix(seed, name, [rows, columns]);
  const tileWeights = (tile: number) =>
    table.weights(tile * TILE_ROWS, Math.min(TILE_ROWS, rows - tile * TILE_ROWS));
  return { ...tensor, grid: null, source: new TiledSource(bytes, columns, tileWeights) };
}

/** A norm's weights: all 1. */
function onesSource(bytes: number): FileSource {
  const ones = new Uint8Array(new Uint16Array(bytes / 2).fill(truncateToBf16(1)).buffer);
  return { bytes, read: (offset, length) => ones.slice(offset, offset + length), close() {} };
}

/** Ranges of a matrix that is made 64 rows at a time. */
class TiledSource implements ByteSource {
  readonly bytes: number;
  readonly #tile_bytes: number;
  readonly #makeTile: (tile: number) => Uint8Array;
  #last: { readonly tile: number; readonly weights: Uint8Array } | null = null;

  constructor(bytes: number, columns: number, makeTile: (tile: number) => Uint8Array) {
    this.bytes = bytes;
    this.#tile_bytes = TILE_ROWS * columns * 2;
    this.#makeTile = makeTile;
  }

  read(offset: number, length: number): Uint8Array {
    const result = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const tile = Math.floor((offset + done) / this.#tile_bytes);
      if (this.#last?.tile !== tile) this.#last = { tile, weights: this.#makeTile(tile) };
      const begin = offset + done - tile * this.#tile_bytes;
      const piece = this.#last.weights.subarray(begin, begin + length - done);
      if (piece.length === 0) throw new RangeError(`a read past the end of ${this.bytes} bytes`);
      result.set(piece, done);
      done += piece.length;
    }
    return result;
  }

  /** Nothing is open; the packer closes what it reads. */
  close(): void {}
}
