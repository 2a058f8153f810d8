/** The coarse plane through the native boundary: a search with it finds the full head's rows on every level; refusals. */
import { describe, expect, test } from "bun:test";
import {
  type CoarseHead,
  coarseHeadBytes,
  HEAD_COARSE_MARGIN,
  makeCoarseHead,
} from "../../src/native/coarse-head.ts";
import { HEAD_MARGIN, HeadCandidates } from "../../src/native/head.ts";
import { Kernels, usableCpuLevels } from "../../src/native/kernels.ts";
import { NativeMemory } from "../../src/native/memory.ts";
import { rangeOf } from "../../src/native/weight.ts";
import { refusal } from "../format/refusal.ts";
import { COLUMNS, RandomHead, ROWS, TOKENS } from "./random-head.ts";

describe("a random head with its coarse plane", () => {
  test("one token's likeliest rows are those of all logits, to the bit, on every level and number of threads", () => {
    using head = new RandomHead();
    const bytes = coarseHeadBytes(head.weight);
    const planes: Uint8Array[] = [];
    for (const cpu_level of usableCpuLevels()) {
      for (const thread_count of [1, 2]) {
        const memory = NativeMemory.allocate(bytes);
        const kernels = Kernels.create({ cpu_level, thread_count });
        const coarse = makeCoarseHead(kernels, head.weight, rangeOf(memory, 0, bytes));
        expect(coarse.margin).toBe(HEAD_COARSE_MARGIN);
        planes.push(memory.view(0, bytes).slice());
        kernels.prepare(head.ranges.x, 1, COLUMNS, head.ranges.prepared);
        kernels.linear(head.weight, head.ranges, 1, head.ranges.logits);
        const logits = head.logits.slice(0, ROWS);
        const order = [...logits.keys()].sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0) || a - b);
        const candidates = new HeadCandidates(300);
        for (const count of [1, 40, 300]) {
          candidates.find(kernels, head.weight, head.ranges.prepared, count, HEAD_MARGIN, coarse);
          expect([...candidates.ids]).toEqual(order.slice(0, count));
          expect([...candidates.logits]).toEqual(order.slice(0, count).map((id) => logits[id] ?? 0));
          const { counts } = candidates;
          expect(counts.fell_back).toBe(false);
          // With few tokens the coarse pass is what decides; a plain search counts none of its rows.
          if (count === 1) expect(counts).toMatchObject({ coarse_fell_back: false });
          if (count === 1) expect(counts.coarse_candidates).toBeGreaterThan(0);
          candidates.find(kernels, head.weight, head.ranges.prepared, count);
          expect(candidates.counts).toMatchObject({ coarse_candidates: 0, coarse_fell_back: false });
          expect([...candidates.ids]).toEqual(order.slice(0, count));
        }
        kernels.close();
        memory.free();
      }
    }
    for (const plane of planes) expect(plane).toEqual(planes[0] ?? new Uint8Array());
  });

  test("several tokens are searched without it", () => {
    using head = new RandomHead();
    const bytes = coarseHeadBytes(head.weight);
    const memory = NativeMemory.allocate(bytes);
    const kernels = Kernels.create({ thread_count: 1 });
    const coarse = makeCoarseHead(kernels, head.weight, rangeOf(memory, 0, bytes));
    kernels.prepare(head.ranges.x, TOKENS, COLUMNS, head.ranges.prepared);
    const [plain, with_plane] = [new HeadCandidates(9, TOKENS), new HeadCandidates(9, TOKENS)];
    const wanted = [9, 1, 5];
    plain.findEach(kernels, head.weight, head.ranges.prepared, wanted);
    with_plane.findEach(kernels, head.weight, head.ranges.prepared, wanted, HEAD_MARGIN, coarse);
    for (const token of wanted.keys()) expect(with_plane.of(token)).toEqual(plain.of(token));
    kernels.close();
    memory.free();
  });

  test("too little memory, a margin out of range, another head's plane and too many columns are refused", () => {
    using head = new RandomHead();
    using other = new RandomHead();
    const bytes = coarseHeadBytes(head.weight);
    const memory = NativeMemory.allocate(bytes);
    const kernels = Kernels.create({ thread_count: 1 });
    const make = (length: number, margin?: number): CoarseHead =>
      makeCoarseHead(kernels, head.weight, rangeOf(memory, 0, length), margin);
    // Only a defect of this package makes too small a range.
    expect(refusal(() => make(bytes - 1)).message).toStartWith(
      "making the head's coarse plane: a native function",
    );
    for (const margin of [-1, 65, Number.NaN]) {
      expect(refusal(() => make(bytes, margin)).message).toBe(
        `the coarse margin: expected a number from 0 to 64, received ${margin}`,
      );
    }
    const coarse = make(bytes);
    kernels.prepare(other.ranges.x, 1, COLUMNS, other.ranges.prepared);
    const find = () =>
      new HeadCandidates(5).find(kernels, other.weight, other.ranges.prepared, 5, HEAD_MARGIN, coarse);
    expect(refusal(find).message).toBe(
      "the coarse plane: expected one made from the head that is searched, received another head's",
    );
    expect(coarseHeadBytes({ rows: ROWS, columns: 16_384 })).toBeGreaterThan(0);
    expect(refusal(() => coarseHeadBytes({ rows: ROWS, columns: 16_385 }))).toEqual({
      code: "argument_invalid",
      message:
        "a head with a coarse plane: expected at most 16384 columns, received 16385. Load the model without coarse_head",
    });
    kernels.close();
    memory.free();
  });
});
