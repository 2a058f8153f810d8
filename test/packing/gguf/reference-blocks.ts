/**
 * Encoders of GGUF blocks for the tests, from what ggml's quantizers write: quantized values in, bytes out. The decoder
 * is held against them. Source: ggml-quants.c (quantize_row_*_ref, the packing loops).
 */

export function halfBytes(value: number): Uint8Array {
  return new Uint8Array(Float16Array.of(value).buffer);
}

/** @param values 32 of -128..127 */
export function q8Block(scale: number, values: readonly number[]): Uint8Array {
  return Uint8Array.from([...halfBytes(scale), ...values.map((value) => value & 255)]);
}

/** @param values 32 of -8..7 */
export function q4Block(scale: number, values: readonly number[]): Uint8Array {
  const quantized = values.map((value) => value + 8);
  const bytes = Array.from(
    { length: 16 },
    (_, index) => at(quantized, index) | (at(quantized, index + 16) << 4),
  );
  return Uint8Array.from([...halfBytes(scale), ...bytes]);
}

/** @param sub_scales 16 of -128..127. @param values 256 of -32..31 */
export function q6KBlock(
  scale: number,
  sub_scales: readonly number[],
  values: readonly number[],
): Uint8Array {
  const levels = values.map((value) => value + 32);
  const low: number[] = [];
  const high: number[] = [];
  for (const half of [0, 128]) {
    const level = (index: number) => at(levels, half + index);
    for (let index = 0; index < 32; index += 1)
      low.push((level(index) & 15) | ((level(index + 64) & 15) << 4));
    for (let index = 0; index < 32; index += 1)
      low.push((level(index + 32) & 15) | ((level(index + 96) & 15) << 4));
    for (let index = 0; index < 32; index += 1) {
      const pairs = [0, 32, 64, 96].map((quarter) => level(index + quarter) >> 4);
      high.push(at(pairs, 0) | (at(pairs, 1) << 2) | (at(pairs, 2) << 4) | (at(pairs, 3) << 6));
    }
  }
  return Uint8Array.from([...low, ...high, ...sub_scales.map((value) => value & 255), ...halfBytes(scale)]);
}

/** @param values 256 of -1, 0, 1 */
export function tq1Block(scale: number, values: readonly number[]): Uint8Array {
  const digitsToByte = (digits: readonly number[]) => {
    const number = digits.reduce((so_far, digit) => so_far * 3 + digit + 1, 0);
    return Math.floor((number * 256 + 242) / 243);
  };
  const run = (start: number, width: number, index: number) =>
    digitsToByte([0, 1, 2, 3, 4].map((digit) => at(values, start + digit * width + index)));
  const bytes: number[] = [];
  for (let index = 0; index < 32; index += 1) bytes.push(run(0, 32, index));
  for (let index = 0; index < 16; index += 1) bytes.push(run(160, 16, index));
  for (let index = 0; index < 4; index += 1) {
    const digits = [0, 1, 2, 3].map((digit) => at(values, 240 + digit * 4 + index));
    // Four digits are moved up by one, as if a fifth of value 0 followed.
    bytes.push(digitsToByte([...digits, -1]));
  }
  return Uint8Array.from([...bytes, ...halfBytes(scale)]);
}

/** @param values 256 of -1, 0, 1 */
export function tq2Block(scale: number, values: readonly number[]): Uint8Array {
  const bytes: number[] = [];
  for (const half of [0, 128]) {
    for (let index = 0; index < 32; index += 1) {
      const lanes = [0, 1, 2, 3].map((lane) => (at(values, half + lane * 32 + index) + 1) << (2 * lane));
      bytes.push(lanes.reduce((so_far, bits) => so_far | bits, 0));
    }
  }
  return Uint8Array.from([...bytes, ...halfBytes(scale)]);
}

const STQ1_CODEBOOK = [
  "a9 89 29 09 a6 86 26 06 9a 92 1a 12 6a 62 4a 42",
  "01 21 81 a1 04 24 84 a4 10 18 90 98 40 48 60 68",
].flatMap((line) => line.split(" ").map((entry) => Number.parseInt(entry, 16)));

/** @param values 256 of -1, 0, 1 with one zero in each strided group of four */
export function stq1Block(scale: number, values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(42);
  for (let group = 0; group < 64; group += 1) {
    const first = Math.floor(group / 16) * 64 + (group % 16);
    const packed = [0, 1, 2, 3].reduce(
      (bits, lane) => bits | ((at(values, first + 16 * lane) + 1) << (2 * lane)),
      0,
    );
    const entry = STQ1_CODEBOOK.indexOf(packed);
    if (entry < 0) throw new Error(`group ${group} has no single zero`);
    bytes[group >> 1] = (bytes[group >> 1] ?? 0) | ((entry & 15) << (4 * (group % 2)));
    bytes[32 + (group >> 3)] = (bytes[32 + (group >> 3)] ?? 0) | ((entry >> 4) << (group % 8));
  }
  bytes.set(halfBytes(scale), 40);
  return bytes;
}

function at(values: readonly number[], index: number): number {
  const value = values[index];
  if (value === undefined) throw new Error(`no value ${index}`);
  return value;
}
