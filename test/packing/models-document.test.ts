/** docs/models.md: every line of its table names tests that exist. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..", "..");

test("every check in docs/models.md names its tests, and they are there", () => {
  const lines = readFileSync(join(ROOT, "docs", "models.md"), "utf8").split("\n");
  const first = lines.findIndex((line) => line.startsWith("| family |")) + 2;
  const rows = lines.slice(first, lines.indexOf("", first));
  expect(rows.length).toBeGreaterThan(15);
  for (const row of rows) {
    const cells = row.split(" | ");
    expect(cells).toHaveLength(5);
    const paths = cells.at(-1)?.replace(/ \|$/, "").split(", ") ?? [];
    expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    expect(paths.every((path) => path.startsWith("test/"))).toBe(true);
  }
});
