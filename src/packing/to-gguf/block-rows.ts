/**
 * Rows of a packed tensor as the blocks of the GGUF type that holds the same numbers: a scale stays the same sixteen bits,
 * an integer the same integer.
 */
import type { ByteSource } from "../../format/byte-source.ts";
import type { FloatElement, TensorEntry } from "../../format/directory.ts";
import { INT4_CHUNK_BYTES, INT4_TILE_ROWS, int4Layout, int4Place } from "../../format/int4-layout.ts";
import { elementBytes, Q8_GROUP_COLUMNS, q8Layout, sherryLayout, TILE_ROWS } from "../../format/layout.ts";
import { Q6K_CODES_BYTES, Q6K_SUB_SCALES, q6kLayout } from "../../format/q6k-layout.ts";
import { codesToBlocks, STQ1_BYTES, STQ1_COLUMNS } from "../gguf/stq1.ts";
import type { GgufTensorType } from "../gguf/tensor-types.ts";
import { joinQ6kBlocks } from "../q6k-blocks.ts";
import { decodeSherryCodes, SCALE_BY_256, tileCodesBytes } from "../sherry-codes.ts";
import { unrepresentable } from "./refusal.ts";

/** A vector is one row. */
export interface BlockRows {
  readonly type: GgufTensorType;
  readonly rows: number;
  readonly columns: number;
  /** The blocks of some rows, row after row: fresh bytes. */
  read(first_row: number, row_count: number): Uint8Array;
}

const PLAIN_TYPES: Readonly<Record<FloatElement, GgufTensorType>> = { f32: "F32", f16: "F16", bf16: "BF16" };
/** Weights of a Q8_0 and of a Q4_0 block. */
const BLOCK_COLUMNS = 32;
const SCALE_BYTES = 2;

/** @throws SherryError checkpoint_unsupported for a tensor that no GGUF type holds exactly */
export function blockRows(entry: TensorEntry, source: ByteSource): BlockRows {
  const { kind } = entry;
  switch (kind) {
    case "f32":
    case "f16":
    case "bf16":
      return plainRows(entry, kind, source);
    case "q8":
      return q8Rows(entry, source);
    case "int4":
      return int4Rows(entry, source);
    case "q6k":
      return q6kRows(entry, source);
    case "sherry":
      return sherryRows(entry, source);
    default:
      throw noType(entry, `kind ${kind}`);
  }
}

function plainRows(entry: TensorEntry, element: FloatElement, source: ByteSource): BlockRows {
  const { rows, columns } = sizesOf(entry);
  const row_bytes = columns * elementBytes(element);
  const read = (row: number, count: number) => source.read(entry.offset + row * row_bytes, count * row_bytes);
  return { type: PLAIN_TYPES[element], rows, columns, read };
}

function q8Rows(entry: TensorEntry, source: ByteSource): BlockRows {
  const { rows, columns } = wholeBlocks(entry, BLOCK_COLUMNS);
  const { groups, scales_offset } = q8Layout({ rows, columns });
  return {
    ...{ type: "Q8_0", rows, columns },
    read(row, count) {
      const values = source.read(entry.offset + row * columns, count * columns);
      const scales = source.read(
        entry.offset + scales_offset + row * groups * SCALE_BYTES,
        count * groups * SCALE_BYTES,
      );
      const block_bytes = SCALE_BYTES + Q8_GROUP_COLUMNS;
      const blocks = new Uint8Array(count * groups * block_bytes);
      for (let group = 0; group < count * groups; group += 1) {
        blocks.set(scales.subarray(group * SCALE_BYTES, (group + 1) * SCALE_BYTES), group * block_bytes);
        const integers = values.subarray(group * Q8_GROUP_COLUMNS, (group + 1) * Q8_GROUP_COLUMNS);
        blocks.set(integers, group * block_bytes + SCALE_BYTES);
      }
      return blocks;
    },
  };
}

/** Our int4 and Q4_0 count alike: a nibble stands for nibble - 8. Q4_0 has columns j and j + 16 of a block in byte j. */
function int4Rows(entry: TensorEntry, source: ByteSource): BlockRows {
  const { rows, columns } = wholeBlocks(entry, BLOCK_COLUMNS);
  const { groups, scales_offset } = int4Layout({ rows, columns });
  const block_bytes = SCALE_BYTES + BLOCK_COLUMNS / 2;
  const tile_bytes = groups * INT4_CHUNK_BYTES;
  const tile_scales_bytes = groups * INT4_TILE_ROWS * SCALE_BYTES;
  return {
    ...{ type: "Q4_0", rows, columns },
    read(first_row, row_count) {
      const first_tile = Math.floor(first_row / INT4_TILE_ROWS);
      const tiles = Math.ceil((first_row + row_count) / INT4_TILE_ROWS) - first_tile;
      const codes = source.read(entry.offset + first_tile * tile_bytes, tiles * tile_bytes);
      const scales = source.read(
        entry.offset + scales_offset + first_tile * tile_scales_bytes,
        tiles * tile_scales_bytes,
      );
      const blocks = new Uint8Array(row_count * groups * block_bytes);
      let at = 0;
      for (let index = 0; index < row_count; index += 1) {
        const row = first_row + index - first_tile * INT4_TILE_ROWS;
        const within = row % INT4_TILE_ROWS;
        for (let group = 0; group < groups; group += 1) {
          const cell = Math.floor(row / INT4_TILE_ROWS) * groups + group;
          const scale_at = (cell * INT4_TILE_ROWS + within) * SCALE_BYTES;
          blocks.set(scales.subarray(scale_at, scale_at + SCALE_BYTES), at);
          const nibble = (column: number) => {
            const { byte, shift } = int4Place(within, column);
            return ((codes[cell * INT4_CHUNK_BYTES + byte] ?? 0) >> shift) & 15;
          };
          for (let byte = 0; byte < BLOCK_COLUMNS / 2; byte += 1) {
            blocks[at + SCALE_BYTES + byte] = nibble(byte) | (nibble(byte + BLOCK_COLUMNS / 2) << 4);
          }
          at += block_bytes;
        }
      }
      return blocks;
    },
  };
}

/** The parts of a few rows, put together as if they were a tensor of their own. */
function q6kRows(entry: TensorEntry, source: ByteSource): BlockRows {
  const { rows, columns } = sizesOf(entry);
  const { blocks, sub_scales_offset, scales_offset } = q6kLayout({ rows, columns });
  const part = (offset: number, first_block: number, count: number, block_bytes: number) =>
    source.read(entry.offset + offset + first_block * block_bytes, count * block_bytes);
  return {
    ...{ type: "Q6_K", rows, columns },
    read(row, row_count) {
      const first_block = row * blocks;
      const count = row_count * blocks;
      return joinQ6kBlocks({
        codes: part(0, first_block, count, Q6K_CODES_BYTES),
        sub_scales: part(sub_scales_offset, first_block, count, Q6K_SUB_SCALES),
        scales: new Uint16Array(part(scales_offset, first_block, count, SCALE_BYTES).buffer),
      });
    },
  };
}

/** A tile's codes and its scales, which lie together, are what a tensor of its rows alone would be. */
function sherryRows(entry: TensorEntry, source: ByteSource): BlockRows {
  const { rows, columns } = sizesOf(entry);
  checkStq1(entry, columns);
  const { groups, scales_offset } = sherryLayout({ rows, columns, ...SCALE_BY_256 });
  const codes_bytes = tileCodesBytes(columns);
  const scales_bytes = TILE_ROWS * groups * SCALE_BYTES;
  const row_bytes = groups * STQ1_BYTES;
  const readTile = (tile: number): Uint8Array => {
    const tile_rows = Math.min(TILE_ROWS, rows - tile * TILE_ROWS);
    const bytes = new Uint8Array(codes_bytes + scales_bytes);
    bytes.set(source.read(entry.offset + tile * codes_bytes, codes_bytes));
    bytes.set(source.read(entry.offset + scales_offset + tile * scales_bytes, scales_bytes), codes_bytes);
    return codesToBlocks(decodeSherryCodes(tile_rows, columns, bytes));
  };
  return {
    ...{ type: "STQ1_0", rows, columns },
    read(first_row, row_count) {
      const blocks = new Uint8Array(row_count * row_bytes);
      for (let row = first_row; row < first_row + row_count; ) {
        const tile = Math.floor(row / TILE_ROWS);
        const end = Math.min(first_row + row_count, (tile + 1) * TILE_ROWS);
        const from = (row - tile * TILE_ROWS) * row_bytes;
        const piece = readTile(tile).subarray(from, from + (end - row) * row_bytes);
        blocks.set(piece, (row - first_row) * row_bytes);
        row = end;
      }
      return blocks;
    },
  };
}

/** @throws SherryError checkpoint_unsupported unless the tensor has STQ1_0's groups and scales */
function checkStq1(entry: TensorEntry, columns: number): void {
  const { scale, column_order } = entry;
  const next_step =
    "Only models that were packed from STQ1_0 can become STQ1_0 again; pack this one as q8 or f16";
  if (column_order !== "strided") {
    throw unrepresentable(
      `tensor ${entry.name}`,
      "sherry with strided columns: STQ1_0 groups weights that lie 16 apart",
      "groups of four neighbours, which would be other weights after regrouping",
      next_step,
    );
  }
  const fits = scale?.group_columns === SCALE_BY_256.group_columns && scale.element === SCALE_BY_256.element;
  if (fits && columns % STQ1_COLUMNS === 0) return;
  throw unrepresentable(
    `tensor ${entry.name}`,
    `sherry with one f16 scale for ${STQ1_COLUMNS} columns, of which there is a multiple`,
    `${columns} columns with scales by ${scale?.granularity} ${scale?.group_columns} in ${scale?.element}`,
    next_step,
  );
}

function sizesOf({ shape }: TensorEntry): { readonly rows: number; readonly columns: number } {
  return shape.length === 2 ? { rows: shape[0], columns: shape[1] } : { rows: 1, columns: shape[0] };
}

/** @throws SherryError checkpoint_unsupported when a row is no whole number of blocks */
function wholeBlocks(
  entry: TensorEntry,
  block_columns: number,
): { readonly rows: number; readonly columns: number } {
  const sizes = sizesOf(entry);
  if (sizes.columns % block_columns === 0) return sizes;
  throw noType(
    entry,
    `${entry.kind} with ${sizes.columns} columns`,
    `a multiple of ${block_columns} columns`,
  );
}

function noType(entry: TensorEntry, received: string, expected = "a kind that GGUF has a type for") {
  return unrepresentable(
    `tensor ${entry.name}`,
    expected,
    received,
    "Pack the model again with this tensor as f16",
  );
}
