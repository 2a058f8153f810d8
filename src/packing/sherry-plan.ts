/**
 * Decides the scales of a `sherry` tensor before its codes are written: recognises weights that are on the 3:4 grid
 * already, and projects all others by Sparse-AbsMean (arXiv 2601.07892, section 3): scale = sum of the kept magnitudes
 * of a group / (3/4 of the group's length), the sum in f64, the scale rounded to f32 and then to how it is stored.
 *
 * Legend: R rows, K columns, G groups of a row, S segments of 32 columns of a row.
 */
import type { ScaleDescription } from "../format/directory.ts";
import { TILE_ROWS } from "../format/layout.ts";
import { scanGrid, sumGroups } from "../native/packing.ts";
import type { CheckpointTensor } from "./checkpoint-weights.ts";
import { GridScales, SEGMENT_COLUMNS } from "./grid.ts";
import { type Advance, matrixShape, rowTiles } from "./row-tiles.ts";
import type { ScaleOption, ScaleReach } from "./scale-option.ts";

export interface SherryPlan {
  readonly scale: ScaleDescription;
  /** Null for a tensor on the grid: its scales are read off its own weights again, tile by tile. */
  readonly projected: ProjectedScales | null;
}

export interface ProjectedScales {
  /** Columns that share one of `values`. */
  readonly group_columns: number;
  /** As stored, widened to f32: [R][G], or one for the whole tensor. */
  readonly values: Float32Array;
  readonly one_for_tensor: boolean;
}

/** What a tensor off the grid gets by default: the published granularity, which is a whole row where rows are short. */
const DEFAULT_GROUP_COLUMNS = 128;
const F16_MAX = 65_504;
const F16_NORMAL_MIN = 2 ** -14;
/** Kept weights of a block of four. */
const KEPT_SHARE = 0.75;

/** @throws SherryError numbers_not_finite, and what reading and `advance` throw */
export async function planSherry(
  tensor: CheckpointTensor,
  option: ScaleOption,
  advance: Advance,
): Promise<SherryPlan> {
  const grid = await scanTensor(tensor, advance);
  if (grid !== null && (option === "auto" || grid.holds(option))) {
    return { scale: grid.describe(option === "auto" ? grid.coarsest() : option), projected: null };
  }
  const reach = option === "auto" ? defaultReach(matrixShape(tensor).columns) : option;
  const projected = await projectScales(tensor, reach, advance);
  // The result is on the grid, so it is described by the same rule: packing it again gives the same bytes.
  const result = describeProjected(projected, tensor);
  return { scale: result.describe(option === "auto" ? result.coarsest() : option), projected };
}

function defaultReach(columns: number): ScaleReach {
  if (columns <= DEFAULT_GROUP_COLUMNS) return { granularity: "channel", group_columns: 0 };
  return { granularity: "group", group_columns: DEFAULT_GROUP_COLUMNS };
}

/** The scales of a tensor on the grid; null at the first tile that is not. */
async function scanTensor(tensor: CheckpointTensor, advance: Advance): Promise<GridScales | null> {
  const grid = new GridScales();
  const segments = Math.ceil(matrixShape(tensor).columns / SEGMENT_COLUMNS);
  const alphas = new Float32Array(TILE_ROWS * segments);
  for (const tile of rowTiles(tensor, TILE_ROWS)) {
    const tile_alphas = alphas.subarray(0, tile.rows * segments);
    if (!scanGrid(tile.weights, tile, tile_alphas)) return null;
    grid.add(tile_alphas, tile.rows);
    await advance(0);
  }
  return grid;
}

async function projectScales(
  tensor: CheckpointTensor,
  reach: ScaleReach,
  advance: Advance,
): Promise<ProjectedScales> {
  const { rows, columns } = matrixShape(tensor);
  const by_group = reach.granularity === "group";
  const group_columns = by_group ? reach.group_columns : columns;
  const groups = Math.ceil(columns / group_columns);
  const one_for_tensor = reach.granularity === "tensor";
  const values = new Float32Array(one_for_tensor ? 1 : rows * groups);
  const sums = new Float64Array(TILE_ROWS * groups);
  let tensor_sum = 0;
  for (const tile of rowTiles(tensor, TILE_ROWS)) {
    const tile_sums = sums.subarray(0, tile.rows * groups);
    sumGroups(tile.weights, tile, group_columns, tile_sums);
    for (let index = 0; index < tile_sums.length; index += 1) {
      const sum = tile_sums[index] ?? 0;
      tensor_sum += sum;
      if (one_for_tensor) continue;
      const group_length = Math.min(group_columns, columns - (index % groups) * group_columns);
      values[tile.row * groups + index] = sum / (KEPT_SHARE * group_length);
    }
    await advance(0);
  }
  if (one_for_tensor) values[0] = tensor_sum / (KEPT_SHARE * columns * rows);
  if (by_group) roundToF16(values);
  return { group_columns, values, one_for_tensor };
}

/**
 * Rounds to f16, the published way to store a scale by group (1.375 bit a weight at 128), unless f16 would lose one: to
 * infinity, to zero or to a subnormal number of few digits. Such a tensor keeps f32.
 */
function roundToF16(values: Float32Array): void {
  const fits = values.every((value) => {
    const rounded = Math.f16round(value);
    return value === 0 || (rounded >= F16_NORMAL_MIN && rounded <= F16_MAX);
  });
  if (!fits) return;
  for (let index = 0; index < values.length; index += 1) values[index] = Math.f16round(values[index] ?? 0);
}

function describeProjected(projected: ProjectedScales, tensor: CheckpointTensor): GridScales {
  const { rows, columns } = matrixShape(tensor);
  const { group_columns, values, one_for_tensor } = projected;
  const groups = Math.ceil(columns / group_columns);
  const grid = new GridScales();
  const segments = new Float32Array(Math.ceil(columns / SEGMENT_COLUMNS));
  for (let row = 0; row < rows; row += 1) {
    for (let segment = 0; segment < segments.length; segment += 1) {
      const group = Math.floor((segment * SEGMENT_COLUMNS) / group_columns);
      segments[segment] = values[one_for_tensor ? 0 : row * groups + group] ?? 0;
    }
    grid.add(segments, 1);
  }
  return grid;
}
