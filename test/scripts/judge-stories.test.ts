/** The judge of a model's stories, as a command: its table, its lines of JSON, its help, and a model that is not there. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { CHECKS } from "../../scripts/judge-stories.ts";

const ROOT = join(import.meta.dir, "..", "..");

function judge(...argv: string[]) {
  const { stdout, stderr, exitCode } = Bun.spawnSync(
    [process.execPath, join(ROOT, "scripts/judge-stories.ts"), ...argv],
    { cwd: ROOT, stdout: "pipe", stderr: "pipe" },
  );
  return { output: stdout.toString(), error: stderr.toString(), exit_code: exitCode };
}

test("the table counts what the lines of JSON say, and the same seeds tell the same", () => {
  const lines = judge("--count", "3", "--json").output.trim().split("\n");
  const told = lines.map((line) => JSON.parse(line));
  expect(told).toHaveLength(3);
  expect(told[0].request).toMatch(/^Tell me a story about an? .+ named [A-Z]/);
  const { output, exit_code } = judge("--count", "3");
  expect(exit_code).toBe(0);
  for (const [check, meaning] of Object.entries(CHECKS)) {
    const passed = told.filter(({ checks }) => checks[check]).length;
    expect(output).toContain(`    ${passed} of 3  ${meaning}\n`);
  }
});

test("a model that is not there is refused by its path", () => {
  const { output, error, exit_code } = judge("nowhere.sherry");
  expect(exit_code).toBe(1);
  expect(output).toBe("");
  expect(error).toContain("nowhere.sherry");
});

test("the help names the options", () => {
  const { output } = judge("--help");
  for (const option of ["MODEL", "--count", "--seed-begin", "--json"]) expect(output).toContain(option);
});
