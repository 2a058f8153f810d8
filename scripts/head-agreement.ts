/**
 * Holds the `split8` head's search for the likeliest rows against the full head, over many random positions of random
 * heads: `bun scripts/head-agreement.ts [--positions N] [--rows N] [--columns N] [--margin C] [--threads N] [--seed N]
 * [--coarse] [--coarse-margin C] [--json]`; --coarse searches by the coarse plane first. A miss is a position whose k likeliest rows or logits differ in any bit. docs/head.md says what was found and why.
 *
 * Legend: R rows (vocabulary), K columns (hidden size).
 */
import { errorColumns, progressBar } from "../src/cli/progress-bar.ts";
import { split8Layout } from "../src/format/split8-layout.ts";
import {
  type CoarseHead,
  coarseHeadBytes,
  HEAD_COARSE_MARGIN,
  makeCoarseHead,
} from "../src/native/coarse-head.ts";
import { HEAD_MARGIN, HeadCandidates } from "../src/native/head.ts";
import { Kernels, preparedBytes } from "../src/native/kernels.ts";
import { NativeMemory } from "../src/native/memory.ts";
import { PackingStatistics, quantizeSplit8 } from "../src/native/packing.ts";
import { rangeOf, type Split8Weight } from "../src/native/weight.ts";
import { Random } from "../src/sampling/random.ts";

/** How many of the likeliest rows are asked for, by turns. */
const COUNTS = [1, 40, 256] as const;
/** Positions of one head; the next ones get a new one. */
const POSITIONS_A_HEAD = 20_000;
/** Positions from one drawing of the progress bar to the next. */
const POSITIONS_A_DRAW = 500;

export interface AgreementOptions {
  /** Of each head with each entropy. */
  readonly positions: number;
  readonly rows: number;
  readonly columns: number;
  readonly margin: number;
  /** Of the coarse pass; null for searches without one. */
  readonly coarse_margin: number | null;
  readonly threads: number;
  readonly seed: number;
}

export interface Agreement {
  readonly head: string;
  readonly entropy: string;
  readonly positions: number;
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

/** Two normal numbers at a time (Box and Muller 1958) into `out`. */
function fillNormal(random: Random, out: Float32Array): void {
  for (let index = 0; index < out.length; index += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - random.nextUniform()));
    const angle = 2 * Math.PI * random.nextUniform();
    out[index] = radius * Math.cos(angle);
    if (index + 1 < out.length) out[index + 1] = radius * Math.sin(angle);
  }
}

type FillHead = (random: Random, weights: Float32Array, rows: number, columns: number) => void;

function scaleRows(weights: Float32Array, columns: number, factorOf: (row: number) => number): void {
  for (let row = 0; row * columns < weights.length; row += 1) {
    const factor = factorOf(row);
    for (let column = 0; column < columns; column += 1) {
      weights[row * columns + column] = (weights[row * columns + column] ?? 0) * factor;
    }
  }
}

function normals(random: Random, length: number): Float32Array {
  const result = new Float32Array(length);
  fillNormal(random, result);
  return result;
}

/** Rows of a low-rank part and noise, a few columns six times as heavy: what trained heads look like. */
const fillLowRank: FillHead = (random, weights, rows, columns) => {
  const rank = 16;
  const left = normals(random, rows * rank);
  const right = normals(random, rank * columns);
  fillNormal(random, weights);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      let sum = (weights[row * columns + column] ?? 0) / 2;
      for (let index = 0; index < rank; index += 1) {
        sum += ((left[row * rank + index] ?? 0) * (right[index * columns + column] ?? 0)) / 4;
      }
      weights[row * columns + column] = column % 97 === 5 ? 6 * sum : sum;
    }
  }
};

const HEADS: Readonly<Record<string, FillHead>> = {
  normal: (random, weights) => fillNormal(random, weights),
  "log-normal norms": (random, weights, rows, columns) => {
    fillNormal(random, weights);
    const exponents = normals(random, rows);
    scaleRows(weights, columns, (row) => Math.exp((exponents[row] ?? 0) / 2));
  },
  "low rank, heavy columns": fillLowRank,
  // Groups of sixteen rows that differ by a fiftieth: many logits lie about the border of every selection.
  "near twins": (random, weights, rows, columns) => {
    fillNormal(random, weights);
    for (let row = 0; row < rows; row += 1) {
      const first = row - (row % 16);
      for (let column = 0; column < columns && row !== first; column += 1) {
        const own = weights[row * columns + column] ?? 0;
        weights[row * columns + column] = (weights[first * columns + column] ?? 0) + own / 50;
      }
    }
  },
};

/** How much of a row of the head an activation contains: logits from flat to one far above the others. */
const ENTROPIES: Readonly<Record<string, number>> = { flat: 0, middling: 0.25, peaked: 1 };

/** A head in native memory with room for one token's activations and logits. */
class Bench {
  readonly options: AgreementOptions;
  readonly kernels: Kernels;
  readonly weights: Float32Array;
  readonly x: Float32Array;
  readonly logits: Float32Array;
  readonly #memory: NativeMemory;
  readonly #weight: Split8Weight;
  readonly #coarse_range: ReturnType<typeof rangeOf>;
  #coarse: CoarseHead | null = null;
  readonly #prepared: ReturnType<typeof rangeOf>;
  readonly #x_range: ReturnType<typeof rangeOf>;
  readonly #logits_range: ReturnType<typeof rangeOf>;
  readonly candidates = new HeadCandidates(Math.max(...COUNTS));

  constructor(options: AgreementOptions) {
    const { rows, columns, threads } = options;
    this.options = options;
    this.kernels = Kernels.create({ thread_count: threads });
    const layout = split8Layout({ rows, columns });
    const coarse_bytes = coarseHeadBytes({ rows, columns });
    const sizes = [layout.bytes, preparedBytes(1, columns), columns * 4, rows * 4, coarse_bytes];
    const offsets: number[] = [];
    let bytes = 0;
    for (const size of sizes) {
      offsets.push(bytes);
      bytes += Math.ceil(size / 64) * 64;
    }
    const [weight = 0, prepared = 0, x = 0, logits = 0, coarse = 0] = offsets;
    this.#memory = NativeMemory.allocate(bytes);
    this.#weight = { kind: "split8", range: rangeOf(this.#memory, weight, layout.bytes), rows, columns };
    this.#coarse_range = rangeOf(this.#memory, coarse, coarse_bytes);
    this.#prepared = rangeOf(this.#memory, prepared, preparedBytes(1, columns));
    this.#x_range = rangeOf(this.#memory, x, columns * 4);
    this.#logits_range = rangeOf(this.#memory, logits, rows * 4);
    this.x = this.#memory.floats(x, columns);
    this.logits = this.#memory.floats(logits, rows);
    this.weights = new Float32Array(rows * columns);
  }

  /** Quantizes `weights` into the head. */
  pack(): void {
    const { rows, columns } = this.options;
    const layout = split8Layout({ rows, columns });
    const target = {
      high: this.#memory.view(0, layout.plane_bytes),
      low: this.#memory.view(layout.low_offset, layout.plane_bytes),
      scales: this.#memory.floats(layout.scales_offset, rows),
    };
    quantizeSplit8(this.weights, { rows, columns }, target, new PackingStatistics());
    const { coarse_margin } = this.options;
    if (coarse_margin === null) return;
    this.#coarse = makeCoarseHead(this.kernels, this.#weight, this.#coarse_range, coarse_margin);
  }

  /** Whether the search finds the `count` likeliest rows of `x` as the full head has them. */
  agrees(count: number): boolean {
    const { columns, margin } = this.options;
    this.kernels.prepare(this.#x_range, 1, columns, this.#prepared);
    this.candidates.find(this.kernels, this.#weight, this.#prepared, count, margin, this.#coarse);
    const input = { x: this.#x_range, prepared: this.#prepared };
    this.kernels.linear(this.#weight, input, 1, this.#logits_range);
    return isTop(this.candidates.ids, this.candidates.logits, this.logits);
  }

  close(): void {
    this.kernels.close();
    this.#memory.free();
  }
}

/** Whether `ids` are the likeliest of all, in order, each with its own logit. */
function isTop(ids: Uint32Array, top_logits: Float32Array, logits: Float32Array): boolean {
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

/** Every kind of head with every entropy. `report` hears of each as it is done, `advance` of positions on the way. */
export function measureAgreement(
  options: AgreementOptions,
  report: (agreement: Agreement) => void = () => {},
  advance: (share: number, head: string) => void = () => {},
): Agreement[] {
  const bench = new Bench(options);
  const random = Random.fromSeed(options.seed);
  const results: Agreement[] = [];
  try {
    for (const [head, fill] of Object.entries(HEADS)) {
      for (const [entropy, share] of Object.entries(ENTROPIES)) {
        const done = results.length;
        const combinations = Object.keys(HEADS).length * Object.keys(ENTROPIES).length;
        const measured = measureOne(bench, random, fill, share, (part) =>
          advance((done + part) / combinations, head),
        );
        const agreement = { head, entropy, ...measured };
        results.push(agreement);
        report(agreement);
      }
    }
  } finally {
    bench.close();
  }
  return results;
}

function measureOne(
  bench: Bench,
  random: Random,
  fill: FillHead,
  share: number,
  advance: (part: number) => void,
): Omit<Agreement, "head" | "entropy"> {
  const { positions, rows, columns } = bench.options;
  const rescored = COUNTS.map((count) => ({
    count: Math.min(count, rows),
    sum: 0,
    largest: 0,
    positions: 0,
  }));
  let misses = 0;
  let fallbacks = 0;
  let coarse_fallbacks = 0;
  for (let position = 0; position < positions; position += 1) {
    if (position % POSITIONS_A_HEAD === 0) {
      fill(random, bench.weights, rows, columns);
      bench.pack();
    }
    if (position % POSITIONS_A_DRAW === 0) advance(position / positions);
    fillNormal(random, bench.x);
    const first = Math.floor(random.nextUniform() * rows) * columns;
    for (let column = 0; column < columns; column += 1) {
      bench.x[column] = (bench.x[column] ?? 0) + share * (bench.weights[first + column] ?? 0);
    }
    const tally = rescored[position % rescored.length];
    if (tally === undefined) continue;
    if (!bench.agrees(tally.count)) misses += 1;
    const { fell_back, coarse_fell_back, rows_rescored } = bench.candidates.counts;
    if (coarse_fell_back) coarse_fallbacks += 1;
    if (fell_back) {
      fallbacks += 1;
    } else {
      tally.sum += rows_rescored;
      tally.largest = Math.max(tally.largest, rows_rescored);
      tally.positions += 1;
    }
  }
  return {
    positions,
    misses,
    fallbacks,
    coarse_fallbacks,
    rows_rescored: rescored.map(({ count, sum, largest, positions: counted }) => ({
      count,
      mean: counted === 0 ? 0 : sum / counted,
      largest,
    })),
  };
}

function numberOption(name: string, fallback: number): number {
  const place = Bun.argv.indexOf(`--${name}`);
  if (place < 0) return fallback;
  const value = Number(Bun.argv[place + 1]);
  if (Number.isFinite(value)) return value;
  throw new Error(`--${name}: expected a number, received ${Bun.argv[place + 1] ?? "nothing"}`);
}

if (import.meta.main) {
  const options: AgreementOptions = {
    positions: numberOption("positions", 90_000),
    rows: numberOption("rows", 8_192),
    columns: numberOption("columns", 256),
    margin: numberOption("margin", HEAD_MARGIN),
    coarse_margin: Bun.argv.includes("--coarse") ? numberOption("coarse-margin", HEAD_COARSE_MARGIN) : null,
    threads: numberOption("threads", 2),
    seed: numberOption("seed", 1),
  };
  const wants_json = Bun.argv.includes("--json");
  const bar = progressBar({ writeError: (text) => process.stderr.write(text) }, errorColumns());
  const started = performance.now();
  if (!wants_json)
    process.stdout.write(`${options.rows} rows of ${options.columns}, margin ${options.margin}\n`);
  const results = measureAgreement(
    options,
    (one) => {
      bar.clear();
      if (wants_json) return;
      const rescored = one.rows_rescored.map(
        ({ count, mean, largest }) => `k ${count}: ${mean.toFixed(0)} (most ${largest})`,
      );
      process.stdout.write(
        `${one.head.padEnd(24)} ${one.entropy.padEnd(9)} ${one.positions} positions, ${one.misses} misses, ` +
          `${one.fallbacks} fallbacks (coarse ${one.coarse_fallbacks}), rows rescored ${rescored.join(", ")}\n`,
      );
    },
    (share, head) => bar.draw(share, head),
  );
  bar.clear();
  const sum = (of: (one: Agreement) => number) => results.reduce((total, one) => total + of(one), 0);
  const total = {
    positions: sum((one) => one.positions),
    misses: sum((one) => one.misses),
    fallbacks: sum((one) => one.fallbacks),
    coarse_fallbacks: sum((one) => one.coarse_fallbacks),
    seconds: (performance.now() - started) / 1000,
  };
  process.stdout.write(
    wants_json
      ? `${JSON.stringify({ options, results, total })}\n`
      : `${total.positions} positions, ${total.misses} misses, ${total.fallbacks} fallbacks (coarse ${total.coarse_fallbacks}), ${total.seconds.toFixed(0)} s\n`,
  );
}
