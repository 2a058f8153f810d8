/**
 * The tokenizer of a run: of a Hugging Face folder, or trained on the run's own texts. Its files are kept in the run's
 * folder, so that a resumed run and the exported model have the very same.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { SherryError } from "../../src/errors.ts";
import { DIRECTORY_BYTES_MAX, TOKENIZER_BYTES_MAX } from "../../src/limits.ts";
import { parseJsonObject, readOptionalFile } from "../../src/packing/json-text.ts";
import { loadTokenizer, type Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { HELD_OUT_SEED_BEGIN, markedText, storyDocuments } from "../corpus/documents.ts";
import { tokenizerConfig, trainBytePairEncoding } from "../tokenizer/files.ts";
import type { TrainingConfig } from "./config-schema.ts";
import { readDocuments, splitDocuments } from "./text-data.ts";
import { writeWholeFolder } from "./whole-files.ts";

export interface TokenizerFiles {
  readonly tokenizer: Tokenizer;
  /** By file name, as they are written beside an exported model. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

const FILE_NAMES = ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"] as const;
/** Folder of a run's tokenizer. */
export const TOKENIZER_FOLDER = "tokenizer";

/** @throws SherryError argument_invalid when the folder has none; tokenizer_invalid | tokenizer_unsupported */
export function readTokenizerFiles(folder: string): TokenizerFiles {
  const files = new Map<string, Uint8Array>();
  for (const name of FILE_NAMES) {
    const bytes_max = name === "tokenizer.json" ? TOKENIZER_BYTES_MAX : DIRECTORY_BYTES_MAX;
    const bytes = readOptionalFile(join(folder, name), bytes_max);
    if (bytes !== null) files.set(name, bytes);
  }
  const tokenizer_json = files.get("tokenizer.json");
  if (tokenizer_json === undefined) {
    throw new SherryError("argument_invalid", folder, {
      expected: "a folder with a tokenizer.json",
      received: "one without",
    });
  }
  const config = files.get("tokenizer_config.json");
  const tokenizer_config = config === undefined ? {} : parseJsonObject(config, "tokenizer_config.json");
  return { tokenizer: loadTokenizer(tokenizer_json, tokenizer_config), files };
}

export function writeTokenizerFiles(folder: string, { files }: TokenizerFiles): void {
  writeWholeFolder(folder, (partial) => {
    for (const [name, bytes] of files) writeFileSync(join(partial, name), bytes);
  });
}

/** Trains the tokenizer that the configuration asks for. `on_progress` hears how many tokens there are. */
export function trainTokenizer(
  config: TrainingConfig,
  vocab_size: number,
  documents: number,
  max_length: number,
  on_progress: (token_count: number) => void,
): TokenizerFiles {
  const tokenizer_json = trainBytePairEncoding(
    trainingTexts(config, documents),
    vocab_size,
    undefined,
    on_progress,
  );
  const encode = (value: object) => new TextEncoder().encode(`${JSON.stringify(value)}\n`);
  const tokenizer_config = tokenizerConfig(max_length);
  const bytes = encode(tokenizer_json);
  return {
    tokenizer: loadTokenizer(bytes, { ...tokenizer_config }),
    files: new Map([
      ["tokenizer.json", bytes],
      ["tokenizer_config.json", encode(tokenizer_config)],
    ]),
  };
}

function* trainingTexts({ data }: TrainingConfig, documents: number): Generator<string> {
  if ("corpus" in data) {
    const begin = data.corpus.training_seed_begin;
    const end = Math.min(begin + documents, HELD_OUT_SEED_BEGIN);
    for (const document of storyDocuments(begin, end)) yield markedText(document);
    return;
  }
  const { training } = splitDocuments(readDocuments(data.texts), data.texts.held_out_fraction);
  for (const document of training.slice(0, documents)) yield `${document}${data.texts.document_end}`;
}
