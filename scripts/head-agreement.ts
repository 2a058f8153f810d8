/**
 * Holds the `split8` head's search for the likeliest rows against the full head: `bun scripts/head-agreement.ts` over random
 * heads, `bun scripts/head-agreement.ts MODEL --text FILE` over a text that a model reads; --coarse searches by the coarse
 * plane first. docs/head.md says what was found and why.
 */
import { type CommandDescription, helpText, type ParsedCommand, parseCommand } from "../src/cli/arguments.ts";
import { isOn, numberOf, textOf } from "../src/cli/option-values.ts";
import { errorColumns, progressBar } from "../src/cli/progress-bar.ts";
import { readTextFile } from "../src/cli/text-file.ts";
import { SherryError } from "../src/errors.ts";
import { THREAD_COUNT_MAX } from "../src/limits.ts";
import { HEAD_COARSE_MARGIN } from "../src/native/coarse-head.ts";
import { HEAD_MARGIN } from "../src/native/head.ts";
import type { Agreement } from "./head-agreement/agreement.ts";
import { measureMadeUpHeads } from "./head-agreement/made-up-heads.ts";
import { measureModelHead } from "./head-agreement/model-head.ts";

const POSITIONS_DEFAULT = 90_000;
const ROWS_DEFAULT = 8_192;
const COLUMNS_DEFAULT = 256;
const SEED_DEFAULT = 1;

/** Of made-up heads alone: a model has its own. */
const MADE_UP_OPTIONS = ["rows", "columns", "margin", "coarse-margin", "seed"] as const;

const COMMAND: CommandDescription = {
  name: "bun scripts/head-agreement.ts",
  summary: "Hold the search for the likeliest tokens against all logits, to the bit",
  positionals: [
    {
      name: "MODEL",
      description: "A .sherry file with a split8 head; without one, heads are made up",
      optional: true,
    },
  ],
  options: {
    text: {
      type: "string",
      description: "What the model reads, in UTF-8; it has to be given with a model",
      placeholder: "FILE",
    },
    positions: {
      type: "integer",
      description: "Of each made-up head with each kind of logits, or of the text, from its beginning",
      placeholder: "COUNT",
      minimum: 1,
      default_text: `${POSITIONS_DEFAULT}, or all of the text`,
    },
    coarse: { type: "boolean", description: "Search by the coarse plane first" },
    rows: {
      type: "integer",
      description: "Rows of a made-up head",
      placeholder: "COUNT",
      minimum: 2,
      default_text: String(ROWS_DEFAULT),
    },
    columns: {
      type: "integer",
      description: "Columns of a made-up head",
      placeholder: "COUNT",
      minimum: 1,
      default_text: String(COLUMNS_DEFAULT),
    },
    margin: {
      type: "number",
      description: "Of the search, over made-up heads: one that is too small shows that misses are noticed",
      placeholder: "C",
      minimum: 0,
      default_text: String(HEAD_MARGIN),
    },
    "coarse-margin": {
      type: "number",
      description: "The same of the coarse pass",
      placeholder: "C",
      minimum: 0,
      default_text: String(HEAD_COARSE_MARGIN),
    },
    seed: {
      type: "integer",
      description: "Of made-up heads",
      placeholder: "N",
      minimum: 0,
      default_text: String(SEED_DEFAULT),
    },
    threads: {
      type: "integer",
      description: "Threads that compute",
      placeholder: "COUNT",
      minimum: 1,
      maximum: THREAD_COUNT_MAX,
      default_text: "the CPUs this process may use",
    },
    json: { type: "boolean", description: "Print one JSON object" },
  },
  examples: [
    "bun scripts/head-agreement.ts --coarse --rows 65536 --columns 128",
    "bun scripts/head-agreement.ts model.sherry --text wiki.txt --coarse",
  ],
};

/** @throws SherryError for a wrong command line, and as measureModelHead does */
export function runHeadAgreement(argv: readonly string[]): void {
  const parsed = parseCommand(COMMAND, argv);
  if (parsed.help) {
    process.stdout.write(helpText(COMMAND));
    return;
  }
  const started = performance.now();
  const results = measure(parsed);
  const sum = (of: (one: Agreement) => number) => results.reduce((total, one) => total + of(one), 0);
  const total = {
    positions: sum((one) => one.positions),
    misses: sum((one) => one.misses),
    fallbacks: sum((one) => one.fallbacks),
    coarse_fallbacks: sum((one) => one.coarse_fallbacks),
    seconds: (performance.now() - started) / 1000,
  };
  process.stdout.write(
    isOn(parsed, "json")
      ? `${JSON.stringify({ results, total })}\n`
      : `${total.positions} positions, ${total.misses} misses, ${total.fallbacks} fallbacks (coarse ${total.coarse_fallbacks}), ${total.seconds.toFixed(0)} s\n`,
  );
}

function measure(parsed: ParsedCommand): Agreement[] {
  const bar = progressBar({ writeError: (text) => process.stderr.write(text) }, errorColumns());
  const report = (one: Agreement) => {
    bar.clear();
    if (!isOn(parsed, "json")) process.stdout.write(lineOf(one));
  };
  try {
    const [path] = parsed.positionals;
    if (path === undefined) return measureMadeUp(parsed, report, (share, head) => bar.draw(share, head));
    const agreement = measureModel(parsed, path, (share) => bar.draw(share, path));
    report(agreement);
    return [agreement];
  } finally {
    bar.clear();
  }
}

function measureMadeUp(
  parsed: ParsedCommand,
  report: (one: Agreement) => void,
  advance: (share: number, head: string) => void,
): Agreement[] {
  if (textOf(parsed, "text") !== undefined) {
    throw new SherryError("argument_invalid", "--text", {
      expected: "a model that reads it",
      received: "none",
      next_step: "Name a .sherry file with a split8 head",
    });
  }
  if (numberOf(parsed, "coarse-margin") !== undefined && !isOn(parsed, "coarse")) {
    throw new SherryError("argument_invalid", "--coarse-margin", {
      expected: "a coarse pass",
      received: "none",
      next_step: "Add --coarse, or leave the margin out",
    });
  }
  const options = {
    positions: numberOf(parsed, "positions") ?? POSITIONS_DEFAULT,
    rows: numberOf(parsed, "rows") ?? ROWS_DEFAULT,
    columns: numberOf(parsed, "columns") ?? COLUMNS_DEFAULT,
    margin: numberOf(parsed, "margin") ?? HEAD_MARGIN,
    coarse_margin: isOn(parsed, "coarse") ? (numberOf(parsed, "coarse-margin") ?? HEAD_COARSE_MARGIN) : null,
    threads: numberOf(parsed, "threads"),
    seed: numberOf(parsed, "seed") ?? SEED_DEFAULT,
  };
  return measureMadeUpHeads(options, report, advance);
}

function measureModel(parsed: ParsedCommand, path: string, advance: (share: number) => void): Agreement {
  const misplaced = MADE_UP_OPTIONS.find((name) => numberOf(parsed, name) !== undefined);
  if (misplaced !== undefined) {
    throw new SherryError("argument_invalid", `--${misplaced}`, {
      expected: "made-up heads",
      received: "a model, which has its own head and margins",
      next_step: "Leave the option or the model out",
    });
  }
  const text_path = textOf(parsed, "text");
  if (text_path === undefined) {
    throw new SherryError("argument_invalid", "--text", {
      expected: "what the model reads",
      received: "nothing",
      next_step: "Name a text file, in UTF-8",
    });
  }
  return measureModelHead(
    {
      ...{ path, text: readTextFile(text_path), coarse: isOn(parsed, "coarse") },
      ...{ positions: numberOf(parsed, "positions") ?? null, threads: numberOf(parsed, "threads") },
    },
    advance,
  );
}

function lineOf(one: Agreement): string {
  const rescored = one.rows_rescored.map(
    ({ count, mean, largest }) => `k ${count}: ${mean.toFixed(0)} (most ${largest})`,
  );
  return (
    `${one.head.padEnd(24)} ${one.entropy.padEnd(9)} ${one.positions} positions, ${one.misses} misses, ` +
    `${one.fallbacks} fallbacks (coarse ${one.coarse_fallbacks}), rows rescored ${rescored.join(", ")}\n`
  );
}

if (import.meta.main) {
  try {
    runHeadAgreement(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof SherryError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
