/**
 * Encoders of tensors that share nothing with src/format: written from docs/format.md's tables, so that the two cannot be
 * wrong in the same way.
 */
import type { TensorDescription } from "../../src/format/directory.ts";

/** mulberry32 (T. Ettinger, public domain): the same numbers in [0, 1) for the same seed. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A tensor with its bytes and, where a test compares, the weights that they stand for. */
export interface SampleTensor extends TensorDescription {
  readonly name: string;
  readonly content: Uint8Array;
  readonly weights: Float32Array;
}

export type Scale = NonNullable<TensorDescription["scale"]>;

/** Rows of a tile in the order in which an index vector holds them, low nibbles; high nibbles are 32 rows further. */
const ROW_ORDER = [
  0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28,
  29, 30, 31,
];

const roundedUp = (value: number, multiple: number) => Math.ceil(value / multiple) * multiple;

/** Random weights on the 3:4 grid: of four neighbours, or of four that lie 16 columns apart. */
export function sherryTensor(
  name: string,
  rows: number,
  columns: number,
  scale: Scale,
  seed: number,
  column_order: "natural" | "strided" = "natural",
): SampleTensor {
  const random = randomNumbers(seed);
  const [padded_rows, chunks] = [roundedUp(rows, 64), Math.ceil(columns / 32)];
  const groups = scale.granularity === "group" ? Math.ceil(columns / scale.group_columns) : 1;
  const scales_offset = (padded_rows / 64) * chunks * 320;
  const scales_count = scale.granularity === "tensor" ? 1 : padded_rows * groups;
  const content = new Uint8Array(scales_offset + scales_count * (scale.element === "f32" ? 4 : 2));
  const scales = new Map<number, number>();
  const scaleOf = (row: number, column: number) => {
    const by_group =
      (Math.floor(row / 64) * groups + Math.floor(column / scale.group_columns)) * 64 + (row % 64);
    const index = { tensor: 0, channel: row, group: by_group }[scale.granularity];
    const known = scales.get(index) ?? writeFloat(content, scales_offset, index, scale.element, random());
    scales.set(index, known);
    return known;
  };
  const weights = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 4) {
      const magnitude = scaleOf(row, column);
      const zero = Math.floor(random() * 4);
      const signs = [0, 1, 2].map(() => random() < 0.5);
      const kept = [0, 1, 2, 3].filter((position) => position !== zero);
      kept.forEach((position, order) => {
        const packed = column + position;
        // Of 64 columns, 4 r + p is column r + 16 p of the original.
        const [r, p] = [(packed % 64) >> 2, packed % 4];
        const original = column_order === "natural" ? packed : packed - (packed % 64) + r + 16 * p;
        weights[row * columns + original] = signs[order] === true ? -magnitude : magnitude;
      });
      writeCode(content, { row, column, chunks, zero, signs });
    }
  }
  return { name, kind: "sherry", shape: [rows, columns], scale, column_order, content, weights };
}

function writeCode(
  content: Uint8Array,
  code: { row: number; column: number; chunks: number; zero: number; signs: boolean[] },
): void {
  const { row, column, chunks, zero, signs } = code;
  const chunk_offset = (Math.floor(row / 64) * chunks + Math.floor(column / 32)) * 320;
  const block = Math.floor((column % 32) / 4);
  const byte = ROW_ORDER.indexOf(row % 32);
  const high = row % 64 >= 32;
  const nibble = zero * 4 + (signs[1] !== signs[0] ? 2 : 0) + (signs[2] !== signs[0] ? 1 : 0);
  orInto(content, chunk_offset + block * 32 + byte, high ? nibble * 16 : nibble);
  orInto(content, chunk_offset + 256 + (high ? 32 : 0) + byte, signs[0] === true ? 128 >> block : 0);
}

function orInto(content: Uint8Array, offset: number, bits: number): void {
  content[offset] = (content[offset] ?? 0) | bits;
}

/** Writes a random-looking number and gives back what was really stored. */
function writeFloat(
  content: Uint8Array,
  offset: number,
  index: number,
  element: "f32" | "f16" | "bf16",
  value: number,
): number {
  const view = new DataView(content.buffer, content.byteOffset);
  if (element === "f32") {
    view.setFloat32(offset + index * 4, value, true);
    return view.getFloat32(offset + index * 4, true);
  }
  if (element === "f16") {
    view.setFloat16(offset + index * 2, value, true);
    return view.getFloat16(offset + index * 2, true);
  }
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0;
  view.setUint16(offset + index * 2, bits >>> 16, true);
  return new Float32Array(Uint32Array.of((bits >>> 16) << 16).buffer)[0] ?? 0;
}

export function q8Tensor(name: string, rows: number, columns: number, seed: number): SampleTensor {
  const random = randomNumbers(seed);
  const padded_columns = roundedUp(columns, 32);
  const scales_offset = roundedUp(rows * padded_columns, 64);
  const content = new Uint8Array(scales_offset + (rows * padded_columns) / 16);
  const weights = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row += 1) {
    for (let group = 0; group < padded_columns / 32; group += 1) {
      const index = row * (padded_columns / 32) + group;
      const scale = writeFloat(content, scales_offset, index, "f16", random());
      for (let column = group * 32; column < Math.min(columns, group * 32 + 32); column += 1) {
        const value = Math.floor(random() * 256) - 128;
        content[row * padded_columns + column] = value;
        weights[row * columns + column] = value * scale;
      }
    }
  }
  return { name, kind: "q8", shape: [rows, columns], scale: null, column_order: null, content, weights };
}

export function denseTensor(
  name: string,
  shape: TensorDescription["shape"],
  kind: "f32" | "f16" | "bf16",
  seed: number,
): SampleTensor {
  const random = randomNumbers(seed);
  const [rows, columns = 1] = shape;
  const content = new Uint8Array(rows * columns * (kind === "f32" ? 4 : 2));
  const weights = Float32Array.from({ length: rows * columns }, (_, index) =>
    writeFloat(content, 0, index, kind, random() * 2 - 1),
  );
  return { name, kind, shape, scale: null, column_order: null, content, weights };
}

/** A block of 256 columns as docs/format.md has it: 192 bytes of codes, sixteen sub-scales, one scale. */
export function q6kTensor(name: string, rows: number, columns: number, seed: number): SampleTensor {
  const random = randomNumbers(seed);
  const blocks = columns / 256;
  const sub_scales_offset = rows * blocks * 192;
  const scales_offset = roundedUp(sub_scales_offset + rows * blocks * 16, 64);
  const content = new Uint8Array(scales_offset + rows * blocks * 2);
  const weights = new Float32Array(rows * columns);
  for (let block = 0; block < rows * blocks; block += 1) {
    const scale = writeFloat(content, scales_offset, block, "f16", random() - 0.5);
    for (let column = 0; column < 256; column += 1) {
      const sixteenth = column >> 4;
      const place = sub_scales_offset + block * 16 + (sixteenth % 2) * 8 + (sixteenth >> 1);
      if (column % 16 === 0) content[place] = Math.floor(random() * 256);
      const sub_scale = ((content[place] ?? 0) << 24) >> 24;
      const code = Math.floor(random() * 64);
      const [half, within] = [column >> 7, column % 128];
      const vector = (number: number) => block * 192 + half * 96 + number * 32 + (within % 32);
      if (within < 96) orInto(content, vector(within >> 5), code);
      else for (const number of [0, 1, 2]) orInto(content, vector(number), ((code >> (2 * number)) & 3) << 6);
      weights[block * 256 + column] = scale * sub_scale * (code - 32);
    }
  }
  return { name, kind: "q6k", shape: [rows, columns], scale: null, column_order: null, content, weights };
}

/** Eight rows side by side, four columns of each in 32 bytes. */
export function int4Tensor(name: string, rows: number, columns: number, seed: number): SampleTensor {
  const random = randomNumbers(seed);
  const [tiles, groups] = [Math.ceil(rows / 8), Math.ceil(columns / 32)];
  const scales_offset = tiles * groups * 128;
  const content = new Uint8Array(scales_offset + tiles * groups * 16);
  const weights = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row += 1) {
    for (let group = 0; group < groups; group += 1) {
      const chunk = Math.floor(row / 8) * groups + group;
      const scale = writeFloat(content, scales_offset, chunk * 8 + (row % 8), "f16", random());
      for (let column = group * 32; column < Math.min(columns, group * 32 + 32); column += 1) {
        const nibble = Math.floor(random() * 16);
        const within = column % 16;
        const byte = chunk * 128 + (within >> 2) * 32 + (row % 8) * 4 + (within % 4);
        orInto(content, byte, column % 32 < 16 ? nibble : nibble << 4);
        weights[row * columns + column] = (nibble - 8) * scale;
      }
    }
  }
  return { name, kind: "int4", shape: [rows, columns], scale: null, column_order: null, content, weights };
}
