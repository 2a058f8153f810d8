/**
 * The coarse plane of a `split8` head: two bits a weight, made from the head's own planes, which one token's search for the
 * likeliest rows reads instead of the high nibbles (docs/head.md, "A coarser first pass"). Whoever wants one gives it memory.
 */
import { ptr } from "bun:ffi";
import { SherryError } from "../errors.ts";
import type { Kernels } from "./kernels.ts";
import { library } from "./library.ts";
import { checkStatus } from "./status.ts";
import type { NativeRange, Split8Weight } from "./weight.ts";

/**
 * How many standard deviations of its error a coarse score allows for. By a normal law a row is overlooked with a chance of
 * 1.3e-12; unlike the margin of the upper scores this is no proven bound.
 */
export const HEAD_COARSE_MARGIN = 7;
/** The C ABI's own limit of every margin (zig/kernels/split8_token.zig). */
export const MARGIN_MAX = 64;

/** Of the rows that are transformed on the stack (zig/kernels/split8_rotation.zig). */
const COLUMNS_MAX = 16_384;

export interface CoarseHead {
  /** The head that the plane was made from. */
  readonly weight: Split8Weight;
  readonly range: NativeRange;
  /** In standard deviations, 0 to 64. */
  readonly margin: number;
}

/** Bytes of the coarse plane of a head of that shape. @throws SherryError argument_invalid where its columns are too many for one */
export function coarseHeadBytes({ rows, columns }: Pick<Split8Weight, "rows" | "columns">): number {
  if (columns > COLUMNS_MAX) {
    throw new SherryError("argument_invalid", "a head with a coarse plane", {
      expected: `at most ${COLUMNS_MAX} columns`,
      received: String(columns),
      next_step: "Load the model without coarse_head",
    });
  }
  const bytes = new BigUint64Array(1);
  const status = library().symbols.sherry_head_coarse_bytes(rows, columns, ptr(bytes));
  checkStatus(status, `the coarse plane of a head of ${rows} rows and ${columns} columns`);
  return Number(bytes[0]);
}

/**
 * Makes the coarse plane of `weight` in `range`, which is aligned to 64 bytes, has room for it and outlives it.
 * @throws SherryError argument_invalid
 */
export function makeCoarseHead(
  kernels: Kernels,
  weight: Split8Weight,
  range: NativeRange,
  margin: number = HEAD_COARSE_MARGIN,
): CoarseHead {
  if (!(margin >= 0 && margin <= MARGIN_MAX)) {
    throw new SherryError("argument_invalid", "the coarse margin", {
      expected: `a number from 0 to ${MARGIN_MAX}`,
      received: String(margin),
    });
  }
  const status = library().symbols.sherry_head_coarse_build(
    kernels.context,
    weight.range.address,
    weight.range.bytes,
    weight.rows,
    weight.columns,
    range.address,
    range.bytes,
  );
  checkStatus(status, "making the head's coarse plane");
  return { weight, range, margin };
}
