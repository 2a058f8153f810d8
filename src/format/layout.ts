/**
 * The packed file's arithmetic in TypeScript: how many bytes a tensor takes and where each bit of a weight lies in
 * them. The same numbers as zig/format.zig, which the kernels read; test/format/layout.test.ts holds the two together.
 * Source of the five bits: Sherry (arXiv 2601.07892), section 3: of four neighbours one is zero, three are +-1.
 *
 * Legend: R rows (out_features), K columns (in_features).
 */
import { SherryError } from "../errors.ts";
import { type ColumnOrder, STRIDE_COLUMNS } from "./column-order.ts";
import { int4Layout } from "./int4-layout.ts";
import { q6kLayout } from "./q6k-layout.ts";
import { checked, checkMultiple, checkSize, product, roundUp } from "./sizes.ts";
import { split8Layout } from "./split8-layout.ts";

export { roundUp } from "./sizes.ts";

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
export type TensorKind = "sherry" | "q8" | "q6k" | "int4" | "split8" | FloatElement;
/** A vector of n elements, or [rows, columns], row after row. */
export type TensorShape = readonly [length: number] | readonly [rows: number, columns: number];

/** How far one scale of a `sherry` tensor reaches and how it is stored. `group_columns` is 0 unless by group. */
export interface ScaleDescription {
  readonly granularity: Granularity;
  readonly group_columns: 0 | 32 | 64 | 128 | 256;
  readonly element: FloatElement;
}

/** What a tensor's bytes mean. `scale` and `column_order` are there for `sherry` and null for every other kind. */
export interface TensorDescription {
  readonly kind: TensorKind;
  readonly shape: TensorShape;
  readonly scale: ScaleDescription | null;
  readonly column_order: ColumnOrder | null;
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
  checkMultiple("columns of a sherry tensor", columns, BLOCK_COLUMNS);
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
 * @throws SherryError argument_invalid when kind, shape, scale and column order do not go together or a size is impossible.
 */
export function tensorBytes(entry: TensorDescription): number {
  const { kind, shape, scale, column_order } = entry;
  checkSherryOnly(kind, "scale", "a description of its scales", scale && "a description of scales");
  checkSherryOnly(kind, "column order", "natural or strided", column_order);
  if (isDense(kind)) return denseBytes(shape, kind);
  if (shape.length !== 2) {
    throw new SherryError("argument_invalid", `the shape of the ${kind} tensor`, {
      expected: "[rows, columns]",
      received: `[${shape.join(", ")}]`,
    });
  }
  const [rows, columns] = shape;
  switch (kind) {
    case "sherry":
      if (column_order === "strided") checkMultiple("columns in strided order", columns, STRIDE_COLUMNS);
      // checkSherryOnly has seen that it is there.
      return sherryLayout({ rows, columns, ...(scale as ScaleDescription) }).bytes;
    case "q8":
      return q8Layout({ rows, columns }).bytes;
    case "q6k":
      return q6kLayout({ rows, columns }).bytes;
    case "int4":
      return int4Layout({ rows, columns }).bytes;
    case "split8":
      return split8Layout({ rows, columns }).bytes;
  }
}

/** Whether a tensor is stored as plain numbers. */
export function isDense(kind: TensorKind): kind is FloatElement {
  return kind === "f32" || kind === "f16" || kind === "bf16";
}

/** A field that `sherry` tensors have and others do not; `received` in words. */
function checkSherryOnly(kind: TensorKind, field: string, expected: string, received: string | null): void {
  const is_sherry = kind === "sherry";
  if (is_sherry === (received !== null)) return;
  throw new SherryError("argument_invalid", `the ${field} of the ${kind} tensor`, {
    expected: is_sherry ? expected : "null",
    received: received ?? "null",
  });
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
