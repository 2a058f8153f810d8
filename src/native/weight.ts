/**
 * What the kernels compute with, as data: ranges of native memory, weight matrices of every kind, caches.
 *
 * Legend: B tokens, K in_features, R out_features, G key-value heads, D head_dim, T cache capacity in positions.
 */
import type { Pointer } from "bun:ffi";
import type { NativeMemory } from "./memory.ts";

/** A range of native memory. It must not be used after the memory it came from is freed. */
export interface NativeRange {
  readonly address: Pointer;
  readonly bytes: number;
}

/** The first `bytes` of a piece of native memory, or `bytes` from `offset` on. */
export function rangeOf(memory: NativeMemory, offset = 0, bytes = memory.bytes - offset): NativeRange {
  return { address: memory.at(offset, bytes), bytes };
}

/** Element codes of the C ABI (zig/format.zig, Element; embedding tables and caches add others: zig/kernels/embedding.zig, cache_cells.zig). */
export const ELEMENT_CODES = { f32: 0, f16: 1, bf16: 2, q8: 3, split8: 4, q6k: 5, int4: 6 } as const;
/** zig/format.zig, ColumnOrder. */
export const COLUMN_ORDER_CODES = { natural: 0, strided: 1 } as const;
/** Which column of the original matrix a column of a `sherry` weight holds (docs/format.md). */
export type ColumnOrder = keyof typeof COLUMN_ORDER_CODES;
/** zig/format.zig, Granularity. */
export const GRANULARITY_CODES = { tensor: 0, channel: 1, group: 2 } as const;

interface WeightShape {
  /** Aligned to 64 bytes, laid out as zig/format.zig says for its kind. */
  readonly range: NativeRange;
  readonly rows: number;
  readonly columns: number;
}

export interface SherryWeight extends WeightShape {
  readonly kind: "sherry";
  readonly granularity: keyof typeof GRANULARITY_CODES;
  /** 32, 64, 128 or 256 when the granularity is group, else 0. */
  readonly group_columns: number;
  readonly scale_element: "f32" | "f16" | "bf16";
  /** Natural unless told otherwise. */
  readonly column_order?: ColumnOrder;
}

export interface DenseWeight extends WeightShape {
  readonly kind: "f32" | "f16" | "bf16";
}

export interface Q8Weight extends WeightShape {
  readonly kind: "q8";
}

/** Kinds of few bits in blocks; the columns of `q6k` are a multiple of 256. */
export interface BlockWeight extends WeightShape {
  readonly kind: "q6k" | "int4";
}

/** An int8 matrix in two planes of nibbles, whose likeliest rows head.ts finds by one of them (docs/head.md). */
export interface Split8Weight extends WeightShape {
  readonly kind: "split8";
}

/** An embedding [V, C]. */
export type TableWeight = Q8Weight | BlockWeight | Split8Weight | DenseWeight;

/** A weight matrix [R, K] of a linear layer. */
export type LinearWeight = SherryWeight | TableWeight;

/** How keys and values are kept: q8 is int8 with a scale for each head of each position (zig/kernels/cache_cells.zig). */
export type KeyValueElement = "f32" | "f16" | "q8";

/** One layer's keys and values: two caches of the same length. */
export interface KeyValueRanges {
  readonly keys: NativeRange;
  readonly values: NativeRange;
  readonly element: KeyValueElement;
  readonly capacity: number;
}

/** Where one sequence of a pass computes in a layer: `tokens` new positions of its cache from `start` on. */
export interface SequenceRanges {
  readonly cache: KeyValueRanges;
  readonly start: number;
  readonly tokens: number;
}

/** The input of linear layers: the float vectors, and their int8 form for the kernels that read that. */
export interface LinearInput {
  /** f32 [B][K] */
  readonly x: NativeRange;
  /** Filled by `prepare`; null when no weight of the group needs it. */
  readonly prepared: NativeRange | null;
  /** The order that it was prepared in. Natural unless told otherwise. */
  readonly column_order?: ColumnOrder;
}

/** The order in which a weight reads prepared activations; null for one that reads floats. */
export function preparedOrderOf(weight: LinearWeight): ColumnOrder | null {
  switch (weight.kind) {
    case "sherry":
      return weight.column_order ?? "natural";
    case "q8":
    case "q6k":
    case "int4":
    case "split8":
      return "natural";
    case "f32":
    case "f16":
    case "bf16":
      return null;
  }
}

/** Whether a weight reads prepared activations rather than floats. */
export function readsPrepared(weight: LinearWeight): boolean {
  return preparedOrderOf(weight) !== null;
}
