/** `sherry`: finding a command, exit codes, and what reaches standard error. */
import { describe, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import package_json from "../../package.json" with { type: "json" };
import { EXIT_FAILED, EXIT_USAGE, main } from "../../src/cli/sherry.ts";
import { SherryError } from "../../src/errors.ts";

const COMMAND_NAMES = [
  "serve",
  "generate",
  "chat",
  "inspect",
  "verify",
  "make-model",
  "perplexity",
  "compare",
  "bench",
];

async function sherry(
  argv: readonly string[],
  run: (argv: readonly string[]) => Promise<number> = async () => 0,
) {
  let output = "";
  let errors = "";
  const exit_code = await main(
    argv,
    {
      write: (text) => {
        output += text;
      },
      writeError: (text) => {
        errors += text;
      },
    },
    { work: { summary: "Work", load: async () => ({ run }) } },
  );
  return { exit_code, output, errors };
}

describe("sherry", () => {
  test("a command gets its own arguments, and its exit code is the process's", async () => {
    const seen: (readonly string[])[] = [];
    const { exit_code } = await sherry(["work", "a", "--help"], async (argv) => {
      seen.push(argv);
      return 7;
    });
    expect(exit_code).toBe(7);
    expect(seen).toEqual([["a", "--help"]]);
  });

  test("an unknown command, or none, is a usage error that lists the commands", async () => {
    for (const [argv, received] of [
      [["wrok"], "wrok"],
      [[], "nothing"],
      [["toString"], "toString"],
      [["--verbose"], "--verbose"],
    ] as const) {
      expect(await sherry(argv)).toEqual({
        exit_code: EXIT_USAGE,
        output: "",
        errors: `error: sherry: expected a command: work, received ${received}. Run 'sherry --help' for what they do (argument_invalid)\n`,
      });
    }
  });

  test("what a command throws is one line with its code: 2 for the command line, 1 for the rest", async () => {
    const throwing = (error: unknown) => sherry(["work"], () => Promise.reject(error));
    expect(await throwing(new SherryError("argument_invalid", "--port", { expected: "a port" }))).toEqual({
      exit_code: EXIT_USAGE,
      output: "",
      errors: "error: --port: expected a port (argument_invalid)\n",
    });
    expect(await throwing(new SherryError("file_not_found", "no such file"))).toEqual({
      exit_code: EXIT_FAILED,
      output: "",
      errors: "error: no such file (file_not_found)\n",
    });
    const unforeseen = await throwing(new TypeError("of undefined"));
    expect(unforeseen.exit_code).toBe(EXIT_FAILED);
    expect(unforeseen.errors).toMatch(/^error: .*of undefined[\s\S]*sherry\.test\.ts[\s\S]* \(internal\)\n$/);
    expect((await throwing("a string")).errors).toBe("error: a string (internal)\n");
  });

  test("--help names every command and the exit codes", async () => {
    for (const flag of ["--help", "-h", "help"]) {
      const { exit_code, output, errors } = await sherry([flag]);
      expect([exit_code, errors]).toEqual([0, ""]);
      for (const name of COMMAND_NAMES) expect(output).toContain(`\n  ${name} `);
      expect(output).toContain(
        "Exit codes: 0 done; 1 failed, or problems found; 2 wrong command line; 130 interrupted",
      );
    }
  });

  test("as a process: --version, and usage errors on standard error", async () => {
    const script = fileURLToPath(new URL("../../src/cli/sherry.ts", import.meta.url));
    const version = Bun.spawnSync([process.execPath, script, "--version"]);
    expect([version.exitCode, String(version.stdout)]).toEqual([0, `${package_json.version}\n`]);
    const wrong = Bun.spawnSync([process.execPath, script, "wrong"]);
    expect([wrong.exitCode, String(wrong.stdout)]).toEqual([EXIT_USAGE, ""]);
    expect(String(wrong.stderr)).toContain(`expected a command: ${COMMAND_NAMES.join(", ")}, received wrong`);
  });
});
