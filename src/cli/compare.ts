/** `sherry compare`: how two packings of one model differ over a text, which is what the coarser one cost. */
import { compareOnText, type TextDifference } from "../generation/scoring-difference.ts";
import { TextModel } from "../generation/text-model.ts";
import { type CommandDescription, helpText, parseCommand } from "./arguments.ts";
import { isOn } from "./option-values.ts";
import { errorColumns } from "./progress-bar.ts";
import { packedModelOptionsOf, SCORING_OPTIONS, textPathOf, withProgress } from "./scoring-options.ts";
import { INTERRUPTED_EXIT_CODE, PROCESS_TERMINAL, type Terminal } from "./terminal.ts";
import { readTextFile } from "./text-file.ts";
import { textTable } from "./text-table.ts";

export const description: CommandDescription = {
  name: "sherry compare",
  summary: "Measure how two packed models of one tokenizer differ over a text",
  positionals: [
    { name: "FIRST", description: "The .sherry file that counts as the original" },
    { name: "SECOND", description: "The .sherry file that is held against it" },
  ],
  options: SCORING_OPTIONS,
  examples: ["sherry compare model-f16.sherry model.sherry --text wiki.txt --tokens 10000"],
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
  const [first = "", second = ""] = parsed.positionals;
  const text_path = textPathOf(parsed, description.name);
  const text = readTextFile(text_path);
  const opened: TextModel[] = [];
  const open = (path: string) => {
    const text_model = TextModel.open(path, packedModelOptionsOf(parsed));
    opened.push(text_model);
    const { label } = text_model.model.directory;
    if (label !== null) terminal.writeError(`Warning: ${path}: ${label}\n`);
    return text_model;
  };
  try {
    const [first_model, second_model] = [open(first), open(second)] as const;
    const difference = await withProgress(parsed, terminal, progress_columns, (options) =>
      compareOnText(first_model, second_model, text, options),
    );
    if (difference === null) {
      terminal.writeError("Interrupted.\n");
      return INTERRUPTED_EXIT_CODE;
    }
    const json = { first, second, text: text_path, ...difference };
    terminal.write(isOn(parsed, "json") ? `${JSON.stringify(json, null, 2)}\n` : report(difference));
  } finally {
    for (const text_model of opened) text_model.close();
  }
  return 0;
}

function report(difference: TextDifference): string {
  const { divergence, perplexity, scored_tokens, context, stride } = difference;
  const rows = [
    ["KL divergence, nats", `mean ${divergence.mean.toFixed(6)}, median ${divergence.median.toFixed(6)}`],
    [
      "  percentiles",
      `90: ${divergence.percentile_90.toFixed(6)}, 95: ${divergence.percentile_95.toFixed(6)}`,
    ],
    ["", `99: ${divergence.percentile_99.toFixed(6)}, largest ${divergence.maximum.toFixed(6)}`],
    ["same likeliest token", `${(difference.top_1_agreement * 100).toFixed(2)} %`],
    ["perplexity", `${perplexity.first.toFixed(4)} and ${perplexity.second.toFixed(4)}`],
    ["tokens", `${scored_tokens}, windows of ${context}, stride ${stride}`],
    ["time", `${difference.seconds.toFixed(2)} s`],
  ];
  return `${textTable(rows).join("\n")}\n`;
}
