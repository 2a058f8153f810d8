/**
 * The pairs of neighbouring tokens, most frequent first: a binary heap with late correction. A pair's count changes
 * with every merge near it; the heap keeps the count of the time it was pushed, and corrects an entry when it comes to
 * the top, so that a merge costs what it changes and not a walk over all pairs.
 */

export interface Pair {
  readonly left: number;
  readonly right: number;
  readonly count: number;
}

/** More frequent first; of equals the pair of the smaller left, then right token, so that training has one outcome. */
export function comesBefore(one: Pair, other: Pair): boolean {
  if (one.count !== other.count) return one.count > other.count;
  if (one.left !== other.left) return one.left < other.left;
  return one.right < other.right;
}

export class PairQueue {
  readonly #heap: Pair[] = [];

  push(pair: Pair): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(pair);
    while (index > 0) {
      const parent_index = (index - 1) >> 1;
      const parent = heap[parent_index];
      if (parent === undefined || !comesBefore(pair, parent)) break;
      heap[index] = parent;
      index = parent_index;
    }
    heap[index] = pair;
  }

  /**
   * The pair that is first by its present count.
   * @param countOf a pair's present count, never above what it was pushed with
   */
  pop(countOf: (left: number, right: number) => number): Pair | undefined {
    for (let top = this.#popTop(); top !== undefined; top = this.#popTop()) {
      const count = countOf(top.left, top.right);
      if (count === top.count) return top;
      if (count > 0) this.push({ left: top.left, right: top.right, count });
    }
    return undefined;
  }

  #popTop(): Pair | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return top;
    let index = 0;
    while (true) {
      const left_index = 2 * index + 1;
      const left = heap[left_index];
      const right = heap[left_index + 1];
      const right_wins = left !== undefined && right !== undefined && comesBefore(right, left);
      const child = right_wins ? right : left;
      if (child === undefined || !comesBefore(child, last)) break;
      heap[index] = child;
      index = right_wins ? left_index + 1 : left_index;
    }
    heap[index] = last;
    return top;
  }
}
