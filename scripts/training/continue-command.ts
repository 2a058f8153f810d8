/** `bun run train:continue`: its options, progress and interrupts. */
import { type CommandDescription, helpText, parseCommand } from "../../src/cli/arguments.ts";
import { isOn, numberOf, textOf } from "../../src/cli/option-values.ts";
import { errorColumns } from "../../src/cli/progress-bar.ts";
import { INTERRUPTED_EXIT_CODE, PROCESS_TERMINAL, type Terminal } from "../../src/cli/terminal.ts";
import { textTable } from "../../src/cli/text-table.ts";
import { SherryError } from "../../src/errors.ts";
import { continueModel } from "./continuation.ts";
import { trainingProgress } from "./progress.ts";

const count = (placeholder: string, description: string, maximum: number, default_text: string) =>
  ({ type: "integer", placeholder, description, minimum: 1, maximum, default_text }) as const;

export const description: CommandDescription = {
  name: "bun run train:continue",
  summary: "Continue a trained llama as a Sherry model, on texts that it writes itself",
  positionals: [],
  options: {
    from: { type: "string", placeholder: "DIR", description: "A Hugging Face folder; it has to be given" },
    output: {
      type: "string",
      placeholder: "DIR",
      description: "Where runs and result go; what has ended there is not run again",
      default_text: "runs/continued",
    },
    samples: count("COUNT", "Texts that the model writes", 1_000_000, "1500"),
    "sample-tokens": count("TOKENS", "The most that a text has", 65_536, "256"),
    steps: count("COUNT", "Steps of training", 100_000_000, "1200"),
    "sequence-tokens": count("TOKENS", "Tokens of a sequence", 65_536, "256"),
    sequences: count("COUNT", "Sequences of a step", 65_536, "8"),
    "learning-rate": {
      ...{ type: "number", placeholder: "RATE", description: "Its peak", minimum: 0, maximum: 1 },
      default_text: "0.003",
    },
    "teacher-weight": {
      ...{ type: "number", placeholder: "SHARE", minimum: 0, maximum: 1, default_text: "0.5" },
      description: "Of the pull towards the model as it was; 0: none",
    },
    json: { type: "boolean", description: "Print the result as one JSON object" },
  },
  examples: ["bun run train:continue --from ../shared/models/stories260K"],
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
  const from = textOf(parsed, "from");
  if (from === undefined) {
    throw new SherryError("argument_invalid", description.name, {
      expected: "--from DIR",
      received: "no model",
      next_step: `Run '${description.name} --help' for the options`,
    });
  }
  const controller = new AbortController();
  const stopWatching = terminal.watchInterrupts(() => controller.abort());
  const progress = trainingProgress(terminal, progress_columns);
  try {
    const models = await continueModel({
      from,
      output: textOf(parsed, "output") ?? "runs/continued",
      samples: numberOf(parsed, "samples") ?? 1_500,
      sample_tokens: numberOf(parsed, "sample-tokens") ?? 256,
      steps: numberOf(parsed, "steps") ?? 1_200,
      sequence_tokens: numberOf(parsed, "sequence-tokens") ?? 256,
      sequences: numberOf(parsed, "sequences") ?? 8,
      learning_rate: numberOf(parsed, "learning-rate") ?? 0.003,
      teacher_weight: numberOf(parsed, "teacher-weight") ?? 0.5,
      notify: progress.notify,
      on_step: progress.step,
      signal: controller.signal,
    });
    progress.end();
    const rows = models.map(({ name, perplexity, runtime_perplexity, text }) => [
      name,
      perplexity.toFixed(3),
      `${runtime_perplexity.toFixed(3)} through the runtime`,
      text.replaceAll("\n", " ").slice(0, 120),
    ]);
    terminal.write(
      isOn(parsed, "json") ? `${JSON.stringify(models, null, 2)}\n` : `${textTable(rows).join("\n")}\n`,
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
