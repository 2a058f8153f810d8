/** Lists of calls: they compute what the calls would have, stop at the first that fails, and refuse what cannot be listed. */

import { ptr } from "bun:ffi";
import { afterAll, expect, test } from "bun:test";
import { CallList } from "../../src/native/call-list.ts";
import { Kernels, preparedBytes } from "../../src/native/kernels.ts";
import { library } from "../../src/native/library.ts";
import { NativeMemory } from "../../src/native/memory.ts";
import { CALL_NUMBERS } from "../../src/native/symbols.ts";
import { rangeOf } from "../../src/native/weight.ts";

const SIZE = 64;
const kernels = Kernels.create({ thread_count: 2 });
const memory = NativeMemory.allocate(1 << 16);
afterAll(() => {
  kernels.close();
  memory.free();
});

const x = rangeOf(memory, 0, SIZE * 4);
const y = rangeOf(memory, 1024, SIZE * 4);
const out = rangeOf(memory, 2048, SIZE * 4);
const prepared = rangeOf(memory, 4096, preparedBytes(1, SIZE));
const matrix = rangeOf(memory, 32_768, SIZE * SIZE * 4);
const weight = { kind: "f32", range: matrix, rows: SIZE, columns: SIZE } as const;

function floats(offset: number, count: number): Float32Array {
  const bytes = memory.view(offset, count * 4);
  return new Float32Array(bytes.buffer, bytes.byteOffset, count);
}

function fill(): void {
  for (const [index] of floats(0, SIZE).entries()) {
    floats(0, SIZE)[index] = Math.sin(index + 1);
    floats(1024, SIZE)[index] = Math.cos(index);
  }
  floats(32_768, SIZE * SIZE).forEach((_, index, all) => {
    all[index] = Math.sin(index * 0.7);
  });
}

function work(): void {
  kernels.add(x, y, SIZE);
  kernels.rmsNorm(x, y, 0.25, 1, SIZE, x);
  kernels.linear(weight, { x, prepared: null }, 1, out);
  kernels.swiglu(out, x, SIZE, out);
}

test("a list computes what its calls compute when they are made at once, as often as it is run", () => {
  fill();
  work();
  const once = floats(2048, SIZE).slice();
  work();
  const twice = floats(2048, SIZE).slice();
  expect(twice).not.toEqual(once);

  fill();
  const list = new CallList();
  const before = floats(2048, SIZE).slice();
  kernels.record(list, work);
  expect(list.labels).toEqual(["add", "rmsNorm", `linear f32 ${SIZE}x${SIZE}`, "swiglu"]);
  expect(floats(2048, SIZE)).toEqual(before);
  kernels.run(list, 0, 4);
  expect(floats(2048, SIZE)).toEqual(once);
  kernels.run(list, 0, 2);
  kernels.run(list, 2, 2);
  kernels.run(list, 2, 4);
  expect(floats(2048, SIZE)).toEqual(twice);
});

test("a list that grows keeps its calls, and makes none beyond them", () => {
  const list = new CallList();
  fill();
  kernels.record(list, () => {
    for (let call = 0; call < 200; call += 1) kernels.add(x, y, SIZE);
  });
  kernels.run(list, 0, 200);
  expect(floats(0, SIZE)[3]).toBeCloseTo(Math.sin(4) + 200 * Math.cos(3), 3);
  expect(() => kernels.run(list, 199, 201)).toThrow("calls 199 to 201 of 200");
  expect(() => kernels.run(list, -1, 1)).toThrow("calls -1 to 1 of 200");
});

test("the first call that fails names itself; those before it were made, those after it were not", () => {
  fill();
  const list = new CallList();
  kernels.record(list, () => {
    kernels.add(x, y, SIZE);
    kernels.prepare(y, 1, SIZE, prepared);
    kernels.add(x, y, SIZE);
  });
  floats(1024, SIZE)[5] = Number.NaN;
  expect(() => kernels.run(list, 0, 3)).toThrow(
    expect.objectContaining({ code: "numbers_not_finite", message: expect.stringMatching(/^prepare: /) }),
  );
  expect(floats(0, SIZE)[4]).toBeCloseTo(Math.sin(5) + Math.cos(4), 6);
});

test("buffers are checked when a call is written down, and calls are made at once again afterwards", () => {
  fill();
  const list = new CallList();
  expect(() => kernels.record(list, () => kernels.add(x, y, SIZE + 1))).toThrow("add: x");
  expect(list.length).toBe(0);
  kernels.add(x, y, SIZE);
  expect(floats(0, SIZE)[4]).toBeCloseTo(Math.sin(5) + Math.cos(4), 6);
});

test("what gives a result at once cannot be written down", () => {
  for (const call of [
    () => kernels.argmax(x, SIZE),
    () => kernels.softmax(x, 1, SIZE, out),
    () => kernels.embedding(weight, Uint32Array.of(0), out),
    () => kernels.rotaryTable(Float64Array.of(1), 0, 1, out),
  ]) {
    expect(() => kernels.record(new CallList(), call)).toThrow(
      expect.objectContaining({ code: "internal", received: "a list of calls" }),
    );
  }
});

test("Zig refuses calls that are none", () => {
  const run = (words: number[], calls = 1) => {
    const failed = new BigUint64Array(1);
    const list = new Uint32Array(new ArrayBuffer(128 * calls));
    list.set(words);
    const status = library().symbols.sherry_run_calls(kernels.context, ptr(list), calls, ptr(failed));
    return [status, Number(failed[0])];
  };
  const ok_call = Array.from({ length: 32 }, () => 0);
  const low = (address: number) => [address >>> 0, Math.floor(address / 2 ** 32)];
  ok_call.splice(0, 8, CALL_NUMBERS.sherry_add, 0, ...low(x.address), ...low(y.address), SIZE, 0);
  expect(run(ok_call)).toEqual([0, 0]);
  // A function that is none, after one that is.
  expect(run([...ok_call, 4_000_000_000], 2)).toEqual([1, 1]);
  // An address that no f32 can have, and none.
  expect(run(ok_call.with(2, (x.address + 1) >>> 0))).toEqual([1, 0]);
  expect(run(ok_call.with(2, 0).with(3, 0))).toEqual([1, 0]);
  // A code that is longer than 32 bits: of prepare's values the fourth.
  const prepare = Array.from({ length: 32 }, () => 0);
  prepare.splice(
    0,
    14,
    CALL_NUMBERS.sherry_prepare,
    0,
    ...low(x.address),
    1,
    0,
    SIZE,
    0,
    0,
    0,
    ...low(prepared.address),
    prepared.bytes,
    0,
  );
  expect(run(prepare)).toEqual([0, 0]);
  expect(run(prepare.with(9, 1))).toEqual([1, 0]);
  const { symbols } = library();
  expect(symbols.sherry_run_calls(kernels.context, null, 1, ptr(new BigUint64Array(1)))).toBe(1);
  expect(symbols.sherry_run_calls(kernels.context, ptr(new Uint32Array(32)), 1, null)).toBe(1);
});
