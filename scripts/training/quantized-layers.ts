/**
 * What a quantization means for a model's linear layers: whether the granularity fits their sizes, and how many bits a
 * weight takes as it would be stored.
 */
import { SherryError } from "../../src/errors.ts";
import type { Method, QuantizationConfig } from "./config-schema.ts";

export interface LinearSize {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
}

/**
 * Bits of a weight without its scale. sherry: 32 states of a block of four. absmean and twn: 1.67, as five bits for three
 * ternary weights (BitNet.cpp's TL2; the paper's figure). none: the f32 that is exported.
 */
const CODE_BITS: Readonly<Record<Method, number>> = {
  none: 32,
  sherry: 1.25,
  absmean: 5 / 3,
  twn: 5 / 3,
  binary: 1,
};
/** Scales of groups are stored as f16, those of rows and tensors as f32 (docs/format.md). */
const GROUP_SCALE_BITS = 16;
const WIDE_SCALE_BITS = 32;
const BLOCK = 4;

/** @throws SherryError argument_invalid, naming the setting and the layer */
export function checkLinearShapes(shapes: readonly LinearSize[], quantization: QuantizationConfig): void {
  const { method, granularity, group_columns } = quantization;
  if (method === "none") return;
  for (const { name, columns } of shapes) {
    if (columns % BLOCK !== 0)
      throw refuse("quantization.method", `in_features of ${name} that are a multiple of 4`, columns);
    if (granularity === "group" && columns % group_columns !== 0) {
      throw refuse(
        "quantization.group_columns",
        `a divisor of in_features of ${name} (${columns})`,
        group_columns,
      );
    }
  }
}

/** Mean over all quantized weights, scales included. */
export function bitsPerWeight(shapes: readonly LinearSize[], quantization: QuantizationConfig): number {
  const { method, granularity, group_columns } = quantization;
  let bits = 0;
  let weights = 0;
  for (const { rows, columns } of shapes) {
    weights += rows * columns;
    bits += rows * columns * CODE_BITS[method];
    if (method === "none") continue;
    if (granularity === "group") bits += ((rows * columns) / group_columns) * GROUP_SCALE_BITS;
    else bits += (granularity === "channel" ? rows : 1) * WIDE_SCALE_BITS;
  }
  return bits / weights;
}

function refuse(where: string, expected: string, received: number): SherryError {
  return new SherryError("argument_invalid", where, {
    expected,
    received: String(received),
    next_step: 'Choose other sizes, or "granularity": "channel"',
  });
}
