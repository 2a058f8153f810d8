/**
 * tokenizer.json, checked before the tokenizer library sees it. The library trusts its input and quietly ignores some
 * of the format's options; whatever it would get wrong is refused here by name, because wrong ids look like a bad model.
 * Source of the format: Hugging Face tokenizers; of what the library ignores: @huggingface/tokenizers 0.2.0.
 */
import { SherryError } from "../errors.ts";
import { TOKENIZER_BYTES_MAX } from "../limits.ts";
import { type AddedToken, checkTokenId, checkTokenText, readAddedTokens } from "./added-tokens.ts";
import { describeJson, isRecord } from "./json.ts";
import { checkTextPreparation } from "./text-preparation.ts";

export interface TokenizerDefinition {
  /** The checked file with every added token in it, as the library wants it. */
  readonly library_input: Readonly<Record<string, unknown>>;
  /** Index: token id. Holes are ids that no token has. */
  readonly token_texts: readonly (string | undefined)[];
  readonly added_tokens: readonly AddedToken[];
  /** As it stands in the file; read by decoder-definition.ts. */
  readonly decoder: unknown;
}

/**
 * @param tokenizer_json the file's bytes (UTF-8)
 * @param tokenizer_config tokenizer_config.json; its added and special tokens join those of tokenizer.json
 * @throws SherryError tokenizer_invalid | tokenizer_unsupported
 */
export function readTokenizerDefinition(
  tokenizer_json: Uint8Array,
  tokenizer_config: Readonly<Record<string, unknown>>,
): TokenizerDefinition {
  const root = parseJson(tokenizer_json);
  const model = readModel(root["model"]);
  checkTextPreparation("normalizer", root["normalizer"] ?? null);
  checkTextPreparation("pre_tokenizer", root["pre_tokenizer"] ?? null);
  const added_tokens = readAddedTokens(root["added_tokens"] ?? [], tokenizer_config, model.ids);
  const token_texts: (string | undefined)[] = [];
  for (const [text, id] of model.ids) token_texts[id] = text;
  for (const token of added_tokens) token_texts[token.id] = token.content;
  const library_input = {
    ...root,
    normalizer: root["normalizer"] ?? null,
    pre_tokenizer: root["pre_tokenizer"] ?? null,
    post_processor: root["post_processor"] ?? null,
    decoder: root["decoder"] ?? null,
    added_tokens,
    model: { ...model.record, type: "BPE" },
  };
  return { library_input, token_texts, added_tokens, decoder: library_input.decoder };
}

function parseJson(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  if (bytes.byteLength > TOKENIZER_BYTES_MAX) {
    throw invalid("size", `at most ${TOKENIZER_BYTES_MAX} bytes`, `${bytes.byteLength}`);
  }
  let root: unknown;
  try {
    root = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new SherryError("tokenizer_invalid", "tokenizer.json", {
      expected: "JSON in UTF-8",
      received: `${bytes.byteLength} bytes that are not (${cause instanceof Error ? cause.message : String(cause)})`,
      next_step: "Fetch the checkpoint's tokenizer.json again",
      cause,
    });
  }
  if (!isRecord(root)) throw invalid("root", "an object", describeJson(root));
  return root;
}

interface Model {
  readonly record: Readonly<Record<string, unknown>>;
  /** Token text to id, as the model (not the added tokens) has it. */
  readonly ids: ReadonlyMap<string, number>;
}

function readModel(model: unknown): Model {
  if (!isRecord(model)) throw invalid("model", "an object", describeJson(model));
  // Files from before the format had a type field are byte-pair models when they carry merges.
  const type = model["type"] ?? (Array.isArray(model["merges"]) ? "BPE" : null);
  if (type !== "BPE") throw unsupported("model type", '"BPE"', describeJson(type));
  for (const option of ["continuing_subword_prefix", "end_of_word_suffix"]) {
    const affix = model[option] ?? "";
    if (affix !== "") throw unsupported(`model.${option}`, "none", describeJson(affix));
  }
  const unknown_token = model["unk_token"] ?? "";
  if (typeof unknown_token !== "string") {
    throw invalid("model.unk_token", "a text or null", describeJson(unknown_token));
  }
  const vocab = model["vocab"];
  if (!isRecord(vocab)) throw invalid("model.vocab", "an object of token texts and ids", describeJson(vocab));
  const ids = new Map<string, number>();
  for (const [text, id] of Object.entries(vocab)) {
    const place = "tokenizer.json: model.vocab";
    ids.set(checkTokenText(place, text), checkTokenId(place, id));
  }
  if (ids.size === 0) throw invalid("model.vocab", "at least one token", "none");
  checkMerges(model["merges"]);
  return { record: model, ids };
}

function checkMerges(merges: unknown): void {
  if (!Array.isArray(merges)) throw invalid("model.merges", "a list of pairs", describeJson(merges));
  // The library decides by the first merge how to read all of them, so a mixture would be misread.
  const as_pairs = Array.isArray(merges[0]);
  for (const [index, merge] of merges.entries()) {
    const parts: unknown = as_pairs || typeof merge !== "string" ? merge : merge.split(" ");
    const is_pair =
      Array.isArray(merge) === as_pairs &&
      Array.isArray(parts) &&
      parts.length === 2 &&
      parts.every((part) => typeof part === "string" && part !== "");
    if (!is_pair) {
      const expected = as_pairs ? "a pair of texts" : "two texts with one space between them";
      throw invalid(`model.merges[${index}]`, expected, describeJson(merge));
    }
  }
}

function invalid(place: string, expected: string, received: string): SherryError {
  return new SherryError("tokenizer_invalid", `tokenizer.json: ${place}`, { expected, received });
}

function unsupported(place: string, expected: string, received: string): SherryError {
  return new SherryError("tokenizer_unsupported", `tokenizer.json: ${place}`, {
    expected,
    received,
    next_step: "This tokenizer would give wrong ids here; use a checkpoint with another one",
  });
}
