/**
 * The golden vectors of the quantizers, of the quantized layer's gradients and of lambda's schedules, as the object that
 * test/golden/quantizers.json holds. Computed by whatever operations they are given; the writer gives the Zig kernels.
 * Q(W) is kept as signs and scales: exact, short, and readable in a difference.
 */
import { arenasLambda } from "../training/schedules.ts";
import {
  type Granularity,
  gradientCases,
  type Matrix,
  type Method,
  matrices,
  type QuantizerSettings,
  settingsFor,
} from "./quantizer-cases.ts";

export const GOLDEN_MAGIC = "sherry quantizer golden vectors";
export const GOLDEN_VERSION = 1;
export const GOLDEN_COMMAND = "bun scripts/write-golden-vectors.ts";

export interface LayerResult {
  /** f32 [N][R], [N][K] and [R][K]. */
  readonly output: Float32Array;
  readonly input_gradient: Float32Array;
  readonly weight_gradient: Float32Array;
}

/** One implementation of the quantizers and of the quantized linear layer. */
export interface LayerOperations {
  /** Q(W) + lambda W, f32 [R][K]. */
  effectiveWeight(weight: Matrix, settings: QuantizerSettings, lambda: number): Float32Array;
  layer(
    weight: Matrix,
    settings: QuantizerSettings,
    lambda: number,
    input: Matrix,
    output_gradient: Matrix,
  ): LayerResult;
}

export interface GoldenMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: readonly number[];
}

export interface GoldenQuantized {
  readonly weight: string;
  readonly method: Method;
  readonly granularity: Granularity;
  readonly group_columns: number;
  /** The magnitude of the nonzero weights of each scale group, 0 for a group of zeros. */
  readonly scales: readonly number[];
  /** A row each: "+", "-" and "0". Groups whose scale is 0 are "0" throughout. */
  readonly signs: readonly string[];
}

export interface GoldenGradient {
  readonly weight: string;
  readonly method: Method;
  readonly granularity: Granularity;
  readonly group_columns: number;
  readonly lambda: number;
  readonly input: GoldenMatrix;
  readonly output_gradient: GoldenMatrix;
  readonly output: readonly number[];
  readonly input_gradient: readonly number[];
  readonly weight_gradient: readonly number[];
}

/** Lambda of every step, as scripts/training anneals it. */
export interface GoldenSchedule {
  readonly schedule: "cosine" | "linear" | "exponential";
  readonly warm_up: number;
  readonly final_phase: number;
  readonly lambdas: readonly number[];
}

export interface GoldenVectors {
  readonly magic: string;
  readonly version: number;
  readonly command: string;
  readonly matrices: Readonly<Record<string, GoldenMatrix>>;
  readonly quantized: readonly GoldenQuantized[];
  readonly gradients: readonly GoldenGradient[];
  readonly schedules: readonly GoldenSchedule[];
}

/** Weights of one scale group. */
export function groupLength({ rows, columns }: Matrix, settings: QuantizerSettings): number {
  if (settings.granularity === "tensor") return rows * columns;
  return settings.granularity === "channel" ? columns : settings.group_columns;
}

function quantizedEntry(
  name: string,
  weight: Matrix,
  settings: QuantizerSettings,
  operations: LayerOperations,
): GoldenQuantized {
  const values = operations.effectiveWeight(weight, settings, 0);
  const length = groupLength(weight, settings);
  const scales: number[] = [];
  for (let start = 0; start < values.length; start += length) {
    const magnitudes = values.subarray(start, start + length).map(Math.abs);
    const scale = magnitudes.reduce((left, right) => Math.max(left, right), 0);
    if (magnitudes.some((magnitude) => magnitude !== 0 && magnitude !== scale)) {
      throw new Error(`${settings.method}: a group holds more than one magnitude`);
    }
    scales.push(scale);
  }
  const signs = Array.from({ length: weight.rows }, (_, row) =>
    Array.from(values.subarray(row * weight.columns, (row + 1) * weight.columns), signOf).join(""),
  );
  return { weight: name, ...settings, scales, signs };
}

function signOf(value: number): string {
  if (value === 0) return "0";
  return value < 0 ? "-" : "+";
}

export function goldenVectors(operations: LayerOperations): GoldenVectors {
  const weights = matrices();
  const weightOf = (name: string): Matrix => {
    const weight = weights.get(name);
    if (weight === undefined) throw new Error(`no matrix is named ${name}`);
    return weight;
  };
  return {
    magic: GOLDEN_MAGIC,
    version: GOLDEN_VERSION,
    command: GOLDEN_COMMAND,
    matrices: Object.fromEntries([...weights].map(([name, weight]) => [name, goldenMatrix(weight)])),
    quantized: [...weights].flatMap(([name, weight]) =>
      settingsFor(weight.columns).map((settings) => quantizedEntry(name, weight, settings, operations)),
    ),
    gradients: gradientCases().map(({ weight, lambda, input, output_gradient, ...settings }) => {
      const result = operations.layer(weightOf(weight), settings, lambda, input, output_gradient);
      return {
        weight,
        ...settings,
        lambda,
        input: goldenMatrix(input),
        output_gradient: goldenMatrix(output_gradient),
        output: Array.from(result.output),
        input_gradient: Array.from(result.input_gradient),
        weight_gradient: Array.from(result.weight_gradient),
      };
    }),
    schedules: (["cosine", "linear", "exponential"] as const).flatMap((schedule) =>
      // The published shares; none at all; shares of few steps, where rounding decides.
      [
        [0.1, 0.05, 40],
        [0, 0, 9],
        [0.1, 0.05, 5],
        [0.25, 0.5, 10],
      ].map(([warm_up = 0, final_phase = 0, steps = 0]) =>
        goldenSchedule(schedule, warm_up, final_phase, steps),
      ),
    ),
  };
}

function goldenSchedule(
  schedule: GoldenSchedule["schedule"],
  warm_up: number,
  final_phase: number,
  steps: number,
): GoldenSchedule {
  const arenas = { schedule, warmup_fraction: warm_up, final_phase_fraction: final_phase };
  // Twelve digits: a cosine's last bits differ from one machine to another.
  const rounded = (lambda: number) => Math.round(lambda * 1e12) / 1e12;
  const lambdas = Array.from({ length: steps }, (_, step) => rounded(arenasLambda(step, steps, arenas)));
  return { schedule, warm_up, final_phase, lambdas };
}

function goldenMatrix({ rows, columns, values }: Matrix): GoldenMatrix {
  return { rows, columns, values: Array.from(values) };
}

/** One entry a line, so that a change shows where it is. */
export function goldenText(vectors: GoldenVectors): string {
  const list = (entries: readonly object[]) =>
    `[\n${entries.map((entry) => `  ${numbersJson(entry)}`).join(",\n")}\n ]`;
  const named = Object.entries(vectors.matrices).map(
    ([name, matrix]) => `  ${JSON.stringify(name)}: ${numbersJson(matrix)}`,
  );
  const lines = [
    ` "magic": ${JSON.stringify(vectors.magic)}`,
    ` "version": ${vectors.version}`,
    ` "command": ${JSON.stringify(vectors.command)}`,
    ` "matrices": {\n${named.join(",\n")}\n }`,
    ` "quantized": ${list(vectors.quantized)}`,
    ` "gradients": ${list(vectors.gradients)}`,
    ` "schedules": ${list(vectors.schedules)}`,
  ];
  return `{\n${lines.join(",\n")}\n}\n`;
}

/** JSON.stringify drops the sign of -0; JSON itself has it ("-0"), and both readers keep it. */
function numbersJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(numbersJson).join(",")}]`;
  if (typeof value === "number") return Object.is(value, -0) ? "-0.0" : String(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, entry]) => `${JSON.stringify(key)}: ${numbersJson(entry)}`)
    .join(", ")}}`;
}
