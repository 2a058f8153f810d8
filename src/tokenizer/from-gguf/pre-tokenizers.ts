/**
 * How byte-pair tokenizers cut a text into words before they merge, by the name that a GGUF file gives. Each name stands
 * for patterns that are applied one after the other, each to the pieces that those before it left. A name that is not
 * here is refused: other patterns would give other ids, and wrong ids look like a bad model.
 * Source: llama.cpp, llama-vocab.cpp (names, patterns, defaults); the patterns are those of the models' tokenizer.json.
 */
import { SherryError } from "../../errors.ts";
import { describeJson } from "../json.ts";

export interface PreTokenizer {
  /** Regular expressions; every match is a piece, and so is every rest between matches. */
  readonly patterns: readonly string[];
  /** Whether a word that is a token is taken whole, without merging. */
  readonly ignore_merges: boolean;
  /** Whether BOS stands before a text when the file does not say. */
  readonly adds_bos: boolean;
}

const GPT2_WORDS = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;

/** The family of Llama 3 and Qwen, which differ in how digits are grouped. */
function words(digits: string): string {
  return [
    "'(?:[sdmtSDMT]|[lL][lL]|[vV][eE]|[rR][eE])",
    String.raw`[^\r\n\p{L}\p{N}]?\p{L}+`,
    digits,
    String.raw` ?[^\s\p{L}\p{N}]+[\r\n]*`,
    String.raw`\s*[\r\n]+`,
    String.raw`\s+(?!\S)`,
    String.raw`\s+`,
  ].join("|");
}

/** DeepSeek 3's, which Hunyuan's dense models share: digits by three, runs of Chinese and kana, then words. */
const DEEPSEEK3_PATTERNS = [
  String.raw`\p{N}{1,3}`,
  "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
  [
    String.raw`[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_${"`"}{|}~][A-Za-z]+`,
    String.raw`[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+`,
    String.raw` ?[\p{P}\p{S}]+[\r\n]*`,
    String.raw`\s*[\r\n]+`,
    String.raw`\s+(?!\S)`,
    String.raw`\s+`,
  ].join("|"),
];

const LLAMA3: PreTokenizer = {
  patterns: [words(String.raw`\p{N}{1,3}`)],
  ignore_merges: true,
  adds_bos: true,
};
const LLAMA3_WORDS: PreTokenizer = { ...LLAMA3, ignore_merges: false, adds_bos: false };
const QWEN2: PreTokenizer = { patterns: [words(String.raw`\p{N}`)], ignore_merges: false, adds_bos: false };
const DEEPSEEK3: PreTokenizer = { patterns: DEEPSEEK3_PATTERNS, ignore_merges: false, adds_bos: false };
const GPT2: PreTokenizer = { patterns: [GPT2_WORDS], ignore_merges: false, adds_bos: false };
const SINGLE_DIGITS: PreTokenizer = { ...GPT2, patterns: [String.raw`\p{N}`, GPT2_WORDS] };
const FALCON: PreTokenizer = {
  ...GPT2,
  patterns: [String.raw`[\p{P}\$\+<=>\^~\|${"`"}]+`, GPT2_WORDS, "[0-9][0-9][0-9]"],
};
const DEFAULT: PreTokenizer = {
  ...GPT2,
  patterns: [String.raw`[\p{P}\$\+<=>\^~\|]+`, GPT2_WORDS, String.raw`\p{N}+`, "[0-9][0-9][0-9]"],
};

const PRE_TOKENIZERS: ReadonlyMap<string, PreTokenizer> = new Map([
  ["default", DEFAULT],
  ...same(["llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"], LLAMA3),
  ...same(["dbrx", "smaug-bpe", "chatglm-bpe", "glm4"], LLAMA3_WORDS),
  ...same(["qwen2", "deepseek-r1-qwen", "kormo", "megrez", "stablelm2", "hunyuan", "solar-open"], QWEN2),
  ...same(["hunyuan-dense", "deepseek-v3", "joyai-llm", "hy_v4"], DEEPSEEK3),
  ...same(
    ["gpt-2", "phi-2", "gigachat", "a.x-4.0", "mellum", "exaone4", "mpt", "olmo", "jais", "trillion"],
    GPT2,
  ),
  ...same(["starcoder", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b"], SINGLE_DIGITS),
  ["falcon", FALCON],
]);

/** @throws SherryError tokenizer_unsupported, naming what the file asks for */
export function preTokenizerOf(name: string | undefined): PreTokenizer {
  const found = name === undefined ? undefined : PRE_TOKENIZERS.get(name);
  if (found !== undefined) return found;
  throw new SherryError("tokenizer_unsupported", "tokenizer.ggml.pre", {
    expected: "the name of a pre-tokenizer that is built in",
    received: name === undefined ? "none" : describeJson(name),
    next_step:
      name === undefined
        ? "Convert the model again with a current converter, which writes the name"
        : "Pack the original checkpoint, with its tokenizer.json",
  });
}

function same(names: readonly string[], pre_tokenizer: PreTokenizer): [string, PreTokenizer][] {
  return names.map((name) => [name, pre_tokenizer]);
}
