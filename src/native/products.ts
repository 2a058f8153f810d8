/**
 * Matrix products y = x W^T, one native function for each kind of weight, with the checks on this side of the boundary.
 *
 * Legend: B tokens, K in_features, R out_features.
 */
import { SherryError } from "../errors.ts";
import type { CallValues, ListedSymbol } from "./call-list.ts";
import { need } from "./ranges.ts";
import {
  ELEMENT_CODES,
  GRANULARITY_CODES,
  type LinearInput,
  type LinearWeight,
  type NativeRange,
  preparedOrderOf,
} from "./weight.ts";

/** What makes a call or writes it down. */
export type LinearCall = <S extends LinearSymbol>(symbol: S, values: CallValues<S>) => void;

/** The functions that multiply. */
type LinearSymbol = Extract<ListedSymbol, `sherry_linear_${string}`>;

/** y f32 [B][R] = input [B][K] times weight^T, by one call. */
export function multiply(
  call: LinearCall,
  weight: LinearWeight,
  input: LinearInput,
  tokens: number,
  y: NativeRange,
): void {
  const out = need("linear: y", y, tokens * weight.rows * 4);
  const { range, rows, columns } = weight;
  const { address, bytes } = range;
  switch (weight.kind) {
    case "sherry": {
      const prepared = preparedOf(weight, input);
      const { granularity, group_columns, scale_element } = weight;
      call("sherry_linear_sherry", [
        address,
        bytes,
        rows,
        columns,
        GRANULARITY_CODES[granularity],
        group_columns,
        ELEMENT_CODES[scale_element],
        prepared.address,
        prepared.bytes,
        tokens,
        out,
      ]);
      break;
    }
    case "q8":
    case "q6k":
    case "int4":
    case "split8": {
      const prepared = preparedOf(weight, input);
      const values = [address, bytes, rows, columns, prepared.address, prepared.bytes, tokens, out] as const;
      call(`sherry_linear_${weight.kind}`, values);
      break;
    }
    case "f32":
    case "f16":
    case "bf16": {
      const x = need("linear: x", input.x, tokens * columns * 4);
      const element = ELEMENT_CODES[weight.kind];
      call("sherry_linear_dense", [address, bytes, element, rows, columns, x, tokens, out]);
      break;
    }
  }
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
