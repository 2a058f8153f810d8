/**
 * The texts of a checkpoint that travel in the packed file: tokenizer.json unchanged, tokenizer_config.json, the chat
 * template. Source of the rules for templates: transformers, tokenization_utils_base.py (a chat_template.jinja goes
 * before the field; of several named templates "default" is the one for plain chats).
 */
import { join } from "node:path";
import { SherryError } from "../errors.ts";
import { CHAT_TEMPLATE_LENGTH_MAX, DIRECTORY_BYTES_MAX, TOKENIZER_BYTES_MAX } from "../limits.ts";
import type { GgufTokenizer } from "../tokenizer/from-gguf.ts";
import { describeValue } from "./excerpt.ts";
import {
  isJsonObject,
  type JsonObject,
  parseJsonObject,
  readOptionalFile,
  readOptionalJson,
} from "./json-text.ts";

export interface CheckpointTexts {
  /** tokenizer.json's bytes; null when the folder has none. */
  readonly tokenizer: Uint8Array | null;
  /** tokenizer_config.json without its chat_template; {} when the folder has none. */
  readonly tokenizer_config: JsonObject;
  readonly chat_template: string | null;
  readonly warnings: readonly string[];
}

/** @throws SherryError checkpoint_invalid | file_unreadable */
export function readCheckpointTexts(folder: string): CheckpointTexts {
  const warnings: string[] = [];
  const tokenizer = readOptionalFile(join(folder, "tokenizer.json"), TOKENIZER_BYTES_MAX);
  if (tokenizer === null) {
    warnings.push("The folder has no tokenizer.json: the packed model takes and gives token ids only");
  } else {
    parseJsonObject(tokenizer, join(folder, "tokenizer.json"));
  }
  // What is kept of this file has to fit into the directory.
  const config = readOptionalJson(join(folder, "tokenizer_config.json"), DIRECTORY_BYTES_MAX) ?? {};
  const { chat_template: field, ...tokenizer_config } = config;
  const file = readTemplateFile(join(folder, "chat_template.jinja"));
  const from_field = templateOfField(field, warnings);
  if (file !== null && from_field !== null && file !== from_field) {
    warnings.push(
      "chat_template.jinja and tokenizer_config.json hold different chat templates: the former is used",
    );
  }
  return { tokenizer, tokenizer_config, chat_template: file ?? from_field, warnings };
}

/** What a GGUF file holds instead of these files. @throws SherryError checkpoint_invalid */
export function ggufTexts({
  tokenizer_json,
  tokenizer_config,
  chat_template,
}: GgufTokenizer): CheckpointTexts {
  if (chat_template !== null) checkLength(chat_template, "tokenizer.chat_template");
  if (tokenizer_json.length > TOKENIZER_BYTES_MAX) {
    throw new SherryError("checkpoint_invalid", "tokenizer.ggml.tokens", {
      expected: `a tokenizer.json of at most ${TOKENIZER_BYTES_MAX} bytes`,
      received: `one of ${tokenizer_json.length} bytes`,
    });
  }
  return { tokenizer: tokenizer_json, tokenizer_config, chat_template, warnings: [] };
}

function readTemplateFile(path: string): string | null {
  // UTF-8 takes at most three bytes for a UTF-16 unit.
  const bytes = readOptionalFile(path, 3 * CHAT_TEMPLATE_LENGTH_MAX);
  if (bytes === null) return null;
  try {
    return checkLength(new TextDecoder("utf-8", { fatal: true }).decode(bytes), "chat_template.jinja");
  } catch (cause) {
    if (cause instanceof SherryError) throw cause;
    throw new SherryError("checkpoint_invalid", "chat_template.jinja", {
      expected: "a text in UTF-8",
      received: "other bytes",
      cause,
    });
  }
}

function templateOfField(field: unknown, warnings: string[]): string | null {
  if (field === undefined || field === null) return null;
  const where = "tokenizer_config.json: chat_template";
  if (typeof field === "string") return checkLength(field, where);
  if (!Array.isArray(field) || !field.every(isNamedTemplate)) {
    throw new SherryError("checkpoint_invalid", where, {
      expected: "a text, or an array of {name, template}",
      received: describeValue(field),
    });
  }
  const chosen = field.find((named) => named.name === "default");
  if (chosen !== undefined) return checkLength(chosen.template, where);
  const names = field.map((named) => describeValue(named.name)).join(", ");
  warnings.push(`${where} has no template named "default" (only ${names}): none is packed`);
  return null;
}

function isNamedTemplate(value: unknown): value is { readonly name: string; readonly template: string } {
  return isJsonObject(value) && typeof value["name"] === "string" && typeof value["template"] === "string";
}

function checkLength(template: string, where: string): string {
  if (template.length <= CHAT_TEMPLATE_LENGTH_MAX) return template;
  throw new SherryError("checkpoint_invalid", where, {
    expected: `at most ${CHAT_TEMPLATE_LENGTH_MAX} characters`,
    received: String(template.length),
  });
}
