/** The head's cases: the search finds what sorted logits of the scalar level hold, and says what it cost. */
import { expect, test } from "bun:test";
import { headCases } from "../../src/bench/head-cases.ts";
import { Workspace } from "../../src/bench/workspace.ts";

test("all logits and the likeliest rows agree with the scalar level, and searches are counted", () => {
  const workspace = new Workspace({
    stream_bytes: 1 << 16,
    memory_limit_bytes: 1 << 24,
    cpu_level: "scalar",
  });
  try {
    const cases = headCases(workspace, [3_000, 128], 1);
    expect(cases.map(({ kernel }) => kernel)).toEqual([
      "head split8",
      "head split8 top 1",
      "head split8 top 40",
      "head split8 coarse top 1",
      "head split8 coarse top 40",
    ]);
    for (const bench_case of cases) {
      bench_case.run(0);
      const verification = bench_case.verify();
      expect(verification?.received).toBe(verification?.expected ?? "");
    }
    expect(cases[0]?.remark).toBeUndefined();
    expect(cases[1]?.remark?.()).toMatch(
      /^\d+ of 3000 rows rescored, 0 of 2 searches fell back to all rows$/,
    );
    expect(cases[3]?.remark?.()).toMatch(
      /^\d+ rows scored by the high plane, \d+ of 3000 rows rescored, 0 of 2 searches fell back to all rows, [02] to the high plane of all$/,
    );
    // The full head reads both planes and the scales, the search one plane and the scales, the coarse one two bits
    // of 256 columns, which 128 are padded to, and two factors of every row, each part a multiple of 64 bytes.
    expect(cases.map(({ work }) => work.bytes)).toEqual([396_000, 204_000, 204_000, 216_064, 216_064]);
  } finally {
    workspace.close();
  }
});
