/** `sherry perplexity`: how well a packed model predicts a text. */
import { scoreText, type TextScore } from "../generation/scoring.ts";
import { TextModel } from "../generation/text-model.ts";
import { type CommandDescription, helpText, parseCommand } from "./arguments.ts";
import { isOn } from "./option-values.ts";
import { errorColumns } from "./progress-bar.ts";
import { packedModelOptionsOf, SCORING_OPTIONS, textPathOf, withProgress } from "./scoring-options.ts";
import { INTERRUPTED_EXIT_CODE, PROCESS_TERMINAL, type Terminal } from "./terminal.ts";
import { readTextFile } from "./text-file.ts";
import { textTable } from "./text-table.ts";

export const description: CommandDescription = {
  name: "sherry perplexity",
  summary: "Measure how well a packed model predicts a text: perplexity and bits a byte",
  positionals: [{ name: "MODEL", description: "A .sherry file" }],
  options: SCORING_OPTIONS,
  examples: [
    "sherry perplexity model.sherry --text wiki.txt",
    "sherry perplexity model.sherry --text wiki.txt --context 2048 --stride 512 --tokens 20000 --json",
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
  const [path = ""] = parsed.positionals;
  const text_path = textPathOf(parsed, description.name);
  const text = readTextFile(text_path);
  const text_model = TextModel.open(path, packedModelOptionsOf(parsed));
  try {
    const { label } = text_model.model.directory;
    if (label !== null) terminal.writeError(`Warning: ${label}\n`);
    const score = await withProgress(parsed, terminal, progress_columns, (options) =>
      scoreText(text_model, text, options),
    );
    if (score === null) {
      terminal.writeError("Interrupted.\n");
      return INTERRUPTED_EXIT_CODE;
    }
    const json = { model: path, text: text_path, ...score };
    terminal.write(isOn(parsed, "json") ? `${JSON.stringify(json, null, 2)}\n` : report(score));
  } finally {
    text_model.close();
  }
  return 0;
}

function report(score: TextScore): string {
  const { scored_tokens, scored_bytes, context, stride } = score;
  const rows = [
    ["perplexity", score.perplexity.toFixed(4)],
    ["nats a token", score.nats_per_token.toFixed(4)],
    ["bits a byte", score.bits_per_byte.toFixed(4)],
    ["tokens", `${scored_tokens} (${scored_bytes} bytes), windows of ${context}, stride ${stride}`],
    ["speed", `${score.tokens_per_second.toFixed(1)} tokens/s, ${score.seconds.toFixed(2)} s`],
  ];
  return `${textTable(rows).join("\n")}\n`;
}
