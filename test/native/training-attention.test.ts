/**
 * Training's attention at the level of this machine against the scalar one: lengths around and beyond a tile of 64
 * tokens, widths of a head that are no whole vectors, grouped heads; and the same bits for any number of threads.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { bestCpuLevel, type CpuLevel } from "../../src/native/kernels.ts";
import { TrainingBuffer } from "../../src/native/training-buffer.ts";
import { type AttentionShape, TrainingKernels } from "../../src/native/training-kernels.ts";
import { trainingLibrary } from "../../src/native/training-library.ts";
import { Random } from "../../src/sampling/random.ts";

// Built here where it is missing, so that no test's own time limit has to hold a build.
trainingLibrary();

/** Sums of up to 200 products of numbers about 1, in another order. */
const TOLERANCE = 2e-4;

const buffers: TrainingBuffer[] = [];
const opened: TrainingKernels[] = [];
afterAll(() => {
  for (const buffer of buffers) buffer.free();
  for (const kernels of opened) kernels.close();
});

function numbers(random: Random | null, count: number): TrainingBuffer {
  const buffer = TrainingBuffer.allocate(count);
  buffers.push(buffer);
  if (random !== null)
    for (const index of buffer.values.keys()) buffer.values[index] = 4 * random.nextUniform() - 2;
  return buffer;
}

function attentionResults(cpu_level: CpuLevel, thread_count: number, shape: AttentionShape) {
  const kernels = TrainingKernels.create({ cpu_level, thread_count });
  opened.push(kernels);
  const random = Random.fromSeed(77);
  const tokens = shape.sequences * shape.sequence_tokens;
  const queries = tokens * shape.heads * shape.head_dim;
  const keys = tokens * shape.key_value_heads * shape.head_dim;
  const [q, k, v, d_o] = [queries, keys, keys, queries].map((count) => numbers(random, count));
  const [o, dq, dk, dv] = [queries, queries, keys, keys].map((count) => numbers(null, count));
  const log_sum_exp = numbers(null, tokens * shape.heads);
  if (!q || !k || !v || !d_o || !o || !dq || !dk || !dv) throw new Error("a buffer is missing");
  kernels.attentionForward(o, log_sum_exp, q, k, v, shape);
  kernels.attentionBackward(dq, dk, dv, d_o, o, log_sum_exp, q, k, v, shape);
  return { o: o.values, log_sum_exp: log_sum_exp.values, dq: dq.values, dk: dk.values, dv: dv.values };
}

const SHAPES: readonly AttentionShape[] = [
  { sequences: 2, sequence_tokens: 1, heads: 2, key_value_heads: 1, head_dim: 2 },
  { sequences: 2, sequence_tokens: 63, heads: 4, key_value_heads: 2, head_dim: 32 },
  { sequences: 1, sequence_tokens: 64, heads: 2, key_value_heads: 2, head_dim: 8 },
  { sequences: 3, sequence_tokens: 65, heads: 3, key_value_heads: 1, head_dim: 10 },
  { sequences: 1, sequence_tokens: 131, heads: 4, key_value_heads: 4, head_dim: 70 },
  { sequences: 1, sequence_tokens: 200, heads: 2, key_value_heads: 1, head_dim: 256 },
];

describe.each(SHAPES)(
  "attention of $sequences x $sequence_tokens tokens, $heads heads of $head_dim",
  (shape) => {
    test("the levels agree", () => {
      const expected = attentionResults("scalar", 1, shape);
      const received = attentionResults(bestCpuLevel(), 1, shape);
      for (const name of ["o", "log_sum_exp", "dq", "dk", "dv"] as const) {
        const worst = expected[name].reduce(
          (most, value, index) => Math.max(most, Math.abs(value - (received[name][index] ?? Number.NaN))),
          0,
        );
        expect(worst, name).toBeLessThan(TOLERANCE);
      }
    });

    test("threads change no bit", () => {
      const alone = attentionResults(bestCpuLevel(), 1, shape);
      expect(attentionResults(bestCpuLevel(), 3, shape)).toEqual(alone);
    });
  },
);

test("a number that is not finite is not hidden", () => {
  const shape = { sequences: 1, sequence_tokens: 70, heads: 1, key_value_heads: 1, head_dim: 8 };
  const kernels = TrainingKernels.create({ cpu_level: bestCpuLevel(), thread_count: 1 });
  opened.push(kernels);
  const random = Random.fromSeed(3);
  const [q, k, v] = [560, 560, 560].map((count) => numbers(random, count));
  const [o, log_sum_exp] = [560, 70].map((count) => numbers(null, count));
  if (!q || !k || !v || !o || !log_sum_exp) throw new Error("a buffer is missing");
  k.values[5 * 8] = Number.NaN;
  kernels.attentionForward(o, log_sum_exp, q, k, v, shape);
  // The tokens before the fifth do not see it.
  expect(o.values.slice(0, 5 * 8).every(Number.isFinite)).toBe(true);
  for (let token = 5; token < 70; token += 1) expect(Number.isNaN(o.values[token * 8])).toBe(true);
});
