/**
 * STQ1_0, the GGUF tensor type that Sherry models ship in, to our codes and back, without loss. A block is 256 weights
 * of a row in 42 bytes: 64 groups of four with five bits each, and one scale d in f16.
 * Source: llama.cpp pull request 22836 (format and codebook).
 *
 * What is kept, and why it is all there is: the codebook's 32 entries are the 32 different 3:4-sparse blocks of four, so
 * every five bits mean exactly one code of ours and the other way round; there are no patterns that only a broken encoder
 * would write. The groups keep their order, so that group g of a block is our block g: what changes is which original
 * columns it speaks of (`originalColumn`). d is kept as its sixteen bits; a zero d keeps the codes under it, too. A d
 * with its sign bit set (minus zero included), an infinity or a NaN cannot be a scale of ours, which is finite and not
 * negative, and no encoder writes one (d is a maximum, or a mean, of magnitudes): those are refused.
 */
import { SherryError } from "../../errors.ts";
import { decodeCode } from "../../format/layout.ts";

/** Columns of a block, and of the packed tensor's scale groups. */
export const STQ1_COLUMNS = 256;
export const STQ1_BYTES = 42;
/** Groups of four in a block. */
export const STQ1_GROUPS = 64;
const GROUP_COLUMNS = 4;
const SIGNS_OFFSET = 32;
const SCALE_OFFSET = 40;
/** Lane p of the groups of a chunk lies 16 p columns behind lane 0. */
const CHUNK_GROUPS = 16;
const CHUNK_COLUMNS = CHUNK_GROUPS * GROUP_COLUMNS;

/** f16 bits from this on are infinite, NaN or negative. */
const F16_INFINITY_BITS = 0x7c00;

/**
 * Codes of a run of blocks. `codes`: one byte for each group of four, group after group, block after block [blocks * 64]:
 * our index (0..15), plus 16 when the first nonzero weight is negative. `scales`: f16 bits [blocks].
 */
export interface Stq1Codes {
  readonly codes: Uint8Array;
  readonly scales: Uint16Array;
}

/**
 * The codebook, index = sign << 4 | code: lane p in bits 2p and 2p + 1, as 0, 1, 2 for -1, 0, +1. The second half is the
 * first one negated.
 */
const CODEBOOK: readonly number[] = [
  0xa9, 0x89, 0x29, 0x09, 0xa6, 0x86, 0x26, 0x06, 0x9a, 0x92, 0x1a, 0x12, 0x6a, 0x62, 0x4a, 0x42, 0x01, 0x21,
  0x81, 0xa1, 0x04, 0x24, 0x84, 0xa4, 0x10, 0x18, 0x90, 0x98, 0x40, 0x48, 0x60, 0x68,
];

/** The four weights (-1, 0, +1) of a codebook entry. @param entry 0..31 */
export function codebookWeights(entry: number): [number, number, number, number] {
  const packed = CODEBOOK[entry] ?? 0;
  return [(packed & 3) - 1, ((packed >> 2) & 3) - 1, ((packed >> 4) & 3) - 1, ((packed >> 6) & 3) - 1];
}

/** Our code (index | negative << 4) of each codebook entry, and the entry of each code: found by their weights. */
const CODE_OF_ENTRY = new Uint8Array(32);
const ENTRY_OF_CODE = new Uint8Array(32);
for (let entry = 0; entry < 32; entry += 1) {
  const weights = codebookWeights(entry).join();
  for (let code = 0; code < 32; code += 1) {
    if (decodeCode(code & 15, code >> 4).join() !== weights) continue;
    CODE_OF_ENTRY[entry] = code;
    ENTRY_OF_CODE[code] = entry;
  }
}

/** Our code (index | negative << 4) of a codebook entry (sign << 4 | code). */
export function codeOfEntry(entry: number): number {
  return CODE_OF_ENTRY[entry & 31] ?? 0;
}

/** The inverse of codeOfEntry. */
export function entryOfCode(code: number): number {
  return ENTRY_OF_CODE[code & 31] ?? 0;
}

/** The column of the original matrix that a column of the packed one holds. */
export function originalColumn(packed_column: number): number {
  const within = packed_column % STQ1_COLUMNS;
  const group = Math.floor(within / GROUP_COLUMNS);
  const chunk = Math.floor(group / CHUNK_GROUPS);
  const lane = within % GROUP_COLUMNS;
  return packed_column - within + chunk * CHUNK_COLUMNS + (group % CHUNK_GROUPS) + CHUNK_GROUPS * lane;
}

/** The inverse of originalColumn. */
export function packedColumn(original_column: number): number {
  const within = original_column % STQ1_COLUMNS;
  const chunk = Math.floor(within / CHUNK_COLUMNS);
  const group = chunk * CHUNK_GROUPS + (within % CHUNK_GROUPS);
  const lane = Math.floor((within % CHUNK_COLUMNS) / CHUNK_GROUPS);
  return original_column - within + GROUP_COLUMNS * group + lane;
}

/**
 * @param blocks a whole number of blocks
 * @param where names their place in a refusal, e.g. "tensor blk.0.attn_q.weight, row 3"
 * @returns fresh arrays that the caller owns
 * @throws SherryError argument_invalid for a broken block, numbers_not_finite or checkpoint_unsupported for a scale
 *   that cannot be kept
 */
export function blocksToCodes(blocks: Uint8Array, where: string): Stq1Codes {
  const count = wholeBlocks(blocks.length, STQ1_BYTES, "bytes of STQ1_0 blocks");
  const codes = new Uint8Array(count * STQ1_GROUPS);
  const scales = new Uint16Array(count);
  for (let block = 0; block < count; block += 1) {
    const start = block * STQ1_BYTES;
    for (let group = 0; group < STQ1_GROUPS; group += 1) {
      const nibbles = blocks[start + (group >> 1)] ?? 0;
      const code = group % 2 === 0 ? nibbles & 15 : nibbles >> 4;
      const sign = ((blocks[start + SIGNS_OFFSET + (group >> 3)] ?? 0) >> (group & 7)) & 1;
      codes[block * STQ1_GROUPS + group] = CODE_OF_ENTRY[(sign << 4) | code] ?? 0;
    }
    const bits = (blocks[start + SCALE_OFFSET] ?? 0) | ((blocks[start + SCALE_OFFSET + 1] ?? 0) << 8);
    if (bits >= F16_INFINITY_BITS) throw refuseScale(bits, `${where}, block ${block}`);
    scales[block] = bits;
  }
  return { codes, scales };
}

/**
 * The inverse of blocksToCodes, byte for byte.
 * @throws SherryError argument_invalid when the counts do not fit together
 */
export function codesToBlocks({ codes, scales }: Stq1Codes): Uint8Array {
  const count = wholeBlocks(codes.length, STQ1_GROUPS, "codes");
  if (scales.length !== count) {
    throw new SherryError("argument_invalid", "scales of STQ1_0 blocks", {
      expected: String(count),
      received: String(scales.length),
    });
  }
  const blocks = new Uint8Array(count * STQ1_BYTES);
  const view = new DataView(blocks.buffer);
  for (let block = 0; block < count; block += 1) {
    const start = block * STQ1_BYTES;
    for (let group = 0; group < STQ1_GROUPS; group += 1) {
      const entry = ENTRY_OF_CODE[(codes[block * STQ1_GROUPS + group] ?? 0) & 31] ?? 0;
      const nibble_at = start + (group >> 1);
      const sign_at = start + SIGNS_OFFSET + (group >> 3);
      blocks[nibble_at] = (blocks[nibble_at] ?? 0) | ((entry & 15) << (group % 2 === 0 ? 0 : 4));
      blocks[sign_at] = (blocks[sign_at] ?? 0) | ((entry >> 4) << (group & 7));
    }
    view.setUint16(start + SCALE_OFFSET, scales[block] ?? 0, true);
  }
  return blocks;
}

function wholeBlocks(length: number, unit: number, what: string): number {
  if (length % unit === 0) return length / unit;
  throw new SherryError("argument_invalid", what, {
    expected: `a multiple of ${unit}`,
    received: String(length),
  });
}

function refuseScale(bits: number, where: string): SherryError {
  const is_finite = (bits & F16_INFINITY_BITS) !== F16_INFINITY_BITS;
  const shown = `the f16 bits 0x${bits.toString(16).padStart(4, "0")}`;
  if (is_finite) {
    return new SherryError("checkpoint_unsupported", `${where}: scale of STQ1_0`, {
      expected: "a number that is not negative",
      received: shown,
      next_step: "No known encoder writes such a scale; the file is probably damaged",
    });
  }
  return new SherryError("numbers_not_finite", `${where}: scale of STQ1_0`, {
    expected: "a finite number",
    received: shown,
    next_step: "The file is damaged; get it again",
  });
}
