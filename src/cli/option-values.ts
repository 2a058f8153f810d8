/** Reads a parsed command line's values by the type their description gave them. */
import type { ParsedCommand } from "./arguments.ts";

/** The text of an option, undefined when neither flag nor environment variable was given. */
export function textOf(parsed: ParsedCommand, name: string): string | undefined {
  const value = parsed.values.get(name);
  return typeof value === "string" ? value : undefined;
}

/** The texts of an option that may be given several times, undefined when neither flag nor variable was given. */
export function textsOf(parsed: ParsedCommand, name: string): readonly string[] | undefined {
  const value = parsed.values.get(name);
  return typeof value === "object" ? value : undefined;
}

/** The number of an option, undefined when neither flag nor environment variable was given. */
export function numberOf(parsed: ParsedCommand, name: string): number | undefined {
  const value = parsed.values.get(name);
  return typeof value === "number" ? value : undefined;
}

/** Whether a switch is on. */
export function isOn(parsed: ParsedCommand, name: string): boolean {
  return parsed.values.get(name) === true;
}

/** The choice of an option that has `choices`, which parsing has checked. */
export function choiceOf<const Choice extends string>(
  parsed: ParsedCommand,
  name: string,
  choices: readonly Choice[],
): Choice | undefined {
  const text = textOf(parsed, name);
  return choices.find((choice) => choice === text);
}

/** An options object without the fields that were not given, so that their defaults hold. */
export function withoutAbsent<Fields extends object>(
  fields: Fields,
): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> } {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };
}
