/**
 * The tokens that a draw may still choose, narrowed without sorting the vocabulary: a heap for the k likeliest, a
 * weighted quickselect for the likeliest that together hold a share p. Tokens are ordered by logit, likeliest first,
 * equal logits by id, so that every selection is unique.
 * Source: quickselect, Hoare 1961 (CACM 4(7), Algorithm 65), here with a sum of weights in place of a rank.
 */

/** A larger heap is slower than selecting from all tokens. */
export const HEAP_COUNT_MAX = 4_096;

export class Candidates {
  /** Logits of the vocabulary, shape [vocab_size]; the caller's, only read. Set by `start`. */
  #logits: Float32Array = new Float32Array(0);
  /** Token ids that are still in; the first `#count` count. Shape [vocab_size]. */
  #ids: Int32Array = new Int32Array(0);
  /** exp((logit - maximum) / temperature) of the token at the same place in `#ids`. Shape [vocab_size]. */
  #weights: Float64Array = new Float64Array(0);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** @returns the token ids that are still in; a view that the next call overwrites. Only takeTop promises an order. */
  ids(): Int32Array {
    return this.#ids.subarray(0, this.#count);
  }

  /** Begins with no candidates. Memory is taken when the vocabulary's size changes, else reused. */
  start(logits: Float32Array): void {
    this.#logits = logits;
    this.#count = 0;
    if (this.#ids.length === logits.length) return;
    this.#ids = new Int32Array(logits.length);
    this.#weights = new Float64Array(logits.length);
  }

  /** Lets in every token whose logit is at least `minimum`, by ascending id. */
  takeAtLeast(minimum: number): void {
    const logits = this.#logits;
    const ids = this.#ids;
    let count = 0;
    for (let id = 0; id < logits.length; id += 1) {
      if ((logits[id] ?? 0) >= minimum) {
        ids[count] = id;
        count += 1;
      }
    }
    this.#count = count;
  }

  /**
   * Lets in the `count` likeliest tokens; `count` is from 1 to the vocabulary's size. Up to HEAP_COUNT_MAX they are in
   * order, likeliest first, whatever the logits of the others: a draw among them depends on nothing else.
   */
  takeTop(count: number): void {
    if (count > HEAP_COUNT_MAX) {
      // With every weight 1, the fewest that weigh `count` are the `count` likeliest.
      this.takeAtLeast(Number.NEGATIVE_INFINITY);
      this.#weights.fill(1);
      this.keepMass(count);
      return;
    }
    const logits = this.#logits;
    const ids = this.#ids;
    // A heap with the least likely candidate on top: most tokens of a large vocabulary fail against it at once.
    for (let id = 0; id < count; id += 1) ids[id] = id;
    for (let place = (count >> 1) - 1; place >= 0; place -= 1) this.#siftDown(place, count);
    let top_logit = logits[ids[0] ?? 0] ?? 0;
    for (let id = count; id < logits.length; id += 1) {
      // A later token with an equal logit has the higher id, so it loses against the one on top.
      if ((logits[id] ?? 0) <= top_logit) continue;
      ids[0] = id;
      this.#siftDown(0, count);
      top_logit = logits[ids[0] ?? 0] ?? 0;
    }
    this.#count = count;
    // Heap sort: the least likely of what is left goes to the end of it.
    for (let last = count - 1; last > 0; last -= 1) {
      const id = ids[last] ?? 0;
      ids[last] = ids[0] ?? 0;
      ids[0] = id;
      this.#siftDown(0, last);
    }
  }

  /** Weighs every candidate against `maximum`, the largest logit. @returns the sum of the weights. */
  weigh(maximum: number, temperature: number): number {
    const logits = this.#logits;
    const ids = this.#ids;
    const weights = this.#weights;
    let sum = 0;
    for (let place = 0; place < this.#count; place += 1) {
      const weight = Math.exp(((logits[ids[place] ?? 0] ?? 0) - maximum) / temperature);
      weights[place] = weight;
      sum += weight;
    }
    return sum;
  }

  /** Drops candidates that weigh less than `minimum`. Needs `weigh`. @returns the sum of the weights that are kept. */
  dropLighter(minimum: number): number {
    const ids = this.#ids;
    const weights = this.#weights;
    let kept = 0;
    let sum = 0;
    for (let place = 0; place < this.#count; place += 1) {
      const weight = weights[place] ?? 0;
      if (weight < minimum) continue;
      ids[kept] = ids[place] ?? 0;
      weights[kept] = weight;
      kept += 1;
      sum += weight;
    }
    this.#count = kept;
    return sum;
  }

  /**
   * Keeps the fewest likeliest candidates whose weights sum to at least `mass`, at least one. Needs `weigh`.
   * @returns the sum of the weights that are kept.
   */
  keepMass(mass: number): number {
    // Invariant: places before `low` are kept, with `kept` as their sum; places after `high` are dropped.
    let low = 0;
    let high = this.#count - 1;
    let kept = 0;
    while (low < high) {
      const last_of_front = this.#partition(low, high);
      let front = 0;
      for (let place = low; place <= last_of_front; place += 1) front += this.#weights[place] ?? 0;
      if (kept + front >= mass) {
        high = last_of_front;
      } else {
        kept += front;
        low = last_of_front + 1;
      }
    }
    this.#count = low + 1;
    return kept + (this.#weights[low] ?? 0);
  }

  /**
   * The candidate that owns `point` when all weights lie end to end. Needs `weigh`.
   * @param point from 0 up to, but never, the sum of the weights
   */
  idAt(point: number): number {
    const weights = this.#weights;
    let end = 0;
    let last_place = 0;
    for (let place = 0; place < this.#count; place += 1) {
      const weight = weights[place] ?? 0;
      if (weight === 0) continue;
      last_place = place;
      end += weight;
      if (point < end) break;
    }
    // Rounding can leave the point behind the last end; it then belongs to the last candidate that can be drawn.
    return this.#ids[last_place] ?? 0;
  }

  /** Hoare's partition. @returns where the front ends: all of [low, it] are likelier than all of (it, high]. */
  #partition(low: number, high: number): number {
    const logits = this.#logits;
    const ids = this.#ids;
    const weights = this.#weights;
    const pivot_id = this.#medianId(ids[low] ?? 0, ids[(low + high) >> 1] ?? 0, ids[high] ?? 0);
    const pivot_logit = logits[pivot_id] ?? 0;
    // The same order as #isLikelier, spelled out: this loop reads most of a vocabulary several times.
    const isBeforePivot = (id: number): boolean => {
      const logit = logits[id] ?? 0;
      return logit > pivot_logit || (logit === pivot_logit && id < pivot_id);
    };
    let left = low;
    let right = high;
    while (true) {
      while (isBeforePivot(ids[left] ?? 0)) left += 1;
      while (ids[right] !== pivot_id && !isBeforePivot(ids[right] ?? 0)) right -= 1;
      // A median of three always has a token behind it, so the front is never all of the range.
      if (left >= right) return right;
      const id = ids[left] ?? 0;
      ids[left] = ids[right] ?? 0;
      ids[right] = id;
      const weight = weights[left] ?? 0;
      weights[left] = weights[right] ?? 0;
      weights[right] = weight;
      left += 1;
      right -= 1;
    }
  }

  #medianId(first: number, second: number, third: number): number {
    if (this.#isLikelier(first, second)) {
      if (this.#isLikelier(second, third)) return second;
      return this.#isLikelier(first, third) ? third : first;
    }
    if (this.#isLikelier(first, third)) return first;
    return this.#isLikelier(second, third) ? third : second;
  }

  #isLikelier(id: number, other_id: number): boolean {
    const logit = this.#logits[id] ?? 0;
    const other_logit = this.#logits[other_id] ?? 0;
    return logit > other_logit || (logit === other_logit && id < other_id);
  }

  #siftDown(start: number, count: number): void {
    const ids = this.#ids;
    const id = ids[start] ?? 0;
    let place = start;
    while (true) {
      let child = 2 * place + 1;
      if (child >= count) break;
      if (child + 1 < count && this.#isLikelier(ids[child] ?? 0, ids[child + 1] ?? 0)) child += 1;
      if (!this.#isLikelier(id, ids[child] ?? 0)) break;
      ids[place] = ids[child] ?? 0;
      place = child;
    }
    ids[place] = id;
  }
}
