/** Log records, as JSON and as text. */
import { expect, test } from "bun:test";
import { createLog, SILENT_LOG } from "../../src/server/log.ts";

const NOW = () => new Date("2026-01-02T03:04:05.678Z");

function linesOf(format: "text" | "json", fields: Parameters<typeof SILENT_LOG>[2]): string[] {
  const lines: string[] = [];
  createLog(format, (line) => lines.push(line), NOW)("info", "request", fields);
  return lines;
}

test("JSON: one object a line, absent fields left out", () => {
  const [line, ...rest] = linesOf("json", { path: "/a\nb", status: 200, aborted: undefined, label: null });
  expect(rest).toEqual([]);
  expect(line).toEndWith("}\n");
  expect(line?.trim()).not.toContain("\n");
  expect(JSON.parse(line ?? "")).toEqual({
    time: "2026-01-02T03:04:05.678Z",
    level: "info",
    message: "request",
    path: "/a\nb",
    status: 200,
    label: null,
  });
});

test("text: a value can forge neither a field nor a line", () => {
  expect(linesOf("text", { path: "/a b\nc=d", method: "GET", aborted: undefined, status: 200 })).toEqual([
    '2026-01-02T03:04:05.678Z info request path="/a b\\nc=d" method=GET status=200\n',
  ]);
});

test("the silent log writes nothing", () => {
  expect(SILENT_LOG("info", "request")).toBeUndefined();
});
