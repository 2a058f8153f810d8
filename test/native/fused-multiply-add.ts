/** What a machine computes in one instruction, once more in plain numbers: a fused multiplication and addition of f32. */

const number = new Float64Array(1);
const bits = new BigInt64Array(number.buffer);

/**
 * a * b + c of three f32 numbers, rounded once to f32. The product is exact in f64. Its sum with c is rounded to odd: when
 * f64 cannot hold it, to the neighbour whose last bit is 1, which a second rounding takes where one alone would have gone
 * (Boldo and Melquiond 2008, "Emulation of FMA and correctly rounded sums").
 */
export function fusedMultiplyAdd(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  const part = sum - product;
  const error = product - (sum - part) + (c - part);
  if (error === 0 || !Number.isFinite(sum)) return Math.fround(sum);
  number[0] = sum;
  const whole = bits[0] ?? 0n;
  if (whole % 2n === 0n) bits[0] = whole + (error > 0 === sum > 0 ? 1n : -1n);
  return Math.fround(number[0]);
}
