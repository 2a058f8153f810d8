/**
 * Holds the `split8` head's search for the likeliest rows against the full head, over many random positions of random
 * heads.
 *
 * Legend: R rows (vocabulary), K columns (hidden size).
 */
import { split8Layout } from "../../src/format/split8-layout.ts";
import { type CoarseHead, coarseHeadBytes, makeCoarseHead } from "../../src/native/coarse-head.ts";
import { HeadCandidates } from "../../src/native/head.ts";
import { Kernels, preparedBytes } from "../../src/native/kernels.ts";
import { NativeMemory } from "../../src/native/memory.ts";
import { PackingStatistics, quantizeSplit8 } from "../../src/native/packing.ts";
import { rangeOf, type Split8Weight } from "../../src/native/weight.ts";
import { Random } from "../../src/sampling/random.ts";
import { type Agreement, COUNTS, isTop, Tally } from "./agreement.ts";

/** Positions of one head; the next ones get a new one. */
const POSITIONS_A_HEAD = 20_000;
/** Positions from one drawing of the progress bar to the next. */
const POSITIONS_A_DRAW = 500;

export interface MadeUpOptions {
  /** Of each head with each entropy. */
  readonly positions: number;
  readonly rows: number;
  readonly columns: number;
  readonly margin: number;
  /** Of the coarse pass; null for searches without one. */
  readonly coarse_margin: number | null;
  readonly threads: number | undefined;
  readonly seed: number;
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
  readonly options: MadeUpOptions;
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

  constructor(options: MadeUpOptions) {
    const { rows, columns, threads } = options;
    this.options = options;
    this.kernels = Kernels.create(threads === undefined ? {} : { thread_count: threads });
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

/** Every kind of head with every entropy. `report` hears of each as it is done, `advance` of positions on the way. */
export function measureMadeUpHeads(
  options: MadeUpOptions,
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
        const tally = measureOne(bench, random, fill, share, (part) =>
          advance((done + part) / combinations, head),
        );
        const agreement = tally.agreement(head, entropy);
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
): Tally {
  const { positions, rows, columns } = bench.options;
  const tally = new Tally(rows);
  while (tally.positions < positions) {
    if (tally.positions % POSITIONS_A_HEAD === 0) {
      fill(random, bench.weights, rows, columns);
      bench.pack();
    }
    if (tally.positions % POSITIONS_A_DRAW === 0) advance(tally.positions / positions);
    fillNormal(random, bench.x);
    const first = Math.floor(random.nextUniform() * rows) * columns;
    for (let column = 0; column < columns; column += 1) {
      bench.x[column] = (bench.x[column] ?? 0) + share * (bench.weights[first + column] ?? 0);
    }
    const turn = tally.positions;
    const agrees = bench.agrees(tally.countAt(turn));
    tally.add(turn, agrees, bench.candidates.counts);
  }
  return tally;
}
