/**
 * The training kernels' AVX2 level against the scalar one at odd sizes, and one thread against several, bit for bit.
 *
 * The levels sum in other orders, fuse other roundings and take the exponential from a polynomial of relative error
 * 1.5e-7, so results differ by some roundings (6e-8) of the magnitudes that were summed: about the square root of their
 * number on average. The tolerance is 2e-6 of the largest result and of 1, thirty roundings; sums over tokens have their
 * own. A wrong index or a lost term is off by a thousand times as much.
 */
import { afterAll, expect, test } from "bun:test";
import { type TrainingBuffer, TrainingKernels } from "../../src/native/training-kernels.ts";

const reference = TrainingKernels.create({ cpu_level: "scalar", thread_count: 1 });
const others = (process.arch === "x64" ? (["scalar", "avx2"] as const) : (["scalar"] as const)).map(
  (cpu_level) => [1, 2, 5].map((thread_count) => TrainingKernels.create({ cpu_level, thread_count })),
);
/** Attention's scores are sums of up to 256 products of up to 9, and a weight is off by what its score is off. */
const ATTENTION_TOLERANCE = 1e-5;
afterAll(() => {
  for (const kernels of [reference, ...others.flat()]) kernels.close();
});

let seed = 1;
/** Values from -range to range; each call gives others, the same in every run. */
function random(count: number, range = 1): TrainingBuffer {
  const result = TrainingKernels.buffer(count);
  for (let index = 0; index < count; index += 1) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    result.values[index] = (seed / 2 ** 31 - 1) * range;
  }
  return result;
}

function copy(source: TrainingBuffer): TrainingBuffer {
  const result = TrainingKernels.buffer(source.count);
  result.values.set(source.values);
  return result;
}

/** `work` computes into copies of `outputs` and is run by every level with every number of threads. */
function compare(
  outputs: readonly TrainingBuffer[],
  work: (kernels: TrainingKernels, copies: TrainingBuffer[]) => void,
  tolerance = 2e-6,
): void {
  const run = (kernels: TrainingKernels) => {
    const copies = outputs.map(copy);
    work(kernels, copies);
    return copies.map((buffer) => {
      const values = buffer.values.slice();
      buffer.free();
      return values;
    });
  };
  const expected = run(reference);
  for (const level of others) {
    const [first, ...rest] = level.map(run);
    for (const result of rest) expect(result).toEqual(first as Float32Array<ArrayBuffer>[]);
    first?.forEach((values, output) => {
      const exact = expected[output] ?? new Float32Array();
      const largest = exact.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
      values.forEach((value, index) => {
        const wanted = exact[index] ?? Number.NaN;
        if (Math.abs(value - wanted) <= tolerance * largest) return;
        throw new Error(
          `${level[0]?.cpu_level}, output ${output}, element ${index}: expected ${wanted}, received ${value}`,
        );
      });
    });
  }
}

test.each([
  [1, 1],
  [3, 7],
  [5, 32],
  [70, 45],
  [33, 264],
])("RMS norm of %d tokens of %d", (tokens, width) => {
  const shape = { tokens, width };
  const [x, gain, dy] = [random(tokens * width), random(width, 2), random(tokens * width)];
  const inverse_rms = TrainingKernels.buffer(tokens);
  compare([random(tokens * width), inverse_rms], (kernels, [y, inverse]) => {
    kernels.rmsNormForward(y as TrainingBuffer, inverse as TrainingBuffer, x, gain, shape, 1e-5);
  });
  reference.rmsNormForward(TrainingKernels.buffer(x.count), inverse_rms, x, gain, shape, 1e-5);
  compare([random(tokens * width), random(width)], (kernels, [dx, dgain]) => {
    kernels.rmsNormBackward(dx as TrainingBuffer, dgain as TrainingBuffer, dy, x, gain, inverse_rms, shape);
  });
});

test.each([
  [6, 3, 1, 2],
  [8, 4, 3, 22],
  [50, 25, 2, 64],
])("rotary of %d tokens in sequences of %d, %d heads of %d", (tokens, sequence_tokens, heads, head_dim) => {
  const shape = { tokens, sequence_tokens, heads, head_dim };
  const table = random(sequence_tokens * head_dim);
  compare([random(tokens * heads * head_dim)], (kernels, [x]) => {
    kernels.rotaryForward(x as TrainingBuffer, table, shape);
  });
  compare([random(tokens * heads * head_dim)], (kernels, [x]) => {
    kernels.rotaryBackward(x as TrainingBuffer, table, shape);
  });
});

test.each([
  [1, 1, 1, 1, 8],
  [2, 5, 4, 2, 8],
  [1, 63, 2, 2, 16],
  [2, 65, 4, 1, 24],
  [1, 130, 3, 3, 64],
  [1, 197, 2, 1, 128],
  [1, 20, 2, 1, 6],
  [1, 70, 1, 1, 256],
])("attention of %d sequences of %d, %d heads on %d, head_dim %d", (...sizes) => {
  const [sequences, sequence_tokens, heads, key_value_heads, head_dim] = sizes;
  const shape = { sequences, sequence_tokens, heads, key_value_heads, head_dim };
  const tokens = sequences * sequence_tokens;
  const [queries, keys] = [tokens * heads * head_dim, tokens * key_value_heads * head_dim];
  const [q, k, v, d_o] = [random(queries, 3), random(keys, 3), random(keys), random(queries)];
  const [o, log_sum_exp] = [TrainingKernels.buffer(queries), TrainingKernels.buffer(tokens * heads)];
  compare(
    [o, log_sum_exp],
    (kernels, [mixed, logs]) => {
      kernels.attentionForward(mixed as TrainingBuffer, logs as TrainingBuffer, q, k, v, shape);
    },
    ATTENTION_TOLERANCE,
  );
  reference.attentionForward(o, log_sum_exp, q, k, v, shape);
  compare(
    [random(queries), random(keys), random(keys)],
    (kernels, [dq, dk, dv]) => {
      const outputs = [dq, dk, dv] as [TrainingBuffer, TrainingBuffer, TrainingBuffer];
      kernels.attentionBackward(...outputs, d_o, o, log_sum_exp, q, k, v, shape);
    },
    ATTENTION_TOLERANCE,
  );
});

test.each([1, 7, 8, 100, 40_001])("SwiGLU of %d, with gates past the exponential's range", (count) => {
  const [gate, up, dh] = [random(count, 8), random(count), random(count)];
  gate.values[0] = -100;
  gate.values[count - 1] = 95;
  compare([random(count)], (kernels, [h]) => {
    kernels.swigluForward(h as TrainingBuffer, gate, up, count);
  });
  compare([gate, up], (kernels, [dgate, dup]) => {
    const [own_gate, own_up] = [dgate as TrainingBuffer, dup as TrainingBuffer];
    kernels.swigluBackward(own_gate, own_up, dh, own_gate, own_up, count);
  });
});

test.each([
  [1, 1, 1],
  [5, 3, 17],
  [300, 11, 50],
])("embedding of %d tokens, vocabulary %d, width %d", (tokens, vocabulary, width) => {
  const shape = { tokens, width, vocabulary };
  const ids = TrainingKernels.tokens(tokens);
  for (let token = 0; token < tokens; token += 1) ids.values[token] = (token * 7) % vocabulary;
  const [table, dx] = [random(vocabulary * width), random(tokens * width)];
  compare([random(tokens * width)], (kernels, [x]) => {
    kernels.embeddingForward(x as TrainingBuffer, table, ids, shape);
  });
  compare([random(vocabulary * width)], (kernels, [dtable]) => {
    kernels.embeddingBackward(dtable as TrainingBuffer, dx, ids, shape);
  });
});

test.each([
  [1, 1],
  [4, 7],
  [9, 40],
  [33, 513],
])("losses of %d tokens, vocabulary %d", (tokens, vocabulary) => {
  const shape = { tokens, vocabulary };
  const [logits, teacher] = [random(tokens * vocabulary, 20), random(tokens * vocabulary, 20)];
  const targets = TrainingKernels.tokens(tokens);
  for (let token = 0; token < tokens; token += 1) targets.values[token] = (token * 5) % vocabulary;
  if (tokens > 1) targets.values[1] = 0xffff_ffff;
  compare([random(tokens), random(tokens * vocabulary)], (kernels, [losses, dlogits]) => {
    kernels.crossEntropy(
      losses as TrainingBuffer,
      dlogits as TrainingBuffer,
      logits,
      targets,
      shape,
      1 / tokens,
    );
  });
  // A logarithm of a weight is a difference of logits of up to 20, and a loss is T^2 times a sum of those.
  compare(
    [random(tokens), random(tokens * vocabulary)],
    (kernels, [losses, dlogits]) => {
      const outputs = [losses, dlogits] as [TrainingBuffer, TrainingBuffer];
      kernels.distillation(...outputs, logits, teacher, shape, { weight: 0.5, temperature: 2 });
    },
    2e-5,
  );
});

test.each([1, 15, 4097, 100_003])("AdamW, sums and additions of %d", (count) => {
  const [gradient, x] = [random(count), random(count)];
  const options = {
    ...{ learning_rate: 0.01, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weight_decay: 0.1 },
    ...{ step: 3, gradient_scale: 0.7 },
  };
  const v = random(count);
  for (let index = 0; index < count; index += 1) v.values[index] = Math.abs(v.values[index] ?? 0);
  compare([random(count), random(count), v], (kernels, [w, m, second]) => {
    kernels.adamw(w as TrainingBuffer, gradient, m as TrainingBuffer, second as TrainingBuffer, options);
  });
  compare([random(count)], (kernels, [y]) => kernels.add(y as TrainingBuffer, x));
  compare([random(count)], (kernels, [y]) => kernels.fill(y as TrainingBuffer, 1.5));
  const exact = x.values.reduce((sum, value) => sum + value * value, 0);
  for (const level of others) {
    const sums = level.map((kernels) => kernels.sumOfSquares(x));
    expect(new Set(sums).size).toBe(1);
    // Sums in f64, of other orders.
    expect(Math.abs((sums[0] ?? 0) - exact)).toBeLessThanOrEqual(1e-12 * exact);
  }
});
