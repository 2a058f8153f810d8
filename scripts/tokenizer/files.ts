/**
 * A trained tokenizer as Hugging Face's files: tokenizer.json (byte-level BPE) and tokenizer_config.json, whose chat
 * template writes the markers that the corpus's chat documents carry.
 * Source of the format: Hugging Face tokenizers 0.2x, transformers' PreTrainedTokenizerFast.
 */
import { SherryError } from "../../src/errors.ts";
import { checkVocabularySize, learnBytePairs } from "./byte-pairs.ts";
import { countPieces } from "./pre-tokenizer.ts";

export const END_TOKEN = "<|end|>";
export const USER_TOKEN = "<|user|>";
export const ASSISTANT_TOKEN = "<|assistant|>";
/** In the order of their ids, which follow those of bytes and merges. */
export const SPECIAL_TOKENS: readonly string[] = [END_TOKEN, USER_TOKEN, ASSISTANT_TOKEN];

export interface TokenizerFile {
  readonly added_tokens: readonly { readonly id: number; readonly content: string }[];
  readonly model: {
    readonly vocab: Readonly<Record<string, number>>;
    readonly merges: readonly (readonly [string, string])[];
  };
}

/**
 * tokenizer.json, as an object.
 * @param texts walked once; special tokens in them separate, and are not learned from
 * @param vocab_size bytes, merges and special tokens together
 * @param onProgress called with the number of tokens so far
 * @throws SherryError argument_invalid when the size or a special token is impossible
 */
export function trainBytePairEncoding(
  texts: Iterable<string>,
  vocab_size: number,
  special_tokens: readonly string[] = SPECIAL_TOKENS,
  onProgress?: (token_count: number) => void,
): TokenizerFile {
  checkSpecialTokens(special_tokens);
  checkVocabularySize(vocab_size, special_tokens.length);
  const pieces = countPieces(texts, special_tokens);
  const { token_texts, merges } = learnBytePairs(pieces, vocab_size - special_tokens.length, onProgress);
  const vocab = new Map(token_texts.map((text, id) => [text, id]));
  for (const token of special_tokens) {
    if (vocab.has(token)) throw refuseSpecialToken(token, "a text that is no token of its own already");
    vocab.set(token, vocab.size);
  }
  const traits = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const byte_level = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  const file = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: special_tokens.map((content) => ({ id: vocab.get(content) ?? 0, content, ...traits })),
    normalizer: null,
    pre_tokenizer: byte_level,
    post_processor: null,
    decoder: byte_level,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(vocab),
      merges,
    },
  };
  return file;
}

/** A system message opens the first user's turn; what the corpus has no words for is refused by name. */
const CHAT_TEMPLATE = [
  "{%- set first = namespace(opening='') -%}",
  "{%- for message in messages -%}",
  "{%- if message['role'] == 'system' and loop.first -%}",
  "{%- set first.opening = (message['content'] | trim) + '\\n\\n' -%}",
  "{%- elif message['role'] == 'user' -%}",
  `{{- '${USER_TOKEN}' + first.opening + (message['content'] | trim) -}}`,
  "{%- set first.opening = '' -%}",
  "{%- elif message['role'] == 'assistant' -%}",
  `{{- '${ASSISTANT_TOKEN}' + (message['content'] | trim) + '${END_TOKEN}' -}}`,
  "{%- else -%}",
  "{{- raise_exception('This model knows turns of user and assistant and a first one of system, and no ' + message['role']) -}}",
  "{%- endif -%}",
  "{%- endfor -%}",
  `{%- if add_generation_prompt -%}{{- '${ASSISTANT_TOKEN}' -}}{%- endif -%}`,
].join("");

/** tokenizer_config.json, as an object. */
export function tokenizerConfig(model_max_length: number) {
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    add_bos_token: false,
    bos_token: null,
    eos_token: END_TOKEN,
    additional_special_tokens: [USER_TOKEN, ASSISTANT_TOKEN],
    clean_up_tokenization_spaces: false,
    model_max_length,
    chat_template: CHAT_TEMPLATE,
  };
}

function checkSpecialTokens(special_tokens: readonly string[]): void {
  for (const [index, token] of special_tokens.entries()) {
    if (token === "" || !token.isWellFormed()) throw refuseSpecialToken(token, "a text");
    if (special_tokens.indexOf(token) !== index) throw refuseSpecialToken(token, "each text once");
  }
}

function refuseSpecialToken(token: string, expected: string): SherryError {
  return new SherryError("argument_invalid", "A special token", {
    expected,
    received: JSON.stringify(token),
  });
}
