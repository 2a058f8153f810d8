/**
 * A tensor's bytes back to numbers, for inspection and tests: every weight is looked up on its own, plainly, straight
 * from the layout's definition. Nothing that computes text goes through here.
 */
import { SherryError } from "../errors.ts";
import { type ColumnOrder, originalColumn } from "./column-order.ts";
import {
  INT4_CHUNK_BYTES,
  INT4_GROUP_COLUMNS,
  INT4_OFFSET,
  INT4_TILE_ROWS,
  int4Layout,
  int4Place,
  int4ScaleIndex,
} from "./int4-layout.ts";
import {
  BLOCK_COLUMNS,
  byteOfRow,
  CHUNK_BYTES,
  CHUNK_COLUMNS,
  CHUNK_SIGNS_OFFSET,
  decodeCode,
  elementBytes,
  type FloatElement,
  isDense,
  Q8_GROUP_COLUMNS,
  q8Layout,
  type ScaleDescription,
  scaleIndex,
  sherryLayout,
  signBit,
  type TensorDescription,
  TILE_ROWS,
  tensorBytes,
  VECTOR_BYTES,
} from "./layout.ts";
import {
  Q6K_BLOCK_COLUMNS,
  Q6K_CODES_BYTES,
  Q6K_OFFSET,
  Q6K_SUB_COLUMNS,
  Q6K_SUB_SCALES,
  q6kCode,
  q6kLayout,
  q6kSubScalePlace,
} from "./q6k-layout.ts";
import { SPLIT8_MAGNITUDE_MAX, split8Dithers, split8Layout, split8Place } from "./split8-layout.ts";

/** The number stored at byte `offset`, little-endian; f16 and bf16 widen to f32 exactly. */
export function readElement(view: DataView, offset: number, element: FloatElement): number {
  switch (element) {
    case "f32":
      return view.getFloat32(offset, true);
    case "f16":
      return view.getFloat16(offset, true);
    case "bf16":
      return widenBf16(view.getUint16(offset, true));
  }
}

/**
 * All weights of a tensor, [rows][columns] row after row, columns in the original matrix's order; the caller owns the
 * result. For `sherry` a weight is f32(scale) times -1, 0 or +1, with +0 for zeros; for `q8` and `int4` it is value times
 * f32(scale), for `q6k` f32(scale) * sub-scale * (code - 32), all of which f32 holds exactly; for `split8` value times
 * scale, rounded to f32.
 * @param bytes exactly the tensor's bytes.
 * @throws SherryError argument_invalid when their count does not match the description.
 */
export function unpackTensor(tensor: TensorDescription, bytes: Uint8Array): Float32Array {
  const { kind, shape, scale, column_order } = tensor;
  const expected = tensorBytes(tensor);
  if (bytes.length !== expected) {
    throw new SherryError("argument_invalid", `the bytes of the ${kind} tensor [${shape.join(", ")}]`, {
      expected: String(expected),
      received: String(bytes.length),
    });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [rows, columns] = shape.length === 2 ? shape : [1, shape[0]];
  if (isDense(kind)) return unpackDense(view, rows * columns, kind);
  switch (kind) {
    case "sherry":
      // tensorBytes has seen that both are there.
      return unpackSherry(view, rows, columns, scale as ScaleDescription, column_order as ColumnOrder);
    case "q8":
      return unpackQ8(view, rows, columns);
    case "q6k":
      return unpackQ6k(bytes, view, rows, columns);
    case "int4":
      return unpackInt4(view, rows, columns);
    case "split8":
      return unpackSplit8(view, rows, columns);
  }
}

function unpackDense(view: DataView, length: number, element: FloatElement): Float32Array {
  const weights = new Float32Array(length);
  for (let index = 0; index < length; index += 1) {
    weights[index] = readElement(view, index * elementBytes(element), element);
  }
  return weights;
}

function unpackSherry(
  view: DataView,
  rows: number,
  columns: number,
  scale: ScaleDescription,
  order: ColumnOrder,
): Float32Array {
  const layout = sherryLayout({ rows, columns, ...scale });
  const weights = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += BLOCK_COLUMNS) {
      const tile = Math.floor(row / TILE_ROWS);
      const chunk = Math.floor(column / CHUNK_COLUMNS);
      const chunk_offset = (tile * layout.chunks + chunk) * CHUNK_BYTES;
      const block = (column % CHUNK_COLUMNS) / BLOCK_COLUMNS;
      const byte = byteOfRow(row % TILE_ROWS);
      const half = Math.floor((row % TILE_ROWS) / 32);
      const nibbles = view.getUint8(chunk_offset + block * VECTOR_BYTES + byte);
      const signs = view.getUint8(chunk_offset + CHUNK_SIGNS_OFFSET + half * VECTOR_BYTES + byte);
      const signed = decodeCode((nibbles >> (4 * half)) & 15, (signs >> signBit(block)) & 1);
      const scale_offset =
        layout.scales_offset + scaleIndex(layout, scale, row, column) * elementBytes(scale.element);
      const magnitude = readElement(view, scale_offset, scale.element);
      signed.forEach((sign, position) => {
        weights[row * columns + originalColumn(order, column + position)] = sign === 0 ? 0 : sign * magnitude;
      });
    }
  }
  return weights;
}

function unpackQ8(view: DataView, rows: number, columns: number): Float32Array {
  const layout = q8Layout({ rows, columns });
  const weights = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const group = row * layout.groups + Math.floor(column / Q8_GROUP_COLUMNS);
      const scale = view.getFloat16(layout.scales_offset + group * elementBytes("f16"), true);
      weights[row * columns + column] = view.getInt8(row * layout.padded_columns + column) * scale;
    }
  }
  return weights;
}

function unpackQ6k(bytes: Uint8Array, view: DataView, rows: number, columns: number): Float32Array {
  const layout = q6kLayout({ rows, columns });
  const weights = new Float32Array(rows * columns);
  for (let index = 0; index < weights.length; index += 1) {
    // A row is a whole number of blocks, so that blocks can be counted through.
    const block = Math.floor(index / Q6K_BLOCK_COLUMNS);
    const column = index % Q6K_BLOCK_COLUMNS;
    const scale = view.getFloat16(layout.scales_offset + block * 2, true);
    const place = q6kSubScalePlace(Math.floor(column / Q6K_SUB_COLUMNS));
    const sub_scale = view.getInt8(layout.sub_scales_offset + block * Q6K_SUB_SCALES + place);
    weights[index] = scale * sub_scale * (q6kCode(bytes, block * Q6K_CODES_BYTES, column) - Q6K_OFFSET);
  }
  return weights;
}

function unpackInt4(view: DataView, rows: number, columns: number): Float32Array {
  const layout = int4Layout({ rows, columns });
  const weights = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const group = Math.floor(column / INT4_GROUP_COLUMNS);
      const chunk = Math.floor(row / INT4_TILE_ROWS) * layout.groups + group;
      const { byte, shift } = int4Place(row % INT4_TILE_ROWS, column % INT4_GROUP_COLUMNS);
      const nibble = (view.getUint8(chunk * INT4_CHUNK_BYTES + byte) >> shift) & 15;
      const scale = view.getFloat16(layout.scales_offset + int4ScaleIndex(layout, row, group) * 2, true);
      weights[row * columns + column] = (nibble - INT4_OFFSET) * scale;
    }
  }
  return weights;
}

function unpackSplit8(view: DataView, rows: number, columns: number): Float32Array {
  const layout = split8Layout({ rows, columns });
  const dithers = split8Dithers(columns);
  const weights = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row += 1) {
    const scale = view.getFloat32(layout.scales_offset + row * 4, true);
    for (let column = 0; column < columns; column += 1) {
      const { byte, shift } = split8Place(column);
      const high = (view.getUint8(row * layout.row_bytes + byte) >> shift) & 15;
      const low = (view.getUint8(layout.low_offset + row * layout.row_bytes + byte) >> shift) & 15;
      const value = 16 * high + low - SPLIT8_MAGNITUDE_MAX - (dithers[column] ?? 0);
      weights[row * columns + column] = value * scale;
    }
  }
  return weights;
}

const widening = new DataView(new ArrayBuffer(4));

/** A bf16 is the upper half of an f32. */
function widenBf16(bits: number): number {
  widening.setUint32(0, bits * 65_536);
  return widening.getFloat32(0);
}
