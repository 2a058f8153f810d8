/**
 * Matrix products as bench cases: the product's kernels at any level, and the 2-bit baseline.
 *
 * Legend: B tokens, R rows (out_features), K columns (in_features).
 */
import { tensorBytes } from "../format/layout.ts";
import { fillRange, twoBitBytes } from "../native/bench-library.ts";
import { CallList } from "../native/call-list.ts";
import { type CpuLevel, type Kernels, preparedBytes } from "../native/kernels.ts";
import { type LinearWeight, readsPrepared } from "../native/weight.ts";
import { type BenchCase, checksumOf, type Residence, type Verification, type Work } from "./bench-case.ts";
import { type WeightDescription, weightCopies } from "./weights.ts";
import type { PreparedInput, Workspace } from "./workspace.ts";

/** The scalar level computes this many tokens of a batch, first and last among them: each is independent of the others. */
const VERIFIED_TOKENS_MAX = 4;

// zig/kernels/prepared.zig: of so many tokens the tables are prepared too, so many bytes for each 256 columns of each.
const TABLE_TOKENS_MAX = 64;
const TABLES_BYTES = 4096;
const BLOCK_COLUMNS = 256;

export interface LinearCaseOptions {
  readonly kernel: string;
  readonly weight: WeightDescription;
  readonly tokens: number;
  readonly threads: number;
  readonly residence: Residence;
  /** Whether a call makes the int8 form of its input first, as the first of several projections of one input does. */
  readonly prepares: boolean;
  readonly cpu_level: CpuLevel;
}

function matrixWork(rows: number, columns: number, tokens: number, bytes: number): Work {
  return { operations: 2 * rows * columns * tokens, bytes, weights: rows * columns };
}

/** @throws SherryError out_of_memory when the operands are over the workspace's limit. */
export function linearCase(workspace: Workspace, options: LinearCaseOptions): BenchCase {
  const { kernel, weight, tokens, threads, residence, prepares, cpu_level } = options;
  const [rows, columns] = weight.shape;
  const kernels = workspace.kernels(threads, cpu_level);
  const copies = weightCopies(workspace, weight, residence);
  const input = workspace.input(tokens, columns);
  const y = workspace.buffer(`y ${rows}x${tokens}`, rows * tokens * 4);
  // From a list, as a model computes its layers.
  const list = new CallList();
  const ends = copies.map((chosen) => {
    kernels.record(list, () => {
      if (prepares) kernels.prepare(input.x, tokens, columns, input.prepared);
      kernels.linear(chosen, input, tokens, y);
    });
    return list.length;
  });
  const run = (copy: number) => {
    const end = ends[copy];
    if (end === undefined) throw new RangeError(`no copy ${copy}`);
    kernels.run(list, ends[copy - 1] ?? 0, end);
  };
  return {
    ...{ kernel, shape: `${rows}x${columns}`, tokens, threads, residence, run },
    copies: copies.length,
    work: matrixWork(rows, columns, tokens, tensorBytes(weight)),
    verify: () => {
      run(0);
      const first = copies[0];
      if (first === undefined) throw new RangeError("no copy to verify");
      // A scalar baseline is held against the level that is measured, everything else against the scalar level.
      const other_level = cpu_level === "scalar" ? workspace.cpu_level : "scalar";
      return verifyTokens(workspace, workspace.kernels(threads, other_level), first, input, tokens, y);
    },
  };
}

function verifyTokens(
  workspace: Workspace,
  reference: Kernels,
  weight: LinearWeight,
  input: PreparedInput,
  tokens: number,
  y: PreparedInput["x"],
): Verification {
  const { rows, columns } = weight;
  const chosen = verifiedTokens(tokens);
  const x = workspace.buffer(`verified x ${columns}`, chosen.length * columns * 4);
  const all_x = workspace.view(input.x);
  const all_y = workspace.view(y);
  const x_view = workspace.view(x);
  for (const [index, token] of chosen.entries()) {
    x_view.set(all_x.subarray(token * columns * 4, (token + 1) * columns * 4), index * columns * 4);
  }
  const expected = workspace.buffer(`verified y ${rows}`, chosen.length * rows * 4);
  let prepared: PreparedInput["x"] | null = null;
  if (readsPrepared(weight)) {
    prepared = workspace.buffer(`verified prepared ${columns}`, preparedBytes(chosen.length, columns));
    reference.prepare(x, chosen.length, columns, prepared);
  }
  reference.linear(weight, { x, prepared }, chosen.length, expected);
  const received = chosen.map((token) => all_y.subarray(token * rows * 4, (token + 1) * rows * 4));
  return {
    checksum: checksumOf(all_y),
    received: checksumOf(...received),
    expected: checksumOf(
      ...chosen.map((_, i) => workspace.view(expected).subarray(i * rows * 4, (i + 1) * rows * 4)),
    ),
  };
}

function verifiedTokens(tokens: number): number[] {
  const count = Math.min(tokens, VERIFIED_TOKENS_MAX);
  if (count === 1) return [0];
  return Array.from({ length: count }, (_, index) => Math.round((index * (tokens - 1)) / (count - 1)));
}

/** The bytes of a prepared buffer that every level writes alike: each has tables of its own, which lie at the end. */
function preparedAlikeBytes(tokens: number, columns: number): number {
  const tables_tokens = tokens <= TABLE_TOKENS_MAX ? tokens : 0;
  return preparedBytes(tokens, columns) - tables_tokens * Math.ceil(columns / BLOCK_COLUMNS) * TABLES_BYTES;
}

/** Activations f32 [B][K] to int8 and tables. */
export function prepareCase(
  workspace: Workspace,
  columns: number,
  tokens: number,
  threads: number,
): BenchCase {
  const kernels = workspace.kernels(threads);
  const { x } = workspace.input(tokens, columns);
  const { prepared } = workspace.input(tokens, columns);
  const run = () => kernels.prepare(x, tokens, columns, prepared);
  return {
    ...{ kernel: "prepare", shape: `${columns}`, tokens, threads, residence: "cache", copies: 1, run },
    work: { operations: 0, bytes: tokens * columns * 4, weights: 0 },
    verify: () => {
      run();
      const other = workspace.buffer(`verified prepare ${columns} ${tokens}`, prepared.bytes);
      workspace.kernels(threads, "scalar").prepare(x, tokens, columns, other);
      const alike_bytes = preparedAlikeBytes(tokens, columns);
      const received = checksumOf(workspace.view(prepared).subarray(0, alike_bytes));
      const expected = checksumOf(workspace.view(other).subarray(0, alike_bytes));
      return { checksum: received, received, expected };
    },
  };
}

/** The 2-bit baseline, whose input is prepared by every call when `prepares`. */
export function twoBitCase(
  workspace: Workspace,
  rows: number,
  columns: number,
  options: Pick<LinearCaseOptions, "threads" | "residence" | "prepares">,
): BenchCase {
  const { threads, residence, prepares } = options;
  const { weights_bytes, prepared_bytes } = twoBitBytes(rows, columns);
  const copies =
    residence === "stream"
      ? workspace.streamCopies(weights_bytes)
      : [
          workspace.filled(`2-bit weight ${rows}x${columns}`, weights_bytes, (range) =>
            fillRange(range, rows * 7 + columns, "every_kernel"),
          ),
        ];
  const { x } = workspace.input(1, columns);
  const prepared = workspace.buffer(`2-bit prepared ${columns}`, prepared_bytes);
  const y = workspace.buffer(`2-bit y ${rows}`, rows * 4);
  const baselines = workspace.baselines(threads);
  baselines.twoBitPrepare(x, columns, prepared);
  const compute = (copy: number, context: typeof baselines, is_prepared: boolean) => {
    const weights = copies[copy];
    if (weights === undefined) throw new RangeError(`no copy ${copy}`);
    if (!is_prepared) context.twoBitPrepare(x, columns, prepared);
    context.twoBitLinear(weights, rows, columns, prepared, y);
  };
  return {
    kernel: prepares ? "2-bit" : "2-bit prepared",
    ...{ shape: `${rows}x${columns}`, tokens: 1, threads, residence, copies: copies.length },
    work: matrixWork(rows, columns, 1, weights_bytes),
    run: (copy) => compute(copy, baselines, !prepares),
    verify: () => {
      compute(0, baselines, false);
      const received = checksumOf(workspace.view(y));
      workspace.view(y).fill(0);
      compute(0, workspace.baselines(threads, "scalar"), false);
      return { checksum: received, received, expected: checksumOf(workspace.view(y)) };
    },
  };
}
