/** When a machine counts as too noisy, and that calibration sees a real clock. */
import { expect, test } from "bun:test";
import { calibrate, FIXED_WORK_BYTES, noiseReport } from "../../src/bench/noise.ts";
import { BenchContext } from "../../src/native/bench-library.ts";
import { NativeMemory } from "../../src/native/memory.ts";
import { rangeOf } from "../../src/native/weight.ts";

test("quiet: both spreads within a tenth", () => {
  const report = noiseReport(
    [
      { clock_hz: 3e9, fixed_work_ns: 1000 },
      { clock_hz: 2.9e9, fixed_work_ns: 1090 },
    ],
    0.5,
  );
  expect(report).toMatchObject({ is_noisy: false, clock_hz: 3e9, load_average_start: 0.5 });
  expect(report.verdict).toBe(
    "Quiet enough: clock spread 3.4 %, fixed work spread 9.0 % over 2 rounds (limit 10.0 %).",
  );
});

test("noisy: either spread beyond a tenth; a clock that is not known counts for nothing", () => {
  const clock = noiseReport(
    [
      { clock_hz: 3e9, fixed_work_ns: 1000 },
      { clock_hz: 2e9, fixed_work_ns: 1000 },
    ],
    0,
  );
  expect(clock.is_noisy).toBe(true);
  expect(clock.verdict).toStartWith(
    "TOO NOISY TO TRUST: clock spread 50.0 %, fixed work spread 0.0 % over 2",
  );
  const work = noiseReport(
    [
      { clock_hz: null, fixed_work_ns: 1000 },
      { clock_hz: null, fixed_work_ns: 1200 },
    ],
    0,
  );
  expect(work).toMatchObject({ is_noisy: true, clock_hz: null, clock_spread: null });
  expect(work.verdict).toContain("clock spread unknown, fixed work spread 20.0 %");
});

test("calibration times a clock that a CPU can have", () => {
  const context = BenchContext.create("scalar", 1);
  const memory = NativeMemory.allocate(FIXED_WORK_BYTES);
  const { clock_hz, fixed_work_ns } = calibrate(context, rangeOf(memory));
  memory.free();
  context.close();
  expect(fixed_work_ns).toBeGreaterThan(0);
  if (clock_hz !== null) {
    // A chain that the CPU took apart would show as a clock beyond any CPU's.
    expect(clock_hz).toBeGreaterThan(1e8);
    expect(clock_hz).toBeLessThan(8e9);
  }
});
