#!/usr/bin/env bun
/**
 * `sherry`: finds the command, runs it, and turns what it throws into one line on standard error and an exit code.
 *
 * Exit codes: 0 done; 1 it failed, or problems were found; 2 the command line is wrong; 130 interrupted.
 */
import package_json from "../../package.json" with { type: "json" };
import { SherryError } from "../errors.ts";

interface CommandModule {
  readonly run: (argv: readonly string[]) => Promise<number>;
}

interface CommandEntry {
  readonly summary: string;
  /** Loaded when it is asked for, so that no command pays for another's imports. */
  readonly load: () => Promise<CommandModule>;
}

const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  serve: { summary: "Serve a packed model over HTTP", load: () => import("./serve.ts") },
  generate: { summary: "Generate text from a packed model", load: () => import("./generate.ts") },
  chat: { summary: "Talk to a packed model in the terminal", load: () => import("./chat.ts") },
  inspect: { summary: "Show what a packed file holds", load: () => import("./inspect.ts") },
  verify: { summary: "Check every byte of a packed file", load: () => import("./verify.ts") },
  "make-model": {
    summary: "Make a model of a given shape with random weights",
    load: () => import("./make-model.ts"),
  },
  perplexity: { summary: "Measure how well a model predicts a text", load: () => import("./perplexity.ts") },
  compare: { summary: "Measure how two models differ over a text", load: () => import("./compare.ts") },
  bench: { summary: "Measure this machine, its kernels and a model", load: () => import("./bench.ts") },
};

export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;

const HELP = [
  "Run 1.25-bit Sherry language models on ordinary CPUs",
  "",
  "Usage: sherry COMMAND [options]",
  "",
  "Commands:",
  ...Object.entries(COMMANDS).map(([name, command]) => `  ${name.padEnd(12)}${command.summary}`),
  "",
  "Options:",
  "  -h, --help  Show this page; 'sherry COMMAND --help' shows a command's own",
  "  --version   Show the version",
  "",
  "Exit codes: 0 done; 1 failed, or problems found; 2 wrong command line; 130 interrupted",
  "",
].join("\n");

export interface Output {
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
}

const PROCESS_OUTPUT: Output = {
  write: (text) => void process.stdout.write(text),
  writeError: (text) => void process.stderr.write(text),
};

/** @returns the exit code; throws nothing. */
export async function main(
  argv: readonly string[],
  output: Output = PROCESS_OUTPUT,
  commands: Readonly<Record<string, CommandEntry>> = COMMANDS,
): Promise<number> {
  const [name, ...rest] = argv;
  if (name === "--help" || name === "-h" || name === "help") {
    output.write(HELP);
    return 0;
  }
  if (name === "--version") {
    output.write(`${package_json.version}\n`);
    return 0;
  }
  try {
    return await (await findCommand(name, commands).load()).run(rest);
  } catch (error) {
    return reportError(error, output);
  }
}

function findCommand(
  name: string | undefined,
  commands: Readonly<Record<string, CommandEntry>>,
): CommandEntry {
  const command = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command !== undefined) return command;
  throw new SherryError("argument_invalid", "sherry", {
    expected: `a command: ${Object.keys(commands).join(", ")}`,
    received: name ?? "nothing",
    next_step: "Run 'sherry --help' for what they do",
  });
}

function reportError(error: unknown, output: Output): number {
  if (error instanceof SherryError) {
    output.writeError(`error: ${error.message} (${error.code})\n`);
    return error.code === "argument_invalid" ? EXIT_USAGE : EXIT_FAILED;
  }
  // Unforeseen, so that where it came from is worth its lines.
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  output.writeError(`error: ${trace} (internal)\n`);
  return EXIT_FAILED;
}

if (import.meta.main) {
  // A reader that has seen enough (`| head`) is no failure of the command.
  process.stdout.on("error", () => {});
  process.exitCode = await main(process.argv.slice(2));
}
