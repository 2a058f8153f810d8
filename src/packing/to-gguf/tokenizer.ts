/**
 * A packed file's tokenizer as GGUF metadata. Whether GGUF can say it all is not argued but tried: the metadata is read
 * back by the reader that packs GGUF files, and what comes out has to be the tokenizer that went in.
 * Source: llama.cpp, gguf-py (key names) and llama-vocab.cpp (what each means).
 */
import type { Directory } from "../../format/directory.ts";
import { preTokenizerOf } from "../../tokenizer/from-gguf/pre-tokenizers.ts";
import { endTokenIds, type TokenizerMetadata, tokenizerFromGguf } from "../../tokenizer/from-gguf.ts";
import { describeValue, excerpt } from "../excerpt.ts";
import type { GgufValue } from "../gguf/writer.ts";
import { isJsonObject, parseJsonObject } from "../json-text.ts";
import { unrepresentable } from "./refusal.ts";
import { parseTokenizerForm, type TokenizerForm } from "./tokenizer-form.ts";

/** Numbers of tokenizer.ggml.token_type. */
const NORMAL = 1;
const UNKNOWN = 2;
const CONTROL = 3;
const USER_DEFINED = 4;
const BYTE = 6;

/** One name for each way of cutting that a file can ask for; others mean the same as one of these. */
const PRE_TOKENIZER_NAMES = [
  ...["llama-bpe", "dbrx", "qwen2", "hunyuan-dense", "gpt-2", "starcoder", "falcon", "default"],
];
/** The spellings of published tokenizer.json files, where they differ from those that this package writes. */
const DIGITS_BY_THREE = String.raw`\p{N}{1,3}`;
const publishedWords = (digits: string) =>
  String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|${digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const PUBLISHED_PATTERNS: ReadonlyMap<string, string> = new Map([
  [publishedWords(DIGITS_BY_THREE), "dbrx"],
  [publishedWords(String.raw`\p{N}`), "qwen2"],
]);

const ROLES = ["bos", "eos", "unk", "pad"] as const;
type Role = (typeof ROLES)[number];
const ROLE_KEYS: Readonly<Record<Role, string>> = {
  bos: "bos_token_id",
  eos: "eos_token_id",
  unk: "unknown_token_id",
  pad: "padding_token_id",
};

/**
 * @param tokenizer tokenizer.json's bytes
 * @throws SherryError checkpoint_unsupported naming what GGUF has no word for; checkpoint_invalid for a tokenizer.json
 *   that contradicts itself
 */
export function tokenizerMetadata(
  directory: Directory,
  tokenizer: Uint8Array | null,
): Map<string, GgufValue> {
  if (tokenizer === null) {
    throw unrepresentable("the tokenizer", "one", "none", "Pack the model again with its tokenizer.json");
  }
  const form = parseTokenizerForm(parseJsonObject(tokenizer, "tokenizer.json"));
  const ids = roleIds(directory, form);
  const metadata = new Map<string, GgufValue>();
  const put = (name: string, value: GgufValue) => metadata.set(`tokenizer.ggml.${name}`, value);
  put("model", { type: "string", value: form.model });
  if (form.patterns !== null) put("pre", { type: "string", value: preTokenizerName(form) });
  put("tokens", { type: "array", element: "string", values: form.texts });
  if (form.model === "llama") {
    put("scores", { type: "array", element: "float32", values: scoresOf(form) });
  }
  put("token_type", { type: "array", element: "int32", values: kindsOf(form, ids.get("unk")) });
  if (form.model === "gpt2") {
    const lines = form.merges.map(([left, right]) => `${left} ${right}`);
    put("merges", { type: "array", element: "string", values: lines });
  }
  for (const role of ROLES) {
    const id = ids.get(role);
    if (id !== undefined) put(ROLE_KEYS[role], { type: "uint32", value: id });
  }
  put("add_bos_token", { type: "bool", value: form.before === null ? 0 : 1 });
  put("add_eos_token", { type: "bool", value: form.after === null ? 0 : 1 });
  if (form.model === "llama") put("add_space_prefix", { type: "bool", value: form.adds_space ? 1 : 0 });
  putFurtherEndTokens(directory, metadata, ids.get("eos"), put);
  if (directory.chat_template !== null) {
    metadata.set("tokenizer.chat_template", { type: "string", value: directory.chat_template });
  }
  checkSame(directory, form, metadata);
  return metadata;
}

/** The tokens that tokenizer_config.json gives a role, and what the model's config adds to them. */
function roleIds({ config, tokenizer_config }: Directory, form: TokenizerForm): Map<Role, number> {
  const id_of_text = new Map(form.texts.map((text, id) => [text, id]));
  const ids = new Map<Role, number>();
  for (const role of ROLES) {
    const text = roleText(tokenizer_config, role) ?? (role === "unk" ? form.unknown_text : null);
    if (text === null) continue;
    const id = id_of_text.get(text);
    if (id === undefined) {
      throw unrepresentable(`tokenizer_config.json: ${role}_token`, "a token", describeValue(text));
    }
    ids.set(role, id);
  }
  const [first_end] = config.eos_token_ids;
  if (!ids.has("eos") && first_end !== undefined) ids.set("eos", first_end);
  const { bos_token_id } = config;
  if (bos_token_id !== null && (ids.get("bos") ?? bos_token_id) !== bos_token_id) {
    throw unrepresentable(
      "bos_token_id",
      `${ids.get("bos")}, the tokenizer's bos_token: GGUF has one for both`,
      String(bos_token_id),
    );
  }
  if (bos_token_id !== null) ids.set("bos", bos_token_id);
  return ids;
}

/** Hugging Face writes a token as its text, or as an object with its content. */
function roleText(tokenizer_config: Directory["tokenizer_config"], role: Role): string | null {
  const value: unknown = tokenizer_config[`${role}_token`];
  const text = isJsonObject(value) ? value["content"] : value;
  return typeof text === "string" ? text : null;
}

function preTokenizerName(form: TokenizerForm): string {
  const { patterns, ignore_merges } = form;
  for (const name of PRE_TOKENIZER_NAMES) {
    const known = preTokenizerOf(name);
    if (known.ignore_merges === ignore_merges && Bun.deepEquals(known.patterns, patterns)) return name;
  }
  const published = patterns?.length === 1 ? PUBLISHED_PATTERNS.get(patterns[0] ?? "") : undefined;
  // Llama 3's cutting, with and without taking words whole.
  if (published === "dbrx" && ignore_merges) return "llama-bpe";
  if (published !== undefined && !ignore_merges) return published;
  throw unrepresentable(
    "tokenizer.json: pre_tokenizer",
    "a way of cutting words that GGUF has a name for",
    patterns?.length === 1 ? excerpt(patterns[0] ?? "") : `${patterns?.length} other expressions`,
  );
}

/**
 * Scores that order the pieces as the merges do: a SentencePiece tokenizer joins to the piece of the highest score first.
 * Pieces that no two others make up (letters, bytes, added tokens) come last.
 */
function scoresOf(form: TokenizerForm): Float64Array {
  const id_of_text = new Map(form.texts.map((text, id) => [text, id]));
  const order = new Set<number>();
  for (const [left, right] of form.merges) {
    const id = id_of_text.get(left + right);
    if (id !== undefined) order.add(id);
  }
  for (const id of form.texts.keys()) order.add(id);
  const scores = new Float64Array(form.texts.length);
  for (const [rank, id] of [...order].entries()) scores[id] = -rank;
  return scores;
}

function kindsOf(form: TokenizerForm, unknown_id: number | undefined): number[] {
  return form.texts.map((text, id) => {
    const special = form.added.get(id);
    if (special === false) return USER_DEFINED;
    if (special === true) return form.model === "llama" && id === unknown_id ? UNKNOWN : CONTROL;
    return form.byte_fallback && /^<0x[0-9A-F]{2}>$/.test(text) ? BYTE : NORMAL;
  });
}

/** End tokens beside the tokenizer's own, which GGUF names by two further keys unless it knows them by their texts. */
function putFurtherEndTokens(
  { config }: Directory,
  metadata: ReadonlyMap<string, GgufValue>,
  eos_token_id: number | undefined,
  put: (name: string, value: GgufValue) => void,
): void {
  const known = new Set(endTokenIds(metadataOf(metadata)));
  const further = config.eos_token_ids.filter((id) => id !== eos_token_id && !known.has(id));
  const [eot, eom, ...more] = further;
  if (eot !== undefined) put("eot_token_id", { type: "uint32", value: eot });
  if (eom !== undefined) put("eom_token_id", { type: "uint32", value: eom });
  const wrong = [...known].find((id) => !config.eos_token_ids.includes(id));
  if (more.length === 0 && wrong === undefined) return;
  throw unrepresentable(
    "eos_token_ids",
    wrong === undefined ? "at most two beside the tokenizer's eos_token" : `token ${wrong} among them`,
    describeValue(config.eos_token_ids),
  );
}

/** @throws SherryError checkpoint_unsupported naming the first thing that would come back as another one */
function checkSame(
  directory: Directory,
  form: TokenizerForm,
  metadata: ReadonlyMap<string, GgufValue>,
): void {
  const read = tokenizerFromGguf(metadataOf(metadata));
  const back = parseTokenizerForm(parseJsonObject(read.tokenizer_json, "tokenizer.json"));
  const comparable = (of: TokenizerForm) => ({
    ...of,
    patterns: null,
    // Where every byte has a token, no text is unknown.
    unknown_text: of.byte_fallback || of.model === "gpt2" ? null : of.unknown_text,
  });
  const expected: Record<string, unknown> = comparable(form);
  const received: Record<string, unknown> = comparable(back);
  const other = Object.keys(expected).find((name) => !Bun.deepEquals(expected[name], received[name]));
  if (other !== undefined) {
    throw unrepresentable(`tokenizer.json: ${other}`, "what a GGUF file can say", "something else");
  }
  for (const role of ROLES) {
    const text = roleText(directory.tokenizer_config, role);
    const name = `${role}_token`;
    if (text === null || read.tokenizer_config[name] === text) continue;
    throw unrepresentable(
      `tokenizer_config.json: ${name}`,
      "a token with that role alone",
      describeValue(text),
    );
  }
}

/** The metadata as the reader of a GGUF file would hand them out. */
function metadataOf(values: ReadonlyMap<string, GgufValue>): TokenizerMetadata {
  const number = (key: string) => {
    const value = values.get(key);
    return value === undefined || value.type === "string" || value.type === "array" ? undefined : value.value;
  };
  return {
    text(key) {
      const value = values.get(key);
      return value?.type === "string" ? value.value : undefined;
    },
    boolean: (key) => {
      const value = number(key);
      return value === undefined ? undefined : value !== 0;
    },
    integer: (key) => {
      const value = number(key);
      return value === undefined ? undefined : Number(value);
    },
    texts(key) {
      const value = values.get(key);
      return value?.type === "array" && value.element === "string" ? [...value.values] : undefined;
    },
    numbers(key) {
      const value = values.get(key);
      if (value?.type !== "array" || value.element === "string") return undefined;
      return Float64Array.from([...value.values].map(Number));
    },
  };
}
