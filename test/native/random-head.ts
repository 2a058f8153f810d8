/** A random `split8` head with activations and room for what is computed from them: what tests of the head run on. */
import { split8Layout } from "../../src/format/split8-layout.ts";
import { preparedBytes } from "../../src/native/kernels.ts";
import { NativeMemory } from "../../src/native/memory.ts";
import { PackingStatistics, quantizeSplit8 } from "../../src/native/packing.ts";
import { rangeOf, type Split8Weight } from "../../src/native/weight.ts";
import { randomNumbers } from "../format/sample-file.ts";

export const ROWS = 3_000;
export const COLUMNS = 100;
export const TOKENS = 3;

/** A random head in native memory, with activations and logits for a few tokens. */
export class RandomHead {
  readonly memory: NativeMemory;
  readonly weight: Split8Weight;
  readonly x: Float32Array;
  readonly logits: Float32Array;
  readonly ranges;

  constructor() {
    const random = randomNumbers(5);
    const layout = split8Layout({ rows: ROWS, columns: COLUMNS });
    const sizes = [layout.bytes, preparedBytes(TOKENS, COLUMNS), TOKENS * COLUMNS * 4, TOKENS * ROWS * 4];
    const places = sizes.map((_, index) =>
      sizes.slice(0, index).reduce((sum, size) => sum + Math.ceil(size / 64) * 64, 0),
    );
    const [weight = 0, prepared = 0, x = 0, logits = 0] = places;
    this.memory = NativeMemory.allocate(logits + TOKENS * ROWS * 4);
    this.weight = {
      kind: "split8",
      range: rangeOf(this.memory, weight, layout.bytes),
      rows: ROWS,
      columns: COLUMNS,
    };
    this.ranges = {
      prepared: rangeOf(this.memory, prepared, preparedBytes(TOKENS, COLUMNS)),
      x: rangeOf(this.memory, x, TOKENS * COLUMNS * 4),
      logits: rangeOf(this.memory, logits, TOKENS * ROWS * 4),
    };
    this.x = this.memory.floats(x, TOKENS * COLUMNS);
    this.logits = this.memory.floats(logits, TOKENS * ROWS);
    for (let index = 0; index < this.x.length; index += 1) this.x[index] = random() - 0.5;
    const source = Float32Array.from({ length: ROWS * COLUMNS }, () => random() + random() - 1);
    const target = {
      high: this.memory.view(weight, layout.plane_bytes),
      low: this.memory.view(weight + layout.low_offset, layout.plane_bytes),
      scales: this.memory.floats(weight + layout.scales_offset, ROWS),
    };
    quantizeSplit8(source, { rows: ROWS, columns: COLUMNS }, target, new PackingStatistics());
  }

  [Symbol.dispose](): void {
    this.memory.free();
  }
}
