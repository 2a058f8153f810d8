/** The bench's native boundary: refusals on both sides of it, and results that can be checked by hand. */
import { describe, expect, test } from "bun:test";
import {
  addChain,
  BenchContext,
  benchLibrary,
  emptyCall,
  fillRange,
  twoBitBytes,
} from "../../src/native/bench-library.ts";
import { BenchMemory, HUGE_PAGE_BYTES } from "../../src/native/bench-memory.ts";
import { NativeMemory } from "../../src/native/memory.ts";
import { type NativeRange, rangeOf } from "../../src/native/weight.ts";
import { refusal } from "../format/refusal.ts";

function withMemory<T>(bytes: number, work: (memory: NativeMemory) => T): T {
  const memory = NativeMemory.allocate(bytes);
  try {
    return work(memory);
  } finally {
    memory.free();
  }
}

function withContext<T>(threads: number, work: (context: BenchContext) => T): T {
  const context = BenchContext.create("scalar", threads);
  try {
    return work(context);
  } finally {
    context.close();
  }
}

describe("BenchMemory", () => {
  test("is whole huge pages, aligned to one, filled and bounds-checked, and dead after free", () => {
    for (const pages of ["huge", "small"] as const) {
      const memory = BenchMemory.allocate(3_000_000, pages);
      expect(memory.bytes).toBe(2 * HUGE_PAGE_BYTES);
      expect(memory.range(0, 64).address % HUGE_PAGE_BYTES).toBe(0);
      fillRange(memory.range(0, memory.bytes), 1, "any");
      expect(refusal(() => memory.range(memory.bytes - 1, 2)).message).toBe(
        `bench memory: expected a range within ${memory.bytes} bytes, received 2 bytes at ${memory.bytes - 1}`,
      );
      expect(refusal(() => memory.range(-64, 64)).code).toBe("internal");
      memory.free();
      memory.free();
      expect(refusal(() => memory.range(0, 1))).toEqual({
        code: "closed",
        message: "bench memory was used after it was freed",
      });
    }
  });

  test("sizes that are none, and more than there is", () => {
    expect(refusal(() => BenchMemory.allocate(0, "huge"))).toEqual({
      code: "argument_invalid",
      message: "bench memory: expected a positive number of bytes, received 0",
    });
    expect(refusal(() => BenchMemory.allocate(2 ** 52, "small")).code).toBe("out_of_memory");
  });
});

test("filling is repeatable, and one pattern is codes and halves for every kernel", () => {
  withMemory(4096, (memory) => {
    fillRange(rangeOf(memory), 5, "every_kernel");
    const first = memory.view(0, 4096).slice();
    fillRange(rangeOf(memory), 5, "every_kernel");
    expect(memory.view(0, 4096)).toEqual(first);
    fillRange(rangeOf(memory), 6, "any");
    expect(memory.view(0, 4096)).not.toEqual(first);
    for (const byte of first) for (let pair = 0; pair < 8; pair += 2) expect((byte >> pair) & 3).not.toBe(3);
    // Bits 4 to 6 of every second byte: an exponent that makes no number large or subnormal.
    expect(first.every((byte, index) => index % 2 === 0 || (byte & 0x70) === 0x20)).toBe(true);
    const { symbols } = benchLibrary();
    expect(symbols.sherry_bench_fill(memory.at(0, 64), 64, 1, 2)).toBe(1);
    expect(symbols.sherry_bench_fill(memory.at(8, 64), 64, 1, 0)).toBe(1);
    expect(symbols.sherry_bench_fill(memory.at(0, 64), 0, 1, 0)).toBe(1);
    expect(symbols.sherry_bench_fill(null, 64, 1, 0)).toBe(1);
  });
});

test("an empty call and the clock's chain", () => {
  withMemory(64, (memory) => expect(() => emptyCall(rangeOf(memory))).not.toThrow());
  const known = process.arch === "x64" || process.arch === "arm64";
  expect(addChain(1000)).toBe(known ? 64_000 : 0);
  expect(benchLibrary().symbols.sherry_bench_add_chain(1, null)).toBe(1);
});

describe("BenchContext", () => {
  test("refuses thread counts and levels that do not exist, and use after close", () => {
    expect(refusal(() => BenchContext.create("scalar", 0)).code).toBe("internal");
    expect(refusal(() => BenchContext.create("scalar", 257)).code).toBe("internal");
    const context = BenchContext.create("scalar", 2);
    context.close();
    context.close();
    expect(refusal(() => context.peak("floats", 1))).toEqual({
      code: "closed",
      message: "the bench context was closed",
    });
  });

  test("reads every word, once a pass and thread", () => {
    withMemory(1024, (memory) => {
      const words = new BigUint64Array(memory.view(0, 1024).buffer, 0, 128);
      for (const [index] of words.entries()) words[index] = BigInt(index);
      withContext(2, (context) => {
        for (const prefetches of [false, true]) {
          const sums = new BigUint64Array(2);
          context.read(rangeOf(memory), 512, 3, prefetches, sums);
          expect([...sums]).toEqual([3n * 2016n, 3n * 6112n]);
        }
        const sums = new BigUint64Array(2);
        expect(refusal(() => context.read(rangeOf(memory), 1024, 1, false, sums)).code).toBe("internal");
        expect(refusal(() => context.read(rangeOf(memory), 100, 1, false, sums)).code).toBe("internal");
        expect(refusal(() => context.read(rangeOf(memory), 512, 0, false, sums)).code).toBe("internal");
        expect(refusal(() => context.read(rangeOf(memory), 512, 1, false, new BigUint64Array(1)))).toEqual({
          code: "internal",
          message: "sums of a memory read: expected 2 entries, received 1",
        });
      });
    });
  });

  test("the peak counts operations of all threads, and none at the scalar level", () => {
    withContext(2, (context) => expect(context.peak("integers", 10)).toBe(0));
    if (refusalCode(() => BenchContext.create("avx2", 1).close()) === "cpu_unsupported") return;
    const context = BenchContext.create("avx2", 2);
    expect(context.peak("integers", 10)).toBe(2 * 10 * 512);
    expect(context.peak("floats", 10)).toBe(2 * 10 * 192);
    context.close();
  });
});

function refusalCode(work: () => void): string | null {
  try {
    work();
    return null;
  } catch {
    return refusal(work).code;
  }
}

describe("the 2-bit baseline", () => {
  test("a product that can be done by hand", () => {
    withMemory(1 << 16, (memory) =>
      withContext(1, (context) => {
        const sizes = twoBitBytes(2, 128);
        expect(sizes).toEqual({ weights_bytes: 4 * 32, prepared_bytes: 128 + 64 });
        const range = (offset: number, bytes: number): NativeRange => rangeOf(memory, offset, bytes);
        const weights = range(0, sizes.weights_bytes);
        // Row 0: code 2 (+1) everywhere; row 1: code 0 (-1) for columns 0 to 31, code 1 (0) for the rest.
        memory.view(0, 32).fill(0b10_10_10_10);
        memory.view(32, 32).fill(0b01_01_01_00);
        const x = memory.floats(4096, 128);
        for (const [column] of x.entries()) x[column] = column < 32 ? 127 : -1;
        const prepared = range(8192, sizes.prepared_bytes);
        context.twoBitPrepare(range(4096, 512), 128, prepared);
        context.twoBitLinear(weights, 2, 128, prepared, range(12_288, 64));
        expect([...memory.floats(12_288, 2)]).toEqual([32 * 127 - 96, -32 * 127]);
      }),
    );
  });

  test("buffers that are too short are refused before the call, the rest by the call", () => {
    withMemory(4096, (memory) =>
      withContext(1, (context) => {
        const short = rangeOf(memory, 0, 64);
        expect(refusal(() => context.twoBitPrepare(short, 128, rangeOf(memory)))).toEqual({
          code: "internal",
          message: "2-bit baseline: x: expected at least 512 bytes, received 64",
        });
        expect(refusal(() => context.twoBitLinear(short, 32, 4, short, short))).toEqual({
          code: "internal",
          message: "2-bit baseline: y: expected at least 128 bytes, received 64",
        });
        expect(refusal(() => context.twoBitPrepare(rangeOf(memory), 128, short)).message).toContain(
          "preparing the 2-bit baseline: a native function refused its arguments",
        );
        expect(refusal(() => context.twoBitLinear(short, 4, 128, rangeOf(memory), short)).message).toContain(
          "2-bit baseline: a native function refused its arguments",
        );
        expect(refusal(() => twoBitBytes(0, 4)).message).toContain("2-bit sizes");
      }),
    );
  });
});
