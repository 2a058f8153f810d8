/**
 * The kernels of training as bench cases: the three matrix products at some hidden sizes, and every other kernel of a
 * step at one of them.
 *
 * Legend: N tokens, C hidden_size, K in_features, R out_features.
 */
import { TrainingKernels } from "../../src/native/training-kernels.ts";

export interface TrainingCase {
  readonly kernel: string;
  readonly shape: string;
  /** Multiplications and additions of one run; null where they are not what limits the kernel. */
  readonly operations: number | null;
  /** Bytes read and written at least. */
  readonly bytes: number;
  run(kernels: TrainingKernels): void;
}

export interface BenchSizes {
  readonly hidden_sizes: readonly number[];
  readonly tokens: number;
  readonly sequence_tokens: number;
  readonly head_dim: number;
  readonly vocabulary: number;
}

const FLOAT_BYTES = 4;

/** Not zero, so that no multiplication is of a special kind, and small, so that no sum overflows. */
function filled(count: number) {
  const buffer = TrainingKernels.buffer(count);
  for (let index = 0; index < count; index += 1) buffer.values[index] = ((index * 7919) % 1009) / 1009 - 0.5;
  return buffer;
}

/** Y [N, R] = X [N, K] W^T and its two gradients. */
export function productCases(
  tokens: number,
  out_features: number,
  in_features: number,
): [TrainingCase, TrainingCase, TrainingCase] {
  const shape = { tokens, out_features, in_features };
  const x = filled(tokens * in_features);
  const w = filled(out_features * in_features);
  const y = filled(tokens * out_features);
  const dx = filled(tokens * in_features);
  const dw = filled(out_features * in_features);
  const common = {
    shape: `${tokens} x ${out_features} x ${in_features}`,
    operations: 2 * tokens * out_features * in_features,
    bytes: (x.count + w.count + y.count) * FLOAT_BYTES,
  };
  return [
    { ...common, kernel: "linearForward", run: (kernels) => kernels.linearForward(y, x, w, shape) },
    {
      ...common,
      kernel: "linearBackwardInput",
      run: (kernels) => kernels.linearBackwardInput(dx, y, w, shape, false),
    },
    {
      ...common,
      kernel: "linearBackwardWeight",
      // A tiny scale: the sum grows run after run.
      run: (kernels) => kernels.linearBackwardWeight(dw, y, x, shape, 1e-9),
    },
  ];
}

/** Causal attention of C / head_dim heads, as many of keys. Half of the products' pairs lie in the past. */
function attentionCases(sizes: BenchSizes, width: number): TrainingCase[] {
  const { tokens, sequence_tokens, head_dim } = sizes;
  const heads = width / head_dim;
  const shape = {
    ...{ sequences: tokens / sequence_tokens, sequence_tokens },
    ...{ heads, key_value_heads: heads, head_dim },
  };
  const [q, k, v] = [filled(tokens * width), filled(tokens * width), filled(tokens * width)];
  const [o, d_o] = [filled(tokens * width), filled(tokens * width)];
  const [dq, dk, dv] = [filled(tokens * width), filled(tokens * width), filled(tokens * width)];
  const log_sum_exp = TrainingKernels.buffer(tokens * heads);
  const pair_operations = tokens * sequence_tokens * width;
  const text = `${tokens} tokens in ${sequence_tokens}s, ${heads} heads of ${head_dim}`;
  return [
    {
      ...{ kernel: "attentionForward", shape: text, operations: 2 * pair_operations },
      bytes: 4 * q.count * FLOAT_BYTES,
      run: (kernels) => kernels.attentionForward(o, log_sum_exp, q, k, v, shape),
    },
    {
      ...{ kernel: "attentionBackward", shape: text, operations: 5 * pair_operations },
      bytes: 8 * q.count * FLOAT_BYTES,
      run: (kernels) => {
        kernels.attentionBackward(dq, dk, dv, d_o, o, log_sum_exp, q, k, v, shape);
      },
    },
  ];
}

/** The kernels of a step that are no products, at hidden size `width`. */
export function otherCases(sizes: BenchSizes, width: number): TrainingCase[] {
  const { tokens, sequence_tokens, head_dim, vocabulary } = sizes;
  const count = tokens * width;
  const shape = { tokens, width };
  const [x, y, dx, dy] = [filled(count), filled(count), filled(count), filled(count)];
  const [gain, dgain] = [filled(width), filled(width)];
  const inverse_rms = TrainingKernels.buffer(tokens);
  const table = filled(sequence_tokens * head_dim);
  const rotary = { tokens, sequence_tokens, heads: width / head_dim, head_dim };
  const logits = filled(tokens * vocabulary);
  const dlogits = filled(tokens * vocabulary);
  const losses = TrainingKernels.buffer(tokens);
  const ids = TrainingKernels.tokens(tokens);
  for (let token = 0; token < tokens; token += 1) ids.values[token] = (token * 7919) % vocabulary;
  const embedding = { tokens, width, vocabulary };
  const embedding_table = filled(vocabulary * width);
  const weights = { out_features: 4 * width, in_features: width };
  const [w, effective] = [filled(4 * width * width), filled(4 * width * width)];
  const [m, v] = [filled(4 * width * width), filled(4 * width * width)];
  v.values.fill(0.5);
  const adamw = {
    ...{ learning_rate: 1e-9, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weight_decay: 0.1 },
    ...{ step: 10, gradient_scale: 1 },
  };
  const sherry = { method: "sherry", granularity: "group", group_columns: 128 } as const;
  const matrix = `${4 * width} x ${width}`;
  const text = `${tokens} x ${width}`;
  const plain = (
    kernel: string,
    case_shape: string,
    floats: number,
    run: (kernels: TrainingKernels) => void,
  ): TrainingCase => ({ kernel, shape: case_shape, operations: null, bytes: floats * FLOAT_BYTES, run });
  return [
    ...attentionCases(sizes, width),
    plain("rmsNormForward", text, 2 * count, (kernels) =>
      kernels.rmsNormForward(y, inverse_rms, x, gain, shape, 1e-5),
    ),
    plain("rmsNormBackward", text, 6 * count, (kernels) =>
      kernels.rmsNormBackward(dx, dgain, dy, x, gain, inverse_rms, shape),
    ),
    plain("rotaryForward", text, 2 * count, (kernels) => kernels.rotaryForward(x, table, rotary)),
    plain("swigluForward", text, 3 * count, (kernels) => kernels.swigluForward(y, x, dx, count)),
    plain("swigluBackward", text, 5 * count, (kernels) => kernels.swigluBackward(y, dx, dy, x, dx, count)),
    plain("add", text, 3 * count, (kernels) => kernels.add(x, dy)),
    plain("zero", text, count, (kernels) => kernels.zero(y)),
    plain("embeddingForward", text, 2 * count, (kernels) =>
      kernels.embeddingForward(y, embedding_table, ids, embedding),
    ),
    plain("embeddingBackward", text, 3 * count, (kernels) =>
      kernels.embeddingBackward(embedding_table, dy, ids, embedding),
    ),
    plain("crossEntropy", `${tokens} x ${vocabulary}`, 2 * logits.count, (kernels) =>
      kernels.crossEntropy(losses, dlogits, logits, ids, { tokens, vocabulary }, 1e-3),
    ),
    plain("distillation", `${tokens} x ${vocabulary}`, 4 * logits.count, (kernels) =>
      kernels.distillation(
        losses,
        dlogits,
        logits,
        logits,
        { tokens, vocabulary },
        { weight: 1e-3, temperature: 2 },
      ),
    ),
    plain("fakeQuantize", matrix, 2 * w.count, (kernels) =>
      kernels.fakeQuantize(effective, w, weights, sherry, 0.5),
    ),
    plain("sumOfSquares", matrix, w.count, (kernels) => void kernels.sumOfSquares(w)),
    plain("adamw", matrix, 7 * w.count, (kernels) => kernels.adamw(w, effective, m, v, adamw)),
  ];
}
