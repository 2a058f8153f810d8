/**
 * What a tensor's bytes are spent on: codes, scales, padding. Counted in bits, because five bits a block need not fill
 * whole bytes; the sum of the three is always eight times the tensor's bytes.
 */
import type { TensorEntry } from "./directory.ts";
import {
  BLOCK_COLUMNS,
  elementBytes,
  q8Layout,
  sherryLayout,
  type TensorDescription,
  tensorBytes,
} from "./layout.ts";

export interface TensorCost {
  readonly weights: number;
  /** The weights themselves: five bits a block, a byte (`q8`) or an element each. */
  readonly code_bits: number;
  /** Scales that weights use. */
  readonly scale_bits: number;
  /** Codes, values and scales of rows and columns that do not exist, and the bytes between parts of the tensor. */
  readonly padding_bits: number;
}

/** @throws SherryError argument_invalid for an impossible description. */
export function tensorCost(tensor: TensorDescription): TensorCost {
  const { kind, shape, scale } = tensor;
  const total_bits = tensorBytes(tensor) * 8;
  const [rows, columns = 1] = shape;
  const weights = rows * columns;
  if (kind !== "sherry" && kind !== "q8") {
    return { weights, code_bits: total_bits, scale_bits: 0, padding_bits: 0 };
  }
  const code_bits = kind === "q8" ? weights * 8 : (weights / BLOCK_COLUMNS) * 5;
  const scale_bits = usedScaleBytes(rows, columns, scale) * 8;
  return { weights, code_bits, scale_bits, padding_bits: total_bits - code_bits - scale_bits };
}

/** The sums over several tensors. */
export function totalCost(tensors: readonly TensorDescription[]): TensorCost {
  return tensors.map(tensorCost).reduce(
    (sum, cost) => ({
      weights: sum.weights + cost.weights,
      code_bits: sum.code_bits + cost.code_bits,
      scale_bits: sum.scale_bits + cost.scale_bits,
      padding_bits: sum.padding_bits + cost.padding_bits,
    }),
    { weights: 0, code_bits: 0, scale_bits: 0, padding_bits: 0 },
  );
}

/** The seven linear layers of each decoder block: what Sherry quantizes. Embedding, norms and head are not among them. */
export function isLinear(tensor: Pick<TensorEntry, "name">): boolean {
  return /\.(?:q|k|v|o|gate|up|down)_proj\.weight$/.test(tensor.name);
}

function usedScaleBytes(rows: number, columns: number, scale: TensorDescription["scale"]): number {
  if (scale === null) return rows * q8Layout({ rows, columns }).groups * elementBytes("f16");
  const { groups } = sherryLayout({ rows, columns, ...scale });
  return (scale.granularity === "tensor" ? 1 : rows * groups) * elementBytes(scale.element);
}
