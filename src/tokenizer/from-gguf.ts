/**
 * The tokenizer of a GGUF file as the files that a Hugging Face checkpoint has for it: tokenizer.json (which
 * tokenizer.ts reads), the fields of tokenizer_config.json, and the chat template.
 * Source: llama.cpp, llama-vocab.cpp and gguf-py (key names, what each means); Hugging Face tokenizers for the result.
 */
import { bytePairMembers } from "./from-gguf/byte-pairs.ts";
import { isEndByText } from "./from-gguf/end-tokens.ts";
import { type TokenizerMetadata, tokenizerKey } from "./from-gguf/metadata.ts";
import { preTokenizerOf } from "./from-gguf/pre-tokenizers.ts";
import { sentencePieceMembers } from "./from-gguf/sentence-pieces.ts";
import { invalid, readVocabulary, type Vocabulary } from "./from-gguf/vocabulary.ts";

export { endTokenIds } from "./from-gguf/end-tokens.ts";
export type { TokenizerMetadata } from "./from-gguf/metadata.ts";

export interface GgufTokenizer {
  /** tokenizer.json's bytes; the same metadata gives the same bytes. */
  readonly tokenizer_json: Uint8Array;
  /** Fields of tokenizer_config.json, without the template. */
  readonly tokenizer_config: Readonly<Record<string, unknown>>;
  readonly chat_template: string | null;
}

/**
 * @throws SherryError tokenizer_invalid for metadata that contradict themselves; tokenizer_unsupported for a kind of
 *   tokenizer or a pre-tokenizer that is not built, by its name; and what `metadata` throws for values of other types
 */
export function tokenizerFromGguf(metadata: TokenizerMetadata): GgufTokenizer {
  const vocabulary = readVocabulary(metadata);
  const pre_tokenizer =
    vocabulary.model === "gpt2" ? preTokenizerOf(metadata.text(tokenizerKey("pre"))) : null;
  const members =
    pre_tokenizer === null
      ? sentencePieceMembers(metadata, vocabulary)
      : bytePairMembers(metadata, vocabulary, pre_tokenizer);
  const adds_bos = metadata.boolean(tokenizerKey("add_bos_token")) ?? pre_tokenizer?.adds_bos ?? true;
  const adds_eos = metadata.boolean(tokenizerKey("add_eos_token")) ?? false;
  const before = adds_bos ? roleText(vocabulary, "bos_token_id", "add_bos_token") : null;
  const after = adds_eos ? roleText(vocabulary, "eos_token_id", "add_eos_token") : null;
  const tokenizer = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: addedTokens(vocabulary),
    ...members,
    post_processor: postProcessor(vocabulary, before, after),
  };
  return {
    tokenizer_json: new TextEncoder().encode(JSON.stringify(tokenizer)),
    tokenizer_config: { ...roleTokens(vocabulary), add_bos_token: adds_bos, add_eos_token: adds_eos },
    chat_template: metadata.text("tokenizer.chat_template") ?? null,
  };
}

/** Tokens that are found in a text before it is cut into words. */
function addedTokens(vocabulary: Vocabulary): object[] {
  return vocabulary.texts.flatMap((content, id) => {
    const kind = vocabulary.kinds[id];
    if (kind !== "control" && kind !== "user_defined" && kind !== "unknown") return [];
    const special = kind !== "user_defined" || isEndByText(vocabulary, id);
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }];
  });
}

function postProcessor(vocabulary: Vocabulary, before: string | null, after: string | null): object | null {
  const texts = [before, after].filter((text) => text !== null);
  if (texts.length === 0) return null;
  const token = (text: string | null) => (text === null ? [] : [{ SpecialToken: { id: text, type_id: 0 } }]);
  const sequence = (id: string, type_id: number) => ({ Sequence: { id, type_id } });
  const single = [...token(before), sequence("A", 0), ...token(after)];
  return {
    type: "TemplateProcessing",
    single,
    pair: [...single, ...token(before), sequence("B", 1), ...token(after)],
    special_tokens: Object.fromEntries(
      texts.map((text) => [text, { id: text, ids: [vocabulary.id_of_text.get(text)], tokens: [text] }]),
    ),
  };
}

/** The token that a switch asks for. */
function roleText(vocabulary: Vocabulary, role: "bos_token_id" | "eos_token_id", key: string): string {
  const text = vocabulary.texts[vocabulary[role] ?? -1];
  if (text !== undefined) return text;
  throw invalid(role, `an id, as ${tokenizerKey(key)} is true`, "nothing");
}

function roleTokens(vocabulary: Vocabulary): Readonly<Record<string, string>> {
  const { texts, kinds, padding_token_id } = vocabulary;
  // Files name any token for padding, letters too; named here it would be found in texts as a token of its own.
  const pads = padding_token_id !== null && ["control", "unknown"].includes(kinds[padding_token_id] ?? "");
  const ids = {
    bos_token: vocabulary.bos_token_id,
    eos_token: vocabulary.eos_token_id,
    unk_token: vocabulary.unknown_token_id,
    pad_token: pads ? padding_token_id : null,
  };
  return Object.fromEntries(
    Object.entries(ids).flatMap(([name, id]) => {
      const text = texts[id ?? -1];
      return text === undefined ? [] : [[name, text]];
    }),
  );
}
