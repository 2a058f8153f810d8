/**
 * JSON objects from a checkpoint: bounded in size and depth, UTF-8, no key twice in one object (JSON.parse would quietly keep the
 * last, and two readers of one file must not disagree about a tensor's place).
 */
import { SherryError } from "../errors.ts";
import { type ByteSource, type FileSource, openFileSource } from "../format/byte-source.ts";
import { JSON_DEPTH_MAX } from "../format/json-size.ts";
import { excerpt } from "./excerpt.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * The bytes of a file; null when there is none.
 * @throws SherryError checkpoint_invalid when it is larger than `bytes_max`; file_unreadable
 */
export function readOptionalFile(path: string, bytes_max: number): Uint8Array | null {
  let source: FileSource;
  try {
    source = openFileSource(path);
  } catch (error) {
    if (error instanceof SherryError && error.code === "file_not_found") return null;
    throw error;
  }
  try {
    return readAll(source, path, bytes_max);
  } finally {
    source.close();
  }
}

/** @throws SherryError checkpoint_invalid | file_unreadable */
export function readOptionalJson(path: string, bytes_max: number): JsonObject | null {
  const bytes = readOptionalFile(path, bytes_max);
  return bytes === null ? null : parseJsonObject(bytes, path);
}

/** @param what names the bytes in messages. @throws SherryError checkpoint_invalid */
export function parseJsonObject(bytes: Uint8Array, what: string): JsonObject {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    value = JSON.parse(text);
  } catch (cause) {
    throw new SherryError("checkpoint_invalid", what, {
      expected: "JSON in UTF-8",
      received: cause instanceof SyntaxError ? "a text that is no JSON" : "other bytes",
      next_step: "The file is damaged; get it again",
      cause,
    });
  }
  if (!isJsonObject(value)) {
    throw new SherryError("checkpoint_invalid", what, {
      expected: "a JSON object",
      received: Array.isArray(value) ? "an array" : typeof value,
    });
  }
  const { depth, repeated_key } = examineJson(text);
  if (depth > JSON_DEPTH_MAX) {
    throw new SherryError("checkpoint_invalid", what, {
      expected: `at most ${JSON_DEPTH_MAX} arrays and objects inside each other`,
      received: String(depth),
    });
  }
  if (repeated_key !== null) {
    throw new SherryError("checkpoint_invalid", what, {
      expected: "each key of an object once",
      received: `${excerpt(repeated_key)} twice`,
    });
  }
  return value;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * What parsing does not tell: how deep arrays and objects nest, and the first key, as the text spells it, that an object
 * has twice (null when there is none). `text` is JSON.
 */
export function examineJson(text: string): { readonly depth: number; readonly repeated_key: string | null } {
  // For each open array or object, innermost last: the keys seen so far, null for an array.
  const open: (Set<string> | null)[] = [];
  let depth = 0;
  let repeated_key: string | null = null;
  let index = 0;
  while (index < text.length) {
    const character = text[index];
    if (character === "{") open.push(new Set());
    else if (character === "[") open.push(null);
    else if (character === "}" || character === "]") open.pop();
    depth = Math.max(depth, open.length);
    if (character !== '"') {
      index += 1;
      continue;
    }
    const end = endOfString(text, index);
    const spelled = text.slice(index, end);
    index = skipSpace(text, end);
    if (text[index] !== ":") continue;
    const key: string = JSON.parse(spelled);
    const keys = open.at(-1);
    if (keys?.has(key) === true) repeated_key ??= spelled;
    keys?.add(key);
  }
  return { depth, repeated_key };
}

/** The place behind the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let index = start + 1;
  while (text[index] !== '"') index += text[index] === "\\" ? 2 : 1;
  return index + 1;
}

function skipSpace(text: string, start: number): number {
  let index = start;
  while (text[index] === " " || text[index] === "\t" || text[index] === "\n" || text[index] === "\r")
    index += 1;
  return index;
}

function readAll(source: ByteSource, path: string, bytes_max: number): Uint8Array {
  if (source.bytes > bytes_max) {
    throw new SherryError("checkpoint_invalid", path, {
      expected: `at most ${bytes_max} bytes`,
      received: `${source.bytes} bytes`,
    });
  }
  return source.read(0, source.bytes);
}
