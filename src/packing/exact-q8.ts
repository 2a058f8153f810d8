/**
 * GGUF blocks whose weights are a small integer times one f16 scale, as `q8` without loss: the same scale (once for each
 * 32 columns of a longer block) and the same integers. Q8_0 is what `q8` is, so its bytes are taken over as they are.
 */
import { SherryError } from "../errors.ts";
import { Q8_GROUP_COLUMNS, q8Layout } from "../format/layout.ts";
import { decodeRows } from "./gguf/decode.ts";
import type { GgufModelTensor } from "./gguf/model.ts";
import { blockSize, type GgufTensorType } from "./gguf/tensor-types.ts";
import type { Advance } from "./row-tiles.ts";
import type { PreparedTensor, Sink } from "./tensor-writers.ts";

/** Where the f16 scale of each such type lies in its block. */
const SCALE_OFFSETS: Readonly<Partial<Record<GgufTensorType, number>>> = {
  Q8_0: 0,
  Q4_0: 0,
  STQ1_0: 40,
  TQ1_0: 52,
  TQ2_0: 64,
};
/** f16 bits from this on are infinite, NaN or negative. */
const F16_INFINITY_BITS = 0x7c00;
const F16_SIGN = 0x8000;
/** Weights of the rows that are read at once, unless one row has more. */
const PIECE_WEIGHTS = 262_144;

export function hasExactQ8(type: GgufTensorType): boolean {
  return SCALE_OFFSETS[type] !== undefined;
}

/** @param tensor of a type that hasExactQ8 */
export function prepareExactQ8(tensor: GgufModelTensor): PreparedTensor {
  return {
    kind: "q8",
    scale: null,
    on_grid: null,
    keeps_blocks: true,
    write: (sink, _statistics, advance) => writeExactQ8(tensor, sink, advance),
  };
}

/** Values as the rows come, then all scales: memory is a few rows and the tensor's scales. */
async function writeExactQ8(tensor: GgufModelTensor, sink: Sink, advance: Advance): Promise<void> {
  const { rows, columns } = tensor;
  const layout = q8Layout({ rows, columns });
  const scales = new Uint16Array(rows * layout.groups);
  const piece_rows = Math.max(1, Math.floor(PIECE_WEIGHTS / columns));
  for (let row = 0; row < rows; row += piece_rows) {
    const row_count = Math.min(piece_rows, rows - row);
    const blocks = tensor.readBlocks(row, row_count);
    const row_scales = scales.subarray(row * layout.groups, (row + row_count) * layout.groups);
    const values = new Int8Array(row_count * columns);
    if (tensor.type === "Q8_0") takeBlocks(tensor, row, blocks, values, row_scales);
    else splitBlocks(tensor, row, blocks, values, row_scales);
    sink(new Uint8Array(values.buffer));
    await advance(values.length);
  }
  if (layout.scales_offset > layout.values_bytes) {
    sink(new Uint8Array(layout.scales_offset - layout.values_bytes));
  }
  sink(new Uint8Array(scales.buffer));
}

/** Integers and scales of Q8_0 blocks, bit for bit. @throws SherryError for a scale that `q8` does not allow */
function takeBlocks(
  tensor: GgufModelTensor,
  row: number,
  blocks: Uint8Array,
  values: Int8Array,
  scales: Uint16Array,
): void {
  const { bytes: block_bytes } = blockSize("Q8_0");
  for (let group = 0; group < scales.length; group += 1) {
    const start = group * block_bytes;
    const bits = (blocks[start] ?? 0) | ((blocks[start + 1] ?? 0) << 8);
    if (bits >= F16_INFINITY_BITS) throw refuseScale(bits, tensor, row, group * Q8_GROUP_COLUMNS);
    scales[group] = bits;
    const integers = blocks.subarray(start + 2, start + block_bytes);
    values.set(
      new Int8Array(integers.buffer, integers.byteOffset, integers.length),
      group * Q8_GROUP_COLUMNS,
    );
  }
}

/**
 * The scale is read from the block, the integers are the decoded weights divided by it: both exact, as no integer needs
 * more than four bits. A negative scale goes over to the integers.
 */
function splitBlocks(
  tensor: GgufModelTensor,
  row: number,
  blocks: Uint8Array,
  values: Int8Array,
  scales: Uint16Array,
): void {
  const { type, columns } = tensor;
  const block = blockSize(type);
  const scale_offset = SCALE_OFFSETS[type] ?? 0;
  const weights = new Float32Array(values.length);
  decodeRows(blocks, type, columns, weights);
  const view = new DataView(blocks.buffer, blocks.byteOffset, blocks.byteLength);
  for (let column = 0; column < weights.length; column += block.columns) {
    const scale_at = (column / block.columns) * block.bytes + scale_offset;
    const bits = view.getUint16(scale_at, true);
    if ((bits & ~F16_SIGN) >= F16_INFINITY_BITS) throw refuseScale(bits, tensor, row, column);
    const scale = view.getFloat16(scale_at, true);
    const first_group = column / Q8_GROUP_COLUMNS;
    scales.fill(bits & ~F16_SIGN, first_group, first_group + block.columns / Q8_GROUP_COLUMNS);
    if (scale === 0) continue;
    const magnitude = Math.abs(scale);
    for (let index = column; index < column + block.columns; index += 1) {
      values[index] = (weights[index] ?? 0) / magnitude;
    }
  }
}

/** @param column counted on from the first column of row `row` */
function refuseScale(bits: number, tensor: GgufModelTensor, row: number, column: number): SherryError {
  const { name, type, columns } = tensor;
  const place = `tensor ${name}, row ${row + Math.floor(column / columns)}, column ${column % columns}: scale of ${type}`;
  const received = `the f16 bits 0x${bits.toString(16).padStart(4, "0")}`;
  if ((bits & F16_INFINITY_BITS) === F16_INFINITY_BITS) {
    return new SherryError("numbers_not_finite", place, {
      expected: "a finite number",
      received,
      next_step: "The file is damaged; get it again",
    });
  }
  return new SherryError("checkpoint_unsupported", place, {
    expected: "a number that is not negative",
    received,
    next_step: "No known encoder writes such a scale; store this tensor as f16",
  });
}
