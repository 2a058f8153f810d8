/** Timed kernels: what was called, how often, and that the class is as it was afterwards. */
import { afterAll, expect, test } from "bun:test";
import { timeKernels } from "../../src/bench/kernel-timers.ts";
import { CallList } from "../../src/native/call-list.ts";
import { Kernels } from "../../src/native/kernels.ts";
import { NativeMemory } from "../../src/native/memory.ts";
import { rangeOf } from "../../src/native/weight.ts";

const kernels = Kernels.create({ cpu_level: "scalar", thread_count: 1 });
const memory = NativeMemory.allocate(4096);
afterAll(() => {
  kernels.close();
  memory.free();
});

test("calls are counted by method, products by kind and shape", () => {
  const x = rangeOf(memory, 0, 256);
  const y = rangeOf(memory, 1024, 256);
  const weight = { kind: "f32", range: rangeOf(memory, 2048, 64), rows: 4, columns: 4 } as const;
  const before = Object.getOwnPropertyDescriptors(Kernels.prototype);
  const { kernels: times, crossings } = timeKernels(() => {
    kernels.add(x, y, 4);
    kernels.add(x, y, 4);
    kernels.linear(weight, { x, prepared: null }, 1, y);
    expect(kernels.argmax(y, 4)).toBe(0);
  });
  expect(crossings).toBe(4);
  expect(times.map(({ kernel, calls }) => `${kernel} ${calls}`).sort()).toEqual([
    "add 2",
    "argmax 1",
    "linear f32 4x4 1",
  ]);
  expect(times.every(({ time_ns }) => time_ns > 0)).toBe(true);
  expect(times).toEqual([...times].sort((a, b) => b.time_ns - a.time_ns));
  expect(Object.getOwnPropertyDescriptors(Kernels.prototype)).toEqual(before);
});

test("calls of a list are counted when they are made, all of them as one crossing", () => {
  const x = rangeOf(memory, 0, 256);
  const y = rangeOf(memory, 1024, 256);
  const weight = { kind: "f32", range: rangeOf(memory, 2048, 64), rows: 4, columns: 4 } as const;
  const list = new CallList();
  const { run } = CallList.prototype;
  const recorded = timeKernels(() => {
    kernels.record(list, () => {
      kernels.add(x, y, 4);
      kernels.linear(weight, { x, prepared: null }, 1, y);
    });
  });
  expect(recorded).toEqual({ kernels: [], crossings: 0 });
  const { kernels: times, crossings } = timeKernels(() => {
    kernels.run(list, 0, 2);
    kernels.run(list, 0, 1);
  });
  expect(crossings).toBe(2);
  expect(times.map(({ kernel, calls }) => `${kernel} ${calls}`).sort()).toEqual([
    "add 2",
    "linear f32 4x4 1",
  ]);
  expect(CallList.prototype.run).toBe(run);
});

test("the class is put back when the work throws", () => {
  const { add } = Kernels.prototype;
  const fails = () =>
    timeKernels(() => {
      throw new RangeError("no");
    });
  expect(fails).toThrow("no");
  expect(Kernels.prototype.add).toBe(add);
});
