/** `sherry generate`: one answer in the terminal, as it is made; its text on standard output, all else beside it. */
import { SherryError } from "../errors.ts";
import type { Finish, GenerateOptions, Model, Prompt } from "../generation/types.ts";
import { type LoadOptions, loadModel } from "../scheduler/load-model.ts";
import { type CommandDescription, helpText, type ParsedCommand, parseCommand } from "./arguments.ts";
import { MODEL_OPTIONS, modelOptionsOf } from "./model-options.ts";
import { isOn, textOf } from "./option-values.ts";
import { SAMPLING_OPTIONS, samplingOptionsOf } from "./sampling-options.ts";
import { INTERRUPTED_EXIT_CODE, PROCESS_TERMINAL, type Terminal } from "./terminal.ts";

export const description: CommandDescription = {
  name: "sherry generate",
  summary: "Generate text from a packed model",
  positionals: [{ name: "MODEL", description: "A .sherry file" }],
  options: {
    prompt: {
      type: "string",
      description: "What to go on from",
      placeholder: "TEXT",
      default_text: "standard input without its last newline",
    },
    chat: {
      type: "boolean",
      description: "Take the prompt as a user's message, with the model's chat template",
    },
    ...SAMPLING_OPTIONS,
    json: { type: "boolean", description: "Print one JSON object at the end instead of text as it is made" },
    ...MODEL_OPTIONS,
  },
  examples: [
    'sherry generate model.sherry --prompt "Once upon a time" --max-tokens 64',
    "sherry generate model.sherry --chat --json < question.txt",
  ],
};

/** What the command needs from outside, replaced by tests. */
export interface GenerateSurroundings {
  readonly terminal: Terminal;
  readonly loadModel: (path: string, options: LoadOptions) => Promise<Model>;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const REAL_SURROUNDINGS: GenerateSurroundings = {
  terminal: PROCESS_TERMINAL,
  loadModel,
  environment: process.env,
};

/**
 * @returns the exit code: 0, or 130 when an interrupt ended the answer.
 * @throws SherryError as `loadModel` and `Model.generate` do, and for the command line.
 */
export async function run(
  argv: readonly string[],
  { terminal, loadModel: load, environment }: GenerateSurroundings = REAL_SURROUNDINGS,
): Promise<number> {
  const parsed = parseCommand(description, argv, environment);
  if (parsed.help) {
    terminal.write(helpText(description));
    return 0;
  }
  const prompt = await promptOf(parsed, terminal);
  const controller = new AbortController();
  const interrupt = () => controller.abort();
  const stops = [terminal.watchInterrupts(interrupt), terminal.watchOutput(interrupt)];
  try {
    const model = await load(parsed.positionals[0] ?? "", modelOptionsOf(parsed));
    try {
      if (model.info.label !== null) terminal.writeError(`Warning: ${model.info.label}\n`);
      const options = { ...samplingOptionsOf(parsed), signal: controller.signal };
      return await printAnswer(model, prompt, options, isOn(parsed, "json"), terminal);
    } finally {
      await model.close();
    }
  } finally {
    for (const stop of stops) stop();
  }
}

async function promptOf(parsed: ParsedCommand, terminal: Terminal): Promise<Prompt> {
  const text = textOf(parsed, "prompt") ?? (await terminal.readInput())?.replace(/\r?\n$/, "");
  if (text === undefined) {
    throw new SherryError("argument_invalid", "sherry generate", {
      expected: "--prompt TEXT, or the text on standard input",
      received: "neither",
      next_step: "Run 'sherry generate --help' for the options",
    });
  }
  return isOn(parsed, "chat") ? { messages: [{ role: "user", content: text }] } : { text };
}

async function printAnswer(
  model: Model,
  prompt: Prompt,
  options: GenerateOptions,
  as_json: boolean,
  terminal: Terminal,
): Promise<number> {
  let text = "";
  let finish: Finish | null = null;
  try {
    for await (const chunk of model.generate(prompt, options)) {
      text += chunk.text;
      if (!as_json && chunk.text !== "") terminal.write(chunk.text);
      finish = chunk.finish ?? finish;
    }
  } catch (error) {
    if (options.signal?.aborted !== true) throw error;
    terminal.writeError("\nInterrupted.\n");
    return INTERRUPTED_EXIT_CODE;
  }
  if (finish === null)
    throw new SherryError("internal", "the model ended its answer without a finish reason");
  if (as_json) terminal.write(`${JSON.stringify({ model: model.info.id, text, ...finish })}\n`);
  else terminal.write("\n");
  terminal.writeError(`${summaryOf(finish)}\n`);
  return 0;
}

/** One line: how much, how fast, why it ended, and the seed that gives the same text again. */
function summaryOf(finish: Finish): string {
  const { prompt_tokens, completion_tokens, prefill_ms, decode_ms } = finish;
  const parts = [
    `prompt: ${rate(prompt_tokens, prefill_ms)}`,
    `answer: ${rate(completion_tokens, decode_ms)}`,
    `finish: ${finish.reason}`,
    `seed: ${finish.seed}`,
  ];
  return `[${parts.join("; ")}]`;
}

function rate(token_count: number, duration_ms: number): string {
  const tokens = `${token_count} ${token_count === 1 ? "token" : "tokens"} in ${duration_ms.toFixed(1)} ms`;
  return duration_ms > 0 ? `${tokens} (${((token_count * 1000) / duration_ms).toFixed(1)}/s)` : tokens;
}
