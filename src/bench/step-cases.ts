/**
 * Everything of a step that is no matrix product, as bench cases: attention, norms, rotary, SwiGLU, residuals, softmax,
 * argmax, embedding rows, the cache's writes.
 *
 * Legend: B tokens, C hidden_size, H query heads, G key-value heads, D head_dim, T positions, V vocabulary.
 */
import { tensorBytes } from "../format/layout.ts";
import { fillRange } from "../native/bench-library.ts";
import type { Kernels } from "../native/kernels.ts";
import { SequenceTable } from "../native/sequences.ts";
import type { KeyValueRanges, NativeRange } from "../native/weight.ts";
import { type BenchCase, checksumOf, type Residence, type Work } from "./bench-case.ts";
import { plainDescription, weightCopies } from "./weights.ts";
import type { Workspace } from "./workspace.ts";

const NORM_EPSILON = 1e-5;
/** Different batches of tokens whose embedding rows are read by turns. */
const ID_BATCHES = 64;

interface StepCaseOptions {
  readonly kernel: string;
  readonly shape: string;
  readonly tokens: number;
  readonly threads: number;
  readonly residence?: Residence;
  readonly copies?: number;
  readonly work: Work;
  readonly out_bytes: number;
  /** What `out` holds before a verified call, for kernels that change it in place. */
  readonly source?: NativeRange;
  readonly compute: (kernels: Kernels, out: NativeRange, copy: number) => void;
}

function stepCase(workspace: Workspace, options: StepCaseOptions): BenchCase {
  const { kernel, shape, tokens, threads, work, out_bytes, source, compute } = options;
  const name = `${kernel} ${shape} ${tokens}`;
  const out = workspace.buffer(`out ${name}`, out_bytes);
  const kernels = workspace.kernels(threads);
  const computeFresh = (chosen: Kernels, range: NativeRange): string => {
    const view = workspace.view(range);
    if (source === undefined) view.fill(0);
    else view.set(workspace.view(source));
    compute(chosen, range, 0);
    return checksumOf(view);
  };
  return {
    ...{ kernel, shape, tokens, threads, work },
    residence: options.residence ?? "cache",
    copies: options.copies ?? 1,
    run: (copy) => compute(kernels, out, copy),
    verify: () => {
      const received = computeFresh(kernels, out);
      const other = workspace.buffer(`expected ${name}`, out_bytes);
      const expected = computeFresh(workspace.kernels(threads, "scalar"), other);
      return { checksum: received, received, expected };
    },
  };
}

function vectorWork(bytes: number): Work {
  return { operations: 0, bytes, weights: 0 };
}

export interface AttentionShape {
  readonly heads: number;
  readonly key_value_heads: number;
  readonly head_dim: number;
}

/** `tokens` queries at the end of `positions` positions, f16 cache. */
export function attentionCase(
  workspace: Workspace,
  shape: AttentionShape,
  run: {
    readonly positions: number;
    readonly tokens: number;
    readonly threads: number;
    readonly residence: Residence;
  },
): BenchCase {
  const { heads, key_value_heads, head_dim } = shape;
  const { positions, tokens, threads, residence } = run;
  const plane_bytes = Math.ceil((key_value_heads * positions * head_dim * 2) / 64) * 64;
  const ranges =
    residence === "stream"
      ? workspace.streamCopies(2 * plane_bytes)
      : [
          workspace.filled(`cache ${heads} ${positions} ${head_dim}`, 2 * plane_bytes, (range) =>
            fillRange(range, positions, "every_kernel"),
          ),
        ];
  const caches = ranges.map((range): KeyValueRanges => cacheAt(range, plane_bytes, positions));
  const { x: q } = workspace.input(tokens, heads * head_dim);
  const start = positions - tokens;
  // A token at position p sees p + 1 positions; each costs D multiply-adds for its score and D for its value.
  const seen = tokens * start + (tokens * (tokens + 1)) / 2;
  return stepCase(workspace, {
    ...{
      kernel: "attention",
      shape: `${heads}/${key_value_heads}x${head_dim} at ${positions}`,
      tokens,
      threads,
    },
    ...{ residence, copies: caches.length, out_bytes: tokens * heads * head_dim * 4 },
    work: { operations: 4 * heads * head_dim * seen, bytes: 2 * plane_bytes, weights: 0 },
    compute: (kernels, out, copy) => {
      const cache = caches[copy];
      if (cache === undefined) throw new RangeError(`no copy ${copy}`);
      const sequences = new SequenceTable([{ cache, start, tokens }]);
      kernels.attention(q, heads, key_value_heads, head_dim, sequences, out);
    },
  });
}

function cacheAt(range: NativeRange, plane_bytes: number, capacity: number): KeyValueRanges {
  // Both planes lie inside the range, which is twice as long as one.
  const values = (range.address + plane_bytes) as NativeRange["address"];
  return {
    keys: { address: range.address, bytes: plane_bytes },
    values: { address: values, bytes: plane_bytes },
    element: "f16",
    capacity,
  };
}

/** RMS norm, rotary, SwiGLU and residual over a batch, at a model's sizes. */
export function elementwiseCases(
  workspace: Workspace,
  sizes: AttentionShape & { readonly hidden_size: number; readonly intermediate_size: number },
  tokens: number,
  threads: number,
): BenchCase[] {
  const { hidden_size, intermediate_size, heads, key_value_heads, head_dim } = sizes;
  const common = { tokens, threads };
  const x = workspace.input(tokens, hidden_size).x;
  const gate = workspace.input(tokens, intermediate_size).x;
  const q = workspace.input(tokens, heads * head_dim).x;
  const weight = workspace.input(1, hidden_size).x;
  const angles = workspace.buffer(`angles ${tokens} ${head_dim}`, tokens * head_dim * 4);
  const frequencies = Float64Array.from({ length: head_dim / 2 }, (_, j) => 10_000 ** ((-2 * j) / head_dim));
  workspace.kernels(1).rotaryTable(frequencies, 0, tokens, angles);
  const key_value_size = key_value_heads * head_dim;
  const keys = workspace.input(tokens, key_value_size).x;
  const plane_bytes = Math.ceil((tokens * key_value_size * 2) / 64) * 64;
  return [
    stepCase(workspace, {
      ...{ kernel: "RMS norm", shape: `${hidden_size}`, ...common, out_bytes: x.bytes },
      work: vectorWork(x.bytes),
      compute: (kernels, out) => kernels.rmsNorm(x, weight, NORM_EPSILON, tokens, hidden_size, out),
    }),
    stepCase(workspace, {
      ...{ kernel: "rotary table", shape: `${head_dim}`, ...common, out_bytes: angles.bytes },
      work: vectorWork(angles.bytes),
      compute: (kernels, out) => kernels.rotaryTable(frequencies, 4_000, tokens, out),
    }),
    stepCase(workspace, {
      ...{ kernel: "rotary", shape: `${heads}x${head_dim}`, ...common, out_bytes: q.bytes, source: q },
      work: vectorWork(q.bytes),
      compute: (kernels, out) => kernels.rotary(out, tokens, heads, head_dim, angles),
    }),
    stepCase(workspace, {
      ...{ kernel: "store keys, values", shape: `${key_value_heads}x${head_dim}`, ...common },
      ...{ out_bytes: 2 * plane_bytes, work: vectorWork(2 * keys.bytes) },
      compute: (kernels, out) => {
        const cache = cacheAt(out, plane_bytes, tokens);
        const sequences = new SequenceTable([{ cache, start: 0, tokens }]);
        kernels.storeKeyValue(keys, keys, key_value_heads, head_dim, sequences);
      },
    }),
    stepCase(workspace, {
      ...{ kernel: "SwiGLU", shape: `${intermediate_size}`, ...common, out_bytes: gate.bytes },
      work: vectorWork(2 * gate.bytes),
      compute: (kernels, out) => kernels.swiglu(gate, gate, tokens * intermediate_size, out),
    }),
    stepCase(workspace, {
      ...{ kernel: "residual", shape: `${hidden_size}`, ...common, out_bytes: x.bytes, source: x },
      work: vectorWork(2 * x.bytes),
      compute: (kernels, out) => kernels.add(out, x, tokens * hidden_size),
    }),
  ];
}

/** Softmax and argmax over a vocabulary. */
export function vocabularyCases(workspace: Workspace, vocab_size: number, threads: number): BenchCase[] {
  const logits = workspace.input(1, vocab_size).x;
  const common = { shape: `${vocab_size}`, tokens: 1, threads, work: vectorWork(logits.bytes) };
  return [
    stepCase(workspace, {
      ...{ kernel: "softmax", ...common, out_bytes: logits.bytes },
      compute: (kernels, out) => kernels.softmax(logits, 1, vocab_size, out),
    }),
    stepCase(workspace, {
      ...{ kernel: "argmax", ...common, out_bytes: 64 },
      compute: (kernels, out) => {
        const index = kernels.argmax(logits, vocab_size);
        workspace.floats(out)[0] = index;
      },
    }),
  ];
}

/** Rows of a q8 embedding, others at every call. @throws SherryError out_of_memory when the table fits no arena. */
export function embeddingCase(
  workspace: Workspace,
  vocab_size: number,
  hidden_size: number,
  tokens: number,
  threads: number,
): BenchCase {
  const description = plainDescription("q8", vocab_size, hidden_size);
  const [table] = weightCopies(workspace, description, "stream");
  if (table === undefined || table.kind === "sherry") throw new RangeError("no embedding table");
  const batches = Array.from({ length: ID_BATCHES }, (_, batch) =>
    Uint32Array.from({ length: tokens }, (__, i) => ((batch * tokens + i) * 2_654_435_761) % vocab_size),
  );
  return stepCase(workspace, {
    ...{
      kernel: "embedding q8",
      shape: `${vocab_size}x${hidden_size}`,
      tokens,
      threads,
      residence: "stream",
    },
    ...{ copies: ID_BATCHES, out_bytes: tokens * hidden_size * 4 },
    work: vectorWork((tensorBytes(description) / vocab_size) * tokens),
    compute: (kernels, out, copy) => kernels.embedding(table, batches[copy] ?? new Uint32Array([0]), out),
  });
}
