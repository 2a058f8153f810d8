/**
 * What each token adds to the text: whole characters, bytes that may be part of one, or nothing. Derived from the
 * decoder's definition and kept after first use, so that streaming costs the same for every token.
 */
import type { DecoderDefinition } from "./decoder-definition.ts";
import type { TokenizerDefinition } from "./definition.ts";

/** Bytes may end, or begin, inside a character. Text never does; it ends an unfinished character before it. */
export type TokenPiece = { readonly text: string } | { readonly bytes: Uint8Array };

const NOTHING: TokenPiece = { bytes: new Uint8Array(0) };

export class TokenPieces {
  readonly #token_texts: readonly (string | undefined)[];
  readonly #decoder: DecoderDefinition;
  readonly #added_texts: ReadonlySet<string>;
  readonly #special_texts: ReadonlySet<string>;
  readonly #pieces = new Map<number, TokenPiece>();

  constructor(definition: TokenizerDefinition, decoder: DecoderDefinition) {
    this.#token_texts = definition.token_texts;
    this.#decoder = decoder;
    this.#added_texts = new Set(definition.added_tokens.map((token) => token.content));
    this.#special_texts = new Set(
      definition.added_tokens.filter((token) => token.special).map((token) => token.content),
    );
  }

  /**
   * An id without a token adds nothing: models pad their embeddings to round sizes, and the padding can be sampled.
   * Source: Hugging Face tokenizers, TokenizerImpl::decode, which leaves such ids out too.
   */
  piece(token_id: number, skip_special_tokens: boolean): TokenPiece {
    const text = this.#token_texts[token_id];
    if (text === undefined || (skip_special_tokens && this.#special_texts.has(text))) return NOTHING;
    let piece = this.#pieces.get(token_id);
    if (piece === undefined) {
      piece = this.#derive(text);
      this.#pieces.set(token_id, piece);
    }
    return piece;
  }

  #derive(token_text: string): TokenPiece {
    const decoder = this.#decoder;
    if (decoder.kind === "byte_level") {
      return this.#added_texts.has(token_text) ? { text: token_text } : byteLevelPiece(token_text);
    }
    let text = token_text;
    for (const { pattern, content } of decoder.replacements) text = text.split(pattern).join(content);
    const byte = decoder.byte_fallback ? /^<0x([0-9A-Fa-f]{2})>$/.exec(text)?.[1] : undefined;
    if (byte !== undefined) return { bytes: Uint8Array.of(Number.parseInt(byte, 16)) };
    return { text };
  }
}

function byteLevelPiece(token_text: string): TokenPiece {
  const bytes = new Uint8Array(token_text.length);
  for (let index = 0; index < token_text.length; index += 1) {
    const byte = BYTE_OF_UNIT[token_text.charCodeAt(index)] ?? -1;
    // A token outside the alphabet stands for itself, as in Hugging Face tokenizers' ByteLevel decoder.
    if (byte < 0) return { text: token_text };
    bytes[index] = byte;
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return text === "" ? NOTHING : { text };
  } catch {
    return { bytes };
  }
}

/**
 * Index: UTF-16 unit; value: byte, or -1. Printable Latin-1 bytes are written as themselves; the 68 others, in order,
 * as the characters from U+0100 on.
 */
const BYTE_OF_UNIT: Int16Array = (() => {
  const table = new Int16Array(0x100 + 68).fill(-1);
  let next_unit = 0x100;
  for (let byte = 0; byte < 256; byte += 1) {
    const is_printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    table[is_printable ? byte : next_unit++] = byte;
  }
  return table;
})();
