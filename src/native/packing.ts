/**
 * The packer's native operations, with the checks on this side of the boundary: every array exactly as long as the sizes
 * say. Zig checks again. They compute on the calling thread and keep nothing after they return.
 *
 * Legend: R rows of a tile, K columns, G groups of a row = ceil(K / group_columns), S segments = ceil(K / 32).
 */
import { SherryError } from "../errors.ts";
import { library } from "./library.ts";
import { checkStatus } from "./status.ts";

/** Element codes of the C ABI (zig/format.zig, Element). */
const ELEMENT_CODES = { f32: 0, f16: 1, bf16: 2 } as const;
const ELEMENT_BYTES = { f32: 4, f16: 2, bf16: 2 } as const;
export type PackingElement = keyof typeof ELEMENT_CODES;

/** zig/c_abi/status.zig, not_finite: the place of the number is in `position`. */
const STATUS_NOT_FINITE = 2;

/** Rows that one tile of codes covers, columns of one grid segment and of one q8 group (zig/format.zig). */
const TILE_ROWS = 64;
const SEGMENT_COLUMNS = 32;
const TILE_CODES_BYTES_PER_SEGMENT = 320;
/** Rows of an int4 tile, and the bytes of its codes for 32 columns (zig/format/int4.zig). */
const INT4_TILE_ROWS = 8;
const INT4_CHUNK_BYTES = 128;

/** What storing a tensor lost, summed up over the calls it is passed to (zig/kernels/packing/statistics.zig). */
export class PackingStatistics {
  /** squared_error, squared_weight, error_max: the order of the native structure. */
  readonly sums = new Float64Array(3);

  /** Square root of (sum of squared errors / sum of squared weights); 0 for a tensor of zeros. */
  get relative_rms_error(): number {
    const [squared_error = 0, squared_weight = 0] = this.sums;
    return squared_weight === 0 ? 0 : Math.sqrt(squared_error / squared_weight);
  }

  /** The largest |weight - stored|. */
  get error_max(): number {
    return this.sums[2] ?? 0;
  }
}

/** Rows and columns of a piece of a matrix, f32 [rows][columns], row after row. */
export interface TileShape {
  readonly rows: number;
  readonly columns: number;
}

const position = new BigUint64Array(1);

/**
 * Checkpoint elements, little-endian at any alignment, to f32. Returns null, or the index of the first that is an infinity
 * or a NaN.
 */
export function widenElements(
  source: Uint8Array,
  element: PackingElement,
  destination: Float32Array,
): number | null {
  const count = destination.length;
  checkLength("source", source.length, count * ELEMENT_BYTES[element]);
  const status = library().symbols.sherry_pack_widen(
    source,
    source.length,
    ELEMENT_CODES[element],
    destination,
    count,
    position,
  );
  return foundPosition(status, "widening checkpoint elements");
}

/**
 * f32 to stored elements, rounded to the nearest, ties to even; adds the rounding to `statistics`. Returns null, or the
 * index of the first number that the element cannot hold. `destination` starts at a multiple of the element's size.
 */
export function narrowElements(
  source: Float32Array,
  element: PackingElement,
  destination: Uint8Array,
  statistics: PackingStatistics,
): number | null {
  checkLength("destination", destination.length, source.length * ELEMENT_BYTES[element]);
  const status = library().symbols.sherry_pack_narrow(
    source,
    source.length,
    ELEMENT_CODES[element],
    destination,
    destination.length,
    statistics.sums,
    position,
  );
  return foundPosition(status, "narrowing weights");
}

const on_grid = new Uint32Array(1);

/** Whether a tile is on the 3:4 grid; if so `alphas` f32 [R][S] receive the scales of its segments of 32 columns. */
export function scanGrid(tile: Float32Array, shape: TileShape, alphas: Float32Array): boolean {
  const { rows, columns } = shape;
  checkLength("tile", tile.length, rows * columns);
  checkLength("alphas", alphas.length, rows * Math.ceil(columns / SEGMENT_COLUMNS));
  const status = library().symbols.sherry_pack_grid_scan(tile, rows, columns, alphas, alphas.length, on_grid);
  checkStatus(status, "looking for the 3:4 grid");
  return on_grid[0] === 1;
}

/** Sums f64 [R][G] of the magnitudes that Sparse-AbsMean keeps, one weight after the other in the row's order. */
export function sumGroups(
  tile: Float32Array,
  shape: TileShape,
  group_columns: number,
  sums: Float64Array,
): void {
  const { rows, columns } = shape;
  checkLength("tile", tile.length, rows * columns);
  checkLength("sums", sums.length, rows * Math.ceil(columns / group_columns));
  const status = library().symbols.sherry_pack_group_sums(
    tile,
    rows,
    columns,
    group_columns,
    sums,
    sums.length,
  );
  checkStatus(status, "summing kept weights");
}

/**
 * A tile of up to 64 rows, given its stored scales f32 [R][G], to its codes (ceil(K / 32) * 320 bytes, all written); adds
 * what is lost to `statistics`.
 */
export function encodeTile(
  tile: Float32Array,
  shape: TileShape,
  group_columns: number,
  scales: Float32Array,
  codes: Uint8Array,
  statistics: PackingStatistics,
): void {
  const { rows, columns } = shape;
  if (rows > TILE_ROWS) throw wrongLength("rows of a tile", rows, TILE_ROWS);
  checkLength("tile", tile.length, rows * columns);
  checkLength("scales", scales.length, rows * Math.ceil(columns / group_columns));
  checkLength("codes", codes.length, Math.ceil(columns / SEGMENT_COLUMNS) * TILE_CODES_BYTES_PER_SEGMENT);
  const status = library().symbols.sherry_pack_encode(
    tile,
    rows,
    columns,
    group_columns,
    scales,
    scales.length,
    codes,
    codes.length,
    statistics.sums,
  );
  checkStatus(status, "encoding a tile");
}

/**
 * Rows to q8 values [R][K padded to 32] and f16 scales [R][K padded / 32]; adds what is lost to `statistics`. Returns
 * null, or the index of the first weight of a group whose scale f16 cannot hold.
 */
export function quantizeQ8(
  source: Float32Array,
  shape: TileShape,
  values: Uint8Array,
  scales: Uint16Array,
  statistics: PackingStatistics,
): number | null {
  const { rows, columns } = shape;
  const groups = Math.ceil(columns / SEGMENT_COLUMNS);
  checkLength("source", source.length, rows * columns);
  checkLength("values", values.length, rows * groups * SEGMENT_COLUMNS);
  checkLength("scales", scales.length, rows * groups);
  const status = library().symbols.sherry_pack_q8(
    source,
    rows,
    columns,
    values,
    values.length,
    scales,
    scales.length,
    statistics.sums,
    position,
  );
  return foundPosition(status, "quantizing to q8");
}

/** Columns that a chunk of a split8 plane covers (zig/format/split8.zig). */
const SPLIT8_CHUNK_COLUMNS = 64;

/** Rows of a tensor as their rows of a `split8` tensor: bytes [rows][K padded to 64, two a byte] for each plane. */
export interface Split8Rows {
  readonly high: Uint8Array;
  readonly low: Uint8Array;
  readonly scales: Float32Array;
}

/** Rows to split8 planes and f32 scales; adds what is lost to `statistics`. */
export function quantizeSplit8(
  source: Float32Array,
  shape: TileShape,
  target: Split8Rows,
  statistics: PackingStatistics,
): void {
  const { rows, columns } = shape;
  const plane_bytes = rows * Math.ceil(columns / SPLIT8_CHUNK_COLUMNS) * (SPLIT8_CHUNK_COLUMNS / 2);
  checkLength("source", source.length, rows * columns);
  checkLength("high", target.high.length, plane_bytes);
  checkLength("low", target.low.length, plane_bytes);
  checkLength("scales", target.scales.length, rows);
  const status = library().symbols.sherry_pack_split8(
    source,
    rows,
    columns,
    target.high,
    target.low,
    plane_bytes,
    target.scales,
    rows,
    statistics.sums,
  );
  checkStatus(status, "quantizing to split8");
}

/**
 * Rows to int4 codes and f16 scales of all tiles of eight rows that they begin (the last one padded with zeros); adds what
 * is lost to `statistics`. Returns null, or the index of the first weight of a group whose scales f16 cannot hold.
 */
export function quantizeInt4(
  source: Float32Array,
  shape: TileShape,
  codes: Uint8Array,
  scales: Uint16Array,
  statistics: PackingStatistics,
): number | null {
  const { rows, columns } = shape;
  const chunks = Math.ceil(rows / INT4_TILE_ROWS) * Math.ceil(columns / SEGMENT_COLUMNS);
  checkLength("source", source.length, rows * columns);
  checkLength("codes", codes.length, chunks * INT4_CHUNK_BYTES);
  checkLength("scales", scales.length, chunks * INT4_TILE_ROWS);
  const status = library().symbols.sherry_pack_int4(
    source,
    rows,
    columns,
    codes,
    codes.length,
    scales,
    scales.length,
    statistics.sums,
    position,
  );
  return foundPosition(status, "quantizing to int4");
}

function foundPosition(status: number, operation: string): number | null {
  if (status === STATUS_NOT_FINITE) return Number(position[0]);
  checkStatus(status, operation);
  return null;
}

function checkLength(name: string, received: number, expected: number): void {
  if (received !== expected || expected === 0) throw wrongLength(name, received, expected);
}

function wrongLength(name: string, received: number, expected: number): SherryError {
  return new SherryError("internal", `packing: the length of ${name}`, {
    expected: expected === 0 ? "at least 1" : String(expected),
    received: String(received),
  });
}
