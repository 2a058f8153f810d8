/** Command lines: parsing, precedence, refusals and the help page. */
import { describe, expect, test } from "bun:test";
import { type CommandDescription, helpText, parseCommand } from "../../src/cli/arguments.ts";

const COMMAND: CommandDescription = {
  name: "sherry test",
  summary: "A command to test with",
  positionals: [
    { name: "FILE", description: "What to read" },
    { name: "TARGET", description: "What to write", optional: true },
  ],
  options: {
    name: { type: "string", description: "A name", placeholder: "NAME", environment: "TEST_NAME" },
    kind: { type: "string", description: "A kind", choices: ["a", "b"], default_text: "a" },
    count: { type: "integer", description: "A count", environment: "TEST_COUNT", minimum: 1, maximum: 9 },
    least: { type: "integer", description: "A least", minimum: 1 },
    most: { type: "number", description: "A most", maximum: 9 },
    share: { type: "number", description: "A share" },
    loud: { type: "boolean", description: "Loud", environment: "TEST_LOUD" },
  },
  examples: ["sherry test a b"],
};

const parse = (argv: readonly string[], environment: Record<string, string> = {}) =>
  parseCommand(COMMAND, argv, environment);
const valuesOf = (argv: readonly string[], environment: Record<string, string> = {}) =>
  Object.fromEntries(parse(["file", ...argv], environment).values);

describe("values", () => {
  test("each type is converted, and what was not given is absent", () => {
    expect(valuesOf(["--name", "x", "--count", "3", "--share", "0.5", "--loud"])).toEqual({
      name: "x",
      count: 3,
      share: 0.5,
      loud: true,
    });
    expect(valuesOf([])).toEqual({});
    expect(parse(["a", "b"]).positionals).toEqual(["a", "b"]);
  });

  test("a flag stands before an environment variable; an empty variable is none", () => {
    const environment = { TEST_NAME: "variable", TEST_COUNT: "2", TEST_LOUD: "0" };
    expect(valuesOf(["--name", "flag"], environment)).toEqual({ name: "flag", count: 2, loud: false });
    expect(valuesOf([], { TEST_NAME: "", TEST_LOUD: "true" })).toEqual({ loud: true });
    expect(valuesOf(["--name", ""], { TEST_NAME: "variable" })).toEqual({ name: "" });
  });

  test("whatever does not fit is refused by name, with what was expected and what came", () => {
    const see = ". Run 'sherry test --help' for the options";
    const cases: [string[], Record<string, string>, string][] = [
      [["--count", "0"], {}, `--count: expected an integer from 1 to 9, received 0${see}`],
      [["--count", "1.5"], {}, `--count: expected an integer from 1 to 9, received 1.5${see}`],
      [["--count", " "], {}, `--count: expected an integer from 1 to 9, received  ${see}`],
      [["--least", "0"], {}, `--least: expected an integer of at least 1, received 0${see}`],
      [["--most", "10"], {}, `--most: expected a number of at most 9, received 10${see}`],
      [["--share", "half"], {}, `--share: expected a number, received half${see}`],
      [["--share", "Infinity"], {}, `--share: expected a number, received Infinity${see}`],
      [["--kind", "c"], {}, `--kind: expected a, b, received c${see}`],
      [[], { TEST_COUNT: "ten" }, `TEST_COUNT: expected an integer from 1 to 9, received ten${see}`],
      [[], { TEST_LOUD: "yes" }, `TEST_LOUD: expected 1, true, 0 or false, received yes${see}`],
    ];
    for (const [argv, environment, message] of cases) {
      expect(() => valuesOf(argv, environment)).toThrow(
        expect.objectContaining({ name: "SherryError", code: "argument_invalid", message }),
      );
    }
  });

  test("unknown options and options without their value are refused", () => {
    for (const argv of [["--wrong"], ["--name"], ["--loud=3"]]) {
      expect(() => valuesOf(argv)).toThrow(
        expect.objectContaining({
          code: "argument_invalid",
          message: expect.stringMatching(/^sherry test: .*--help/),
        }),
      );
    }
  });
});

describe("positionals", () => {
  test("too few and too many are refused", () => {
    expect(() => parse([])).toThrow("sherry test: expected FILE TARGET, received nothing");
    expect(() => parse(["a", "b", "c"])).toThrow("sherry test: expected FILE TARGET, received a b c");
    expect(() => parseCommand({ ...COMMAND, positionals: [] }, ["a"], {})).toThrow(
      "sherry test: expected no arguments beside options, received a",
    );
  });

  test("the last one may stand several times", () => {
    const command = { ...COMMAND, positionals: [{ name: "RUN", description: "A run", repeated: true }] };
    expect(parseCommand(command, ["a", "b", "c"], {}).positionals).toEqual(["a", "b", "c"]);
    expect(() => parseCommand(command, [], {})).toThrow("sherry test: expected RUN..., received nothing");
    expect(helpText(command)).toContain("Usage: sherry test RUN... [options]");
  });

  test("--help asks for none", () => {
    expect(parse(["--help"]).help).toBe(true);
    expect(parse(["-h"]).help).toBe(true);
    expect(parse(["a"]).help).toBe(false);
  });
});

test("the help page", () => {
  expect(helpText(COMMAND)).toBe(`A command to test with

Usage: sherry test FILE [TARGET] [options]

Arguments:
  FILE             What to read
  TARGET           What to write

Options:
  --name NAME      A name (or TEST_NAME)
  --kind STRING    A kind (one of a, b; default a)
  --count INTEGER  A count (or TEST_COUNT)
  --least INTEGER  A least
  --most NUMBER    A most
  --share NUMBER   A share
  --loud           Loud (or TEST_LOUD)
  -h, --help       Show this page

Examples:
  sherry test a b
`);
});
