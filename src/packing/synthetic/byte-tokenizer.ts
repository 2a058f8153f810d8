/**
 * A tokenizer without merges, for models that nobody trained: every byte is a token, and two tokens mark a text's start
 * and end. Any text goes in and comes out again.
 * Source of the alphabet: GPT-2 (Radford et al. 2019), which writes every byte as a printable character.
 */

const BYTE_COUNT = 256;

export const BEGIN_TOKEN = { id: 256, content: "<|begin|>" } as const;
export const END_TOKEN = { id: 257, content: "<|end|>" } as const;
/** Tokens that have a text; a model's vocabulary must have room for them. */
export const BYTE_VOCABULARY_SIZE = 258;

const CHAT_TEMPLATE =
  "{{ bos_token }}{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}" +
  "{% if add_generation_prompt %}assistant: {% endif %}";

/**
 * The character that stands for each byte: printable Latin-1 characters for themselves, the other bytes in order for the
 * characters from 256 on.
 */
function byteAlphabet(): string[] {
  let next_substitute = BYTE_COUNT;
  return Array.from({ length: BYTE_COUNT }, (_, byte) => {
    const itself = (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173);
    if (itself) return String.fromCharCode(byte);
    next_substitute += 1;
    return String.fromCharCode(next_substitute - 1);
  });
}

/** tokenizer.json, as an object. */
export function byteTokenizerJson() {
  const vocab: Record<string, number> = Object.fromEntries(byteAlphabet().map((text, byte) => [text, byte]));
  const special = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const byte_level = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  const begin = { SpecialToken: { id: BEGIN_TOKEN.content, type_id: 0 } };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [BEGIN_TOKEN, END_TOKEN].map(({ id, content }) => ({ id, content, ...special })),
    normalizer: null,
    pre_tokenizer: byte_level,
    post_processor: {
      type: "TemplateProcessing",
      single: [begin, { Sequence: { id: "A", type_id: 0 } }],
      pair: [begin, { Sequence: { id: "A", type_id: 0 } }, { Sequence: { id: "B", type_id: 1 } }],
      special_tokens: {
        [BEGIN_TOKEN.content]: {
          id: BEGIN_TOKEN.content,
          ids: [BEGIN_TOKEN.id],
          tokens: [BEGIN_TOKEN.content],
        },
      },
    },
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
      vocab: { ...vocab, [BEGIN_TOKEN.content]: BEGIN_TOKEN.id, [END_TOKEN.content]: END_TOKEN.id },
      merges: [],
    },
  };
}

/** tokenizer_config.json, as an object. */
export function byteTokenizerConfig(model_max_length: number) {
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: BEGIN_TOKEN.content,
    eos_token: END_TOKEN.content,
    clean_up_tokenization_spaces: false,
    model_max_length,
    chat_template: CHAT_TEMPLATE,
  };
}
