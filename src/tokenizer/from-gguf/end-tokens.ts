/**
 * The tokens that end an answer. A GGUF file names at most three; others that the checkpoint's generation_config.json
 * had are known by their texts only, as in llama.cpp.
 * Source: llama.cpp, llama-vocab.cpp (special_eog_ids).
 */
import { TENSOR_DIMENSION_MAX } from "../../limits.ts";
import { type TokenizerMetadata, tokenizerKey } from "./metadata.ts";
import { invalid, readVocabulary, type Vocabulary } from "./vocabulary.ts";

const END_TEXTS: ReadonlySet<string> = new Set([
  "<|eot_id|>",
  "<|eom_id|>",
  "<|im_end|>",
  "<|end|>",
  "<|endoftext|>",
  "<|end_of_text|>",
  "<end_of_turn>",
]);

/** Whether a token with that id ends an answer by its text: only tokens that no plain text is spelled with. */
export function isEndByText(vocabulary: Vocabulary, id: number): boolean {
  const kind = vocabulary.kinds[id];
  return END_TEXTS.has(vocabulary.texts[id] ?? "") && (kind === "control" || kind === "user_defined");
}

/**
 * The ids, the file's own end token first, each once.
 * @throws SherryError tokenizer_invalid | tokenizer_unsupported
 */
export function endTokenIds(metadata: TokenizerMetadata): readonly number[] {
  const vocabulary = readVocabulary(metadata);
  const ids = new Set<number>();
  if (vocabulary.eos_token_id !== null) ids.add(vocabulary.eos_token_id);
  for (const name of ["eot_token_id", "eom_token_id"]) {
    const id = metadata.integer(tokenizerKey(name), 0, TENSOR_DIMENSION_MAX - 1);
    if (id === undefined) continue;
    if (id >= vocabulary.texts.length)
      throw invalid(name, `an id below ${vocabulary.texts.length}`, String(id));
    ids.add(id);
  }
  for (const id of vocabulary.texts.keys()) if (isEndByText(vocabulary, id)) ids.add(id);
  return [...ids];
}
