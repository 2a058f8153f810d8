/**
 * The native calls of a model's layers, written down for a pass over some sequences and made again for every later one over the
 * same: while sequences are decoded nothing but their positions changes from token to token.
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

/** Passes whose calls are kept: as many answers as a small server advances in turn, each by passes of its own. */
const PASSES_KEPT = 8;

/** The calls of one pass over all layers. */
interface WrittenPass {
  readonly parts: readonly SequencePart[];
  readonly list: CallList;
  /** Where each layer's calls end. */
  readonly ends: readonly number[];
  readonly tables: readonly SequenceTable[];
}

export class LayerCalls {
  /** The one used last is the first. Those of a cache that was freed are never asked for again, and make room in time. */
  readonly #passes: WrittenPass[] = [];

  /** Makes ready the calls of a pass over `parts`, each at its cache's length; `work` is asked when they are not kept. */
  prepare(kernels: Kernels, layers: number, parts: readonly SequencePart[], work: LayerWork): void {
    const place = this.#passes.findIndex((pass) => isOf(pass, parts));
    const [kept] = place < 0 ? [] : this.#passes.splice(place, 1);
    const pass = kept ?? write(kernels, layers, parts, work);
    this.#passes.unshift(pass);
    this.#passes.splice(PASSES_KEPT);
    for (const table of pass.tables) {
      for (const [sequence, { cache }] of parts.entries()) table.setStart(sequence, cache.length);
    }
  }

  /** Makes the calls of layers `begin` .. `end`, at least one, of the pass that was made ready last. */
  run(kernels: Kernels, begin: number, end: number): void {
    const [pass] = this.#passes;
    const last = pass?.ends[end - 1];
    if (pass === undefined || last === undefined) throw new RangeError(`no calls of layer ${end - 1}`);
    kernels.run(pass.list, pass.ends[begin - 1] ?? 0, last);
  }
}

function isOf(pass: WrittenPass, parts: readonly SequencePart[]): boolean {
  if (parts.length !== pass.parts.length) return false;
  return parts.every(({ cache, tokens }, index) => {
    const part = pass.parts[index];
    return part?.cache === cache && part.tokens === tokens;
  });
}

function write(
  kernels: Kernels,
  layers: number,
  parts: readonly SequencePart[],
  work: LayerWork,
): WrittenPass {
  const list = new CallList();
  const tables = Array.from({ length: layers }, (_, layer) => new SequenceTable(rangesOf(parts, layer)));
  const ends = tables.map((table, layer) => {
    kernels.record(list, () => work(layer, table));
    return list.length;
  });
  return { parts: [...parts], list, ends, tables };
}

function rangesOf(parts: readonly SequencePart[], layer: number) {
  return parts.map(({ cache, tokens }) => {
    const layer_cache = cache.layers[layer];
    if (layer_cache === undefined) throw new RangeError(`the cache has no layer ${layer}`);
    return { cache: layer_cache, start: cache.length, tokens };
  });
}
