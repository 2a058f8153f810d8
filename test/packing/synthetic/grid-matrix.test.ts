/** The two forms of a random grid matrix hold the same weights, and scales keep magnitudes. */
import { describe, expect, test } from "bun:test";
import { TILE_ROWS, tensorBytes } from "../../../src/format/layout.ts";
import { unpackTensor } from "../../../src/format/unpack.ts";
import { parseScaleReach } from "../../../src/packing/scale-option.ts";
import { GridMatrix } from "../../../src/packing/synthetic/grid-matrix.ts";

async function packed(matrix: GridMatrix): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  await matrix.write(
    (bytes) => pieces.push(bytes.slice()),
    async () => {},
  );
  return new Uint8Array(Buffer.concat(pieces));
}

/** Every tile's bf16 as floats, [R][K]. */
function floats(matrix: GridMatrix): Float32Array {
  const result = new Float32Array(matrix.rows * matrix.columns);
  const bits = new Uint32Array(result.buffer);
  for (let tile = 0; tile * TILE_ROWS < matrix.rows; tile += 1) {
    const bytes = matrix.tileWeights(tile);
    const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
    for (const [index, half] of halves.entries())
      bits[tile * TILE_ROWS * matrix.columns + index] = half << 16;
  }
  return result;
}

const SHAPES = [
  [64, 32],
  [1, 4],
  [65, 36],
  [33, 252],
  [172, 64],
  [130, 160],
] as const;

describe("GridMatrix", () => {
  for (const text of ["tensor", "channel", "group:32", "group:128", "group:256"]) {
    test(`codes and bf16 rows are the same weights, scale ${text}`, async () => {
      for (const shape of SHAPES) {
        const matrix = new GridMatrix(3, "w", shape, parseScaleReach(text));
        const bytes = await packed(matrix);
        const entry = {
          name: "w",
          kind: "sherry",
          shape,
          scale: matrix.scale,
          column_order: "natural",
        } as const;
        expect(bytes.length).toBe(tensorBytes(entry));
        const unpacked = new Float32Array(unpackTensor(entry, bytes));
        // Bit for bit but for the sign of zero, which codes do not have.
        expect(floats(matrix).map((weight) => weight + 0)).toEqual(unpacked);
        expect(unpacked.filter((weight) => weight === 0).length).toBe(unpacked.length / 4);
      }
    });
  }

  test("a layer keeps its input's magnitude, and no two rows are alike", () => {
    const matrix = new GridMatrix(5, "w", [256, 512], parseScaleReach("channel"));
    const weights = floats(matrix);
    const row_lengths = Array.from({ length: 256 }, (_, row) =>
      Math.hypot(...weights.subarray(row * 512, (row + 1) * 512)),
    );
    for (const length of row_lengths) expect(length).toBeWithin(0.9, 1.1);
    expect(new Set(row_lengths).size).toBe(16);
    const rows = Array.from({ length: 256 }, (_, row) => weights.subarray(row * 512, (row + 1) * 512).join());
    expect(new Set(rows).size).toBe(256);
  });

  test("all 32 codes come about equally often", () => {
    const matrix = new GridMatrix(5, "w", [256, 512], parseScaleReach("tensor"));
    const counts = new Map<string, number>();
    const weights = floats(matrix);
    for (let at = 0; at < weights.length; at += 4) {
      const signs = [...weights.subarray(at, at + 4)]
        .map(Math.sign)
        .map((sign) => sign + 0)
        .join();
      counts.set(signs, (counts.get(signs) ?? 0) + 1);
    }
    expect(counts.size).toBe(32);
    // 1024 expected each; five standard deviations are 158.
    for (const count of counts.values()) expect(Math.abs(count - 1024)).toBeLessThan(158);
  });
});
