/** `sherry chat`: a conversation in the terminal, a line a turn, each answer written as it is made. */
import { SherryError } from "../errors.ts";
import type { ChatMessage, GenerateOptions, Model } from "../generation/types.ts";
import { type LoadOptions, loadModel } from "../scheduler/load-model.ts";
import { type CommandDescription, helpText, parseCommand } from "./arguments.ts";
import { MODEL_OPTIONS, modelOptionsOf } from "./model-options.ts";
import { textOf } from "./option-values.ts";
import { SAMPLING_OPTIONS, samplingOptionsOf } from "./sampling-options.ts";
import { INTERRUPTED_EXIT_CODE, PROCESS_TERMINAL, type Terminal } from "./terminal.ts";

export const description: CommandDescription = {
  name: "sherry chat",
  summary: "Talk to a packed model; an empty line or the end of input ends it",
  positionals: [{ name: "MODEL", description: "A .sherry file with a chat template" }],
  options: {
    system: {
      type: "string",
      description: "What the model is told before the conversation",
      placeholder: "TEXT",
      environment: "SHERRY_SYSTEM",
      default_text: "none",
    },
    ...SAMPLING_OPTIONS,
    ...MODEL_OPTIONS,
  },
  examples: ['sherry chat model.sherry --system "Answer in one sentence."'],
};

/** What the command needs from outside, replaced by tests. */
export interface ChatSurroundings {
  readonly terminal: Terminal;
  readonly loadModel: (path: string, options: LoadOptions) => Promise<Model>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The lines that are typed, without their ends. */
  readonly lines: AsyncIterable<string>;
}

const REAL_SURROUNDINGS: ChatSurroundings = {
  terminal: PROCESS_TERMINAL,
  loadModel,
  environment: process.env,
  lines: console,
};

/**
 * @returns the exit code: 0, or 130 when an interrupt ended the conversation.
 * @throws SherryError as `loadModel` and `Model.generate` do, and for the command line.
 */
export async function run(
  argv: readonly string[],
  surroundings: ChatSurroundings = REAL_SURROUNDINGS,
): Promise<number> {
  const { terminal } = surroundings;
  const parsed = parseCommand(description, argv, surroundings.environment);
  if (parsed.help) {
    terminal.write(helpText(description));
    return 0;
  }
  const controller = new AbortController();
  const stopWatching = terminal.watchInterrupts(() => controller.abort());
  const model = await surroundings.loadModel(parsed.positionals[0] ?? "", modelOptionsOf(parsed));
  try {
    if (!model.info.has_chat_template) {
      throw new SherryError("chat_template_invalid", model.info.id, {
        expected: "a model with a chat template",
        received: "one without",
        next_step: "Use 'sherry generate', which goes on from any text",
      });
    }
    if (model.info.label !== null) terminal.writeError(`Warning: ${model.info.label}\n`);
    const system = textOf(parsed, "system");
    const messages: ChatMessage[] = system === undefined ? [] : [{ role: "system", content: system }];
    const options = { ...samplingOptionsOf(parsed), signal: controller.signal };
    await converse(model, messages, options, surroundings);
    return 0;
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    terminal.writeError("\nInterrupted.\n");
    return INTERRUPTED_EXIT_CODE;
  } finally {
    stopWatching();
    await model.close();
  }
}

async function converse(
  model: Model,
  messages: ChatMessage[],
  options: GenerateOptions,
  { terminal, lines }: ChatSurroundings,
): Promise<void> {
  terminal.writeError("> ");
  for await (const line of lines) {
    if (line === "") return;
    messages.push({ role: "user", content: line });
    let answer = "";
    for await (const { text } of model.generate({ messages: [...messages] }, options)) {
      answer += text;
      terminal.write(text);
    }
    terminal.write("\n");
    messages.push({ role: "assistant", content: answer });
    terminal.writeError("> ");
  }
}
