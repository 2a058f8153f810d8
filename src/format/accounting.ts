/**
 * What a tensor's bytes are spent on: codes, scales, padding. Counted in bits, because five bits a block need not fill
 * whole bytes; the sum of the three is always eight times the tensor's bytes.
 */
import type { TensorEntry } from "./directory.ts";
import { INT4_GROUP_COLUMNS } from "./int4-layout.ts";
import {
  BLOCK_COLUMNS,
  elementBytes,
  isDense,
  q8Layout,
  sherryLayout,
  type TensorDescription,
  tensorBytes,
} from "./layout.ts";
import { Q6K_BLOCK_COLUMNS, Q6K_SUB_COLUMNS } from "./q6k-layout.ts";

export interface TensorCost {
  readonly weights: number;
  /** The weights themselves: five bits a block of `sherry`; a byte, six bits, four bits or an element each. */
  readonly code_bits: number;
  /** Scales that weights use, sub-scales among them. */
  readonly scale_bits: number;
  /** Codes, values and scales of rows and columns that do not exist, and the bytes between parts of the tensor. */
  readonly padding_bits: number;
}

const BITS_OF_CODES = { sherry: 5 / BLOCK_COLUMNS, q8: 8, q6k: 6, int4: 4, split8: 8 } as const;

/** @throws SherryError argument_invalid for an impossible description. */
export function tensorCost(tensor: TensorDescription): TensorCost {
  const { kind, shape } = tensor;
  const total_bits = tensorBytes(tensor) * 8;
  const [rows, columns = 1] = shape;
  const weights = rows * columns;
  if (isDense(kind)) return { weights, code_bits: total_bits, scale_bits: 0, padding_bits: 0 };
  const code_bits = weights * BITS_OF_CODES[kind];
  const scale_bits = usedScaleBits(tensor, rows, columns);
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

function usedScaleBits({ kind, scale }: TensorDescription, rows: number, columns: number): number {
  if (scale !== null) {
    const { groups } = sherryLayout({ rows, columns, ...scale });
    return (scale.granularity === "tensor" ? 1 : rows * groups) * elementBytes(scale.element) * 8;
  }
  if (kind === "q6k")
    return rows * (columns / Q6K_BLOCK_COLUMNS) * 16 + (rows * columns * 8) / Q6K_SUB_COLUMNS;
  if (kind === "split8") return rows * 32;
  if (kind === "int4") return rows * Math.ceil(columns / INT4_GROUP_COLUMNS) * 16;
  return rows * q8Layout({ rows, columns }).groups * 16;
}
