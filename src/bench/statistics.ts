/** Numbers that a series of times is told by. The minimum is the quiet machine, the median is what one gets. */

export interface Statistics {
  readonly minimum: number;
  readonly median: number;
  readonly maximum: number;
  readonly count: number;
}

/** Of at least one value. */
export function statisticsOf(values: readonly number[]): Statistics {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  const lower = sorted[middle - 1] ?? upper;
  return {
    minimum: sorted[0] ?? Number.NaN,
    median: sorted.length % 2 === 1 ? upper : (lower + upper) / 2,
    maximum: sorted.at(-1) ?? Number.NaN,
    count: sorted.length,
  };
}

/** How far the largest of some positive values lies above the smallest: 0.1 is 10 %. */
export function spreadOf(values: readonly number[]): number {
  const { minimum, maximum } = statisticsOf(values);
  return maximum / minimum - 1;
}
