/** A report as one page that needs nothing but itself: no script, no network, light and dark. */
import { rooflineSvg } from "./roofline.ts";
import type { BenchReport } from "./run-bench.ts";
import { type ReportTable, reportNotes, reportTables } from "./table.ts";

const STYLE = `
:root { color-scheme: light dark; --ink: #1c1e21; --paper: #ffffff; --faint: #d9dce1; --quiet: #5b626c;
  --sherry: #b3261e; --two-bit: #1a5fb4; --q8: #1e7a46; --dense: #8a5a00; --attention: #7a3e9d; --few-bits: #00798c; --scalar: #6b7280; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --paper: #15171a; --faint: #343a42; --quiet: #9aa3ae;
  --sherry: #ff7b72; --two-bit: #6cb6ff; --q8: #57c785; --dense: #e0b050; --attention: #cf9bf0; --few-bits: #4dd0e1; --scalar: #a0a8b3; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 82rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.verdict { padding: .6rem .9rem; border-left: 4px solid var(--q8); background: color-mix(in srgb, var(--q8) 10%, transparent); }
.verdict.bad { border-color: var(--sherry); background: color-mix(in srgb, var(--sherry) 12%, transparent); }
ul { padding-left: 1.2rem; } li { margin: .2rem 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .6rem; text-align: left; white-space: nowrap; border-bottom: 1px solid var(--faint); }
th { position: sticky; top: 0; background: var(--paper); color: var(--quiet); font-weight: 600; }
.number { text-align: right; }
tbody tr:hover { background: color-mix(in srgb, var(--quiet) 12%, transparent); }
svg { width: 100%; height: auto; }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; } svg .tick { fill: var(--quiet); }
svg .roof-label { font-size: 11px; } svg .grid { stroke: var(--faint); }
svg .roof { stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 6 4; }
svg circle { stroke-width: 1.8; stroke: var(--mark); fill: var(--mark); fill-opacity: .75; }
svg circle.cache { fill: var(--paper); fill-opacity: .2; }
.sherry { --mark: var(--sherry); } .two-bit { --mark: var(--two-bit); } .q8 { --mark: var(--q8); }
.dense { --mark: var(--dense); } .few-bits { --mark: var(--few-bits); } .attention { --mark: var(--attention); } .scalar { --mark: var(--scalar); }
.plain { --mark: var(--quiet); }
`;

export function escapeHtml(text: string): string {
  const names: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (character) => names[character] ?? character);
}

export function htmlReport(report: BenchReport): string {
  const is_bad = report.noise.is_noisy || report.mismatches.length > 0;
  const verdict = [report.noise.verdict, ...report.mismatches].map(escapeHtml).join("<br>");
  const plot = report.kernels === null ? "" : rooflineSvg(report.kernels);
  return [
    "<!doctype html>",
    '<html lang="en">',
    '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>sherry bench</title><style>${STYLE}</style></head>`,
    "<body>",
    `<h1>sherry bench, ${escapeHtml(report.taken_at)}</h1>`,
    `<p class="verdict${is_bad ? " bad" : ""}">${verdict}</p>`,
    `<ul>${reportNotes(report)
      .filter((note) => note !== report.noise.verdict)
      .map((note) => `<li>${escapeHtml(note)}</li>`)
      .join("")}</ul>`,
    plot === "" ? "" : `<h2>Roofline: what memory and the vector units allow</h2>${plot}`,
    ...reportTables(report).map(tableHtml),
    "</body>",
    "</html>",
    "",
  ].join("\n");
}

function tableHtml({ title, header, rows, first_number }: ReportTable): string {
  const cells = (row: readonly string[], tag: "th" | "td") =>
    row
      .map((cell, column) => {
        const marker = column < first_number ? "" : ' class="number"';
        return `<${tag}${marker}>${escapeHtml(cell)}</${tag}>`;
      })
      .join("");
  const body = rows.map((row) => `<tr>${cells(row, "td")}</tr>`).join("\n");
  return `<h2>${escapeHtml(title)}</h2>\n<div class="scroll"><table><thead><tr>${cells(header, "th")}</tr></thead>\n<tbody>${body}</tbody></table></div>`;
}
