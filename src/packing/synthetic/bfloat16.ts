/** bf16, the upper half of an f32, as its bits: what a synthetic checkpoint's weights are made of. */

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The bits of the bf16 next to `value` towards zero. */
export function truncateToBf16(value: number): number {
  float[0] = value;
  return (bits[0] ?? 0) >>> 16;
}

/** The number whose bf16 bits are `value_bits`. */
export function bf16ToNumber(value_bits: number): number {
  bits[0] = value_bits << 16;
  return float[0] ?? 0;
}
