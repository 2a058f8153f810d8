/**
 * What the quantizers' golden vectors are about: weight matrices, every method with every reach of a scale, and the
 * gradient cases of the quantized linear layer. Inputs only; the answers come from whoever computes them.
 *
 * Legend: R out_features, K in_features, N tokens.
 */
import { Random } from "../../src/sampling/random.ts";

export type Method = "none" | "sherry" | "absmean" | "twn" | "binary";
export type Granularity = "tensor" | "channel" | "group";

export interface QuantizerSettings {
  readonly method: Method;
  readonly granularity: Granularity;
  /** 0 unless the granularity is "group". */
  readonly group_columns: number;
}

/** Row-major f32 [rows][columns]. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

export interface GradientCase extends QuantizerSettings {
  /** Name in `matrices()`. */
  readonly weight: string;
  readonly lambda: number;
  /** f32 [N][K] and [N][R]. */
  readonly input: Matrix;
  readonly output_gradient: Matrix;
}

export const QUANTIZED_METHODS = ["sherry", "absmean", "twn", "binary"] as const;
const SEED = 20_260_107;

/** The reaches that fit rows of `columns` weights. */
function reachesOf(columns: number): Omit<QuantizerSettings, "method">[] {
  const groups = [32, 64, 128].filter((group_columns) => columns % group_columns === 0);
  return [
    { granularity: "tensor", group_columns: 0 },
    { granularity: "channel", group_columns: 0 },
    ...groups.map((group_columns) => ({ granularity: "group" as const, group_columns })),
  ];
}

/** Every method with every reach that fits. */
export function settingsFor(columns: number): QuantizerSettings[] {
  return QUANTIZED_METHODS.flatMap((method) => reachesOf(columns).map((reach) => ({ method, ...reach })));
}

function normalMatrix(random: Random, rows: number, columns: number, deviation: number): Matrix {
  const values = Float32Array.from({ length: rows * columns }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random.nextUniform()));
    return deviation * radius * Math.cos(2 * Math.PI * random.nextUniform());
  });
  return { rows, columns, values };
}

/**
 * Small whole numbers, so that sums are exact in any order: ties in every place of a block, zeros of both signs, a row of
 * zeros, and weights that lie exactly on absmean's and TWN's thresholds.
 */
function edgeMatrix(): Matrix {
  const columns = 32;
  const rows = [
    [-1, 1, -1, 1, 2, 1, 1, 1, 2, 2, -1, -1, 2, 2, 2, -1, 1, 2, 1, 2, 2, 1, 2, 1],
    [-0, -0, 0, 3, 0, 0, 0, 0, -0, -0, -0, -0, 5, 0, -0, 0],
    [],
    [-0],
    // The mean magnitude is 2: absmean's threshold 1, and TWN's 1.5, are met by some weights exactly.
    Array.from({ length: columns }, (_, column) => [1, -3, 1.5, -2.5][column % 4] ?? 0),
  ];
  const values = rows.flatMap((row) => [...row, ...new Array<number>(columns - row.length).fill(0)]);
  return { rows: rows.length, columns, values: Float32Array.from(values) };
}

/** By name. */
export function matrices(): ReadonlyMap<string, Matrix> {
  const random = Random.fromSeed(SEED);
  return new Map([
    ["normal", normalMatrix(random, 3, 128, 0.05)],
    ["short rows", normalMatrix(random, 5, 36, 1)],
    ["edges", edgeMatrix()],
  ]);
}

/** Each method once, at a lambda within the anneal, and the Sherry layer also at its ends. */
export function gradientCases(): GradientCase[] {
  const random = Random.fromSeed(SEED + 1);
  const cases: (QuantizerSettings & { lambda: number })[] = [
    { method: "none", granularity: "tensor", group_columns: 0, lambda: 0 },
    { method: "sherry", granularity: "group", group_columns: 32, lambda: 0 },
    { method: "sherry", granularity: "group", group_columns: 64, lambda: 0.375 },
    { method: "sherry", granularity: "channel", group_columns: 0, lambda: 1 },
    { method: "absmean", granularity: "tensor", group_columns: 0, lambda: 0.1 },
    { method: "twn", granularity: "channel", group_columns: 0, lambda: 0.5 },
    { method: "binary", granularity: "group", group_columns: 128, lambda: 0.8 },
  ];
  return cases.map((settings) => ({
    ...settings,
    weight: "normal",
    input: normalMatrix(random, 2, 128, 1),
    output_gradient: normalMatrix(random, 2, 3, 1),
  }));
}
