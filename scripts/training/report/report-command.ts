/** `bun run train:report`: which runs, where the page goes. */
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandDescription, helpText, parseCommand } from "../../../src/cli/arguments.ts";
import { textOf } from "../../../src/cli/option-values.ts";
import { PROCESS_TERMINAL, type Terminal } from "../../../src/cli/terminal.ts";
import { SherryError } from "../../../src/errors.ts";
import { reportPage } from "./page.ts";
import { COMPARISON_FILE, type Comparison, readComparison } from "./read-comparison.ts";
import { LOG_FILE, readRun } from "./read-log.ts";

const DEFAULT_OUTPUT = "report.html";
/** More curves than this tell nothing. */
const RUNS_MAX = 256;

export const description: CommandDescription = {
  name: "bun run train:report",
  summary: "Draw runs and their comparison as one HTML page that needs no network",
  positionals: [
    {
      name: "RUN",
      description: "A run's folder or log.jsonl, or a comparison's folder: all its runs and its table",
      repeated: true,
    },
  ],
  options: {
    comparison: { type: "string", placeholder: "FILE", description: "A comparison.json whose table to show" },
    output: {
      type: "string",
      placeholder: "FILE",
      description: "The page",
      default_text: DEFAULT_OUTPUT,
    },
  },
  examples: [
    "bun run train:report runs/carried",
    "bun run train:report runs/one runs/other --output both.html",
    "bun run train:report runs/compare --output compare.html",
  ],
};

/** @returns the exit code: 0. @throws SherryError, for the caller to print */
export async function run(argv: readonly string[], terminal: Terminal = PROCESS_TERMINAL): Promise<number> {
  const parsed = parseCommand(description, argv);
  if (parsed.help) {
    terminal.write(helpText(description));
    return 0;
  }
  const comparison_paths = new Set(parsed.positionals.flatMap(comparisonIn));
  const named = textOf(parsed, "comparison");
  if (named !== undefined) {
    comparison_paths.clear();
    comparison_paths.add(named);
  }
  if (comparison_paths.size > 1) {
    throw new SherryError("argument_invalid", "comparison", {
      expected: "one, to show its table",
      received: [...comparison_paths].join(", "),
      next_step: "Choose one with --comparison FILE",
    });
  }
  const [comparison_path] = comparison_paths;
  const comparison: Comparison | null =
    comparison_path === undefined ? null : readComparison(comparison_path);
  const logs = runPaths(parsed.positionals).map(readRun);
  const output = textOf(parsed, "output") ?? DEFAULT_OUTPUT;
  writePage(output, reportPage(logs, comparison));
  terminal.write(`Wrote ${output}: ${logs.length} ${logs.length === 1 ? "run" : "runs"}\n`);
  return 0;
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

function comparisonIn(path: string): string[] {
  const file = join(path, COMPARISON_FILE);
  return isFolder(path) && existsSync(file) ? [file] : [];
}

/** A folder without a log of its own stands for the runs within. */
function runPaths(paths: readonly string[]): string[] {
  const found = paths.flatMap((path) => {
    if (!isFolder(path) || existsSync(join(path, LOG_FILE))) return [path];
    const inside = readdirSync(path)
      .sort(new Intl.Collator("en", { numeric: true }).compare)
      .map((name) => join(path, name))
      .filter((folder) => existsSync(join(folder, LOG_FILE)));
    if (inside.length > 0) return inside;
    throw new SherryError("file_not_found", path, {
      expected: `a run's folder with ${LOG_FILE}, or a folder of such folders`,
      received: "a folder without",
      next_step: "bun run train writes one",
    });
  });
  const runs = [...new Set(found)];
  if (runs.length <= RUNS_MAX) return runs;
  throw new SherryError("argument_invalid", "runs", {
    expected: `at most ${RUNS_MAX}`,
    received: String(runs.length),
  });
}

function writePage(path: string, page: string): void {
  try {
    writeFileSync(path, page);
  } catch (cause) {
    throw new SherryError("file_unwritable", "the report's page", {
      expected: "a file that can be written",
      received: `${path}: ${cause instanceof Error ? cause.message : String(cause)}`,
      next_step: "Choose another --output FILE",
      cause,
    });
  }
}
