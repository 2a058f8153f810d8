/**
 * A tokenizer.json taken apart into what a GGUF file can say about a tokenizer. Everything that it has no word for is
 * refused by the member's name, because a tokenizer that is almost right gives other ids, and those look like a bad
 * model. Source: Hugging Face tokenizers (the members), llama.cpp's llama-vocab.cpp (what GGUF can say).
 */
import { Fields } from "../checkpoint-fields.ts";
import { describeValue } from "../excerpt.ts";
import { isJsonObject, type JsonObject } from "../json-text.ts";
import { unrepresentable } from "./refusal.ts";

export interface TokenizerForm {
  /** Pieces whose spaces are a letter (SentencePiece), or byte pairs. */
  readonly model: "llama" | "gpt2";
  /** Index: token id. */
  readonly texts: readonly string[];
  /** Tokens that are found in a text before it is cut into words: id to whether decoding may leave them out. */
  readonly added: ReadonlyMap<number, boolean>;
  readonly merges: readonly (readonly [string, string])[];
  /** How gpt2 cuts a text into words; null for llama. */
  readonly patterns: readonly string[] | null;
  readonly ignore_merges: boolean;
  /** Whether llama puts a space before a text. */
  readonly adds_space: boolean;
  readonly byte_fallback: boolean;
  readonly unknown_text: string | null;
  /** The tokens that encoding puts before and after a text. */
  readonly before: string | null;
  readonly after: string | null;
}

const SPACE_LETTER = "\u2581";
/** What the "ByteLevel" pre-tokenizer cuts by when it uses its own expression. */
const BYTE_LEVEL_PATTERN = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;

/** @throws SherryError checkpoint_unsupported naming the member; checkpoint_invalid for members of other types */
export function parseTokenizerForm(tokenizer: JsonObject): TokenizerForm {
  const root = new Fields("tokenizer.json", tokenizer);
  for (const name of ["truncation", "padding"])
    refuseUnless(root, name, root.value(name) === undefined, "null");
  const model = child(root, "model");
  refuseUnless(model, "type", model.value("type") === "BPE", '"BPE"');
  for (const name of ["dropout", "continuing_subword_prefix", "end_of_word_suffix"]) {
    const value = model.value(name);
    refuseUnless(model, name, value === undefined || value === "" || value === 0, "null");
  }
  const is_llama = root.value("pre_tokenizer") === undefined && root.value("normalizer") !== undefined;
  const { texts, added } = readTokens(root, model, is_llama);
  const byte_fallback = model.boolean("byte_fallback") ?? false;
  const common = {
    ...{ texts, added, byte_fallback, merges: readMerges(model) },
    ignore_merges: model.boolean("ignore_merges") ?? false,
    unknown_text: model.text("unk_token") ?? null,
    ...readPostProcessor(root),
  };
  if (is_llama) {
    return { model: "llama", ...common, patterns: null, adds_space: readSpaceLetters(root, byte_fallback) };
  }
  refuseUnless(root, "normalizer", root.value("normalizer") === undefined, "null: GGUF has no word for one");
  refuseUnless(model, "byte_fallback", !byte_fallback, "false beside byte pairs");
  const decoder = child(root, "decoder");
  refuseUnless(decoder, "type", decoder.value("type") === "ByteLevel", '"ByteLevel"');
  return { model: "gpt2", ...common, patterns: readPatterns(root), adds_space: false };
}

function child(fields: Fields, name: string): Fields {
  const value = fields.value(name);
  if (isJsonObject(value)) return new Fields(`${fields.file_name}: ${name}`, value);
  throw fields.unsupported(name, "an object");
}

function refuseUnless(fields: Fields, name: string, is_right: boolean, expected: string): void {
  if (!is_right) throw fields.unsupported(name, expected);
}

function readTokens(root: Fields, model: Fields, is_llama: boolean) {
  const vocab = model.value("vocab");
  if (!isJsonObject(vocab)) throw model.unsupported("vocab", "an object of ids by text");
  const id_of_text = new Map(Object.entries(vocab));
  const added = new Map<number, boolean>();
  for (const [index, token] of listOf(root, "added_tokens").entries()) {
    const fields = new Fields(`tokenizer.json: added_tokens[${index}]`, isJsonObject(token) ? token : {});
    const id = fields.requiredInteger("id", 0, Number.MAX_SAFE_INTEGER);
    const content = fields.text("content") ?? "";
    for (const name of ["lstrip", "rstrip", "single_word"]) {
      refuseUnless(fields, name, fields.boolean(name) !== true, "false: GGUF has no word for it");
    }
    // Where nothing is normalized the switch says nothing.
    if (is_llama) refuseUnless(fields, "normalized", fields.boolean("normalized") === false, "false");
    const other = id_of_text.get(content) ?? id;
    refuseUnless(fields, "id", other === id, `${describeValue(other)}, as in the vocabulary`);
    id_of_text.set(content, id);
    added.set(id, fields.boolean("special") ?? false);
  }
  const texts = new Array<string>(id_of_text.size);
  for (const [text, id] of id_of_text) {
    const fits = typeof id === "number" && Number.isInteger(id) && id >= 0 && id < texts.length;
    if (!fits || texts[id] !== undefined) {
      throw unrepresentable(
        "tokenizer.json: model.vocab",
        `the ids 0 to ${texts.length - 1}, each once`,
        `${describeValue(id)} for ${describeValue(text)}`,
      );
    }
    texts[id] = text;
  }
  return { texts, added };
}

function readMerges(model: Fields): (readonly [string, string])[] {
  return listOf(model, "merges").map((merge, index) => {
    const pair = typeof merge === "string" ? merge.split(" ") : merge;
    const [left, right] = Array.isArray(pair) ? pair : [];
    if (Array.isArray(pair) && pair.length === 2 && typeof left === "string" && typeof right === "string") {
      return [left, right];
    }
    throw unrepresentable(`tokenizer.json: model.merges[${index}]`, "two texts", describeValue(merge));
  });
}

/** The words' regular expressions, each applied to what those before it left. */
function readPatterns(root: Fields): readonly string[] {
  const pre_tokenizer = child(root, "pre_tokenizer");
  const parts =
    pre_tokenizer.value("type") === "Sequence"
      ? listOf(pre_tokenizer, "pretokenizers")
      : [root.value("pre_tokenizer")];
  const patterns: string[] = [];
  for (const [index, part] of parts.entries()) {
    const fields = new Fields(`tokenizer.json: pre_tokenizer ${index}`, isJsonObject(part) ? part : {});
    if (index < parts.length - 1) {
      patterns.push(readSplit(fields));
      continue;
    }
    refuseUnless(fields, "type", fields.value("type") === "ByteLevel", '"ByteLevel" as the last one');
    refuseUnless(fields, "add_prefix_space", fields.boolean("add_prefix_space") === false, "false");
    if (fields.boolean("use_regex") !== false) patterns.push(BYTE_LEVEL_PATTERN);
  }
  return patterns;
}

function readSplit(fields: Fields): string {
  refuseUnless(fields, "type", fields.value("type") === "Split", '"Split"');
  refuseUnless(fields, "behavior", fields.value("behavior") === "Isolated", '"Isolated"');
  refuseUnless(fields, "invert", fields.boolean("invert") !== true, "false");
  const pattern = fields.value("pattern");
  const regex = isJsonObject(pattern) ? pattern["Regex"] : undefined;
  if (typeof regex === "string") return regex;
  throw fields.unsupported("pattern", "a regular expression");
}

/** SentencePiece's normalizer and decoder. Returns whether they put a space before a text. */
function readSpaceLetters(root: Fields, byte_fallback: boolean): boolean {
  const to_letters = { type: "Replace", pattern: { String: " " }, content: SPACE_LETTER };
  const to_spaces = { type: "Replace", pattern: { String: SPACE_LETTER }, content: " " };
  for (const adds_space of [true, false]) {
    const normalizers = [...(adds_space ? [{ type: "Prepend", prepend: SPACE_LETTER }] : []), to_letters];
    const decoders = [
      to_spaces,
      ...(byte_fallback ? [{ type: "ByteFallback" }] : []),
      { type: "Fuse" },
      ...(adds_space ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
    ];
    if (!Bun.deepEquals(root.value("normalizer"), { type: "Sequence", normalizers })) continue;
    const is_right = Bun.deepEquals(root.value("decoder"), { type: "Sequence", decoders });
    refuseUnless(root, "decoder", is_right, "the one that undoes the normalizer");
    return adds_space;
  }
  throw root.unsupported("normalizer", "spaces as letters, and nothing else: GGUF has no word for more");
}

/** The tokens around a single text. */
function readPostProcessor(root: Fields): { readonly before: string | null; readonly after: string | null } {
  const none = { before: null, after: null };
  const post_processor = root.value("post_processor");
  if (post_processor === undefined) return none;
  const fields = child(root, "post_processor");
  const parts = fields.value("type") === "Sequence" ? listOf(fields, "processors") : [post_processor];
  // ByteLevel here only moves the places of tokens in the text, which nothing asks for.
  const others = parts.filter((part) => !(isJsonObject(part) && part["type"] === "ByteLevel"));
  if (others.length === 0) return none;
  const [template] = others;
  if (others.length === 1 && isJsonObject(template) && template["type"] === "TemplateProcessing") {
    return readTemplate(new Fields("tokenizer.json: post_processor", template));
  }
  throw root.unsupported("post_processor", "tokens before and after a text");
}

function readTemplate(template: Fields): { readonly before: string | null; readonly after: string | null } {
  const parts = listOf(template, "single").map((part) => {
    if (Bun.deepEquals(part, { Sequence: { id: "A", type_id: 0 } })) return null;
    const token = isJsonObject(part) ? part["SpecialToken"] : undefined;
    return isJsonObject(token) && typeof token["id"] === "string" ? token["id"] : undefined;
  });
  const text_at = parts.indexOf(null);
  const before = text_at > 0 ? parts[0] : null;
  const after = text_at + 1 < parts.length ? parts[text_at + 1] : null;
  const is_known = text_at >= 0 && text_at <= 1 && parts.length <= text_at + 2;
  if (is_known && before !== undefined && after !== undefined) return { before, after };
  throw template.unsupported("single", "at most one token before the text and one after it");
}

function listOf(fields: Fields, name: string): readonly unknown[] {
  const value = fields.value(name);
  if (Array.isArray(value)) return value;
  throw fields.unsupported(name, "an array");
}
