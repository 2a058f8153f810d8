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

/** Element codes of the C ABI (zig/format.zig, Element; embedding tables add q8). */
export const ELEMENT_CODES = { f32: 0, f16: 1, bf16: 2, q8: 3 } as const;
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
}

export interface DenseWeight extends WeightShape {
  readonly kind: "f32" | "f16" | "bf16";
}

export interface Q8Weight extends WeightShape {
  readonly kind: "q8";
}

/** A weight matrix [R, K] of a linear layer. */
export type LinearWeight = SherryWeight | Q8Weight | DenseWeight;

/** One layer's keys and values: two caches [G][T][D] of the same length. */
export interface KeyValueRanges {
  readonly keys: NativeRange;
  readonly values: NativeRange;
  readonly element: "f32" | "f16";
  readonly capacity: number;
}

/** The input of linear layers: the float vectors, and their int8 form for the kernels that read that. */
export interface LinearInput {
  /** f32 [B][K] */
  readonly x: NativeRange;
  /** Filled by `prepare`; null when no weight of the group needs it. */
  readonly prepared: NativeRange | null;
}

/** Whether a weight reads prepared activations rather than floats. */
export function readsPrepared(weight: LinearWeight): boolean {
  return weight.kind === "sherry" || weight.kind === "q8";
}
