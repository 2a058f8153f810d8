/** Memory that cases share, its limit, and that verification really compares. */
import { afterAll, describe, expect, test } from "bun:test";
import { CaseList, kernelCases } from "../../src/bench/kernel-cases.ts";
import { linearCase } from "../../src/bench/linear-cases.ts";
import { quickPlan } from "../../src/bench/plan.ts";
import { plainDescription, sherryDescription } from "../../src/bench/weights.ts";
import { Workspace } from "../../src/bench/workspace.ts";
import { SherryError } from "../../src/errors.ts";
import { refusal } from "../format/refusal.ts";

const workspace = new Workspace({
  stream_bytes: 1 << 20,
  memory_limit_bytes: 24 << 20,
  cpu_level: "scalar",
});
afterAll(() => workspace.close());

const SCALE = { granularity: "channel", group_columns: 0, element: "f16" } as const;

test("the same name and size is the same memory, seen through views", () => {
  const first = workspace.buffer("a", 100);
  expect(workspace.buffer("a", 100)).toEqual(first);
  expect(workspace.buffer("b", 100).address).not.toBe(first.address);
  workspace.floats(first)[0] = 2;
  expect(workspace.view(first).subarray(0, 4)).toEqual(Uint8Array.of(0, 0, 0, 64));
  expect(refusal(() => workspace.view(workspace.arena("huge"))).message).toBe(
    "a view of the bench's memory: expected a range of a buffer, received a range of none",
  );
});

test("what is over the limit is refused, by whatever asks for it", () => {
  expect(refusal(() => workspace.buffer("large", 25 << 20))).toEqual({
    code: "out_of_memory",
    message: `the bench's memory: expected at most ${24 << 20} bytes in all, received ${25 << 20} bytes more. Raise --memory-limit`,
  });
  expect(refusal(() => workspace.streamCopies((1 << 20) + 1)).message).toContain(
    `at most ${1 << 20} bytes that cases stream from`,
  );
  const list = new CaseList();
  const weight = plainDescription("f32", 1024, 1024);
  list.add("a large product", () =>
    linearCase(workspace, {
      ...{ kernel: "f32", weight, tokens: 1, threads: 1, residence: "stream", prepares: false },
      cpu_level: "scalar",
    }),
  );
  expect(list.cases).toEqual([]);
  expect(list.skipped.map(({ name }) => name)).toEqual(["a large product"]);
  const broken = () =>
    list.add("broken", () => {
      throw new SherryError("internal", "a defect");
    });
  expect(refusal(broken).message).toBe("a defect");
});

describe("verification", () => {
  const options = {
    ...{ kernel: "sherry", weight: sherryDescription(70, 132, SCALE), tokens: 9, threads: 1 },
    ...({ residence: "cache", prepares: false, cpu_level: "scalar" } as const),
  };

  test("passes on the same bits and sees a changed input", () => {
    const bench_case = linearCase(workspace, options);
    const right = bench_case.verify();
    expect(right?.received).toBe(right?.expected ?? "");
    // The case computes from what was prepared; its reference prepares anew from x.
    const { x } = workspace.input(9, 132);
    workspace.floats(x).fill(1, 0, 132);
    const wrong = bench_case.verify();
    expect(wrong?.received).not.toBe(wrong?.expected ?? "");
  });
});

test("a plan's cases are unique by name, and all have the scalar level's bits", () => {
  const own = new Workspace({ stream_bytes: 4 << 20, memory_limit_bytes: 64 << 20, cpu_level: "scalar" });
  const { cases, skipped } = kernelCases(own, quickPlan(), [1]);
  expect(skipped).toEqual([]);
  expect(cases.length).toBeGreaterThan(50);
  for (const bench_case of cases) {
    const verification = bench_case.verify();
    expect([bench_case.kernel, verification?.received]).toEqual([bench_case.kernel, verification?.expected]);
  }
  own.close();
});
