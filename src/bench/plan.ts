/** How much a bench measures: everything, or so little that it runs with every test. */
import { MODEL_SHAPES, type ModelShape } from "../packing/synthetic/shapes.ts";

export type MatrixShape = readonly [rows: number, columns: number];

export interface BenchPlan {
  readonly rounds: number;
  readonly slice_ms: number;
  readonly sample_us: number;
  /** What streaming cases rotate over, before the memory limit is applied. */
  readonly stream_bytes: number;
  /** Buffers of each thread that memory reads are timed on. */
  readonly read_sizes_bytes: readonly number[];
  /** Shapes that every kernel and baseline is measured at. */
  readonly main_shapes: readonly MatrixShape[];
  /** Public models, whose further shapes the ternary kernel and the 2-bit baseline are measured at. */
  readonly models: readonly ModelShape[];
  /** Tokens of batches of the ternary products. */
  readonly batches: readonly number[];
  readonly attention_positions: readonly number[];
  readonly model: ModelPlan;
}

export interface ModelPlan {
  /** A shape of MODEL_SHAPES with random weights, for when no file is given. */
  readonly synthetic: ModelShape;
  readonly prefill_tokens: number;
  readonly decode_tokens: number;
  /** Positions that are filled before decoding begins. */
  readonly contexts: readonly number[];
  /** Sequences that are decoded together. */
  readonly sequences: readonly number[];
  /** Tokens that the scalar level decodes, for comparison. */
  readonly scalar_tokens: number;
  readonly open_count: number;
}

const KB = 1024;
const MB = 1024 * KB;

function shapeNamed(name: string): ModelShape {
  const shape = MODEL_SHAPES.find((known) => known.name === name);
  if (shape === undefined) throw new RangeError(`no shape ${name}`);
  return shape;
}

export function fullPlan(): BenchPlan {
  return {
    rounds: 7,
    slice_ms: 20,
    sample_us: 50,
    // More than twice the last-level cache of almost any machine; the report says how many times this one's.
    stream_bytes: 600_000_000,
    read_sizes_bytes: [16 * KB, 256 * KB, 1 * MB, 8 * MB, 64 * MB, 256 * MB],
    main_shapes: [
      [2048, 2048],
      [8192, 2048],
      [2048, 8192],
    ],
    models: MODEL_SHAPES,
    batches: [2, 4, 8, 16, 64, 512],
    attention_positions: [128, 1024, 4096],
    model: {
      synthetic: shapeNamed("llama-3.2-1b"),
      prefill_tokens: 512,
      decode_tokens: 128,
      contexts: [0, 1024, 4096],
      sequences: [1, 2, 4, 8, 16],
      scalar_tokens: 4,
      open_count: 7,
    },
  };
}

export function quickPlan(): BenchPlan {
  const tiny = {
    ...{ num_hidden_layers: 2, hidden_size: 128, intermediate_size: 256, vocab_size: 320 },
    ...{ num_attention_heads: 4, num_key_value_heads: 2, head_dim: 32, max_position_embeddings: 96 },
  };
  const model = { ...shapeNamed("llama-3.2-1b"), ...tiny, name: "tiny", rope_scaling: null };
  return {
    rounds: 2,
    slice_ms: 0.5,
    sample_us: 20,
    stream_bytes: 4 * MB,
    read_sizes_bytes: [16 * KB],
    main_shapes: [[128, 256]],
    models: [model],
    batches: [9],
    attention_positions: [64],
    model: {
      synthetic: model,
      prefill_tokens: 32,
      decode_tokens: 8,
      contexts: [0, 64, 4096],
      sequences: [1, 3],
      scalar_tokens: 2,
      open_count: 2,
    },
  };
}

/** Rows and columns of the seven linear layers of a decoder layer, each shape once. */
export function linearShapes(shape: ModelShape): MatrixShape[] {
  const query_size = shape.num_attention_heads * shape.head_dim;
  const key_value_size = shape.num_key_value_heads * shape.head_dim;
  return uniqueShapes([
    [query_size, shape.hidden_size],
    [key_value_size, shape.hidden_size],
    [shape.hidden_size, query_size],
    [shape.intermediate_size, shape.hidden_size],
    [shape.hidden_size, shape.intermediate_size],
  ]);
}

export function uniqueShapes(shapes: readonly MatrixShape[]): MatrixShape[] {
  return [...new Map(shapes.map((shape) => [shape.join("x"), shape])).values()];
}

/** 1, 2, 4, ... up to and with `maximum`. */
export function threadCounts(maximum: number): number[] {
  const counts: number[] = [];
  for (let count = 1; count < maximum; count *= 2) counts.push(count);
  return [...counts, maximum];
}
