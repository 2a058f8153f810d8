/** What is counted where the `split8` head's search for the likeliest rows is held against the full head. */
import type { HeadCounts } from "../../src/native/head.ts";

/** How many of the likeliest rows are asked for, by turns. */
export const COUNTS = [1, 40, 256] as const;

export interface Agreement {
  /** The kind of head, or the model's file. */
  readonly head: string;
  /** How peaked the logits are, or where they come from. */
  readonly entropy: string;
  readonly positions: number;
  /** Positions whose likeliest rows or logits differ in any bit. */
  readonly misses: number;
  readonly fallbacks: number;
  /** Searches that had to be done again without the coarse pass. */
  readonly coarse_fallbacks: number;
  /** Mean and largest by the number of rows asked for, in the order of `COUNTS`, of the positions without fallback. */
  readonly rows_rescored: readonly {
    readonly count: number;
    readonly mean: number;
    readonly largest: number;
  }[];
}

/** Counts positions one by one. */
export class Tally {
  #positions = 0;
  #misses = 0;
  #fallbacks = 0;
  #coarse_fallbacks = 0;
  readonly #turns: readonly { readonly count: number; sum: number; largest: number; positions: number }[];

  /** `count_max`: how many rows a search can be asked for. */
  constructor(count_max: number) {
    this.#turns = COUNTS.map((count) => ({
      count: Math.min(count, count_max),
      sum: 0,
      largest: 0,
      positions: 0,
    }));
  }

  get positions(): number {
    return this.#positions;
  }

  /** How many rows are asked for at turn 0, 1, 2, ... */
  countAt(turn: number): number {
    return this.#turnOf(turn).count;
  }

  #turnOf(turn: number) {
    const found = this.#turns[turn % this.#turns.length];
    if (found === undefined) throw new RangeError(`turn ${turn}`);
    return found;
  }

  /** Counts a position that was asked for the rows of `turn`. */
  add(turn: number, agrees: boolean, { fell_back, coarse_fell_back, rows_rescored }: HeadCounts): void {
    const rescored = this.#turnOf(turn);
    this.#positions += 1;
    if (!agrees) this.#misses += 1;
    if (coarse_fell_back) this.#coarse_fallbacks += 1;
    if (fell_back) {
      this.#fallbacks += 1;
      return;
    }
    rescored.sum += rows_rescored;
    rescored.largest = Math.max(rescored.largest, rows_rescored);
    rescored.positions += 1;
  }

  agreement(head: string, entropy: string): Agreement {
    return {
      ...{ head, entropy, positions: this.#positions, misses: this.#misses },
      ...{ fallbacks: this.#fallbacks, coarse_fallbacks: this.#coarse_fallbacks },
      rows_rescored: this.#turns.map(({ count, sum, largest, positions }) => ({
        count,
        mean: positions === 0 ? 0 : sum / positions,
        largest,
      })),
    };
  }
}

/** Whether `ids` are the likeliest of all, in order, each with its own logit. */
export function isTop(ids: Uint32Array, top_logits: Float32Array, logits: Float32Array): boolean {
  for (let place = 0; place < ids.length; place += 1) {
    const id = ids[place] ?? -1;
    const logit = top_logits[place] ?? Number.NaN;
    if (logits[id] !== logit) return false;
    const before = place === 0 ? Number.POSITIVE_INFINITY : (top_logits[place - 1] ?? 0);
    if (logit > before || (logit === before && id <= (ids[place - 1] ?? 0))) return false;
  }
  const last_id = ids.at(-1) ?? 0;
  const last = top_logits.at(-1) ?? Number.NaN;
  let as_likely = 0;
  for (let id = 0; id < logits.length; id += 1) {
    const logit = logits[id] ?? 0;
    if (logit > last || (logit === last && id <= last_id)) as_likely += 1;
  }
  return as_likely === ids.length;
}
