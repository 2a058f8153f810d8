/** What `sherry perplexity` and `sherry compare` have in common: their options, progress and interrupts. */
import { SherryError } from "../errors.ts";
import type { ScoringOptions, ScoringProgress } from "../generation/scoring.ts";
import { CONTEXT_TOKENS_MAX } from "../limits.ts";
import type { PackedModelOptions } from "../model/packed-model.ts";
import type { OptionDescription, ParsedCommand } from "./arguments.ts";
import { MODEL_OPTIONS, modelOptionsOf } from "./model-options.ts";
import { numberOf, textOf } from "./option-values.ts";
import { type ProgressBar, progressBar } from "./progress-bar.ts";
import type { Terminal } from "./terminal.ts";

const { context: _, ...COMPUTE_OPTIONS } = MODEL_OPTIONS;

export const SCORING_OPTIONS: Readonly<Record<string, OptionDescription>> = {
  text: {
    type: "string",
    placeholder: "FILE",
    description: "The text to predict, in UTF-8; it has to be given",
  },
  context: {
    type: "integer",
    placeholder: "TOKENS",
    description: "Tokens of a window",
    minimum: 2,
    maximum: CONTEXT_TOKENS_MAX,
    default_text: "1024, or the model's own limit when that is less",
  },
  stride: {
    type: "integer",
    placeholder: "TOKENS",
    description: "How far windows begin apart: less costs more time and gives each token more context",
    minimum: 1,
    maximum: CONTEXT_TOKENS_MAX,
    default_text: "half of the context",
  },
  tokens: {
    type: "integer",
    placeholder: "COUNT",
    description: "Tokens of the text to take, from its beginning",
    minimum: 2,
    default_text: "all",
  },
  json: { type: "boolean", description: "Print the result as one JSON object" },
  ...COMPUTE_OPTIONS,
};

/** @throws SherryError argument_invalid */
export function textPathOf(parsed: ParsedCommand, command: string): string {
  const path = textOf(parsed, "text");
  if (path !== undefined) return path;
  throw new SherryError("argument_invalid", command, {
    expected: "--text FILE",
    received: "no text",
    next_step: `Run '${command} --help' for the options`,
  });
}

/** How the model is opened: with room for the windows that were asked for. */
export function packedModelOptionsOf(parsed: ParsedCommand): PackedModelOptions {
  const { thread_count, key_value_element, cpu_level } = modelOptionsOf(parsed);
  return { thread_count, key_value_element, cpu_level, context_tokens: numberOf(parsed, "context") };
}

/** Runs `work` with a progress bar and an abort signal; null when an interrupt ended it. */
export async function withProgress<Result>(
  parsed: ParsedCommand,
  terminal: Terminal,
  progress_columns: number | null,
  work: (options: ScoringOptions) => Promise<Result>,
): Promise<Result | null> {
  const controller = new AbortController();
  const stopWatching = terminal.watchInterrupts(() => controller.abort());
  const bar = progressBar(terminal, progress_columns);
  try {
    return await work({
      context: numberOf(parsed, "context"),
      stride: numberOf(parsed, "stride"),
      max_tokens: numberOf(parsed, "tokens"),
      signal: controller.signal,
      on_progress: (progress) => draw(bar, progress),
    });
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    return null;
  } finally {
    bar.clear();
    stopWatching();
  }
}

function draw(bar: ProgressBar, { scored_tokens, tokens_total, elapsed_ms }: ScoringProgress): void {
  const speed = ((scored_tokens * 1000) / Math.max(1, elapsed_ms)).toFixed(0);
  bar.draw(scored_tokens / tokens_total, `${scored_tokens} of ${tokens_total} tokens  ${speed} tokens/s`);
}
