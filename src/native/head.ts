/**
 * The likeliest rows of a `split8` head for one token, with their exact logits: what a draw needs, mostly for half the
 * bytes of all logits. docs/head.md derives how sure "likeliest" is and why the margin is what it is.
 *
 * Legend: K in_features, R out_features.
 */
import { ptr } from "bun:ffi";
import { SherryError } from "../errors.ts";
import type { Kernels } from "./kernels.ts";
import { library } from "./library.ts";
import { checkStatus } from "./status.ts";
import type { NativeRange, Split8Weight } from "./weight.ts";

/**
 * How many standard deviations of its error an upper score allows for. A row among the k likeliest is overlooked with a
 * chance of at most k * exp(-9^2 / 2): 2.6e-18 a greedy token, 6.6e-16 at k = 256.
 */
export const HEAD_MARGIN = 9;
/** The C ABI's own limit of the margin (zig/kernels/split8_token.zig). */
const MARGIN_MAX = 64;

/** What a search cost. */
export interface HeadCounts {
  /** Rows that the first threshold let through. */
  readonly candidates: number;
  readonly rows_rescored: number;
  /** Whether all rows had to be rescored. */
  readonly fell_back: boolean;
}

/** The result of the last search; overwritten by the next. */
export class HeadCandidates {
  readonly count_max: number;
  readonly #ids: Uint32Array;
  readonly #logits: Float32Array;
  readonly #counts = new BigUint64Array(3);
  #count = 0;

  /** Room for up to `count_max` rows. @throws SherryError argument_invalid */
  constructor(count_max: number) {
    if (!Number.isSafeInteger(count_max) || count_max < 1) {
      throw new SherryError("argument_invalid", "count_max", {
        expected: "an integer of at least 1",
        received: String(count_max),
      });
    }
    this.count_max = count_max;
    this.#ids = new Uint32Array(count_max);
    this.#logits = new Float32Array(count_max);
  }

  /** Likeliest first, equal logits by id. */
  get ids(): Uint32Array {
    return this.#ids.subarray(0, this.#count);
  }

  /** Of `ids`. */
  get logits(): Float32Array {
    return this.#logits.subarray(0, this.#count);
  }

  get counts(): HeadCounts {
    const [candidates = 0n, rows_rescored = 0n, fell_back = 0n] = this.#counts;
    return {
      candidates: Number(candidates),
      rows_rescored: Number(rows_rescored),
      fell_back: fell_back !== 0n,
    };
  }

  /**
   * Finds the `count` (1 to R and to `count_max`) likeliest rows of `weight` for the one token in `prepared`.
   * @throws SherryError argument_invalid | numbers_not_finite | out_of_memory
   */
  find(
    kernels: Kernels,
    weight: Split8Weight,
    prepared: NativeRange,
    count: number,
    margin: number = HEAD_MARGIN,
  ): void {
    const limit = Math.min(weight.rows, this.count_max);
    if (!Number.isSafeInteger(count) || count < 1 || count > limit) {
      throw new SherryError("argument_invalid", "the number of likeliest rows", {
        expected: `an integer from 1 to ${limit}`,
        received: String(count),
      });
    }
    if (!(margin >= 0 && margin <= MARGIN_MAX)) {
      throw new SherryError("argument_invalid", "margin", {
        expected: `a number from 0 to ${MARGIN_MAX}`,
        received: String(margin),
      });
    }
    // Until the search has succeeded there is no result.
    this.#count = 0;
    const status = library().symbols.sherry_head_candidates(
      kernels.context,
      weight.range.address,
      weight.range.bytes,
      weight.rows,
      weight.columns,
      prepared.address,
      prepared.bytes,
      margin,
      count,
      ptr(this.#ids),
      ptr(this.#logits),
      ptr(this.#counts),
    );
    checkStatus(status, "the head's likeliest rows");
    this.#count = count;
  }
}
