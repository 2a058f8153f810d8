/** The report as one page that needs nothing but itself: no script, no network, light and dark, wide and narrow. */
import { escapeHtml } from "../../../src/bench/html-report.ts";
import { sharedCharts } from "./curves.ts";
import { layersSection } from "./layers.ts";
import type { Comparison } from "./read-comparison.ts";
import type { RunLog } from "./read-log.ts";
import { type LegendEntry, styleRuns } from "./run-styles.ts";
import { comparisonSection, runsTable, samplesSection } from "./tables.ts";

const LIGHT_CURVES = ["b3261e", "1a5fb4", "1e7a46", "8a5a00", "7a3e9d", "00798c", "c2185b", "5b626c"];
const DARK_CURVES = ["ff7b72", "6cb6ff", "57c785", "e0b050", "cf9bf0", "4dd0e1", "ff8ab8", "b0b8c2"];
const variables = (colours: readonly string[]) =>
  colours.map((colour, index) => `--curve-${index}: #${colour};`).join(" ");
const classes = LIGHT_CURVES.map((_, index) => `.curve-${index} { --mark: var(--curve-${index}); }`).join(
  " ",
);

const STYLE = `
:root { color-scheme: light dark; --ink: #1c1e21; --paper: #ffffff; --faint: #d9dce1; --quiet: #5b626c; ${variables(LIGHT_CURVES)} }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --paper: #15171a; --faint: #343a42; --quiet: #9aa3ae; ${variables(DARK_CURVES)} } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 82rem; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .5rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; } h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
h4 { font-size: .9rem; margin: 1rem 0 .2rem; } p { margin: .2rem 0 .6rem; color: var(--quiet); max-width: 60rem; }
.charts { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 24rem), 1fr)); }
.histograms { display: grid; gap: .6rem; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); }
figure { margin: 0; } figcaption { font-size: 14px; font-weight: 600; overflow-wrap: anywhere; } .small figcaption { font-size: 12px; font-weight: 400; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; } svg .tick { fill: var(--quiet); } svg .grid { stroke: var(--faint); }
.curve { fill: none; stroke: var(--mark); stroke-width: 1.8; stroke-linejoin: round; } circle { fill: var(--mark); }
.dash-1 .curve { stroke-dasharray: 6 4; } .dash-2 .curve { stroke-dasharray: 2 3; }
.filled { fill: var(--curve-1); fill-opacity: .45; } .outline { fill: none; stroke: var(--curve-0); stroke-width: 1.3; }
${classes}
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; list-style: none; margin: 0 0 .8rem; padding: .4rem 0; font-size: 14px;
  position: sticky; top: 0; background: var(--paper); border-bottom: 1px solid var(--faint); max-height: 30vh; overflow-y: auto; z-index: 1; }
.legend li { overflow-wrap: anywhere; } .legend svg { display: inline-block; width: 28px; height: 10px; margin-right: .4rem; vertical-align: middle; }
details { border-top: 1px solid var(--faint); padding: .3rem 0; } summary { cursor: pointer; font-weight: 600; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; text-align: left; white-space: nowrap; border-bottom: 1px solid var(--faint); } th { color: var(--quiet); font-weight: 600; }
.number { text-align: right; } tbody tr:hover { background: color-mix(in srgb, var(--quiet) 12%, transparent); }
blockquote { margin: .4rem 0; padding: .4rem .8rem; border-left: 3px solid var(--faint); white-space: pre-wrap; overflow-wrap: anywhere; max-width: 60rem; }
.step { color: var(--quiet); font-size: 12px; }
`;

export function reportPage(logs: readonly RunLog[], comparison: Comparison | null): string {
  const { runs, legend } = styleRuns(logs);
  const charts = sharedCharts(runs).filter((chart) => chart !== "");
  // One run's layers are shown at once, a sherry run's if there is one; the others are folded: a page to be scrolled.
  const shown = runs.find(({ run }) => run.start.method === "sherry") ?? runs[0];
  const layers = runs.map((one) => layersSection(one.run, one.label, one === shown));
  const samples = runs.map(samplesSection);
  const section = (title: string, note: string, parts: readonly string[]) => {
    const present = parts.filter((part) => part !== "");
    if (present.length === 0) return "";
    return `<h2>${title}</h2>${note === "" ? "" : `<p>${note}</p>`}\n${present.join("\n")}`;
  };
  const names = runs.map(({ label }) => label).join(", ");
  return [
    "<!doctype html>",
    '<html lang="en">',
    '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>Training: ${escapeHtml(names)}</title><style>${STYLE}</style></head>`,
    "<body>",
    `<h1>Training report, ${runs.length} ${runs.length === 1 ? "run" : "runs"}</h1>`,
    section("Comparison", "", comparison === null ? [] : [comparisonSection(comparison)]),
    section("Runs", "", [runsTable(runs)]),
    section("Curves", "", charts.length === 0 ? [] : [`<div>${legendList(legend)}${grid(charts)}</div>`]),
    section("Layers", "", layers),
    section("What the models wrote", "The prompt in bold, then the model.", samples),
    "</body>",
    "</html>",
    "",
  ].join("\n");
}

function grid(charts: readonly string[]): string {
  return `<div class="charts">${charts.join("\n")}</div>`;
}

function legendList(entries: readonly LegendEntry[]): string {
  const items = entries.map(
    ({ label, style }) =>
      `<li><svg viewBox="0 0 28 10" aria-hidden="true"><g class="${style}"><polyline class="curve" points="1,5 27,5"/></g></svg>${escapeHtml(label)}</li>`,
  );
  return `<ul class="legend">${items.join("")}</ul>`;
}
