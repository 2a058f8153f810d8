/**
 * Matrix products y = x W^T, one native function for each kind of weight, with the checks on this side of the boundary.
 *
 * Legend: B tokens, K in_features, R out_features.
 */
import type { Pointer } from "bun:ffi";
import { SherryError } from "../errors.ts";
import { library } from "./library.ts";
import { need } from "./ranges.ts";
import { checkStatus } from "./status.ts";
import {
  type BlockWeight,
  type DenseWeight,
  ELEMENT_CODES,
  GRANULARITY_CODES,
  type LinearInput,
  type LinearWeight,
  type NativeRange,
  preparedOrderOf,
  type Q8Weight,
  type SherryWeight,
  type Split8Weight,
} from "./weight.ts";

/** What all products need beside their weight. */
interface Call {
  readonly context: Pointer;
  readonly input: LinearInput;
  readonly tokens: number;
  /** f32 [B][R] */
  readonly out: Pointer;
}

/** y f32 [B][R] = input [B][K] times weight^T, computed by `context`. */
export function multiply(
  context: Pointer,
  weight: LinearWeight,
  input: LinearInput,
  tokens: number,
  y: NativeRange,
): void {
  const call = { context, input, tokens, out: need("linear: y", y, tokens * weight.rows * 4) };
  checkStatus(run(weight, call), `${weight.kind} matrix product`);
}

function run(weight: LinearWeight, call: Call): number {
  switch (weight.kind) {
    case "sherry":
      return multiplySherry(weight, call);
    case "q8":
    case "q6k":
    case "int4":
    case "split8":
      return multiplyBlocks(weight, call);
    case "f32":
    case "f16":
    case "bf16":
      return multiplyDense(weight, call);
  }
}

function multiplySherry(weight: SherryWeight, { context, input, tokens, out }: Call): number {
  const { range, rows, columns, granularity, group_columns, scale_element } = weight;
  const prepared = preparedOf(weight, input);
  return library().symbols.sherry_linear_sherry(
    context,
    range.address,
    range.bytes,
    rows,
    columns,
    GRANULARITY_CODES[granularity],
    group_columns,
    ELEMENT_CODES[scale_element],
    prepared.address,
    prepared.bytes,
    tokens,
    out,
  );
}

/** Kinds whose bytes follow from rows and columns alone. */
function multiplyBlocks(
  weight: Q8Weight | BlockWeight | Split8Weight,
  { context, input, tokens, out }: Call,
): number {
  const { kind, range, rows, columns } = weight;
  const prepared = preparedOf(weight, input);
  const symbol = `sherry_linear_${kind}` as const;
  return library().symbols[symbol](
    context,
    range.address,
    range.bytes,
    rows,
    columns,
    prepared.address,
    prepared.bytes,
    tokens,
    out,
  );
}

function multiplyDense(weight: DenseWeight, { context, input, tokens, out }: Call): number {
  const { range, rows, columns } = weight;
  const x = need("linear: x", input.x, tokens * columns * 4);
  const element = ELEMENT_CODES[weight.kind];
  return library().symbols.sherry_linear_dense(
    context,
    range.address,
    range.bytes,
    element,
    rows,
    columns,
    x,
    tokens,
    out,
  );
}

function preparedOf(weight: LinearWeight, input: LinearInput): NativeRange {
  const order = preparedOrderOf(weight);
  const received = input.prepared === null ? "none" : (input.column_order ?? "natural");
  if (input.prepared !== null && received === order) return input.prepared;
  throw new SherryError("internal", `${weight.kind} matrix product`, {
    expected: `prepared activations in ${order} order`,
    received,
  });
}
