/**
 * Codes of a `sherry` tensor to its bytes and back, without going through weights: how a tensor whose codes came from
 * another format (GGUF's STQ1_0) is packed, and how it is written out again. A code is one byte: our index (0..15), plus 16
 * when the first nonzero weight of its block of four is negative (docs/format.md, "One block of four").
 *
 * Legend: R rows, K columns in packed order, C chunks of 32 columns of a row.
 */
import { SherryError } from "../errors.ts";
import {
  BLOCK_COLUMNS,
  byteOfRow,
  CHUNK_BLOCKS,
  CHUNK_BYTES,
  CHUNK_COLUMNS,
  CHUNK_SIGNS_OFFSET,
  type ScaleDescription,
  scaleIndex,
  sherryLayout,
  signBit,
  TILE_ROWS,
  VECTOR_BYTES,
} from "../format/layout.ts";

/** The scales of STQ1_0: one f16 for 256 columns. */
export const SCALE_BY_256 = { granularity: "group", group_columns: 256, element: "f16" } as const;
const SCALE_COLUMNS = SCALE_BY_256.group_columns;
const INDEX_MASK = 15;

/** Bytes of one tile of codes. @param columns a multiple of four */
export function tileCodesBytes(columns: number): number {
  return Math.ceil(columns / CHUNK_COLUMNS) * CHUNK_BYTES;
}

/**
 * Writes a tile: codes [rows][K / 4], 1 to 64 rows, into `tile` [C][320], all of which is written.
 * @throws SherryError argument_invalid when the lengths do not fit
 */
export function encodeTileCodes(codes: Uint8Array, columns: number, tile: Uint8Array): void {
  const rows = checkTile(codes, columns, tile);
  const row_blocks = columns / BLOCK_COLUMNS;
  tile.fill(0);
  for (let row = 0; row < rows; row += 1) {
    const byte = byteOfRow(row);
    const is_high = row >= VECTOR_BYTES;
    const shift = is_high ? 4 : 0;
    const signs_offset = CHUNK_SIGNS_OFFSET + (is_high ? VECTOR_BYTES : 0) + byte;
    for (let first = 0, chunk = 0; first < row_blocks; first += CHUNK_BLOCKS, chunk += CHUNK_BYTES) {
      const count = Math.min(CHUNK_BLOCKS, row_blocks - first);
      let signs = 0;
      for (let block = 0; block < count; block += 1) {
        const code = codes[row * row_blocks + first + block] ?? 0;
        const at = chunk + block * VECTOR_BYTES + byte;
        tile[at] = (tile[at] ?? 0) | ((code & INDEX_MASK) << shift);
        signs |= ((code >> 4) & 1) << signBit(block);
      }
      tile[chunk + signs_offset] = signs;
    }
  }
}

/**
 * The inverse of encodeTileCodes: fills codes [rows][K / 4] from a tile [C][320].
 * @throws SherryError argument_invalid when the lengths do not fit
 */
export function decodeTileCodes(tile: Uint8Array, columns: number, codes: Uint8Array): void {
  const rows = checkTile(codes, columns, tile);
  const row_blocks = columns / BLOCK_COLUMNS;
  for (let row = 0; row < rows; row += 1) {
    const byte = byteOfRow(row);
    const is_high = row >= VECTOR_BYTES;
    const shift = is_high ? 4 : 0;
    const signs_offset = CHUNK_SIGNS_OFFSET + (is_high ? VECTOR_BYTES : 0) + byte;
    for (let first = 0, chunk = 0; first < row_blocks; first += CHUNK_BLOCKS, chunk += CHUNK_BYTES) {
      const count = Math.min(CHUNK_BLOCKS, row_blocks - first);
      const signs = tile[chunk + signs_offset] ?? 0;
      for (let block = 0; block < count; block += 1) {
        const index = ((tile[chunk + block * VECTOR_BYTES + byte] ?? 0) >> shift) & INDEX_MASK;
        codes[row * row_blocks + first + block] = index | (((signs >> signBit(block)) & 1) << 4);
      }
    }
  }
}

/** Codes [R][K / 4] and f16 scale bits [R][ceil(K / 256)] of a tensor. */
export interface SherryCodes {
  readonly codes: Uint8Array;
  readonly scales: Uint16Array;
}

/** The scales [R][G] of rows in the order in which the tensor stores them, [T][G][64], zeros in the padding. */
export function arrangeScales(rows: number, columns: number, scales: Uint16Array): Uint16Array<ArrayBuffer> {
  const layout = sherryLayout({ rows, columns, ...SCALE_BY_256 });
  checkLength("scales", scales.length, rows * layout.groups);
  const arranged = new Uint16Array(layout.scales_count);
  forEachScale(rows, columns, (stored, natural) => {
    arranged[stored] = scales[natural] ?? 0;
  });
  return arranged;
}

/** The inverse of arrangeScales. */
export function collectScales(
  rows: number,
  columns: number,
  arranged: Uint16Array,
): Uint16Array<ArrayBuffer> {
  const layout = sherryLayout({ rows, columns, ...SCALE_BY_256 });
  checkLength("scales of the tensor", arranged.length, layout.scales_count);
  const scales = new Uint16Array(rows * layout.groups);
  forEachScale(rows, columns, (stored, natural) => {
    scales[natural] = arranged[stored] ?? 0;
  });
  return scales;
}

/**
 * All bytes of a tensor [R, K] with scales by SCALE_BY_256; the caller owns them.
 * @throws SherryError argument_invalid when sizes and lengths do not fit
 */
export function encodeSherryCodes(
  rows: number,
  columns: number,
  { codes, scales }: SherryCodes,
): Uint8Array<ArrayBuffer> {
  const layout = sherryLayout({ rows, columns, ...SCALE_BY_256 });
  const row_blocks = columns / BLOCK_COLUMNS;
  checkLength("codes", codes.length, rows * row_blocks);
  const bytes = new Uint8Array(layout.bytes);
  const tile_bytes = tileCodesBytes(columns);
  for (let row = 0; row < rows; row += TILE_ROWS) {
    const end = Math.min(row + TILE_ROWS, rows);
    const tile_at = (row / TILE_ROWS) * tile_bytes;
    encodeTileCodes(
      codes.subarray(row * row_blocks, end * row_blocks),
      columns,
      bytes.subarray(tile_at, tile_at + tile_bytes),
    );
  }
  bytes.set(new Uint8Array(arrangeScales(rows, columns, scales).buffer), layout.scales_offset);
  return bytes;
}

/**
 * The inverse of encodeSherryCodes.
 * @param bytes exactly a tensor's bytes, at any alignment
 * @throws SherryError argument_invalid
 */
export function decodeSherryCodes(rows: number, columns: number, bytes: Uint8Array): SherryCodes {
  const layout = sherryLayout({ rows, columns, ...SCALE_BY_256 });
  checkLength("bytes of the tensor", bytes.length, layout.bytes);
  const row_blocks = columns / BLOCK_COLUMNS;
  const codes = new Uint8Array(rows * row_blocks);
  const tile_bytes = tileCodesBytes(columns);
  for (let row = 0; row < rows; row += TILE_ROWS) {
    const end = Math.min(row + TILE_ROWS, rows);
    const tile_at = (row / TILE_ROWS) * tile_bytes;
    decodeTileCodes(
      bytes.subarray(tile_at, tile_at + tile_bytes),
      columns,
      codes.subarray(row * row_blocks, end * row_blocks),
    );
  }
  // A copy starts at an even address, which a view of sixteen bits needs.
  const arranged = new Uint16Array(bytes.slice(layout.scales_offset).buffer);
  return { codes, scales: collectScales(rows, columns, arranged) };
}

function forEachScale(rows: number, columns: number, visit: (stored: number, natural: number) => void): void {
  const scale: ScaleDescription = SCALE_BY_256;
  const layout = sherryLayout({ rows, columns, ...scale });
  for (let row = 0; row < rows; row += 1) {
    for (let group = 0; group < layout.groups; group += 1) {
      visit(scaleIndex(layout, scale, row, group * SCALE_COLUMNS), row * layout.groups + group);
    }
  }
}

/** How many rows the codes are of. */
function checkTile(codes: Uint8Array, columns: number, tile: Uint8Array): number {
  checkLength("bytes of a tile", tile.length, tileCodesBytes(columns));
  const rows = codes.length / (columns / BLOCK_COLUMNS);
  if (Number.isInteger(rows) && rows >= 1 && rows <= TILE_ROWS) return rows;
  throw new SherryError("argument_invalid", "codes of a tile", {
    expected: `1 to ${TILE_ROWS} rows of ${columns / BLOCK_COLUMNS}`,
    received: String(codes.length),
  });
}

function checkLength(what: string, received: number, expected: number): void {
  if (received === expected) return;
  throw new SherryError("argument_invalid", what, { expected: String(expected), received: String(received) });
}
