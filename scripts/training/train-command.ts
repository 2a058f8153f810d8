/** `bun run train`: its options, progress and interrupts. */

import {
  type CommandDescription,
  helpText,
  type ParsedCommand,
  parseCommand,
} from "../../src/cli/arguments.ts";
import { isOn, textOf } from "../../src/cli/option-values.ts";
import { errorColumns } from "../../src/cli/progress-bar.ts";
import { INTERRUPTED_EXIT_CODE, PROCESS_TERMINAL, type Terminal } from "../../src/cli/terminal.ts";
import { textTable } from "../../src/cli/text-table.ts";
import { SherryError } from "../../src/errors.ts";
import { readTrainingConfig } from "./config.ts";
import { trainingProgress } from "./progress.ts";
import { type TrainResult, train } from "./train.ts";

export const description: CommandDescription = {
  name: "bun run train",
  summary: "Train a model on this machine's processors",
  positionals: [],
  options: {
    config: { type: "string", placeholder: "FILE", description: "All settings, as JSON (docs/training.md)" },
    resume: {
      type: "boolean",
      description: "Go on from the run's last checkpoint, or begin when there is none",
    },
    output: {
      type: "string",
      placeholder: "DIR",
      description: "The run's folder",
      default_text: "the configuration's output, else runs/NAME",
    },
    json: { type: "boolean", description: "Print the result as one JSON object" },
  },
  examples: [
    "bun run train --config scripts/training/configs/carried.json",
    "bun run train --config scripts/training/configs/carried.json --resume",
  ],
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
  const config = readTrainingConfig(configPathOf(parsed, description.name));
  const output = textOf(parsed, "output") ?? config.output;
  const controller = new AbortController();
  const stopWatching = terminal.watchInterrupts(() => controller.abort());
  const progress = trainingProgress(terminal, progress_columns);
  try {
    const result = await train({
      config: { ...config, output },
      resume: isOn(parsed, "resume"),
      notify: progress.notify,
      on_step: progress.step,
      signal: controller.signal,
    });
    progress.end();
    terminal.write(isOn(parsed, "json") ? `${JSON.stringify(result, null, 2)}\n` : report(result));
    return 0;
  } catch (error) {
    progress.end();
    if (!controller.signal.aborted) throw error;
    terminal.writeError("Interrupted; the checkpoint is written, --resume goes on.\n");
    return INTERRUPTED_EXIT_CODE;
  } finally {
    stopWatching();
  }
}

/** @throws SherryError argument_invalid */
export function configPathOf(parsed: ParsedCommand, command: string): string {
  const path = textOf(parsed, "config");
  if (path !== undefined) return path;
  throw new SherryError("argument_invalid", command, {
    expected: "--config FILE",
    received: "no configuration",
    next_step: `Run '${command} --help' for the options`,
  });
}

function report(result: TrainResult): string {
  const rows = [
    ["folder", result.folder],
    [
      "steps",
      `${result.step} in ${result.seconds.toFixed(0)} s, ${result.tokens_per_second.toFixed(0)} tokens/s`,
    ],
    ["bits a weight", result.bits_per_weight.toFixed(4)],
    ["held-out perplexity", `${result.perplexity.toFixed(4)} in training, lambda 0`],
    ["", `${result.runtime_perplexity?.toFixed(4)} through the runtime`],
  ];
  return `${textTable(rows).join("\n")}\n`;
}
