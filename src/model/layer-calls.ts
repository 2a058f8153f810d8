/**
 * The native calls of a model's layers, written down when a pass has other sequences than the one before and made as often as
 * passes with the same ones follow: while sequences are decoded nothing but their positions changes from token to token.
 */
import { CallList } from "../native/call-list.ts";
import type { Kernels } from "../native/kernels.ts";
import { SequenceTable } from "../native/sequences.ts";
import type { KeyValueCache } from "./key-value-cache.ts";

/** One sequence of a pass: `tokens` positions of its cache are computed, the next ones. */
export interface SequencePart {
  readonly cache: KeyValueCache;
  readonly tokens: number;
}

/** Asks for all kernels of layer `layer`, whose caches are in `sequences`. */
export type LayerWork = (layer: number, sequences: SequenceTable) => void;

export class LayerCalls {
  readonly #list = new CallList();
  /** Where each layer's calls end. */
  #ends: number[] = [];
  #parts: readonly SequencePart[] = [];
  #tables: SequenceTable[] = [];

  /** Makes ready the calls of a pass over `parts`, each at its cache's length; `work` is asked when they differ. */
  prepare(kernels: Kernels, layers: number, parts: readonly SequencePart[], work: LayerWork): void {
    if (!this.#areOf(parts)) this.#record(kernels, layers, parts, work);
    for (const table of this.#tables) {
      for (const [sequence, { cache }] of parts.entries()) table.setStart(sequence, cache.length);
    }
  }

  /** Makes the calls of one layer. */
  run(kernels: Kernels, layer: number): void {
    const end = this.#ends[layer];
    if (end === undefined) throw new RangeError(`layer ${layer} of ${this.#ends.length}`);
    kernels.run(this.#list, this.#ends[layer - 1] ?? 0, end);
  }

  #areOf(parts: readonly SequencePart[]): boolean {
    if (parts.length !== this.#parts.length) return false;
    return parts.every(({ cache, tokens }, index) => {
      const part = this.#parts[index];
      return part?.cache === cache && part.tokens === tokens;
    });
  }

  #record(kernels: Kernels, layers: number, parts: readonly SequencePart[], work: LayerWork): void {
    // Until all is written down there is nothing that another pass could take for its own.
    this.#parts = [];
    this.#list.clear();
    this.#ends = [];
    this.#tables = Array.from({ length: layers }, (_, layer) => new SequenceTable(rangesOf(parts, layer)));
    for (const [layer, table] of this.#tables.entries()) {
      kernels.record(this.#list, () => work(layer, table));
      this.#ends.push(this.#list.length);
    }
    this.#parts = [...parts];
  }
}

function rangesOf(parts: readonly SequencePart[], layer: number) {
  return parts.map(({ cache, tokens }) => {
    const layer_cache = cache.layers[layer];
    if (layer_cache === undefined) throw new RangeError(`the cache has no layer ${layer}`);
    return { cache: layer_cache, start: cache.length, tokens };
  });
}
