/** Tokenizer metadata of GGUF files for the tests, without a file: small vocabularies of both kinds. */
import { type TokenizerMetadata, tokenizerFromGguf } from "../../src/tokenizer/from-gguf.ts";
import { loadTokenizer } from "../../src/tokenizer/tokenizer.ts";
import { BYTE_ALPHABET } from "./fixtures.ts";

export type Value = string | number | boolean | readonly string[] | readonly number[];

/** Metadata from an object; keys without "tokenizer." get "tokenizer.ggml." before them. */
export function metadataOf(values: Readonly<Record<string, Value>>): TokenizerMetadata {
  const map = new Map(
    Object.entries(values).map(([key, value]) => [
      key.startsWith("tokenizer.") ? key : `tokenizer.ggml.${key}`,
      value,
    ]),
  );
  const get = (key: string) => map.get(key);
  const isTexts = (value: Value | undefined): value is readonly string[] =>
    Array.isArray(value) && value.every((item) => typeof item === "string");
  const isNumbers = (value: Value | undefined): value is readonly number[] =>
    Array.isArray(value) && value.every((item) => typeof item === "number");
  return {
    text: (key) => asType(get(key), "string"),
    boolean: (key) => asType(get(key), "boolean"),
    integer: (key) => asType(get(key), "number"),
    texts: (key) => (isTexts(get(key)) ? (get(key) as readonly string[]) : undefined),
    numbers: (key) => (isNumbers(get(key)) ? (get(key) as readonly number[]) : undefined),
  };
}

function asType<Name extends "string" | "boolean" | "number">(
  value: Value | undefined,
  type: Name,
): { string: string; boolean: boolean; number: number }[Name] | undefined;
function asType(value: Value | undefined, type: string): unknown {
  return typeof value === type ? value : undefined;
}

export function load(values: Readonly<Record<string, Value>>) {
  const { tokenizer_json, tokenizer_config } = tokenizerFromGguf(metadataOf(values));
  return loadTokenizer(tokenizer_json, tokenizer_config);
}

export const ROLES = ["<unk>", "<s>", "</s>"];
export const ROLE_KINDS = [2, 3, 3];

export function sentencePieces(pieces: readonly string[], scores: readonly number[], more = {}) {
  return {
    model: "llama",
    tokens: [...ROLES, ...pieces],
    scores: [0, 0, 0, ...scores],
    token_type: [...ROLE_KINDS, ...pieces.map(() => 1)],
    ...more,
  };
}

export function bytePairs(pieces: readonly string[], merges: readonly string[], more = {}) {
  return { model: "gpt2", pre: "gpt-2", tokens: [...BYTE_ALPHABET, ...pieces], merges, ...more };
}
