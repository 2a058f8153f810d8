/** `bun run train:compare`: its options, progress and interrupts. */
import { type CommandDescription, helpText, parseCommand } from "../../src/cli/arguments.ts";
import { isOn, textOf } from "../../src/cli/option-values.ts";
import { errorColumns } from "../../src/cli/progress-bar.ts";
import { INTERRUPTED_EXIT_CODE, PROCESS_TERMINAL, type Terminal } from "../../src/cli/terminal.ts";
import { compareMethods, readComparisonConfig } from "./comparison.ts";
import { comparisonMarkdown } from "./comparison-table.ts";
import { trainingProgress } from "./progress.ts";
import { configPathOf } from "./train-command.ts";

export const description: CommandDescription = {
  name: "bun run train:compare",
  summary: "Train every method on the same data, seeds and budget, and write the table",
  positionals: [],
  options: {
    config: { type: "string", placeholder: "FILE", description: "All settings, as JSON (docs/training.md)" },
    output: {
      type: "string",
      placeholder: "DIR",
      description: "The comparison's folder; runs that ended there are not run again",
      default_text: "the configuration's output, else runs/NAME",
    },
    json: { type: "boolean", description: "Print the comparison as one JSON object" },
  },
  examples: ["bun run train:compare --config scripts/training/configs/compare.json"],
};

/** @returns the exit code: 0, or 130 when interrupted. @throws SherryError, for the caller to print */
export async function run(
  argv: readonly string[],
  terminal: Terminal = PROCESS_TERMINAL,
  progress_columns: number | null = errorColumns(),
): Promise<number> {
  const parsed = parseCommand(description, argv);
  if (parsed.help) {
    terminal.write(helpText(description));
    return 0;
  }
  const config = readComparisonConfig(configPathOf(parsed, description.name));
  const output = textOf(parsed, "output") ?? config.output;
  const controller = new AbortController();
  const stopWatching = terminal.watchInterrupts(() => controller.abort());
  const progress = trainingProgress(terminal, progress_columns);
  try {
    const comparison = await compareMethods(
      { ...config, output },
      {
        notify: progress.notify,
        on_step: progress.step,
        on_run: (name, index, count) => progress.notify(`Run ${index + 1} of ${count}: ${name}`),
        signal: controller.signal,
      },
    );
    progress.end();
    terminal.write(
      isOn(parsed, "json") ? `${JSON.stringify(comparison, null, 2)}\n` : comparisonMarkdown(comparison),
    );
    return 0;
  } catch (error) {
    progress.end();
    if (!controller.signal.aborted) throw error;
    terminal.writeError("Interrupted; the same command goes on.\n");
    return INTERRUPTED_EXIT_CODE;
  } finally {
    stopWatching();
  }
}
