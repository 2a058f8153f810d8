/**
 * Rows of a GGUF tensor in Hugging Face's order. A llama's query and key rows come permuted: within a head, the two
 * halves of a rotary pair (j and j + head_dim / 2 with Hugging Face) lie side by side (2 j and 2 j + 1). Undoing that
 * moves whole rows, so it is the same for every tensor type.
 * Source: llama.cpp's converter (LlamaModel.permute: [heads][2][head_dim / 2] rows to [heads][head_dim / 2][2]).
 */
import { SherryError } from "../../errors.ts";
import type { GgufTensor } from "./part.ts";

/** The row of the GGUF tensor that holds row `row` of the Hugging Face one. @param head_dim even */
export function storedRow(row: number, head_dim: number): number {
  const within = row % head_dim;
  const half = head_dim / 2;
  return row - within + 2 * (within % half) + Math.floor(within / half);
}

/** The inverse of storedRow. */
export function huggingFaceRow(stored_row: number, head_dim: number): number {
  const within = stored_row % head_dim;
  return stored_row - within + (within % 2) * (head_dim / 2) + Math.floor(within / 2);
}

/** Rows and columns of a matrix; a vector is one row. @throws SherryError checkpoint_unsupported for more dimensions */
export function matrixOf(tensor: GgufTensor): { readonly rows: number; readonly columns: number } {
  const [columns = 0, rows = 1, ...more] = tensor.dimensions;
  if (more.every((size) => size === 1)) return { rows, columns };
  throw new SherryError("checkpoint_unsupported", `${tensor.file_name}: tensor ${tensor.name}`, {
    expected: "a matrix or a vector",
    received: `[${tensor.dimensions.join(", ")}]`,
    next_step: "Mixtures of experts are not supported",
  });
}

/**
 * The blocks of rows `first_row` .. `first_row + row_count`, counted and ordered as Hugging Face does.
 * @param head_dim the size of a head when the tensor's rows are permuted as a llama's q and k are, else null
 * @returns fresh bytes, row after row
 * @throws SherryError argument_invalid for rows outside; checkpoint_invalid when the rows are no whole heads;
 *   format_invalid | file_unreadable from reading
 */
export function readRows(
  tensor: GgufTensor,
  first_row: number,
  row_count: number,
  head_dim: number | null,
): Uint8Array {
  const { rows } = matrixOf(tensor);
  if (first_row < 0 || row_count < 1 || first_row + row_count > rows) {
    throw new SherryError("argument_invalid", `rows of tensor ${tensor.name}`, {
      expected: `some of 0 to ${rows - 1}`,
      received: `${row_count} from ${first_row} on`,
    });
  }
  const row_bytes = tensor.bytes / rows;
  const read = (row: number, count: number) =>
    tensor.source.read(tensor.offset + row * row_bytes, count * row_bytes);
  if (head_dim === null) return read(first_row, row_count);
  if (head_dim % 2 !== 0 || rows % head_dim !== 0) {
    throw new SherryError("checkpoint_invalid", `${tensor.file_name}: rows of tensor ${tensor.name}`, {
      expected: `a multiple of the head's ${head_dim}, which is even`,
      received: String(rows),
    });
  }
  // The rows of a head are spread over all of it, so whole heads are read.
  const span_start = first_row - (first_row % head_dim);
  const span_end = Math.ceil((first_row + row_count) / head_dim) * head_dim;
  const span = read(span_start, span_end - span_start);
  const result = new Uint8Array(row_count * row_bytes);
  for (let index = 0; index < row_count; index += 1) {
    const from = (storedRow(first_row + index, head_dim) - span_start) * row_bytes;
    result.set(span.subarray(from, from + row_bytes), index * row_bytes);
  }
  return result;
}
