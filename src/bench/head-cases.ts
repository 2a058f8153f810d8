/**
 * The `split8` head as bench cases: all logits, and the likeliest rows alone, with and without a coarse pass first
 * (docs/head.md), with what the search cost.
 *
 * Legend: R rows (vocabulary), K columns (hidden size).
 */
import { split8Layout } from "../format/split8-layout.ts";
import { fillRange } from "../native/bench-library.ts";
import {
  type CoarseHead,
  coarseHeadBytes,
  HEAD_COARSE_MARGIN,
  makeCoarseHead,
} from "../native/coarse-head.ts";
import { HEAD_MARGIN, HeadCandidates } from "../native/head.ts";
import type { Kernels } from "../native/kernels.ts";
import type { NativeRange, Split8Weight } from "../native/weight.ts";
import { type BenchCase, checksumOf } from "./bench-case.ts";
import type { MatrixShape } from "./plan.ts";
import type { Workspace } from "./workspace.ts";

/** Rows that greedy decoding and a usual top-k ask for. */
const COUNTS = [1, 40] as const;
/** Of every row; any that keeps logits of a sane size would do. */
const ROW_SCALE = 0.01;

/** One weight, larger than most caches: calls read it from memory without rotating over copies. */
function headWeight(workspace: Workspace, rows: number, columns: number): Split8Weight {
  const layout = split8Layout({ rows, columns });
  const range = workspace.filled(`split8 head ${rows}x${columns}`, layout.bytes, (all) => {
    fillRange({ address: all.address, bytes: layout.scales_offset }, rows + columns, "any");
    const bytes = workspace.view(all);
    new Float32Array(bytes.buffer, bytes.byteOffset + layout.scales_offset, rows).fill(ROW_SCALE);
  });
  return { kind: "split8", range, rows, columns };
}

function bytesOf(array: Uint32Array | Float32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** The `count` likeliest rows by all logits, equal ones by id, as the search must find them. */
function likeliest(logits: Float32Array, count: number): Uint32Array {
  const order = Uint32Array.from(logits.keys());
  order.sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0) || a - b);
  return order.slice(0, count);
}

/** @throws SherryError out_of_memory when the head is over the workspace's limit. */
export function headCases(workspace: Workspace, [rows, columns]: MatrixShape, threads: number): BenchCase[] {
  const weight = headWeight(workspace, rows, columns);
  const logits = workspace.buffer(`y ${rows}x1`, rows * 4);
  const bytes = coarseHeadBytes(weight);
  const range = workspace.filled(`split8 coarse plane ${rows}x${columns}`, bytes, (all) => {
    makeCoarseHead(workspace.kernels(threads), weight, all);
  });
  const coarse = { weight, range, margin: HEAD_COARSE_MARGIN };
  return [
    allLogitsCase(workspace, weight, threads, logits),
    ...COUNTS.map((count) => topCase(workspace, weight, threads, logits, Math.min(count, rows), null)),
    ...COUNTS.map((count) => topCase(workspace, weight, threads, logits, Math.min(count, rows), coarse)),
  ];
}

function common({ rows, columns }: Split8Weight, threads: number, bytes: number) {
  return {
    ...({ shape: `${rows}x${columns}`, tokens: 1, threads, residence: "stream", copies: 1 } as const),
    work: { operations: 2 * rows * columns, bytes, weights: rows * columns },
  };
}

function computeAll(workspace: Workspace, kernels: Kernels, weight: Split8Weight, y: NativeRange): void {
  const { x, prepared } = workspace.input(1, weight.columns);
  kernels.prepare(x, 1, weight.columns, prepared);
  kernels.linear(weight, { x, prepared }, 1, y);
}

function allLogitsCase(
  workspace: Workspace,
  weight: Split8Weight,
  threads: number,
  logits: NativeRange,
): BenchCase {
  const run = () => computeAll(workspace, workspace.kernels(threads), weight, logits);
  return {
    ...{ kernel: "head split8", ...common(weight, threads, weight.range.bytes), run },
    verify: () => {
      run();
      const received = checksumOf(workspace.view(logits));
      computeAll(workspace, workspace.kernels(threads, "scalar"), weight, logits);
      return { checksum: received, received, expected: checksumOf(workspace.view(logits)) };
    },
  };
}

function topCase(
  workspace: Workspace,
  weight: Split8Weight,
  threads: number,
  logits: NativeRange,
  count: number,
  coarse: CoarseHead | null,
): BenchCase {
  const { rows, columns } = weight;
  const candidates = new HeadCandidates(count);
  const kernels = workspace.kernels(threads);
  const { x, prepared } = workspace.input(1, columns);
  let searches = 0;
  let fallbacks = 0;
  let coarse_fallbacks = 0;
  const run = () => {
    kernels.prepare(x, 1, columns, prepared);
    candidates.find(kernels, weight, prepared, count, HEAD_MARGIN, coarse);
    searches += 1;
    if (candidates.counts.fell_back) fallbacks += 1;
    if (candidates.counts.coarse_fell_back) coarse_fallbacks += 1;
  };
  const bytes = coarse?.range.bytes ?? split8Layout({ rows, columns }).plane_bytes + rows * 4;
  return {
    ...{
      kernel: `head split8 ${coarse === null ? "" : "coarse "}top ${count}`,
      ...common(weight, threads, bytes),
      run,
    },
    // Held against the sorted logits of the scalar level, which know nothing of the search.
    verify: () => {
      run();
      const received = checksumOf(bytesOf(candidates.ids), bytesOf(candidates.logits));
      computeAll(workspace, workspace.kernels(threads, "scalar"), weight, logits);
      const all = workspace.floats(logits);
      const ids = likeliest(all, count);
      const expected = checksumOf(bytesOf(ids), bytesOf(Float32Array.from(ids, (id) => all[id] ?? 0)));
      return { checksum: received, received, expected };
    },
    remark: () => {
      const { rows_rescored, coarse_candidates } = candidates.counts;
      const rescored = `${rows_rescored} of ${rows} rows rescored, ${fallbacks} of ${searches} searches fell back to all rows`;
      if (coarse === null) return rescored;
      return `${coarse_candidates} rows scored by the high plane, ${rescored}, ${coarse_fallbacks} to the high plane of all`;
    },
  };
}
