/**
 * `sherry bench`: how fast this machine runs the kernels and a model, beside what its memory allows and beside
 * baselines, all measured by turns in one run. The exit code is 1 when a result's bits are not the scalar level's.
 */
import { writeFileSync } from "node:fs";
import { htmlReport } from "../bench/html-report.ts";
import { BENCH_PARTS, type BenchReport, runBench } from "../bench/run-bench.ts";
import { textReport } from "../bench/text-report.ts";
import { SherryError } from "../errors.ts";
import { THREAD_COUNT_MAX } from "../limits.ts";
import { CPU_LEVELS } from "../native/kernels.ts";
import { type CommandDescription, helpText, type ParsedCommand, parseCommand } from "./arguments.ts";
import { choiceOf, isOn, numberOf, textOf } from "./option-values.ts";
import { errorColumns, progressBar } from "./progress-bar.ts";
import { INTERRUPTED_EXIT_CODE, PROCESS_TERMINAL, type Terminal } from "./terminal.ts";

const MEMORY_LIMIT_DEFAULT_MIB = 2_048;
const ROUNDS_MAX = 1_000;

export const description: CommandDescription = {
  name: "sherry bench",
  summary: "Measure this machine: memory, every kernel beside its baselines, and a model",
  positionals: [
    {
      name: "MODEL",
      description:
        "A .sherry file; without one, a model of LLaMA-3.2-1B's shape with random weights and a split8 head",
      optional: true,
    },
  ],
  options: {
    only: { type: "string", placeholder: "PART", description: "One part alone", choices: BENCH_PARTS },
    threads: {
      type: "integer",
      placeholder: "COUNT",
      description: "The most threads that are measured, beside 1, 2, 4, ...",
      minimum: 1,
      maximum: THREAD_COUNT_MAX,
      default_text: "the CPUs this process may use",
    },
    rounds: {
      type: "integer",
      placeholder: "COUNT",
      description: "How often each case gets its turn",
      minimum: 1,
      maximum: ROUNDS_MAX,
      default_text: "7",
    },
    "cpu-level": {
      type: "string",
      placeholder: "LEVEL",
      description: "The kernels that are measured",
      choices: CPU_LEVELS,
      default_text: "the best this machine has",
    },
    filter: {
      type: "string",
      placeholder: "TEXT",
      description: "Only cases whose name contains it, e.g. 'sherry 2048x2048', and their baselines",
    },
    "memory-limit": {
      type: "integer",
      placeholder: "MIB",
      description: "Memory for operands; what does not fit is left out and named",
      minimum: 64,
      default_text: String(MEMORY_LIMIT_DEFAULT_MIB),
    },
    html: { type: "string", placeholder: "FILE", description: "Write the report as a page, with a plot" },
    json: { type: "boolean", description: "Print one JSON object instead of tables" },
    quick: { type: "boolean", description: "Little of everything: shows that it works, not how fast it is" },
  },
  examples: ["sherry bench", "sherry bench model.sherry --only model", "sherry bench --html bench.html"],
};

/** @returns the exit code: 1 when a result differs. @throws SherryError, for the caller to print */
export async function run(
  argv: readonly string[],
  terminal: Terminal = PROCESS_TERMINAL,
  progress_columns: number | null = errorColumns(),
  measureBench: typeof runBench = runBench,
): Promise<number> {
  const parsed = parseCommand(description, argv);
  if (parsed.help) {
    terminal.write(helpText(description));
    return 0;
  }
  const report = await interruptibleBench(parsed, terminal, progress_columns, measureBench);
  if (report === null) return INTERRUPTED_EXIT_CODE;
  const html_path = textOf(parsed, "html");
  if (html_path !== undefined) writePage(html_path, report);
  terminal.write(isOn(parsed, "json") ? `${JSON.stringify(report, null, 2)}\n` : textReport(report));
  return report.mismatches.length === 0 ? 0 : 1;
}

/** Null when it was interrupted. */
async function interruptibleBench(
  parsed: ParsedCommand,
  terminal: Terminal,
  progress_columns: number | null,
  measureBench: typeof runBench,
): Promise<BenchReport | null> {
  const interruption = new AbortController();
  const stopWatching = terminal.watchInterrupts(() => interruption.abort());
  const bar = progressBar(terminal, progress_columns);
  const memory_limit_mib = numberOf(parsed, "memory-limit") ?? MEMORY_LIMIT_DEFAULT_MIB;
  try {
    return await measureBench({
      model_path: parsed.positionals[0] ?? null,
      only: choiceOf(parsed, "only", BENCH_PARTS),
      is_quick: isOn(parsed, "quick"),
      threads: numberOf(parsed, "threads"),
      rounds: numberOf(parsed, "rounds"),
      cpu_level: choiceOf(parsed, "cpu-level", CPU_LEVELS),
      memory_limit_bytes: memory_limit_mib * 1024 * 1024,
      filter: textOf(parsed, "filter"),
      on_progress: (share, text) => bar.draw(share, text),
      signal: interruption.signal,
    });
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
    terminal.writeError("interrupted; nothing was reported\n");
    return null;
  } finally {
    bar.clear();
    stopWatching();
  }
}

function writePage(path: string, report: BenchReport): void {
  try {
    writeFileSync(path, htmlReport(report));
  } catch (cause) {
    throw new SherryError("file_unwritable", "the bench's page", {
      expected: "a file that can be written",
      received: `${path}: ${cause instanceof Error ? cause.message : String(cause)}`,
      next_step: "Choose another --html FILE",
      cause,
    });
  }
}
