/**
 * Writes documents of the story corpus: `bun scripts/generate-corpus.ts --count 1000 --output stories.txt`.
 * As text each document carries its chat markers and the end token, one after the other; as JSON lines each is
 * {"seed","text","chat"}. Without --output they go to standard output. --held-out begins at the held-out seeds.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { type CommandDescription, helpText, parseCommand } from "../src/cli/arguments.ts";
import { errorColumns, progressBar } from "../src/cli/progress-bar.ts";
import { SherryError } from "../src/errors.ts";
import { HELD_OUT_SEED_BEGIN, markedText, SEED_END, storyDocuments } from "./corpus/documents.ts";

const COMMAND: CommandDescription = {
  name: "bun scripts/generate-corpus.ts",
  summary: "Write seeded documents of the story corpus",
  positionals: [],
  options: {
    "seed-begin": {
      type: "integer",
      description: "The first document's seed",
      placeholder: "N",
      minimum: 0,
      maximum: SEED_END - 1,
      default_text: "0",
    },
    count: {
      type: "integer",
      description: "How many documents",
      placeholder: "N",
      minimum: 1,
      maximum: SEED_END,
    },
    output: {
      type: "string",
      description: "The file to write",
      placeholder: "FILE",
      default_text: "standard output",
    },
    "held-out": { type: "boolean", description: "Count seeds from the first of the held-out range" },
    json: { type: "boolean", description: "One JSON object a line" },
  },
  examples: [
    "bun scripts/generate-corpus.ts --count 10",
    "bun scripts/generate-corpus.ts --count 5000 --json --output stories.jsonl",
  ],
};

const CHUNK_LENGTH = 65_536;

/** @throws SherryError argument_invalid | file_unwritable */
export function runGenerateCorpus(argv: readonly string[]): void {
  const { help, values } = parseCommand(COMMAND, argv);
  if (help) {
    process.stdout.write(helpText(COMMAND));
    return;
  }
  const count = values.get("count");
  if (typeof count !== "number") {
    throw new SherryError("argument_invalid", "--count", {
      expected: "how many documents to write",
      received: "nothing",
    });
  }
  const seed_begin =
    Number(values.get("seed-begin") ?? 0) + (values.get("held-out") === true ? HELD_OUT_SEED_BEGIN : 0);
  const documents = storyDocuments(seed_begin, seed_begin + count);
  const output = values.get("output");
  const file = openOutput(typeof output === "string" ? output : null);
  const progress = progressBar({ writeError: (text) => process.stderr.write(text) }, errorColumns());
  let seed = seed_begin;
  let pending = "";
  for (const document of documents) {
    pending +=
      values.get("json") === true
        ? `${JSON.stringify({ seed, ...document })}\n`
        : `${markedText(document)}\n`;
    seed += 1;
    if (pending.length < CHUNK_LENGTH) continue;
    file.write(pending);
    pending = "";
    progress.draw((seed - seed_begin) / count, `${seed - seed_begin} of ${count} documents`);
  }
  file.write(pending);
  file.close();
  progress.clear();
}

function openOutput(path: string | null): { write: (text: string) => void; close: () => void } {
  if (path === null) return { write: (text) => writeAll(1, text), close: () => {} };
  const refuse = (cause: unknown): never => {
    throw new SherryError("file_unwritable", path, {
      expected: "a file that can be written",
      received: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  };
  let descriptor: number;
  try {
    descriptor = openSync(path, "w");
  } catch (cause) {
    return refuse(cause);
  }
  return {
    write: (text) => {
      try {
        writeAll(descriptor, text);
      } catch (cause) {
        refuse(cause);
      }
    },
    close: () => closeSync(descriptor),
  };
}

function writeAll(descriptor: number, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let position = 0; position < bytes.length; ) position += writeSync(descriptor, bytes, position);
}

if (import.meta.main) {
  try {
    runGenerateCorpus(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof SherryError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
