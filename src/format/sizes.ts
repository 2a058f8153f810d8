/** Sizes of tensors as numbers that stay exact: every product and sum is held below 2^53. */
import { SherryError } from "../errors.ts";

/** @throws SherryError argument_invalid unless `size` is an integer of at least 1. */
export function checkSize(name: string, size: number): void {
  if (Number.isSafeInteger(size) && size > 0) return;
  throw new SherryError("argument_invalid", name, {
    expected: "an integer of at least 1",
    received: String(size),
  });
}

/** @throws SherryError argument_invalid unless `columns` is a multiple of `multiple`. */
export function checkMultiple(name: string, columns: number, multiple: number): void {
  if (columns % multiple === 0) return;
  throw new SherryError("argument_invalid", name, {
    expected: `a multiple of ${multiple}`,
    received: String(columns),
  });
}

/** @throws SherryError argument_invalid past 2^53 - 1. */
export function product(...factors: number[]): number {
  return factors.reduce((so_far, factor) => checked(so_far * factor), 1);
}

/**
 * Doubles are exact up to 2^53 - 1 and never round a larger product back below it, so one check is enough.
 * @throws SherryError argument_invalid
 */
export function checked(value: number): number {
  if (Number.isSafeInteger(value)) return value;
  throw new SherryError("argument_invalid", "the size of a tensor", {
    expected: "at most 2^53 - 1 bytes",
    received: String(value),
  });
}

/** `value` rounded up to a multiple of `multiple`. @throws SherryError argument_invalid past 2^53 - 1. */
export function roundUp(value: number, multiple: number): number {
  const rest = value % multiple;
  return rest === 0 ? value : checked(value + (multiple - rest));
}
