/**
 * The "llama" kind of GGUF tokenizer, SentencePiece pieces with scores, as the members of a tokenizer.json: of type BPE,
 * with the merges found again from the scores (piece-merges.ts).
 * Source: llama.cpp, llama-vocab.cpp (llm_tokenizer_spm); Hugging Face tokenizers for the members' names.
 */
import { type TokenizerMetadata, tokenizerKey } from "./metadata.ts";
import { piecesToMerges } from "./piece-merges.ts";
import { invalid, type Vocabulary } from "./vocabulary.ts";

/** SentencePiece's letter for a space. */
const SPACE_LETTER = "\u2581";

/** @throws SherryError tokenizer_invalid | tokenizer_unsupported */
export function sentencePieceMembers(
  metadata: TokenizerMetadata,
  vocabulary: Vocabulary,
): Readonly<Record<string, unknown>> {
  const scores = metadata.numbers(tokenizerKey("scores"));
  if (scores?.length !== vocabulary.texts.length) {
    const received = scores === undefined ? "nothing" : String(scores.length);
    throw invalid("scores", `${vocabulary.texts.length} numbers, one for each token`, received);
  }
  const adds_space = metadata.boolean(tokenizerKey("add_space_prefix")) ?? true;
  const spaces_to_letters = { type: "Replace", pattern: { String: " " }, content: SPACE_LETTER };
  const letters_to_spaces = { type: "Replace", pattern: { String: SPACE_LETTER }, content: " " };
  const byte_fallback = hasByteTokens(vocabulary);
  const decoders = [
    letters_to_spaces,
    ...(byte_fallback ? [{ type: "ByteFallback" }] : []),
    { type: "Fuse" },
    ...(adds_space ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
  ];
  return {
    normalizer: {
      type: "Sequence",
      normalizers: [...(adds_space ? [{ type: "Prepend", prepend: SPACE_LETTER }] : []), spaces_to_letters],
    },
    pre_tokenizer: null,
    decoder: { type: "Sequence", decoders },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: vocabulary.unknown_token_id === null ? null : vocabulary.texts[vocabulary.unknown_token_id],
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback,
      ignore_merges: false,
      vocab: Object.fromEntries(vocabulary.id_of_text),
      merges: piecesToMerges(vocabulary, scores),
    },
  };
}

/** All 256, or none: with a part of them some characters would be lost without a word. */
function hasByteTokens(vocabulary: Vocabulary): boolean {
  const names = Array.from({ length: 256 }, (_, byte) => {
    return `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
  });
  const missing = names.filter((name) => !vocabulary.id_of_text.has(name));
  if (missing.length === 0 || missing.length === names.length) return missing.length === 0;
  throw invalid(
    "tokens",
    "all 256 byte tokens or none",
    `${missing.length} missing, ${missing[0]} among them`,
  );
}
