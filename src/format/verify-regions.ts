/**
 * What the bytes inside a tensor must keep to, region by region: padding is zero, scales are finite and not negative,
 * dense numbers are finite. verify.ts feeds the pieces.
 *
 * Legend: R rows, K columns.
 */
import type { TensorEntry } from "./directory.ts";
import {
  INT4_CHUNK_BYTES,
  INT4_GROUP_COLUMNS,
  INT4_TILE_ROWS,
  int4Layout,
  int4Place,
} from "./int4-layout.ts";
import {
  BLOCK_COLUMNS,
  CHUNK_BLOCKS,
  CHUNK_BYTES,
  CHUNK_COLUMNS,
  CHUNK_SIGNS_OFFSET,
  elementBytes,
  type FloatElement,
  isDense,
  q8Layout,
  rowOfByte,
  type ScaleDescription,
  sherryLayout,
  signBit,
  TILE_ROWS,
  VECTOR_BYTES,
} from "./layout.ts";
import { Q6K_SUB_SCALES, q6kLayout } from "./q6k-layout.ts";
import { split8Layout, split8Place } from "./split8-layout.ts";
import { readElement } from "./unpack.ts";

export type RegionProblemCode = "padding_not_zero" | "scale_invalid" | "value_not_finite";

/** `where` is only called for the first problem of its code, so it may be costly. */
export type Report = (code: RegionProblemCode, where: () => string) => void;

/** A stretch of a tensor under one rule. `check` gets it in pieces whose starts are multiples of 64 and of 320. */
export interface Region {
  /** From the tensor's start. */
  readonly offset: number;
  readonly bytes: number;
  readonly check: (piece: Uint8Array, start: number, report: Report) => void;
}

/** The tensor's bytes from first to last, each in exactly one region. */
export function regionsOf(tensor: TensorEntry): Region[] {
  const { kind, shape, scale, bytes } = tensor;
  if (isDense(kind)) return [{ offset: 0, bytes, check: denseCheck(kind) }];
  const [rows, columns = 1] = shape;
  switch (kind) {
    case "sherry":
      // The reader refuses a sherry tensor without a scale.
      return sherryRegions(rows, columns, scale as ScaleDescription);
    case "q8":
      return q8Regions(rows, columns);
    case "q6k":
      return q6kRegions(rows, columns);
    case "int4":
      return int4Regions(rows, columns);
    case "split8":
      return split8Regions(rows, columns);
  }
}

/** Where the first byte that is not zero lies in [begin, end), or null. */
export function firstNonzero(bytes: Uint8Array, begin: number, end: number): number | null {
  for (let index = begin; index < end; index += 1) {
    if (bytes[index] !== 0) return index;
  }
  return null;
}

function sherryRegions(rows: number, columns: number, scale: ScaleDescription): Region[] {
  const layout = sherryLayout({ rows, columns, ...scale });
  const rowOfScale = (index: number) => {
    if (scale.granularity === "tensor") return 0;
    if (scale.granularity === "channel") return index;
    return Math.floor(index / TILE_ROWS / layout.groups) * TILE_ROWS + (index % TILE_ROWS);
  };
  return [
    { offset: 0, bytes: layout.scales_offset, check: codesCheck(rows, columns, layout.chunks) },
    {
      offset: layout.scales_offset,
      bytes: layout.bytes - layout.scales_offset,
      check: scalesCheck(scale.element, (index) => rowOfScale(index) >= rows),
    },
  ];
}

/** Only chunks at the lower and right border have padding: rows past R, columns past K. */
function codesCheck(rows: number, columns: number, chunks: number): Region["check"] {
  const last_tile = Math.floor((rows - 1) / TILE_ROWS);
  return (piece, start, report) => {
    for (let offset = 0; offset < piece.length; offset += CHUNK_BYTES) {
      const index = (start + offset) / CHUNK_BYTES;
      const tile = Math.floor(index / chunks);
      const chunk = index % chunks;
      const used_rows = tile === last_tile ? rows - tile * TILE_ROWS : TILE_ROWS;
      const used_columns = Math.min(columns - chunk * CHUNK_COLUMNS, CHUNK_COLUMNS);
      if (used_rows === TILE_ROWS && used_columns === CHUNK_COLUMNS) continue;
      const bytes = piece.subarray(offset, offset + CHUNK_BYTES);
      if (chunkPaddingIsZero(bytes, used_rows, used_columns / BLOCK_COLUMNS)) continue;
      report(
        "padding_not_zero",
        () => `codes past row ${rows} or column ${columns} are not zero (tile ${tile}, chunk ${chunk})`,
      );
    }
  };
}

function chunkPaddingIsZero(bytes: Uint8Array, used_rows: number, used_blocks: number): boolean {
  for (let half = 0; half < 2; half += 1) {
    for (let byte = 0; byte < VECTOR_BYTES; byte += 1) {
      const blocks = rowOfByte(byte, half) < used_rows ? used_blocks : 0;
      const signs = bytes[CHUNK_SIGNS_OFFSET + half * VECTOR_BYTES + byte] ?? 0;
      for (let block = blocks; block < CHUNK_BLOCKS; block += 1) {
        const nibbles = bytes[block * VECTOR_BYTES + byte] ?? 0;
        if (((nibbles >> (4 * half)) & 15) !== 0 || ((signs >> signBit(block)) & 1) !== 0) return false;
      }
    }
  }
  return true;
}

function q8Regions(rows: number, columns: number): Region[] {
  const layout = q8Layout({ rows, columns });
  return [
    { offset: 0, bytes: layout.values_bytes, check: q8ValuesCheck(columns, layout.padded_columns) },
    {
      offset: layout.values_bytes,
      bytes: layout.scales_offset - layout.values_bytes,
      check: zerosCheck("values"),
    },
    {
      offset: layout.scales_offset,
      bytes: layout.bytes - layout.scales_offset,
      check: scalesCheck("f16", () => false),
    },
  ];
}

/** Any codes and sub-scales are valid. A scale may be negative: GGUF's encoder makes such, and it is kept as it is. */
function q6kRegions(rows: number, columns: number): Region[] {
  const layout = q6kLayout({ rows, columns });
  const codes_bytes = layout.sub_scales_offset + rows * layout.blocks * Q6K_SUB_SCALES;
  return [
    { offset: 0, bytes: codes_bytes, check: () => {} },
    {
      offset: codes_bytes,
      bytes: layout.scales_offset - codes_bytes,
      check: zerosCheck("sub-scales"),
    },
    {
      offset: layout.scales_offset,
      bytes: layout.bytes - layout.scales_offset,
      check: scalesCheck("f16", () => false, "any sign"),
    },
  ];
}

function int4Regions(rows: number, columns: number): Region[] {
  const layout = int4Layout({ rows, columns });
  const rowOfScale = (index: number) =>
    Math.floor(index / INT4_TILE_ROWS / layout.groups) * INT4_TILE_ROWS + (index % INT4_TILE_ROWS);
  return [
    { offset: 0, bytes: layout.scales_offset, check: int4CodesCheck(rows, columns, layout.groups) },
    {
      offset: layout.scales_offset,
      bytes: layout.bytes - layout.scales_offset,
      check: scalesCheck("f16", (index) => rowOfScale(index) >= rows),
    },
  ];
}

/** As with `sherry`, only chunks at the lower and right border have padding. */
function int4CodesCheck(rows: number, columns: number, groups: number): Region["check"] {
  const last_tile = Math.floor((rows - 1) / INT4_TILE_ROWS);
  return (piece, start, report) => {
    for (let offset = 0; offset < piece.length; offset += INT4_CHUNK_BYTES) {
      const index = (start + offset) / INT4_CHUNK_BYTES;
      const tile = Math.floor(index / groups);
      const group = index % groups;
      const used_rows = tile === last_tile ? rows - tile * INT4_TILE_ROWS : INT4_TILE_ROWS;
      const used_columns = Math.min(columns - group * INT4_GROUP_COLUMNS, INT4_GROUP_COLUMNS);
      if (used_rows === INT4_TILE_ROWS && used_columns === INT4_GROUP_COLUMNS) continue;
      if (int4PaddingIsZero(piece, offset, used_rows, used_columns)) continue;
      report(
        "padding_not_zero",
        () => `codes past row ${rows} or column ${columns} are not zero (tile ${tile}, group ${group})`,
      );
    }
  };
}

function int4PaddingIsZero(
  piece: Uint8Array,
  offset: number,
  used_rows: number,
  used_columns: number,
): boolean {
  for (let row = 0; row < INT4_TILE_ROWS; row += 1) {
    for (let column = row < used_rows ? used_columns : 0; column < INT4_GROUP_COLUMNS; column += 1) {
      const { byte, shift } = int4Place(row, column);
      if ((((piece[offset + byte] ?? 0) >> shift) & 15) !== 0) return false;
    }
  }
  return true;
}

/** Any two nibbles are valid. */
function split8Regions(rows: number, columns: number): Region[] {
  const { plane_bytes, low_offset, scales_offset, row_bytes } = split8Layout({ rows, columns });
  const planes = [0, low_offset].flatMap((offset) => [
    { offset, bytes: plane_bytes, check: split8PlaneCheck(columns, row_bytes) },
    { offset: offset + plane_bytes, bytes: low_offset - plane_bytes, check: zerosCheck("a plane") },
  ]);
  return [...planes, { offset: scales_offset, bytes: rows * 4, check: scalesCheck("f32", () => false) }];
}

function split8PlaneCheck(columns: number, row_bytes: number): Region["check"] {
  return (piece, start, report) => {
    for (let column = columns; column < row_bytes * 2; column += 1) {
      const { byte, shift } = split8Place(column);
      for (let row = Math.floor(start / row_bytes); row * row_bytes < start + piece.length; row += 1) {
        const nibble = ((piece[row * row_bytes + byte - start] ?? 0) >> shift) & 15;
        if (nibble === 0) continue;
        report("padding_not_zero", () => `nibbles past column ${columns} are not zero (row ${row})`);
      }
    }
  };
}

function zerosCheck(before: string): Region["check"] {
  return (piece, _start, report) => {
    if (firstNonzero(piece, 0, piece.length) === null) return;
    report("padding_not_zero", () => `the padding between ${before} and scales is not zero`);
  };
}

function q8ValuesCheck(columns: number, padded_columns: number): Region["check"] {
  return (piece, start, report) => {
    if (columns === padded_columns) return;
    const first_row = Math.floor(start / padded_columns);
    const last_row = Math.floor((start + piece.length - 1) / padded_columns);
    for (let row = first_row; row <= last_row; row += 1) {
      const begin = Math.max(row * padded_columns + columns - start, 0);
      const end = Math.min((row + 1) * padded_columns - start, piece.length);
      if (firstNonzero(piece, begin, end) === null) continue;
      report("padding_not_zero", () => `values past column ${columns} are not zero (row ${row})`);
    }
  };
}

function scalesCheck(
  element: FloatElement,
  isPadding: (index: number) => boolean,
  sign: "not negative" | "any sign" = "not negative",
): Region["check"] {
  const element_bytes = elementBytes(element);
  return (piece, start, report) => {
    const view = new DataView(piece.buffer, piece.byteOffset, piece.byteLength);
    for (let offset = 0; offset < piece.length; offset += element_bytes) {
      const index = (start + offset) / element_bytes;
      const scale = readElement(view, offset, element);
      if (isPadding(index)) {
        if (firstNonzero(piece, offset, offset + element_bytes) !== null) {
          report("padding_not_zero", () => `scale ${index}, past the last row, is not zero`);
        }
      } else if (!Number.isFinite(scale) || (scale < 0 && sign === "not negative")) {
        const rule = sign === "not negative" ? "finite and not negative" : "finite";
        report("scale_invalid", () => `scale ${index} is ${scale}; scales are ${rule}`);
      }
    }
  };
}

function denseCheck(element: FloatElement): Region["check"] {
  const element_bytes = elementBytes(element);
  // Infinities and NaN are the numbers whose exponent bits are all ones; testing bits is several times faster.
  const exponent = { f32: 0x7f80_0000, f16: 0x7c00, bf16: 0x7f80 }[element];
  return (piece, start, report) => {
    const view = new DataView(piece.buffer, piece.byteOffset, piece.byteLength);
    for (let offset = 0; offset < piece.length; offset += element_bytes) {
      const bits = element_bytes === 4 ? view.getUint32(offset, true) : view.getUint16(offset, true);
      if ((bits & exponent) !== exponent) continue;
      const index = (start + offset) / element_bytes;
      const value = readElement(view, offset, element);
      report("value_not_finite", () => `element ${index} is ${value}`);
    }
  };
}
