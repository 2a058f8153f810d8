/**
 * The keys and values of one sequence, for every layer, in native memory that costs only the positions really used.
 * Layout of a layer: keys, then values, each [G][T][D] and in q8 at a multiple of 64 bytes the scales f32 [G][T] (as
 * zig/kernels/cache_cells.zig says): G key-value heads, T capacity, D head_dim.
 */
import { SherryError } from "../errors.ts";
import type { ModelConfig } from "../format/directory.ts";
import { NativeMemory } from "../native/memory.ts";
import { type KeyValueElement, type KeyValueRanges, rangeOf } from "../native/weight.ts";

const ELEMENT_BYTES: Readonly<Record<KeyValueElement, number>> = { f32: 4, f16: 2, q8: 1 };

/** Bytes of a cache of `capacity` positions when all of them are used. */
export function keyValueBytes(config: ModelConfig, element: KeyValueElement, capacity: number): number {
  return config.num_hidden_layers * 2 * planeBytes(config, element, capacity);
}

function planeBytes(config: ModelConfig, element: KeyValueElement, capacity: number): number {
  const heads = config.num_key_value_heads * capacity;
  const cells_bytes = aligned(heads * config.head_dim * ELEMENT_BYTES[element]);
  return element === "q8" ? cells_bytes + aligned(heads * 4) : cells_bytes;
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}

/** Owned by one sequence; `free` ends it. */
export class KeyValueCache {
  readonly capacity: number;
  readonly layers: readonly KeyValueRanges[];
  /** Positions that hold a token. */
  length = 0;
  readonly #memory: NativeMemory;

  /** @throws SherryError out_of_memory | argument_invalid */
  constructor(config: ModelConfig, element: KeyValueElement, capacity: number) {
    const bytes = keyValueBytes(config, element, capacity);
    if (!Number.isInteger(capacity) || capacity < 1 || !Number.isSafeInteger(bytes)) {
      throw new SherryError("argument_invalid", "key-value cache", {
        expected: "a capacity of at least one position that fits the address space",
        received: String(capacity),
      });
    }
    this.capacity = capacity;
    const memory = NativeMemory.allocate(bytes);
    this.#memory = memory;
    const plane = planeBytes(config, element, capacity);
    this.layers = Array.from({ length: config.num_hidden_layers }, (_, layer) => ({
      keys: rangeOf(memory, layer * 2 * plane, plane),
      values: rangeOf(memory, (layer * 2 + 1) * plane, plane),
      element,
      capacity,
    }));
  }

  free(): void {
    this.#memory.free();
  }
}
