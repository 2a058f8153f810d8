/**
 * Trains a byte-level BPE tokenizer and writes tokenizer.json and tokenizer_config.json into a folder:
 * `bun scripts/train-tokenizer.ts --vocab-size 2048 --output FOLDER [--text FILE …] [--stories N]`.
 * The texts are files, or the corpus's documents of the seeds from 0.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandDescription, helpText, parseCommand } from "../src/cli/arguments.ts";
import { errorColumns, progressBar } from "../src/cli/progress-bar.ts";
import { SherryError } from "../src/errors.ts";
import { HELD_OUT_SEED_BEGIN, markedText, storyDocuments } from "./corpus/documents.ts";
import { VOCABULARY_SIZE_MAX } from "./tokenizer/byte-pairs.ts";
import { SPECIAL_TOKENS, tokenizerConfig, trainBytePairEncoding } from "./tokenizer/files.ts";

const STORY_COUNT_DEFAULT = 5_000;
const CONTEXT_LENGTH_DEFAULT = 512;

const COMMAND: CommandDescription = {
  name: "bun scripts/train-tokenizer.ts",
  summary: "Train a byte-level BPE tokenizer",
  positionals: [],
  options: {
    "vocab-size": {
      type: "integer",
      description: "Bytes, merges and special tokens together",
      placeholder: "N",
      minimum: 1,
      maximum: VOCABULARY_SIZE_MAX,
    },
    output: { type: "string", description: "The folder to write into", placeholder: "FOLDER" },
    text: {
      type: "string",
      multiple: true,
      description: "A text to learn from (UTF-8)",
      placeholder: "FILE",
    },
    stories: {
      type: "integer",
      description: "Learn from this many documents of the story corpus",
      placeholder: "N",
      minimum: 1,
      maximum: HELD_OUT_SEED_BEGIN,
      default_text: `${STORY_COUNT_DEFAULT}, or none with --text`,
    },
    "context-length": {
      type: "integer",
      description: "The model's longest text in tokens, for tokenizer_config.json",
      placeholder: "N",
      minimum: 1,
      default_text: String(CONTEXT_LENGTH_DEFAULT),
    },
  },
  examples: ["bun scripts/train-tokenizer.ts --vocab-size 2048 --output tokenizer"],
};

/** @throws SherryError argument_invalid | file_unreadable | file_unwritable */
export function runTrainTokenizer(argv: readonly string[]): void {
  const { help, values } = parseCommand(COMMAND, argv);
  if (help) {
    process.stdout.write(helpText(COMMAND));
    return;
  }
  const vocab_size = values.get("vocab-size");
  const output = values.get("output");
  if (typeof vocab_size !== "number") throw missing("--vocab-size", "the number of tokens");
  if (typeof output !== "string") throw missing("--output", "the folder to write into");
  const files = values.get("text");
  const paths = Array.isArray(files) ? files.map(String) : [];
  const stories = Number(values.get("stories") ?? (paths.length > 0 ? 0 : STORY_COUNT_DEFAULT));
  const progress = progressBar({ writeError: (text) => process.stderr.write(text) }, errorColumns());
  const tokenizer = trainBytePairEncoding(textsOf(paths, stories), vocab_size, SPECIAL_TOKENS, (count) => {
    if (count % 16 === 0) progress.draw(count / vocab_size, `${count} of ${vocab_size} tokens`);
  });
  progress.clear();
  const context_length = Number(values.get("context-length") ?? CONTEXT_LENGTH_DEFAULT);
  try {
    mkdirSync(output, { recursive: true });
    writeFileSync(join(output, "tokenizer.json"), `${JSON.stringify(tokenizer, null, 1)}\n`);
    writeFileSync(
      join(output, "tokenizer_config.json"),
      `${JSON.stringify(tokenizerConfig(context_length), null, 1)}\n`,
    );
  } catch (cause) {
    throw new SherryError("file_unwritable", output, {
      expected: "a folder that can be written",
      received: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
}

function* textsOf(paths: readonly string[], stories: number): Generator<string> {
  for (const path of paths) {
    try {
      yield new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
    } catch (cause) {
      throw new SherryError("file_unreadable", path, {
        expected: "a text in UTF-8",
        received: cause instanceof Error ? cause.message : String(cause),
        cause,
      });
    }
  }
  for (const document of storyDocuments(0, stories)) yield markedText(document);
}

function missing(option: string, expected: string): SherryError {
  return new SherryError("argument_invalid", option, { expected, received: "nothing" });
}

if (import.meta.main) {
  try {
    runTrainTokenizer(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof SherryError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
