/** The closing line's arithmetic: what each runner prints, read back. */
import { expect, test } from "bun:test";
import { bunCounts, zigCounts } from "../../scripts/run-tests.ts";

test("bun test's closing counts", () => {
  expect(bunCounts(" 12 pass\n 1 skip\n 2 fail\n 40 expect() calls\n")).toEqual({
    passed: 12,
    failed: 2,
    skipped: 1,
  });
  expect(bunCounts(" 7 pass\n 0 fail\n")).toEqual({ passed: 7, failed: 0, skipped: 0 });
  expect(bunCounts("error: no test files\n")).toBeNull();
});

test("zig build's summary line", () => {
  expect(zigCounts("Build Summary: 3/3 steps succeeded; 52/52 tests passed\n")).toEqual({
    passed: 52,
    failed: 0,
    skipped: 0,
  });
  expect(
    zigCounts("Build Summary: 1/3 steps succeeded (1 failed); 49/52 tests passed (1 skipped; 2 failed)\n"),
  ).toEqual({
    passed: 49,
    failed: 2,
    skipped: 1,
  });
  expect(zigCounts("error: no step named test\n")).toBeNull();
});
