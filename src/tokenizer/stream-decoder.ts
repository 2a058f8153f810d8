/**
 * Token ids to text, one token at a time, never half a character: bytes wait until their character is whole. All
 * pushes and the flush together equal the decode of the whole sequence. A push costs the length of its token.
 * Invalid UTF-8 becomes U+FFFD by the WHATWG rule (one for each longest valid prefix), as in the tokenizer library.
 */
import { SherryError } from "../errors.ts";
import type { DecoderDefinition } from "./decoder-definition.ts";
import type { TokenPieces } from "./token-pieces.ts";

export interface StreamDecoderOptions {
  readonly skip_special_tokens: boolean;
  /**
   * Tokens that stand before the answer. They are not part of its text, but decide how it begins: after a prompt with
   * text, the leading space of the answer's first word stays. A character that the prompt left unfinished is emitted,
   * whole, with the answer.
   */
  readonly prompt_token_ids: readonly number[];
}

export class StreamDecoder {
  readonly #pieces: TokenPieces;
  readonly #skip_special_tokens: boolean;
  // A byte order mark in the middle of a text is a character like any other, hence ignoreBOM.
  readonly #utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #strip_content: string;
  /** How many leading units equal to `#strip_content` may still be cut. */
  #strip_left: number;
  /** Whether bytes went into `#utf8` that may be waiting there. */
  #bytes_may_wait = false;

  /** @throws SherryError argument_invalid for a prompt token that is no token id. */
  constructor(pieces: TokenPieces, decoder: DecoderDefinition, options: StreamDecoderOptions) {
    this.#pieces = pieces;
    this.#skip_special_tokens = options.skip_special_tokens;
    this.#strip_content = decoder.kind === "pieces" ? decoder.strip.content : "";
    this.#strip_left = decoder.kind === "pieces" ? decoder.strip.count : 0;
    for (const token_id of options.prompt_token_ids) this.push(token_id);
  }

  /**
   * @returns the text that is final with this token; "" while a character is unfinished, for a special token and for
   *   an id that no token has.
   * @throws SherryError argument_invalid when `token_id` is no whole number of at least 0.
   */
  push(token_id: number): string {
    if (!Number.isSafeInteger(token_id) || token_id < 0) {
      throw new SherryError("argument_invalid", "token id", {
        expected: "a whole number of at least 0",
        received: String(token_id),
      });
    }
    const piece = this.#pieces.piece(token_id, this.#skip_special_tokens);
    if ("text" in piece) return this.#strip(this.#finishCharacter() + piece.text);
    if (piece.bytes.length === 0) return "";
    this.#bytes_may_wait = true;
    return this.#strip(this.#utf8.decode(piece.bytes, { stream: true }));
  }

  /** Ends the text. @returns U+FFFD when a character was left unfinished, else "". */
  flush(): string {
    return this.#strip(this.#finishCharacter());
  }

  #finishCharacter(): string {
    if (!this.#bytes_may_wait) return "";
    this.#bytes_may_wait = false;
    return this.#utf8.decode();
  }

  #strip(text: string): string {
    if (this.#strip_left === 0 || text === "") return text;
    let cut = 0;
    while (cut < this.#strip_left && text[cut] === this.#strip_content) cut += 1;
    this.#strip_left = cut === text.length ? this.#strip_left - cut : 0;
    return text.slice(cut);
  }
}
