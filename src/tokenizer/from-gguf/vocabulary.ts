/**
 * The vocabulary of a GGUF file: texts, kinds and the tokens with a role.
 * Source: llama.cpp, llama-vocab.cpp (token types, defaults of the SentencePiece family) and gguf-py (key names).
 */
import { SherryError } from "../../errors.ts";
import { TENSOR_DIMENSION_MAX } from "../../limits.ts";
import { describeJson } from "../json.ts";
import { type TokenizerMetadata, tokenizerKey } from "./metadata.ts";

export type TokenKind = "undefined" | "normal" | "unknown" | "control" | "user_defined" | "unused" | "byte";

/** Index: the number in tokenizer.ggml.token_type. */
const KINDS: readonly TokenKind[] = [
  "undefined",
  "normal",
  "unknown",
  "control",
  "user_defined",
  "unused",
  "byte",
];

export interface Vocabulary {
  /** "llama" (SentencePiece pieces with scores) or "gpt2" (byte pairs with merges). */
  readonly model: "llama" | "gpt2";
  /** Index: token id. No text occurs twice. */
  readonly texts: readonly string[];
  /** Index: token id. */
  readonly kinds: readonly TokenKind[];
  readonly id_of_text: ReadonlyMap<string, number>;
  /** Null where the model has no such token. */
  readonly bos_token_id: number | null;
  readonly eos_token_id: number | null;
  readonly unknown_token_id: number | null;
  readonly padding_token_id: number | null;
}

/** What a SentencePiece vocabulary means when it does not say so. */
const SENTENCE_PIECE_DEFAULTS = { unknown_token_id: 0, bos_token_id: 1, eos_token_id: 2 };

/**
 * @throws SherryError tokenizer_invalid (texts twice, counts that differ, ids outside) | tokenizer_unsupported (another
 *   kind of tokenizer)
 */
export function readVocabulary(metadata: TokenizerMetadata): Vocabulary {
  const model = readModel(metadata);
  const texts = readTexts(metadata);
  const id_of_text = new Map<string, number>();
  for (const [id, text] of texts.entries()) {
    const other = id_of_text.get(text);
    if (other !== undefined) {
      throw invalid("tokens", "each text once", `${describeJson(text)} as ${other} and ${id}`);
    }
    id_of_text.set(text, id);
  }
  const readId = (name: string, fallback: number | null) => {
    const id = metadata.integer(tokenizerKey(name), 0, TENSOR_DIMENSION_MAX - 1) ?? fallback;
    if (id === null || id < texts.length) return id;
    throw invalid(name, `an id below ${texts.length}`, String(id));
  };
  const defaults = model === "llama" ? SENTENCE_PIECE_DEFAULTS : null;
  return {
    model,
    texts,
    kinds: readKinds(metadata, texts.length),
    id_of_text,
    bos_token_id: readId("bos_token_id", defaults?.bos_token_id ?? null),
    eos_token_id: readId("eos_token_id", defaults?.eos_token_id ?? null),
    unknown_token_id: readId("unknown_token_id", defaults?.unknown_token_id ?? null),
    padding_token_id: readId("padding_token_id", null),
  };
}

function readModel(metadata: TokenizerMetadata): "llama" | "gpt2" {
  const model = metadata.text(tokenizerKey("model"));
  if (model === "llama" || model === "gpt2") return model;
  if (model === undefined) throw invalid("model", '"llama" or "gpt2"', "nothing");
  throw new SherryError("tokenizer_unsupported", tokenizerKey("model"), {
    expected: '"llama" or "gpt2"',
    received: describeJson(model),
    next_step: "Pack the original checkpoint, with its tokenizer.json",
  });
}

function readTexts(metadata: TokenizerMetadata): readonly string[] {
  const texts = metadata.texts(tokenizerKey("tokens"));
  if (texts === undefined || texts.length === 0) throw invalid("tokens", "an array of texts", "nothing");
  // Some converters leave holes as empty texts; llama.cpp gives those a name too, so that every id has its own.
  return texts.map((text, id) => (text === "" ? `[EMPTY_${id}]` : text));
}

function readKinds(metadata: TokenizerMetadata, count: number): readonly TokenKind[] {
  const numbers = metadata.numbers(tokenizerKey("token_type"));
  if (numbers === undefined) return new Array<TokenKind>(count).fill("normal");
  if (numbers.length !== count) {
    throw invalid("token_type", `${count}, one for each token`, String(numbers.length));
  }
  return Array.from(numbers, (number, id) => {
    const kind = KINDS[number];
    if (kind !== undefined) return kind;
    throw invalid(`token_type[${id}]`, `0 to ${KINDS.length - 1}`, String(number));
  });
}

/** A refusal that names the key. */
export function invalid(name: string, expected: string, received: string): SherryError {
  return new SherryError("tokenizer_invalid", tokenizerKey(name), { expected, received });
}
