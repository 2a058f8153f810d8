/**
 * Tokenizers for the tests: a GPT-2-like byte-level one and a SentencePiece-like one, both made here, and the models of
 * the shared folder where there is one.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { SherryError } from "../../src/errors.ts";

const SHARED = new URL("../../../shared/", import.meta.url);

/** Tests on shared models are skipped, visibly, where the folder is absent; with CI set they run, and fail. */
export const SKIPS_SHARED = !existsSync(fileURLToPath(SHARED)) && process.env["CI"] === undefined;

export function sharedFile(path: string) {
  return Bun.file(fileURLToPath(new URL(path, SHARED)));
}

/** GPT-2's byte alphabet as its authors build it: printable bytes as themselves, the others from U+0100 on. */
export const BYTE_ALPHABET: readonly string[] = (() => {
  const alphabet: string[] = [];
  let next = 256;
  for (let byte = 0; byte < 256; byte += 1) {
    const printable = (byte > 32 && byte < 127) || (byte > 160 && byte < 173) || byte > 173;
    alphabet.push(String.fromCharCode(printable ? byte : next++));
  }
  return alphabet;
})();

export function inByteAlphabet(bytes: Uint8Array | string): string {
  const raw = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
  return Array.from(raw, (byte) => BYTE_ALPHABET[byte]).join("");
}

const GPT2_SPLIT =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** 256 bytes, merges that make whole characters, halves of characters and words, then two added tokens. */
export function byteLevelTokenizer(): Record<string, unknown> {
  const vocab: Record<string, number> = {};
  for (const character of BYTE_ALPHABET) vocab[character] = Object.keys(vocab).length;
  const merges: [string, string][] = [];
  const merge = (left: string, right: string) => {
    merges.push([left, right]);
    vocab[left + right] ??= Object.keys(vocab).length;
  };
  // Two of the four bytes of most emoji, two and three of the three bytes of a CJK character, a space with a letter.
  const [f0 = "", ninth = "", e6 = "", bc = "", a2 = ""] = [0xf0, 0x9f, 0xe6, 0xbc, 0xa2].map(
    (byte) => BYTE_ALPHABET[byte],
  );
  merge(f0, ninth);
  merge(e6, bc);
  merge(e6 + bc, a2);
  const space = BYTE_ALPHABET[32] ?? "";
  merge("t", "h");
  merge("th", "e");
  merge(space, "the");
  merge("i", "n");
  const size = Object.keys(vocab).length;
  return {
    version: "1.0",
    added_tokens: [
      { id: size, content: "<|begin|>", special: true },
      { id: size + 1, content: "<|end|>", special: true },
      { id: size + 2, content: "<tool é>", special: false },
    ],
    normalizer: null,
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: GPT2_SPLIT }, behavior: "Isolated", invert: false },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
      ],
    },
    post_processor: {
      type: "TemplateProcessing",
      single: [{ SpecialToken: { id: "<|begin|>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
      pair: [{ Sequence: { id: "A", type_id: 0 } }],
      special_tokens: { "<|begin|>": { id: "<|begin|>", ids: [size], tokens: ["<|begin|>"] } },
    },
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { type: "BPE", vocab, merges, unk_token: null, byte_fallback: false, ignore_merges: false },
  };
}

export const PIECES_DECODER = {
  type: "Sequence",
  decoders: [
    { type: "Replace", pattern: { String: "▁" }, content: " " },
    { type: "ByteFallback" },
    { type: "Fuse" },
    { type: "Strip", content: " ", start: 1, stop: 0 },
  ],
};

/** <unk>, <s>, </s>, the 256 bytes, then a few pieces of text. */
export function piecesTokenizer(): Record<string, unknown> {
  const vocab: Record<string, number> = { "<unk>": 0, "<s>": 1, "</s>": 2 };
  for (let byte = 0; byte < 256; byte += 1) {
    vocab[`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`] = 3 + byte;
  }
  for (const piece of ["▁", "a", "b", "▁a", "▁▁", "é", "漢", "😀", "▁😀", "ab", "▁ab"]) {
    vocab[piece] = Object.keys(vocab).length;
  }
  return {
    version: "1.0",
    added_tokens: ["<unk>", "<s>", "</s>"].map((content, id) => ({
      id,
      content,
      special: true,
      normalized: false,
    })),
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "Prepend", prepend: "▁" },
        { type: "Replace", pattern: { String: " " }, content: "▁" },
      ],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: PIECES_DECODER,
    model: {
      type: "BPE",
      vocab,
      merges: ["a b", "▁ ab", "▁ a", "▁ ▁", "▁ 😀"],
      unk_token: "<unk>",
      fuse_unk: true,
      byte_fallback: true,
    },
  };
}

/** As bytes of a file. */
export function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** The SherryError that `run` throws; fails when it throws something else or nothing. */
export function errorOf(run: () => unknown): SherryError {
  try {
    run();
  } catch (error) {
    if (error instanceof SherryError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
