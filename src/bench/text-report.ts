/** A report as lines for a terminal. */
import type { BenchReport } from "./run-bench.ts";
import { type ReportTable, reportNotes, reportTables } from "./table.ts";

export function textReport(report: BenchReport): string {
  const tables = reportTables(report).flatMap((table) => ["", table.title, ...tableLines(table)]);
  return `${[...tables, "", ...reportNotes(report)].join("\n").trimStart()}\n`;
}

function tableLines({ header, rows, first_number }: ReportTable): string[] {
  const widths = header.map((name, column) =>
    rows.reduce((width, row) => Math.max(width, (row[column] ?? "").length), name.length),
  );
  return [header, ...rows].map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column < first_number ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")
      .trimEnd(),
  );
}
