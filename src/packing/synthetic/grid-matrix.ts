/**
 * A random matrix on the 3:4 grid, in two forms of the same weights: the packed codes, which are plain random bytes since
 * all 32 codes of a block are valid (docs/format.md), and rows of bf16 for a checkpoint. Neither is held in memory.
 *
 * Legend: R rows, K columns, G groups of a row.
 */
import type { ScaleDescription } from "../../format/directory.ts";
import {
  CHUNK_BLOCKS,
  CHUNK_BYTES,
  CHUNK_COLUMNS,
  CHUNK_SIGNS_OFFSET,
  decodeCode,
  rowOfByte,
  type SherryLayout,
  scaleIndex,
  sherryLayout,
  TILE_ROWS,
  VECTOR_BYTES,
} from "../../format/layout.ts";
import type { ScaleReach } from "../scale-option.ts";
import { writeScales } from "../sherry-tensor.ts";
import type { Sink } from "../tensor-writers.ts";
import { bf16ToNumber, truncateToBf16 } from "./bfloat16.ts";
import { Keystream } from "./keystream.ts";

/** Kept weights of a block of four. */
const KEPT_SHARE = 0.75;
/** Codes are made and written in pieces of about this size. */
const PIECE_BYTES = 1_048_576;
const SIGN_BIT = 0x8000;

/** The four bf16 of a code as two words: `scale_bits * factor | signs`, for the first and the second two weights. */
interface CodeWords {
  readonly factors: Uint32Array;
  readonly signs: Uint32Array;
}

const CODE_WORDS = codeWords();

/** The bit of the sign vectors' bytes is the code's bit 4; [code * 2] and [code * 2 + 1] are its two words. */
function codeWords(): CodeWords {
  const factors = new Uint32Array(64);
  const signs = new Uint32Array(64);
  for (let code = 0; code < 32; code += 1) {
    for (const [position, weight] of decodeCode(code & 15, code >> 4).entries()) {
      const word = code * 2 + (position >> 1);
      const shift = (position & 1) * 16;
      if (weight !== 0) factors[word] = (factors[word] ?? 0) + 2 ** shift;
      if (weight < 0) signs[word] = (signs[word] ?? 0) + SIGN_BIT * 2 ** shift;
    }
  }
  return { factors, signs };
}

/** The tile's row of byte i's low nibble; its high nibble belongs to the row 32 further. */
const ROW_OF_BYTE = Uint8Array.from({ length: VECTOR_BYTES }, (_, byte) => rowOfByte(byte, 0));

export class GridMatrix {
  readonly rows: number;
  readonly columns: number;
  /** What the packer finds when it looks at the weights. */
  readonly scale: ScaleDescription;
  readonly #layout: SherryLayout;
  readonly #codes: Keystream;
  readonly #scales: Keystream;
  readonly #middle_bits: number;

  /** @throws SherryError argument_invalid when K is no multiple of four or a size is impossible */
  constructor(seed: number, name: string, shape: readonly [number, number], reach: ScaleReach) {
    [this.rows, this.columns] = shape;
    // The packer keeps scales by group as f16 when that is exact; these are bf16 of ordinary size, so it is.
    this.scale = { ...reach, element: reach.granularity === "group" ? "f16" : "f32" };
    this.#layout = sherryLayout({ rows: this.rows, columns: this.columns, ...this.scale });
    this.#codes = new Keystream(seed, `${name}: codes`);
    this.#scales = new Keystream(seed, `${name}: scales`);
    // About 1 / sqrt(kept weights of a row): a layer then keeps the magnitude of its input.
    this.#middle_bits = truncateToBf16(1 / Math.sqrt(KEPT_SHARE * this.columns));
  }

  /** The tensor's bytes as the packed file has them. `advance` hears of every piece's weights. */
  async write(sink: Sink, advance: (weights: number) => Promise<void>): Promise<void> {
    const tile_bytes = this.#layout.chunks * CHUNK_BYTES;
    const piece_tiles = Math.max(1, Math.floor(PIECE_BYTES / tile_bytes));
    for (let tile = 0; tile < this.#layout.tiles; tile += piece_tiles) {
      const tiles = Math.min(piece_tiles, this.#layout.tiles - tile);
      sink(this.#tileCodes(tile, tiles));
      const rows = Math.min(tiles * TILE_ROWS, this.rows - tile * TILE_ROWS);
      await advance(rows * this.columns);
    }
    writeScales(this.#storedScales(), this.scale, sink);
  }

  /** Rows `64 * tile` and on, up to 64 of them, as bf16 [rows][K], little-endian. */
  tileWeights(tile: number): Uint8Array {
    const { columns } = this;
    const rows = Math.min(TILE_ROWS, this.rows - tile * TILE_ROWS);
    const codes = this.#tileCodes(tile, 1);
    const row_words = columns / 2;
    // All 64 rows are computed, because codes come in pairs of rows; only those that exist are handed out.
    const words = new Uint32Array(TILE_ROWS * row_words);
    const scale_bits = this.#tileScaleBits(tile, rows);
    const { groups } = this.#layout;
    for (let block = 0; block < columns / 4; block += 1) {
      const chunk = Math.floor(block / CHUNK_BLOCKS);
      const group =
        this.scale.granularity === "group" ? Math.floor((block * 4) / this.scale.group_columns) : 0;
      const vector = chunk * CHUNK_BYTES + (block % CHUNK_BLOCKS) * VECTOR_BYTES;
      const signs = chunk * CHUNK_BYTES + CHUNK_SIGNS_OFFSET;
      const shift = 7 - (block % CHUNK_BLOCKS);
      for (let byte = 0; byte < VECTOR_BYTES; byte += 1) {
        const indexes = codes[vector + byte] ?? 0;
        const row = ROW_OF_BYTE[byte] ?? 0;
        const low = (indexes & 15) | ((((codes[signs + byte] ?? 0) >> shift) & 1) << 4);
        const high = (indexes >> 4) | ((((codes[signs + VECTOR_BYTES + byte] ?? 0) >> shift) & 1) << 4);
        putBlock(words, row * row_words + block * 2, low, scale_bits[row * groups + group] ?? 0);
        putBlock(
          words,
          (row + 32) * row_words + block * 2,
          high,
          scale_bits[(row + 32) * groups + group] ?? 0,
        );
      }
    }
    return new Uint8Array(words.buffer, 0, rows * columns * 2);
  }

  /** Codes of `tiles` tiles, padding cleared. */
  #tileCodes(tile: number, tiles: number): Uint8Array {
    const { chunks } = this.#layout;
    const tile_bytes = chunks * CHUNK_BYTES;
    const codes = this.#codes.read(tile * tile_bytes, tiles * tile_bytes);
    const last_blocks = (this.columns % CHUNK_COLUMNS) / 4;
    if (last_blocks > 0) {
      for (let index = 0; index < tiles; index += 1) {
        clearBlocks(
          codes.subarray((index + 1) * tile_bytes - CHUNK_BYTES, (index + 1) * tile_bytes),
          last_blocks,
        );
      }
    }
    const last_rows = this.rows - (tile + tiles - 1) * TILE_ROWS;
    if (last_rows < TILE_ROWS) clearRows(codes.subarray((tiles - 1) * tile_bytes), last_rows);
    return codes;
  }

  /** bf16 bits of the tile's scales, [64][G]; zero for rows that do not exist. */
  #tileScaleBits(tile: number, rows: number): Uint16Array {
    const { groups } = this.#layout;
    const result = new Uint16Array(TILE_ROWS * groups);
    if (this.scale.granularity === "tensor")
      return result.fill(this.#scaleBits(this.#scales.read(0, 1)[0] ?? 0), 0, rows);
    const bytes = this.#scales.read(tile * TILE_ROWS * groups, rows * groups);
    for (let index = 0; index < bytes.length; index += 1) result[index] = this.#scaleBits(bytes[index] ?? 0);
    return result;
  }

  /** One of 16 neighbouring bf16 around the middle. */
  #scaleBits(byte: number): number {
    return this.#middle_bits + (byte & 15) - 8;
  }

  #storedScales(): Float32Array {
    const { groups, tiles, scales_count } = this.#layout;
    const result = new Float32Array(scales_count);
    if (this.scale.granularity === "tensor") {
      result[0] = bf16ToNumber(this.#tileScaleBits(0, 1)[0] ?? 0);
      return result;
    }
    for (let tile = 0; tile < tiles; tile += 1) {
      const rows = Math.min(TILE_ROWS, this.rows - tile * TILE_ROWS);
      const tile_bits = this.#tileScaleBits(tile, rows);
      for (let index = 0; index < rows * groups; index += 1) {
        const row = tile * TILE_ROWS + Math.floor(index / groups);
        const column = (index % groups) * this.scale.group_columns;
        result[scaleIndex(this.#layout, this.scale, row, column)] = bf16ToNumber(tile_bits[index] ?? 0);
      }
    }
    return result;
  }
}

function putBlock(words: Uint32Array, at: number, code: number, scale_bits: number): void {
  const { factors, signs } = CODE_WORDS;
  words[at] = scale_bits * (factors[code * 2] ?? 0) + (signs[code * 2] ?? 0);
  words[at + 1] = scale_bits * (factors[code * 2 + 1] ?? 0) + (signs[code * 2 + 1] ?? 0);
}

/** Zeroes the blocks of a chunk from `blocks` on: columns that do not exist. */
function clearBlocks(chunk: Uint8Array, blocks: number): void {
  chunk.fill(0, blocks * VECTOR_BYTES, CHUNK_SIGNS_OFFSET);
  const kept_signs = (0xff << (CHUNK_BLOCKS - blocks)) & 0xff;
  for (let byte = CHUNK_SIGNS_OFFSET; byte < CHUNK_BYTES; byte += 1)
    chunk[byte] = (chunk[byte] ?? 0) & kept_signs;
}

/** Zeroes the codes of a tile's rows from `rows` on: rows that do not exist. */
function clearRows(tile: Uint8Array, rows: number): void {
  for (let at = 0; at < tile.length; at += 1) {
    const in_chunk = at % CHUNK_BYTES;
    const row = ROW_OF_BYTE[in_chunk % VECTOR_BYTES] ?? 0;
    const is_first_signs = in_chunk < CHUNK_SIGNS_OFFSET + VECTOR_BYTES;
    const kept =
      in_chunk < CHUNK_SIGNS_OFFSET
        ? (row < rows ? 0x0f : 0) | (row + 32 < rows ? 0xf0 : 0)
        : (is_first_signs ? row : row + 32) < rows
          ? 0xff
          : 0;
    tile[at] = (tile[at] ?? 0) & kept;
  }
}
