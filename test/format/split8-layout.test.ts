/** `split8` tensors in the file: sizes, the dither, unpacking and what verify finds, against an encoder of its own. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { tensorCost } from "../../src/format/accounting.ts";
import { memorySource } from "../../src/format/byte-source.ts";
import { tensorBytes } from "../../src/format/layout.ts";
import { split8Dithers, split8Layout, split8Place } from "../../src/format/split8-layout.ts";
import { unpackTensor } from "../../src/format/unpack.ts";
import { verifyPackedFile } from "../../src/format/verify.ts";
import { refusal } from "./refusal.ts";
import { packSample, randomNumbers } from "./sample-file.ts";

const DOCUMENT = readFileSync(join(import.meta.dir, "../../docs/format.md"), "utf8");

/** The first dithers, as docs/format.md lists them; they were computed apart from this code. */
const DITHERS = (/first twenty dithers: ([\d, ]+)\./.exec(DOCUMENT)?.[1] ?? "").split(", ").map(Number);

function split8Tensor(rows: number, columns: number) {
  const random = randomNumbers(rows * 1000 + columns);
  const row_bytes = Math.ceil(columns / 64) * 32;
  const low_offset = Math.ceil((rows * row_bytes) / 64) * 64;
  const content = new Uint8Array(2 * low_offset + 4 * rows);
  const view = new DataView(content.buffer);
  const dithers = split8Dithers(columns);
  const weights = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row += 1) {
    const scale = Math.fround(random() + 0.01);
    view.setFloat32(2 * low_offset + 4 * row, scale, true);
    for (let column = 0; column < columns; column += 1) {
      const value = Math.floor(random() * 241) - 120;
      weights[row * columns + column] = value * scale;
      const stored = value + 120 + (dithers[column] ?? 0);
      // Columns 0 to 31 of 64 are the low halves of 32 bytes, 32 to 63 the high ones.
      const byte = row * row_bytes + Math.floor(column / 64) * 32 + (column % 32);
      const factor = column % 64 < 32 ? 1 : 16;
      content[byte] = (content[byte] ?? 0) + Math.floor(stored / 16) * factor;
      content[low_offset + byte] = (content[low_offset + byte] ?? 0) + (stored % 16) * factor;
    }
  }
  const description = { kind: "split8", shape: [rows, columns], scale: null, column_order: null } as const;
  return { name: "t", ...description, content, weights };
}

test("sizes: planes in rows of whole chunks, each part at a multiple of 64", () => {
  expect(split8Layout({ rows: 3, columns: 100 })).toEqual({
    padded_columns: 128,
    row_bytes: 64,
    plane_bytes: 192,
    low_offset: 192,
    scales_offset: 384,
    bytes: 396,
  });
  expect(split8Layout({ rows: 3, columns: 64 })).toMatchObject({
    plane_bytes: 96,
    low_offset: 128,
    bytes: 268,
  });
  const head = split8Layout({ rows: 128_256, columns: 2_048 });
  expect(head).toMatchObject({ low_offset: 131_334_144, bytes: 2 * 131_334_144 + 4 * 128_256 });
});

test("impossible sizes are refused", () => {
  expect(refusal(() => split8Layout({ rows: 0, columns: 4 }))).toEqual({
    code: "argument_invalid",
    message: "rows: expected an integer of at least 1, received 0",
  });
  expect(refusal(() => split8Layout({ rows: 4, columns: 0.5 })).message).toContain("received 0.5");
  expect(refusal(() => split8Layout({ rows: 2 ** 27, columns: 2 ** 27 })).message).toContain("2^53 - 1");
  const vector = { kind: "split8", shape: [8], scale: null, column_order: null } as const;
  expect(refusal(() => tensorBytes(vector)).message).toContain("expected [rows, columns]");
});

test("every nibble of a row has one column", () => {
  const seen = new Set(Array.from({ length: 192 }, (_, column) => JSON.stringify(split8Place(column))));
  expect(seen.size).toBe(192);
});

test("the dither: the published first values, all sixteen about equally often", () => {
  expect(DITHERS.length).toBe(20);
  expect([...split8Dithers(20)]).toEqual(DITHERS);
  const counts = new Array<number>(16).fill(0);
  for (const dither of split8Dithers(16_000)) counts[dither] = (counts[dither] ?? 0) + 1;
  // Five standard deviations of a binomial count.
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(155);
});

test.each([
  [1, 1],
  [3, 20],
  [5, 64],
  [4, 65],
  [7, 130],
])("a file with a tensor of %d x %d verifies, and its bytes unpack to the weights", async (rows, columns) => {
  const tensor = split8Tensor(rows, columns);
  expect(verifyPackedFile(memorySource(await packSample([tensor]))).problems).toEqual([]);
  expect(unpackTensor(tensor, tensor.content)).toEqual(tensor.weights);
  const cost = tensorCost(tensor);
  expect(cost.code_bits).toBe(rows * columns * 8);
  expect(cost.scale_bits).toBe(rows * 32);
  expect(cost.code_bits + cost.scale_bits + cost.padding_bits).toBe(tensor.content.length * 8);
});

test("verify: nibbles past the last column in either plane, bytes after a plane, scales", async () => {
  const problems = async (spoil: (content: Uint8Array) => void) => {
    const tensor = split8Tensor(3, 20);
    spoil(tensor.content);
    return verifyPackedFile(memorySource(await packSample([tensor]))).problems.map(({ message }) => message);
  };
  const past_column = "nibbles past column 20 are not zero (row 1)";
  // Byte 20 of a row holds columns 20 and 52.
  for (const plane of [0, 128]) {
    for (const bits of [1, 16]) {
      expect(await problems((content) => content.fill(bits, plane + 32 + 20, plane + 32 + 21))).toEqual([
        past_column,
      ]);
    }
    expect(await problems((content) => content.fill(7, plane + 100, plane + 101))).toEqual([
      "the padding between a plane and scales is not zero",
    ]);
  }
  const setScale = (value: number) => (content: Uint8Array) =>
    new DataView(content.buffer).setFloat32(256 + 4, value, true);
  expect(await problems(setScale(Number.NaN))).toEqual([
    "scale 1 is NaN; scales are finite and not negative",
  ]);
  expect(await problems(setScale(-1))).toEqual(["scale 1 is -1; scales are finite and not negative"]);
});
