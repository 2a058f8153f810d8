/** The packer's native operations through the FFI: the checks on this side, and that results cross the boundary. */
import { describe, expect, test } from "bun:test";
import {
  encodeTile,
  narrowElements,
  PackingStatistics,
  quantizeInt4,
  quantizeQ8,
  scanGrid,
  sumGroups,
  widenElements,
} from "../../src/native/packing.ts";
import { refusal } from "../format/refusal.ts";

const shape = { rows: 1, columns: 8 };
const tile = Float32Array.of(0, 1, -1, 1, 1, 1, 1, 0);
const statistics = () => new PackingStatistics();

describe("results", () => {
  test("widening, at an odd address too, and the place of what is not finite", () => {
    const bytes = new Uint8Array(13);
    new DataView(bytes.buffer).setFloat32(1, 1.5, true);
    new DataView(bytes.buffer).setFloat32(5, -2, true);
    const wide = new Float32Array(2);
    expect(widenElements(bytes.subarray(1, 9), "f32", wide)).toBeNull();
    expect([...wide]).toEqual([1.5, -2]);
    new DataView(bytes.buffer).setFloat32(5, Number.NaN, true);
    expect(widenElements(bytes.subarray(1, 9), "f32", wide)).toBe(1);
  });

  test("narrowing adds up what it loses over several calls", () => {
    const lost = statistics();
    const halves = new Uint8Array(4);
    expect(narrowElements(Float32Array.of(1, 1 + 2 ** -11), "f16", halves, lost)).toBeNull();
    expect(narrowElements(Float32Array.of(2 + 2 ** -10, 0), "f16", halves, lost)).toBeNull();
    expect(lost.error_max).toBe(2 ** -10);
    const squared_weights = 1 + (1 + 2 ** -11) ** 2 + (2 + 2 ** -10) ** 2;
    expect(lost.relative_rms_error).toBeCloseTo(Math.sqrt((2 ** -22 + 2 ** -20) / squared_weights), 14);
    expect(narrowElements(Float32Array.of(0, -1e6), "f16", halves, lost)).toBe(1);
  });

  test("zeros lose nothing", () => {
    const lost = statistics();
    narrowElements(new Float32Array(5), "bf16", new Uint8Array(10), lost);
    expect([lost.relative_rms_error, lost.error_max]).toEqual([0, 0]);
  });

  test("the grid, sums, codes and q8", () => {
    const alphas = new Float32Array(1);
    expect(scanGrid(tile, shape, alphas)).toBe(true);
    expect(alphas[0]).toBe(1);
    expect(scanGrid(Float32Array.of(0, 1, 2, 1), { rows: 1, columns: 4 }, alphas)).toBe(false);
    const sums = new Float64Array(2);
    sumGroups(tile, shape, 4, sums);
    expect([...sums]).toEqual([3, 3]);
    const codes = new Uint8Array(320).fill(0xff);
    encodeTile(tile, shape, 8, Float32Array.of(1), codes, statistics());
    // Block 0: zero first, signs + - +: 0b0010. Block 1: zero last, + + +: 0b1100. Everything else is padding.
    expect([codes[0], codes[32]]).toEqual([0b0010, 0b1100]);
    expect(codes.reduce((sum, byte) => sum + byte, 0)).toBe(0b0010 + 0b1100);
    const values = new Uint8Array(32);
    const scales = new Uint16Array(1);
    expect(quantizeQ8(tile, shape, values, scales, statistics())).toBeNull();
    expect([...new Int8Array(values.buffer, 0, 9)]).toEqual([0, 127, -127, 127, 127, 127, 127, 0, 0]);
    expect(quantizeQ8(Float32Array.of(1e8), { rows: 1, columns: 1 }, values, scales, statistics())).toBe(0);
  });
});

describe("refusals on this side of the boundary", () => {
  const codes = new Uint8Array(320);
  const cases: [string, () => unknown, string][] = [
    [
      "widen",
      () => widenElements(new Uint8Array(7), "f32", new Float32Array(2)),
      "source: expected 8, received 7",
    ],
    [
      "widen nothing",
      () => widenElements(new Uint8Array(0), "f32", new Float32Array(0)),
      "source: expected at least 1, received 0",
    ],
    [
      "narrow",
      () => narrowElements(tile, "f16", new Uint8Array(15), statistics()),
      "destination: expected 16, received 15",
    ],
    [
      "scan",
      () => scanGrid(tile, { rows: 2, columns: 8 }, new Float32Array(2)),
      "tile: expected 16, received 8",
    ],
    ["scan alphas", () => scanGrid(tile, shape, new Float32Array(2)), "alphas: expected 1, received 2"],
    ["sums", () => sumGroups(tile, shape, 4, new Float64Array(1)), "sums: expected 2, received 1"],
    [
      "encode scales",
      () => encodeTile(tile, shape, 4, new Float32Array(1), codes, statistics()),
      "scales: expected 2, received 1",
    ],
    [
      "encode codes",
      () => encodeTile(tile, shape, 8, new Float32Array(1), new Uint8Array(319), statistics()),
      "codes: expected 320, received 319",
    ],
    [
      "encode rows",
      () =>
        encodeTile(
          new Float32Array(260),
          { rows: 65, columns: 4 },
          4,
          new Float32Array(65),
          codes,
          statistics(),
        ),
      "rows of a tile: expected 64, received 65",
    ],
    [
      "q8 values",
      () => quantizeQ8(tile, shape, new Uint8Array(8), new Uint16Array(1), statistics()),
      "values: expected 32, received 8",
    ],
    [
      "int4 source",
      () =>
        quantizeInt4(tile, { rows: 2, columns: 8 }, new Uint8Array(128), new Uint16Array(8), statistics()),
      "source: expected 16, received 8",
    ],
    [
      "int4 codes",
      () => quantizeInt4(tile, shape, new Uint8Array(127), new Uint16Array(8), statistics()),
      "codes: expected 128, received 127",
    ],
    [
      "int4 scales",
      () => quantizeInt4(tile, shape, new Uint8Array(128), new Uint16Array(1), statistics()),
      "scales: expected 8, received 1",
    ],
    [
      "q8 scales",
      () => quantizeQ8(tile, shape, new Uint8Array(32), new Uint16Array(2), statistics()),
      "scales: expected 1, received 2",
    ],
  ];
  test.each(cases)("%s", (_, work, message) => {
    expect(refusal(work)).toEqual({ code: "internal", message: `packing: the length of ${message}` });
  });

  test("Zig checks again: a scale that is not finite, columns that make no blocks", () => {
    expect(refusal(() => encodeTile(tile, shape, 8, Float32Array.of(-1), codes, statistics())).code).toBe(
      "numbers_not_finite",
    );
    const odd = { rows: 1, columns: 6 };
    expect(refusal(() => scanGrid(new Float32Array(6), odd, new Float32Array(1))).code).toBe("internal");
  });
});
