/** The training kernels through their wrappers: plain definitions in f64, the levels, any number of threads, refusals. */
import { afterAll, describe, expect, test } from "bun:test";
import type { CpuLevel } from "../../src/native/kernels.ts";
import { TrainingKernels } from "../../src/native/training-kernels.ts";
import { refusal } from "../format/refusal.ts";

const LEVELS: readonly CpuLevel[] = process.arch === "x64" ? ["scalar", "avx2"] : ["scalar"];
const contexts = LEVELS.map((cpu_level) => TrainingKernels.create({ cpu_level, thread_count: 2 }));
const one_thread = LEVELS.map((cpu_level) => TrainingKernels.create({ cpu_level, thread_count: 1 }));
afterAll(() => {
  for (const kernels of [...contexts, ...one_thread]) kernels.close();
});

/** Values from -1 to 1 by a multiplicative generator, the same for the same seed. */
function values(count: number, seed: number): Float32Array {
  let state = seed * 2 + 1;
  return Float32Array.from({ length: count }, () => {
    state = Math.imul(state, 0x2c92_77b5) ^ (state >>> 15);
    return (state >> 8) / 2 ** 23;
  });
}

function buffer(source: Float32Array) {
  const result = TrainingKernels.buffer(source.length);
  result.values.set(source);
  return result;
}

/** Runs `work` on each level with one thread and with two: the bits must be the same. Gives back each level's result. */
function each(work: (kernels: TrainingKernels) => Float32Array): Float32Array[] {
  return contexts.map((kernels, index) => {
    const result = work(kernels).slice();
    expect(result).toEqual(work(one_thread[index] as TrainingKernels).slice());
    return result;
  });
}

function expectNear(actual: Float32Array, exact: (index: number) => number, tolerance: number): void {
  for (let index = 0; index < actual.length; index += 1) {
    const difference = Math.abs((actual[index] ?? Number.NaN) - exact(index));
    if (!(difference <= tolerance)) expect([index, actual[index]]).toEqual([index, exact(index)]);
  }
}

describe("matrix products", () => {
  // Odd sizes on both sides of a strip of 6, of 16, and of a depth of 256.
  const sizes: [number, number, number][] = [
    [1, 1, 4],
    [5, 17, 36],
    [37, 33, 300],
    [200, 48, 260],
    [301, 64, 64],
  ];
  test.each(sizes)("%d tokens, %d rows, %d columns", (tokens, out_features, in_features) => {
    const shape = { tokens, out_features, in_features };
    const [xs, ws, ds] = [
      values(tokens * in_features, 1),
      values(out_features * in_features, 2),
      values(tokens * out_features, 3),
    ];
    const [x, w, dy] = [buffer(xs), buffer(ws), buffer(ds)];
    const at = (array: Float32Array, index: number) => array[index] ?? Number.NaN;
    const sum = (count: number, term: (index: number) => number) => {
      let total = 0;
      for (let index = 0; index < count; index += 1) total += term(index);
      return total;
    };
    // Terms are at most 1, so each of the additions rounds by at most depth * 2^-24.
    const tolerance = (depth: number) => Math.sqrt(depth) * depth * 2 ** -23 + 1e-6;
    const [start_x, start_w] = [values(tokens * in_features, 4), values(out_features * in_features, 5)];
    for (const result of each((kernels) => {
      const y = TrainingKernels.buffer(tokens * out_features);
      kernels.linearForward(y, x, w, shape);
      return y.values;
    })) {
      const exact = (index: number) => {
        const [n, r] = [Math.floor(index / out_features), index % out_features];
        return sum(in_features, (k) => at(xs, n * in_features + k) * at(ws, r * in_features + k));
      };
      expectNear(result, exact, tolerance(in_features));
    }
    for (const accumulates of [false, true]) {
      for (const result of each((kernels) => {
        const dx = buffer(start_x);
        kernels.linearBackwardInput(dx, dy, w, shape, accumulates);
        return dx.values;
      })) {
        const exact = (index: number) => {
          const [n, k] = [Math.floor(index / in_features), index % in_features];
          const product = sum(
            out_features,
            (r) => at(ds, n * out_features + r) * at(ws, r * in_features + k),
          );
          return product + (accumulates ? at(start_x, index) : 0);
        };
        expectNear(result, exact, tolerance(out_features));
      }
    }
    for (const result of each((kernels) => {
      const dw = buffer(start_w);
      kernels.linearBackwardWeight(dw, dy, x, shape, 1.75);
      return dw.values;
    })) {
      const exact = (index: number) => {
        const [r, k] = [Math.floor(index / in_features), index % in_features];
        const product = sum(tokens, (n) => at(ds, n * out_features + r) * at(xs, n * in_features + k));
        return at(start_w, index) + 1.75 * product;
      };
      expectNear(result, exact, 2 * tolerance(tokens));
    }
  });
});

describe("refusals", () => {
  const kernels = contexts[0] as TrainingKernels;
  const shape = { tokens: 2, out_features: 3, in_features: 4 };

  test("a buffer too small, by name", () => {
    const [y, x, w] = [TrainingKernels.buffer(6), TrainingKernels.buffer(8), TrainingKernels.buffer(11)];
    expect(refusal(() => kernels.linearForward(y, x, w, shape))).toEqual({
      code: "internal",
      message: "linearForward: w: expected at least 12 elements, received 11",
    });
  });

  test("an id past the vocabulary, and a lambda without a quantizer", () => {
    const table = TrainingKernels.buffer(8);
    const ids = TrainingKernels.tokens(1);
    ids.values[0] = 2;
    const x = TrainingKernels.buffer(4);
    const embed = () => kernels.embeddingForward(x, table, ids, { tokens: 1, width: 4, vocabulary: 2 });
    expect(refusal(embed).message).toStartWith("embeddingForward: a native function refused its arguments");
    const choice = { method: "none", granularity: "channel", group_columns: 0 } as const;
    const quantize = () =>
      kernels.fakeQuantize(table, table, { out_features: 2, in_features: 4 }, choice, 0.5);
    expect(refusal(quantize).message).toStartWith("fakeQuantize: a native function refused its arguments");
  });

  test("parts out of range, freed buffers, closed kernels", () => {
    const whole = TrainingKernels.buffer(10);
    const part = whole.part(4, 3);
    whole.values[5] = 7;
    expect([...part.values]).toEqual([0, 7, 0]);
    expect(refusal(() => part.part(1, 3)).message).toBe(
      "a part of a training buffer: expected a range within 3 elements, received 3 at 1",
    );
    whole.free();
    whole.free();
    expect(refusal(() => kernels.zero(part)).code).toBe("closed");
    const closed = TrainingKernels.create({ cpu_level: "scalar", thread_count: 1 });
    closed.close();
    closed.close();
    expect(refusal(() => closed.context)).toEqual({
      code: "closed",
      message: "the training kernels were closed",
    });
  });

  test("a level or a number of threads that is none", () => {
    const create = () => TrainingKernels.create({ cpu_level: "scalar", thread_count: 0 });
    expect(refusal(create).message).toStartWith("starting training kernels of level scalar with 0 threads: ");
  });
});
