/**
 * The likeliest rows of a `split8` head with their exact logits, for one token or several: what draws need, mostly for half
 * the bytes of all logits. docs/head.md derives how sure "likeliest" is and why the margin is what it is.
 *
 * Legend: B tokens, K in_features, R out_features.
 */
import { ptr } from "bun:ffi";
import { SherryError } from "../errors.ts";
import { type CoarseHead, MARGIN_MAX } from "./coarse-head.ts";
import type { Kernels } from "./kernels.ts";
import { library } from "./library.ts";
import { checkStatus } from "./status.ts";
import type { NativeRange, Split8Weight } from "./weight.ts";

/**
 * How many standard deviations of its error an upper score allows for. A row among the k likeliest is overlooked with a
 * chance of at most k * exp(-9^2 / 2): 2.6e-18 a greedy token, 6.6e-16 at k = 256.
 */
export const HEAD_MARGIN = 9;
/** Numbers of one token's counts (zig/kernels/head_candidates.zig, Counts); the last two are the coarse pass's. */
const COUNTS_LENGTH = 5;

/** What a search cost. */
export interface HeadCounts {
  /** Rows that the first threshold let through. */
  readonly candidates: number;
  readonly rows_rescored: number;
  /** Whether all rows had to be rescored. */
  readonly fell_back: boolean;
  /** Rows beyond the candidates whose upper score the coarse pass asked for; 0 without one. */
  readonly coarse_candidates: number;
  /** Whether the coarse pass left too many rows, so that all got upper scores. */
  readonly coarse_fell_back: boolean;
}

/** One token's result: rows likeliest first, equal logits by id. The arrays are overwritten by the next search. */
export interface TokenCandidates {
  readonly ids: Uint32Array;
  /** Of `ids`. */
  readonly logits: Float32Array;
  readonly counts: HeadCounts;
}

function checkMaximum(name: string, received: number): void {
  if (Number.isSafeInteger(received) && received >= 1) return;
  throw new SherryError("argument_invalid", name, {
    expected: "an integer of at least 1",
    received: String(received),
  });
}

/** The result of the last search; overwritten by the next. */
export class HeadCandidates {
  readonly count_max: number;
  readonly tokens_max: number;
  readonly #ids: Uint32Array;
  readonly #logits: Float32Array;
  readonly #counts: BigUint64Array;
  readonly #wanted: Uint32Array;
  /** Tokens of the last search and the rows that each has room for; no tokens until a search has succeeded. */
  #tokens = 0;
  #stride = 0;

  /** Room for up to `count_max` rows of each of up to `tokens_max` tokens. @throws SherryError argument_invalid */
  constructor(count_max: number, tokens_max = 1) {
    checkMaximum("count_max", count_max);
    checkMaximum("tokens_max", tokens_max);
    this.count_max = count_max;
    this.tokens_max = tokens_max;
    this.#ids = new Uint32Array(count_max * tokens_max);
    this.#logits = new Float32Array(count_max * tokens_max);
    this.#counts = new BigUint64Array(COUNTS_LENGTH * tokens_max);
    this.#wanted = new Uint32Array(tokens_max);
  }

  /** The first token's, none before a search has succeeded. */
  get ids(): Uint32Array {
    return this.#ids.subarray(0, this.#countOf(0));
  }

  /** Of `ids`. */
  get logits(): Float32Array {
    return this.#logits.subarray(0, this.#countOf(0));
  }

  get counts(): HeadCounts {
    return this.#countsOf(0);
  }

  /** What the last search found for token number `token` (0 .. B - 1). @throws SherryError argument_invalid */
  of(token: number): TokenCandidates {
    if (!Number.isInteger(token) || token < 0 || token >= this.#tokens) {
      throw new SherryError("argument_invalid", "the number of a searched token", {
        expected: `an integer from 0 to ${this.#tokens - 1}`,
        received: String(token),
      });
    }
    const begin = token * this.#stride;
    const end = begin + this.#countOf(token);
    return {
      ids: this.#ids.subarray(begin, end),
      logits: this.#logits.subarray(begin, end),
      counts: this.#countsOf(token),
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
    coarse: CoarseHead | null = null,
  ): void {
    this.findEach(kernels, weight, prepared, [count], margin, coarse);
  }

  /**
   * Finds the likeliest rows for B tokens (1 to `tokens_max`) that were prepared together, `wanted[b]` of them (1 to R and to
   * `count_max`) for token b, in one pass over the weights. A token's result has the same bits as alone. When it throws,
   * no token has a result. `coarse`, made from `weight`, is read first for one token alone, and not for several.
   * @throws SherryError argument_invalid | numbers_not_finite (any token's) | out_of_memory
   */
  findEach(
    kernels: Kernels,
    weight: Split8Weight,
    prepared: NativeRange,
    wanted: readonly number[],
    margin: number = HEAD_MARGIN,
    coarse: CoarseHead | null = null,
  ): void {
    this.#checkSearch(weight, wanted, margin, coarse);
    // Until the search has succeeded there is no result.
    this.#tokens = 0;
    this.#wanted.set(wanted);
    this.#stride = Math.max(...wanted);
    const status = library().symbols.sherry_head_candidates(
      kernels.context,
      weight.range.address,
      weight.range.bytes,
      weight.rows,
      weight.columns,
      prepared.address,
      prepared.bytes,
      wanted.length,
      margin,
      coarse?.range.address ?? null,
      coarse?.range.bytes ?? 0,
      coarse?.margin ?? 0,
      ptr(this.#wanted),
      this.#stride,
      ptr(this.#ids),
      ptr(this.#logits),
      ptr(this.#counts),
    );
    checkStatus(status, "the head's likeliest rows");
    this.#tokens = wanted.length;
  }

  #checkSearch(
    weight: Split8Weight,
    wanted: readonly number[],
    margin: number,
    coarse: CoarseHead | null,
  ): void {
    if (wanted.length < 1 || wanted.length > this.tokens_max) {
      throw new SherryError("argument_invalid", "the number of tokens to search for", {
        expected: `an integer from 1 to ${this.tokens_max}`,
        received: String(wanted.length),
      });
    }
    const limit = Math.min(weight.rows, this.count_max);
    const wrong = wanted.find((count) => !Number.isSafeInteger(count) || count < 1 || count > limit);
    if (wrong !== undefined) {
      throw new SherryError("argument_invalid", "the number of likeliest rows", {
        expected: `an integer from 1 to ${limit}`,
        received: String(wrong),
      });
    }
    if (!(margin >= 0 && margin <= MARGIN_MAX)) {
      throw new SherryError("argument_invalid", "margin", {
        expected: `a number from 0 to ${MARGIN_MAX}`,
        received: String(margin),
      });
    }
    if (coarse !== null && coarse.weight !== weight) {
      throw new SherryError("argument_invalid", "the coarse plane", {
        expected: "one made from the head that is searched",
        received: "another head's",
      });
    }
  }

  #countOf(token: number): number {
    return token < this.#tokens ? (this.#wanted[token] ?? 0) : 0;
  }

  #countsOf(token: number): HeadCounts {
    const first = token * COUNTS_LENGTH;
    const [
      candidates = 0n,
      rows_rescored = 0n,
      fell_back = 0n,
      coarse_candidates = 0n,
      coarse_fell_back = 0n,
    ] = this.#counts.subarray(first);
    return {
      candidates: Number(candidates),
      rows_rescored: Number(rows_rescored),
      fell_back: fell_back !== 0n,
      coarse_candidates: Number(coarse_candidates),
      coarse_fell_back: coarse_fell_back !== 0n,
    };
  }
}
