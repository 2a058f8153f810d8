/**
 * A conversation to prompt text by the model's own chat template, with the conventions its authors wrote it for:
 * transformers' apply_chat_template (trim_blocks, lstrip_blocks, the variables and functions below).
 * Source: transformers, utils/chat_template_utils.py; the template language is @huggingface/jinja's.
 */
import { Environment, parse, tokenize } from "@huggingface/jinja";
import { SherryError } from "../errors.ts";
import { CHAT_TEMPLATE_LENGTH_MAX } from "../limits.ts";
import { NamingInterpreter } from "./naming-interpreter.ts";
import { readSpecialTokens } from "./special-tokens.ts";
import { strftime } from "./strftime.ts";

export interface TemplateMessage {
  readonly role: string;
  /** Null where an assistant's turn is tool calls alone. */
  readonly content: string | null;
  /** What the assistant asked tools for, as the template's authors expect it. */
  readonly tool_calls?: readonly unknown[];
  /** Which call a tool's turn answers, and the tool's name. */
  readonly tool_call_id?: string;
  readonly name?: string;
  /** The thoughts of an assistant's turn, apart from its answer. */
  readonly reasoning_content?: string;
}

export interface RenderOptions {
  /** Whether the text ends with the opening of the assistant's answer. */
  readonly add_generation_prompt: boolean;
  /** JSON descriptions of the tools that the model may call. Default: none. */
  readonly tools?: readonly unknown[];
}

export interface ChatTemplate {
  /**
   * The prompt's text. It carries the special tokens that the template writes, BOS among them, so it is encoded with
   * `add_special_tokens: false`.
   * @throws SherryError chat_template_invalid in the template's own words, e.g. when it demands alternating roles.
   */
  render(messages: readonly TemplateMessage[], options: RenderOptions): string;
}

/** Templates loop over messages; one that counts further than any conversation is long would only burn time. */
const RANGE_LENGTH_MAX = 100_000;
/** jinja's lexer searches a run of blanks anew from each of its positions, so a template of nothing else would take minutes. */
const BLANK_RUN_LENGTH_MAX = 512;

/**
 * Compiles a template once; rendering does not parse again.
 * @param tokenizer_config tokenizer_config.json, whose special tokens become the template's variables
 * @param now the clock behind strftime_now
 * @throws SherryError chat_template_invalid (syntax, size) | tokenizer_invalid (a special token that is no token)
 */
export function loadChatTemplate(
  source: string,
  tokenizer_config: Readonly<Record<string, unknown>>,
  now: () => Date = () => new Date(),
): ChatTemplate {
  checkLength(source);
  const special = readSpecialTokens(tokenizer_config);
  const program = runJinja("does not compile", () =>
    parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true })),
  );
  return {
    render: (messages, { add_generation_prompt, tools }) =>
      runJinja("cannot render this conversation", () => {
        const environment = new Environment();
        const variables = {
          ...special.named,
          ...(special.additional.length === 0 ? {} : { additional_special_tokens: special.additional }),
          messages: messages.map(givenFields),
          add_generation_prompt,
          // transformers passes both as None when there are none, and templates test them with "is none".
          tools: tools ?? null,
          documents: null,
          ...templateFunctions(now),
          ...CONSTANTS,
        };
        for (const [name, value] of Object.entries(variables)) environment.set(name, value);
        const result: unknown = new NamingInterpreter(environment).run(program).value;
        if (typeof result !== "string") throw new Error("the result is no text");
        return result;
      }),
  };
}

/** A message without the fields that are absent: templates ask whether a field is there. */
function givenFields(message: TemplateMessage): Record<string, unknown> {
  const { role, content, tool_calls, tool_call_id, name, reasoning_content } = message;
  const fields = { role, content, tool_calls, tool_call_id, name, reasoning_content };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

const CONSTANTS = { true: true, false: false, none: null, True: true, False: false, None: null };

function templateFunctions(now: () => Date) {
  return {
    raise_exception: (message: unknown) => {
      throw new Error(String(message));
    },
    strftime_now: (format: unknown) => {
      if (typeof format !== "string") throw new Error("strftime_now() takes a text");
      return strftime(now(), format);
    },
    range,
  };
}

/** Python's range(), as a list. */
function range(...bounds: unknown[]): number[] {
  const [start, stop, step] =
    bounds.length === 1 ? [0, bounds[0], 1] : [bounds[0], bounds[1], bounds.length < 3 ? 1 : bounds[2]];
  if (!isInteger(start) || !isInteger(stop) || !isInteger(step) || step === 0) {
    throw new Error("range() takes whole numbers and a step that is not 0");
  }
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (length > RANGE_LENGTH_MAX) {
    throw new Error(`range() of ${length} numbers, where at most ${RANGE_LENGTH_MAX} are allowed`);
  }
  return Array.from({ length }, (_, index) => start + index * step);
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function checkLength(source: string): void {
  if (source.length > CHAT_TEMPLATE_LENGTH_MAX) {
    throw new SherryError("chat_template_invalid", "The chat template is too long", {
      expected: `at most ${CHAT_TEMPLATE_LENGTH_MAX} UTF-16 units`,
      received: String(source.length),
    });
  }
  let blank_run = 0;
  for (let index = 0; index < source.length; index += 1) {
    blank_run = /\s/.test(source.charAt(index)) ? blank_run + 1 : 0;
    if (blank_run > BLANK_RUN_LENGTH_MAX) {
      throw new SherryError("chat_template_invalid", "The chat template has too many blanks in a row", {
        expected: `at most ${BLANK_RUN_LENGTH_MAX}`,
        received: `more, at position ${index - blank_run + 1}`,
      });
    }
  }
}

/** The language throws plain errors, for bad templates and for templates that refuse a conversation alike. */
function runJinja<Result>(what: string, run: () => Result): Result {
  try {
    return run();
  } catch (cause) {
    const reason = (cause instanceof Error ? cause.message : String(cause)).replace(/\.$/, "");
    throw new SherryError("chat_template_invalid", `The chat template ${what}: ${reason}`, {
      next_step: "Change the conversation or the template, or send plain text instead",
      cause,
    });
  }
}
