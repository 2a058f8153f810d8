/**
 * The "gpt2" kind of GGUF tokenizer, byte pairs with merges, as the members of a tokenizer.json.
 * Source: llama.cpp, llama-vocab.cpp (llm_tokenizer_bpe); Hugging Face tokenizers for the members' names.
 */
import { SherryError } from "../../errors.ts";
import { describeJson } from "../json.ts";
import { type TokenizerMetadata, tokenizerKey } from "./metadata.ts";
import type { PreTokenizer } from "./pre-tokenizers.ts";
import { invalid, type Vocabulary } from "./vocabulary.ts";

/** @throws SherryError tokenizer_invalid | tokenizer_unsupported */
export function bytePairMembers(
  metadata: TokenizerMetadata,
  vocabulary: Vocabulary,
  pre_tokenizer: PreTokenizer,
): Readonly<Record<string, unknown>> {
  const byte_id = vocabulary.kinds.indexOf("byte");
  if (byte_id >= 0) {
    throw new SherryError("tokenizer_unsupported", `${tokenizerKey("token_type")}[${byte_id}]`, {
      expected: "no byte tokens in a byte-pair vocabulary, whose bytes are letters of their own",
      received: describeJson(vocabulary.texts[byte_id]),
    });
  }
  const byte_level = { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false };
  const splits = pre_tokenizer.patterns.map((pattern) => ({
    type: "Split",
    pattern: { Regex: pattern },
    behavior: "Isolated",
    invert: false,
  }));
  return {
    normalizer: null,
    pre_tokenizer: { type: "Sequence", pretokenizers: [...splits, byte_level] },
    decoder: byte_level,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: pre_tokenizer.ignore_merges,
      vocab: Object.fromEntries(vocabulary.id_of_text),
      merges: readMerges(metadata, vocabulary),
    },
  };
}

function readMerges(metadata: TokenizerMetadata, vocabulary: Vocabulary): [string, string][] {
  const lines = metadata.texts(tokenizerKey("merges"));
  if (lines === undefined) throw invalid("merges", "an array of texts", "nothing");
  const merges = new Map<string, [string, string]>();
  for (const [index, line] of lines.entries()) {
    // The first part may begin with the separator itself, so the search starts behind its first character.
    const space = line.indexOf(" ", 1);
    const left = line.slice(0, space);
    const right = line.slice(space + 1);
    if (space < 0 || right === "")
      throw invalid(`merges[${index}]`, "two texts and a space", describeJson(line));
    for (const part of [left, right, left + right]) {
      if (vocabulary.id_of_text.has(part)) continue;
      throw invalid(`merges[${index}]`, "parts and a result that are tokens", describeJson(part));
    }
    // Of a pair that stands twice, the first place is its rank, and the place that a Map keeps.
    merges.set(line, [left, right]);
  }
  return [...merges.values()];
}
