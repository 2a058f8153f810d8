/** Axes of a chart: from values to places, and the round numbers that stand beside them. */

export interface Axis {
  readonly low: number;
  readonly high: number;
  readonly is_log: boolean;
  /** Where a value stands, 0 at `low` to 1 at `high`. */
  readonly share: (value: number) => number;
  readonly ticks: readonly number[];
}

const TICKS_WANTED = 5;
/** Under this ratio of high to low a logarithmic axis gets the ticks of a linear one: 1, 2 and 5 are too far apart. */
const DECADE_RATIO = 6;

/** An axis over the finite values, widened to a width above 0. @param includes_zero makes it start at 0 or below */
export function axisOf(
  values: readonly number[],
  { is_log = false, includes_zero = false }: { is_log?: boolean; includes_zero?: boolean } = {},
): Axis | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (!Number.isFinite(value) || (is_log && value <= 0)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return null;
  if (is_log) return logAxis(low, high);
  if (includes_zero) low = Math.min(0, low);
  if (low === high) high = low === 0 ? 1 : low + Math.abs(low);
  const ticks = linearTicks(low, high);
  return { low, high, is_log: false, share: (value) => (value - low) / (high - low), ticks };
}

function logAxis(lowest: number, highest: number): Axis {
  const high = lowest === highest ? highest * 1.1 : highest;
  const low = lowest === highest ? lowest / 1.1 : lowest;
  const width = Math.log(high / low);
  const share = (value: number) => Math.log(value / low) / width;
  const ticks = high / low < DECADE_RATIO ? linearTicks(low, high) : decadeTicks(low, high);
  return { low, high, is_log: true, share, ticks };
}

function linearTicks(low: number, high: number): number[] {
  const rough = (high - low) / TICKS_WANTED;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? rough;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
}

/** 1, 2 and 5 of every decade, or the decades alone when there are many. */
function decadeTicks(low: number, high: number): number[] {
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  const factors = last - first > 3 ? [1] : [1, 2, 5];
  const decades = Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index));
  return decades
    .flatMap((decade) => factors.map((factor) => factor * decade))
    .filter((value) => value >= low && value <= high);
}

/** Short: 12k, 3.5M, 0.25, 1.5e-4. */
export function tickText(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9) return `${trimmed(value / 1e9)}G`;
  if (size >= 1e6) return `${trimmed(value / 1e6)}M`;
  if (size >= 1e4) return `${trimmed(value / 1e3)}k`;
  if (size !== 0 && size < 1e-2) return value.toExponential(1).replace(".0e", "e");
  return trimmed(value);
}

function trimmed(value: number): string {
  return String(Number(value.toPrecision(4)));
}
