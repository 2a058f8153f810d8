/**
 * The packed file's arithmetic in TypeScript: how many bytes a tensor takes and where each bit of a weight lies in
 * them. The same numbers as zig/format.zig, which the kernels read; test/format/layout.test.ts holds the two together.
 * Source of the five bits: Sherry (arXiv 2601.07892), section 3: of four neighbours one is zero, three are +-1.
 *
 * Legend: R rows (out_features), K columns (in_features).
 */
import { SherryError } from "../errors.ts";

/** Neighbouring weights along in_features that share one five-bit code. */
export const BLOCK_COLUMNS = 4;
/** Columns that a chunk covers: eight blocks. K is padded to a multiple of it. */
export const CHUNK_COLUMNS = 32;
export const CHUNK_BLOCKS = CHUNK_COLUMNS / BLOCK_COLUMNS;
/** Rows that a tile covers. R is padded to a multiple of it. */
export const TILE_ROWS = 64;
export const VECTOR_BYTES = 32;
/** A chunk of a tile: eight vectors of index nibbles, then two vectors of sign bytes. */
export const CHUNK_BYTES = 320;
export const CHUNK_SIGNS_OFFSET = CHUNK_BLOCKS * VECTOR_BYTES;
/** Columns that share one scale in a `q8` tensor. */
export const Q8_GROUP_COLUMNS = 32;

/** Every tensor and section starts at a multiple of this. */
export const PART_ALIGNMENT = 64;
/** A tensor of this size or more starts at a multiple of LARGE_TENSOR_ALIGNMENT, a page. */
export const LARGE_TENSOR_BYTES = 65_536;
export const LARGE_TENSOR_ALIGNMENT = 4_096;

export type Granularity = "tensor" | "channel" | "group";
/** How a dense element or a scale is stored. */
export type FloatElement = "f32" | "f16" | "bf16";
export type TensorKind = "sherry" | "q8" | FloatElement;
/** A vector of n elements, or [rows, columns], row after row. */
export type TensorShape = readonly [length: number] | readonly [rows: number, columns: number];

/** How far one scale of a `sherry` tensor reaches and how it is stored. `group_columns` is 0 unless by group. */
export interface ScaleDescription {
  readonly granularity: Granularity;
  readonly group_columns: 0 | 32 | 64 | 128 | 256;
  readonly element: FloatElement;
}

/** What decides a tensor's bytes. `scale` is there for `sherry` and null for every other kind. */
export interface TensorDescription {
  readonly kind: TensorKind;
  readonly shape: TensorShape;
  readonly scale: ScaleDescription | null;
}

/**
 * Where the parts of a `sherry` tensor lie, in bytes from its start: codes tile after tile, in each tile chunk after
 * chunk; then the scales: one (tensor), R padded to 64 (channel), or tile after tile, group after group, 64 (group).
 */
export interface SherryLayout {
  readonly tiles: number;
  readonly chunks: number;
  readonly codes_bytes: number;
  readonly scales_offset: number;
  /** Groups in a row, the last one perhaps short; 1 unless the granularity is group. */
  readonly groups: number;
  readonly scales_count: number;
  readonly bytes: number;
}

/** Where the parts of a `q8` tensor lie: int8 values [R][K padded to 32], then f16 scales [R][K padded / 32]. */
export interface Q8Layout {
  readonly padded_columns: number;
  readonly groups: number;
  readonly values_bytes: number;
  readonly scales_offset: number;
  readonly bytes: number;
}

/** Bytes of one stored element. */
export function elementBytes(element: FloatElement): number {
  return element === "f32" ? 4 : 2;
}

/** `value` rounded up to a multiple of `multiple`. @throws SherryError argument_invalid past 2^53 - 1. */
export function roundUp(value: number, multiple: number): number {
  const rest = value % multiple;
  return rest === 0 ? value : checked(value + (multiple - rest));
}

/**
 * @throws SherryError argument_invalid when a size is not a positive integer, K is no multiple of four, the group does
 *   not go with the granularity, or the tensor would take more than 2^53 - 1 bytes.
 */
export function sherryLayout(
  description: { readonly rows: number; readonly columns: number } & ScaleDescription,
): SherryLayout {
  const { rows, columns, granularity, group_columns, element } = description;
  checkSize("rows", rows);
  checkSize("columns", columns);
  if (columns % BLOCK_COLUMNS !== 0) {
    throw new SherryError("argument_invalid", "columns of a sherry tensor", {
      expected: `a multiple of ${BLOCK_COLUMNS}`,
      received: String(columns),
    });
  }
  checkGroup(granularity, group_columns);
  const tiles = roundUp(rows, TILE_ROWS) / TILE_ROWS;
  const chunks = roundUp(columns, CHUNK_COLUMNS) / CHUNK_COLUMNS;
  const groups = granularity === "group" ? roundUp(columns, group_columns) / group_columns : 1;
  const codes_bytes = product(tiles, chunks, CHUNK_BYTES);
  const scales_offset = roundUp(codes_bytes, PART_ALIGNMENT);
  const scales_count = granularity === "tensor" ? 1 : product(tiles, TILE_ROWS, groups);
  const bytes = checked(scales_offset + product(scales_count, elementBytes(element)));
  return { tiles, chunks, codes_bytes, scales_offset, groups, scales_count, bytes };
}

/** @throws SherryError argument_invalid when a size is not a positive integer or the bytes pass 2^53 - 1. */
export function q8Layout(description: { readonly rows: number; readonly columns: number }): Q8Layout {
  const { rows, columns } = description;
  checkSize("rows", rows);
  checkSize("columns", columns);
  const padded_columns = roundUp(columns, Q8_GROUP_COLUMNS);
  const groups = padded_columns / Q8_GROUP_COLUMNS;
  const values_bytes = product(rows, padded_columns);
  const scales_offset = roundUp(values_bytes, PART_ALIGNMENT);
  return {
    padded_columns,
    groups,
    values_bytes,
    scales_offset,
    bytes: checked(scales_offset + product(rows, groups, elementBytes("f16"))),
  };
}

/** Bytes of a dense tensor: elements row after row, nothing between them. @throws SherryError argument_invalid */
export function denseBytes(shape: TensorShape, element: FloatElement): number {
  for (const size of shape) checkSize("a dimension", size);
  return product(...shape, elementBytes(element));
}

/**
 * Bytes of any tensor.
 * @throws SherryError argument_invalid when kind, shape and scale do not go together or a size is impossible.
 */
export function tensorBytes(entry: TensorDescription): number {
  const { kind, shape, scale } = entry;
  if ((kind === "sherry") !== (scale !== null)) {
    throw new SherryError("argument_invalid", `the scale of the ${kind} tensor`, {
      expected: kind === "sherry" ? "a description of its scales" : "null",
      received: scale === null ? "null" : "a description of scales",
    });
  }
  if (kind !== "sherry" && kind !== "q8") return denseBytes(shape, kind);
  if (shape.length !== 2) {
    throw new SherryError("argument_invalid", `the shape of the ${kind} tensor`, {
      expected: "[rows, columns]",
      received: `[${shape.join(", ")}]`,
    });
  }
  const [rows, columns] = shape;
  return scale === null ? q8Layout({ rows, columns }).bytes : sherryLayout({ rows, columns, ...scale }).bytes;
}

/** Where a tensor of that many bytes may start: at multiples of the result. */
export function tensorAlignment(bytes: number): number {
  return bytes >= LARGE_TENSOR_BYTES ? LARGE_TENSOR_ALIGNMENT : PART_ALIGNMENT;
}

/**
 * The row (0..63) of a tile that byte `byte` (0..31) of an index vector speaks of: its low nibble when `half` is 0, its
 * high nibble when `half` is 1. The same byte of sign vector `half` holds that row's eight signs.
 */
export function rowOfByte(byte: number, half: number): number {
  const lane = Math.floor(byte / 16);
  const within = byte % 16;
  return half * 32 + Math.floor(within / 4) * 8 + lane * 4 + (within % 4);
}

/** The inverse of rowOfByte for a row 0..63: its byte; its half is floor(row / 32). */
export function byteOfRow(row: number): number {
  const within = row % 32;
  return (Math.floor(within / 4) % 2) * 16 + Math.floor(within / 8) * 4 + (within % 4);
}

/**
 * The bit of a sign byte that belongs to block `block` (0..7) of the chunk. The first block has the top bit, so that the
 * look-up kernel reaches the next one by adding the byte to itself.
 */
export function signBit(block: number): number {
  return 7 - block;
}

/** Where the scale of (row, column) lies among the scales, counted in scales. */
export function scaleIndex(
  layout: SherryLayout,
  scale: Pick<ScaleDescription, "granularity" | "group_columns">,
  row: number,
  column: number,
): number {
  if (scale.granularity === "tensor") return 0;
  if (scale.granularity === "channel") return row;
  const tile = Math.floor(row / TILE_ROWS);
  const group = Math.floor(column / scale.group_columns);
  return (tile * layout.groups + group) * TILE_ROWS + (row % TILE_ROWS);
}

/**
 * The four weights (-1, 0, +1) of a code. `index` (0..15) = zero position << 2 | second sign << 1 | third sign, the two
 * signs relative to the first nonzero weight (1: opposite); `negative` is 1 when the first nonzero weight is -1.
 */
export function decodeCode(index: number, negative: number): [number, number, number, number] {
  const first = negative === 1 ? -1 : 1;
  const second = (index & 2) !== 0 ? -first : first;
  const third = (index & 1) !== 0 ? -first : first;
  switch (index >> 2) {
    case 0:
      return [0, first, second, third];
    case 1:
      return [first, 0, second, third];
    case 2:
      return [first, second, 0, third];
    default:
      return [first, second, third, 0];
  }
}

function checkGroup(granularity: Granularity, group_columns: number): void {
  const by_group = granularity === "group";
  if (by_group ? [32, 64, 128, 256].includes(group_columns) : group_columns === 0) return;
  throw new SherryError("argument_invalid", `group_columns of scales by ${granularity}`, {
    expected: by_group ? "32, 64, 128 or 256" : "0",
    received: String(group_columns),
  });
}

function checkSize(name: string, size: number): void {
  if (Number.isSafeInteger(size) && size > 0) return;
  throw new SherryError("argument_invalid", name, {
    expected: "an integer of at least 1",
    received: String(size),
  });
}

function product(...factors: number[]): number {
  return factors.reduce((so_far, factor) => checked(so_far * factor), 1);
}

/** Doubles are exact up to 2^53 - 1 and never round a larger product back below it, so one check is enough. */
function checked(value: number): number {
  if (Number.isSafeInteger(value)) return value;
  throw new SherryError("argument_invalid", "the size of a tensor", {
    expected: "at most 2^53 - 1 bytes",
    received: String(value),
  });
}
