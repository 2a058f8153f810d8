/**
 * Command lines: options as one description, from which parsing, environment variables and --help all follow.
 * Precedence: flag, then environment variable, then default.
 */
import { parseArgs } from "node:util";
import { SherryError } from "../errors.ts";

export interface OptionDescription {
  readonly type: "string" | "boolean" | "integer" | "number";
  readonly description: string;
  /** What --help shows for the value, e.g. "FILE". */
  readonly placeholder?: string;
  /** The environment variable that stands in for the flag. */
  readonly environment?: string;
  readonly choices?: readonly string[];
  /** The flag may stand several times; its value is the list. Only for strings. */
  readonly multiple?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  /** Shown by --help; the command itself applies it. */
  readonly default_text?: string;
}

export interface CommandDescription {
  /** As typed, e.g. "sherry verify". */
  readonly name: string;
  readonly summary: string;
  readonly positionals: readonly {
    readonly name: string;
    readonly description: string;
    readonly optional?: boolean;
    /** The last one may stand several times. */
    readonly repeated?: boolean;
  }[];
  readonly options: Readonly<Record<string, OptionDescription>>;
  readonly examples?: readonly string[];
}

export type OptionValue = string | boolean | number | readonly string[];

export interface ParsedCommand {
  readonly help: boolean;
  readonly positionals: readonly string[];
  readonly values: ReadonlyMap<string, OptionValue>;
}

/** @throws SherryError argument_invalid, naming the option, what it takes and what came. */
export function parseCommand(
  command: CommandDescription,
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = process.env,
): ParsedCommand {
  const see_help = `Run '${command.name} --help' for the options`;
  let raw: { values: Record<string, unknown>; positionals: string[] };
  try {
    raw = parseArgs({
      args: [...argv],
      allowPositionals: true,
      strict: true,
      options: {
        help: { type: "boolean", short: "h" },
        ...Object.fromEntries(
          Object.entries(command.options).map(([name, option]) => [
            name,
            {
              type: option.type === "boolean" ? ("boolean" as const) : ("string" as const),
              multiple: option.multiple === true,
            },
          ]),
        ),
      },
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new SherryError("argument_invalid", `${command.name}: ${reason}`, { next_step: see_help, cause });
  }
  const values = new Map<string, OptionValue>();
  for (const [name, option] of Object.entries(command.options)) {
    const flag = raw.values[name];
    if (flag !== undefined) {
      values.set(name, convert(`--${name}`, option, flag as string | boolean | string[], see_help));
      continue;
    }
    const text = option.environment === undefined ? undefined : environment[option.environment];
    if (option.environment !== undefined && text !== undefined && text !== "") {
      values.set(name, convert(option.environment, option, text, see_help));
    }
  }
  const help = raw.values["help"] === true;
  if (!help) checkPositionals(command, raw.positionals, see_help);
  return { help, positionals: raw.positionals, values };
}

function checkPositionals(
  command: CommandDescription,
  positionals: readonly string[],
  see_help: string,
): void {
  const required = command.positionals.filter((positional) => positional.optional !== true).length;
  const is_open = command.positionals.at(-1)?.repeated === true;
  const limit = is_open ? Number.POSITIVE_INFINITY : command.positionals.length;
  if (positionals.length >= required && positionals.length <= limit) return;
  const names = command.positionals.map(nameOf).join(" ");
  throw new SherryError("argument_invalid", command.name, {
    expected: names === "" ? "no arguments beside options" : names,
    received: positionals.length === 0 ? "nothing" : positionals.join(" "),
    next_step: see_help,
  });
}

function convert(
  name: string,
  option: OptionDescription,
  value: string | boolean | readonly string[],
  see_help: string,
): OptionValue {
  if (option.multiple === true) return typeof value === "object" ? value : [String(value)];
  const refuse = (expected: string): never => {
    throw new SherryError("argument_invalid", name, {
      expected,
      received: String(value),
      next_step: see_help,
    });
  };
  if (option.type === "boolean") {
    if (typeof value === "boolean") return value;
    if (value === "1" || value === "true") return true;
    if (value === "0" || value === "false") return false;
    return refuse("1, true, 0 or false");
  }
  const text = String(value);
  if (option.type === "string") {
    if (option.choices !== undefined && !option.choices.includes(text)) refuse(option.choices.join(", "));
    return text;
  }
  const number = text.trim() === "" ? Number.NaN : Number(text);
  const minimum = option.minimum ?? Number.NEGATIVE_INFINITY;
  const maximum = option.maximum ?? Number.POSITIVE_INFINITY;
  const right_type = option.type === "integer" ? Number.isSafeInteger(number) : Number.isFinite(number);
  if (!right_type || number < minimum || number > maximum) refuse(describeNumber(option));
  return number;
}

function describeNumber(option: OptionDescription): string {
  const noun = option.type === "integer" ? "an integer" : "a number";
  if (option.minimum !== undefined && option.maximum !== undefined) {
    return `${noun} from ${option.minimum} to ${option.maximum}`;
  }
  if (option.minimum !== undefined) return `${noun} of at least ${option.minimum}`;
  return option.maximum === undefined ? noun : `${noun} of at most ${option.maximum}`;
}

type Positional = CommandDescription["positionals"][number];

function nameOf({ name, repeated }: Positional): string {
  return repeated === true ? `${name}...` : name;
}

function usageOf(positional: Positional): string {
  return positional.optional === true ? `[${nameOf(positional)}]` : nameOf(positional);
}

/** The --help page. */
export function helpText(command: CommandDescription): string {
  const usage = command.positionals.map(usageOf).join(" ");
  const rows: [string, string][] = command.positionals.map((positional) => [
    positional.name,
    positional.description,
  ]);
  const option_rows: [string, string][] = Object.entries(command.options).map(([name, option]) => {
    const value = option.type === "boolean" ? "" : ` ${option.placeholder ?? option.type.toUpperCase()}`;
    const notes = [
      option.choices === undefined ? "" : `one of ${option.choices.join(", ")}`,
      option.default_text === undefined ? "" : `default ${option.default_text}`,
      option.environment === undefined ? "" : `or ${option.environment}`,
    ].filter((note) => note !== "");
    return [`--${name}${value}`, option.description + (notes.length === 0 ? "" : ` (${notes.join("; ")})`)];
  });
  option_rows.push(["-h, --help", "Show this page"]);
  const width =
    Math.max(...rows.map(([left]) => left.length), ...option_rows.map(([left]) => left.length)) + 2;
  const table = (lines: [string, string][]) =>
    lines.map(([left, right]) => `  ${left.padEnd(width)}${right}`);
  const sections = [
    command.summary,
    "",
    `Usage: ${command.name}${usage === "" ? "" : ` ${usage}`} [options]`,
    ...(rows.length === 0 ? [] : ["", "Arguments:", ...table(rows)]),
    "",
    "Options:",
    ...table(option_rows),
    ...(command.examples === undefined
      ? []
      : ["", "Examples:", ...command.examples.map((line) => `  ${line}`)]),
  ];
  return `${sections.join("\n")}\n`;
}
