/** The likeliest rows through the native boundary: the full head's to the bit, on every level, and what is refused. */
import { ptr } from "bun:ffi";
import { describe, expect, test } from "bun:test";
import { split8Layout } from "../../src/format/split8-layout.ts";
import { coarseHeadBytes } from "../../src/native/coarse-head.ts";
import { HEAD_MARGIN, HeadCandidates } from "../../src/native/head.ts";
import { Kernels, usableCpuLevels } from "../../src/native/kernels.ts";
import { library } from "../../src/native/library.ts";
import { refusal } from "../format/refusal.ts";
import { COLUMNS, RandomHead, ROWS, TOKENS } from "./random-head.ts";

describe("a random head", () => {
  test("one token and three give the same logits, and the likeliest rows are theirs", () => {
    using head = new RandomHead();
    const results = [];
    for (const cpu_level of usableCpuLevels()) {
      for (const thread_count of [1, 2]) {
        const kernels = Kernels.create({ cpu_level, thread_count });
        kernels.prepare(head.ranges.x, TOKENS, COLUMNS, head.ranges.prepared);
        kernels.linear(head.weight, head.ranges, TOKENS, head.ranges.logits);
        const of_three = head.logits.slice(0, ROWS);
        const all = head.logits.slice();
        kernels.prepare(head.ranges.x, 1, COLUMNS, head.ranges.prepared);
        kernels.linear(head.weight, head.ranges, 1, head.ranges.logits);
        expect(head.logits.slice(0, ROWS)).toEqual(of_three);
        const order = [...of_three.keys()].sort((a, b) => (of_three[b] ?? 0) - (of_three[a] ?? 0) || a - b);
        const candidates = new HeadCandidates(300, TOKENS);
        kernels.prepare(head.ranges.x, TOKENS, COLUMNS, head.ranges.prepared);
        const wanted = [40, 1, 300];
        candidates.findEach(kernels, head.weight, head.ranges.prepared, wanted);
        for (const [token, count] of wanted.entries()) {
          const logits = all.subarray(token * ROWS, (token + 1) * ROWS);
          const best = [...logits.keys()].sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0) || a - b);
          const found = candidates.of(token);
          expect([...found.ids]).toEqual(best.slice(0, count));
          expect([...found.logits]).toEqual(best.slice(0, count).map((id) => logits[id] ?? 0));
          expect(found.counts.fell_back).toBe(false);
          expect(found.counts.rows_rescored).toBeGreaterThanOrEqual(count);
        }
        kernels.prepare(head.ranges.x, 1, COLUMNS, head.ranges.prepared);
        for (const count of [1, 40, 300]) {
          candidates.find(kernels, head.weight, head.ranges.prepared, count);
          expect([...candidates.ids]).toEqual(order.slice(0, count));
          expect([...candidates.logits]).toEqual(order.slice(0, count).map((id) => of_three[id] ?? 0));
          const { rows_rescored, fell_back, candidates: first } = candidates.counts;
          expect(fell_back).toBe(false);
          expect(first).toBeGreaterThanOrEqual(count);
          expect(rows_rescored).toBeGreaterThanOrEqual(first);
          expect(rows_rescored).toBeLessThan(ROWS);
        }
        kernels.close();
        results.push(all);
      }
    }
    for (const result of results) expect(result).toEqual(results[0] ?? new Float32Array());
  });

  test("counts and margins out of range are refused, on this side and on Zig's", () => {
    using head = new RandomHead();
    const kernels = Kernels.create({ thread_count: 1 });
    kernels.prepare(head.ranges.x, 1, COLUMNS, head.ranges.prepared);
    const candidates = new HeadCandidates(5);
    const find = (count: number, margin?: number) => () =>
      candidates.find(kernels, head.weight, head.ranges.prepared, count, margin);
    find(5)();
    expect(candidates.ids.length).toBe(5);
    for (const count of [0, 6, 1.5, Number.NaN]) {
      expect(refusal(find(count))).toEqual({
        code: "argument_invalid",
        message: `the number of likeliest rows: expected an integer from 1 to 5, received ${count}`,
      });
    }
    for (const margin of [-1, 65, Number.NaN]) {
      expect(refusal(find(1, margin)).message).toBe(
        `margin: expected a number from 0 to 64, received ${margin}`,
      );
    }
    expect(refusal(() => new HeadCandidates(0)).message).toBe(
      "count_max: expected an integer of at least 1, received 0",
    );

    expect(refusal(() => new HeadCandidates(1, 0)).message).toBe(
      "tokens_max: expected an integer of at least 1, received 0",
    );
    for (const wanted of [[], [1, 1]]) {
      expect(
        refusal(() => candidates.findEach(kernels, head.weight, head.ranges.prepared, wanted)).message,
      ).toBe(
        `the number of tokens to search for: expected an integer from 1 to 1, received ${wanted.length}`,
      );
    }
    for (const token of [-1, 1, 0.5]) {
      expect(refusal(() => candidates.of(token)).message).toBe(
        `the number of a searched token: expected an integer from 0 to 0, received ${token}`,
      );
    }

    const { range } = head.weight;
    const ids = new Uint32Array(5);
    const logits = new Float32Array(5);
    const counts = new BigUint64Array(5);
    const call = (change: {
      bytes?: number;
      columns?: number;
      prepared_bytes?: number;
      tokens?: number;
      margin?: number;
      coarse_bytes?: number;
      coarse_margin?: number;
      count?: number;
      stride?: number;
      ids?: null;
    }) =>
      library().symbols.sherry_head_candidates(
        kernels.context,
        range.address,
        change.bytes ?? range.bytes,
        ROWS,
        change.columns ?? COLUMNS,
        head.ranges.prepared.address,
        change.prepared_bytes ?? head.ranges.prepared.bytes,
        change.tokens ?? 1,
        change.margin ?? HEAD_MARGIN,
        change.coarse_bytes === undefined ? null : range.address,
        change.coarse_bytes ?? 0,
        change.coarse_margin ?? 0,
        ptr(Uint32Array.of(change.count ?? 5)),
        change.stride ?? 5,
        change.ids === null ? null : ptr(ids),
        ptr(logits),
        ptr(counts),
      );
    expect(call({})).toBe(0);
    expect(call({ bytes: range.bytes - 1 })).toBe(1);
    expect(call({ columns: 0 })).toBe(1);
    expect(call({ prepared_bytes: 100 })).toBe(1);
    expect(call({ margin: Number.NaN })).toBe(1);
    expect(call({ margin: -1 })).toBe(1);
    expect(call({ margin: 65 })).toBe(1);
    expect(call({ count: 0 })).toBe(1);
    expect(call({ count: 6 })).toBe(1);
    expect(call({ stride: 0 })).toBe(1);
    expect(call({ stride: ROWS + 1 })).toBe(1);
    expect(call({ tokens: 0 })).toBe(1);
    expect(call({ tokens: TOKENS + 1 })).toBe(1);
    expect(call({ ids: null })).toBe(1);
    const coarse_bytes = coarseHeadBytes(head.weight);
    expect(call({ coarse_bytes: coarse_bytes - 1 })).toBe(1);
    for (const coarse_margin of [Number.NaN, -1, 65]) expect(call({ coarse_bytes, coarse_margin })).toBe(1);
    kernels.close();
  });

  test("scales of activations or rows that are not finite are refused, and leave no result", () => {
    using head = new RandomHead();
    const kernels = Kernels.create({ thread_count: 1 });
    kernels.prepare(head.ranges.x, 1, COLUMNS, head.ranges.prepared);
    const candidates = new HeadCandidates(5);
    const find = () => candidates.find(kernels, head.weight, head.ranges.prepared, 5);
    find();
    const layout = split8Layout({ rows: ROWS, columns: COLUMNS });
    const row_scales = head.memory.floats(layout.scales_offset, ROWS);
    const scale = row_scales[7] ?? 0;
    row_scales[7] = Number.POSITIVE_INFINITY;
    expect(refusal(find).code).toBe("numbers_not_finite");
    expect(candidates.ids.length).toBe(0);
    row_scales[7] = scale;
    find();
    // The first number of prepared activations is the first block's scale (zig/kernels/prepared.zig).
    const offset = head.ranges.prepared.address - head.memory.at(0, 1);
    head.memory.floats(offset, 1)[0] = Number.NaN;
    expect(refusal(find).message).toContain("the head's likeliest rows");
    kernels.close();
  });
});
