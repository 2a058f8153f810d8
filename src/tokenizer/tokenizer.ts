/**
 * Text to token ids and back. Encoding is @huggingface/tokenizers, whose ids match the Python reference; decoding is
 * our own table of token pieces, because the library decodes only whole sequences and so cannot stream.
 */
import { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import { SherryError } from "../errors.ts";
import { type DecoderDefinition, readDecoderDefinition } from "./decoder-definition.ts";
import { readTokenizerDefinition, type TokenizerDefinition } from "./definition.ts";
import { StreamDecoder } from "./stream-decoder.ts";
import { TokenPieces } from "./token-pieces.ts";

export interface Tokenizer {
  /** The largest token id plus one; the model's own vocabulary may be padded beyond it. */
  readonly vocab_size: number;
  /** Ids that decoding skips when asked to: BOS, end tokens, chat markers. */
  readonly special_token_ids: ReadonlySet<number>;
  /**
   * @param options.add_special_tokens whether tokenizer.json's post-processor adds its tokens (BOS). False for text
   *   that a chat template rendered: the template wrote them already, and markers in the text are recognised either way.
   *   Characters that the vocabulary cannot write become the unknown token, or nothing when there is none, as in the
   *   reference tokenizer.
   * @throws SherryError tokenizer_invalid when the file is broken in a way that only this text shows.
   */
  encode(text: string, options: { readonly add_special_tokens: boolean }): number[];
  /** @throws SherryError argument_invalid for what is no token id. Ids that no token has add nothing. */
  decode(token_ids: readonly number[], options: { readonly skip_special_tokens: boolean }): string;
  /** The token as the vocabulary writes it (bytes in the byte alphabet, ▁ for a space), or undefined. */
  tokenText(token_id: number): string | undefined;
  tokenId(token_text: string): number | undefined;
  /**
   * A decoder for an answer, special tokens skipped.
   * @param prompt_token_ids what the answer continues; see StreamDecoderOptions. None: the answer is the whole text.
   */
  streamDecoder(prompt_token_ids?: readonly number[]): StreamDecoder;
}

/**
 * @param tokenizer_json the file's bytes
 * @param tokenizer_config tokenizer_config.json, parsed; {} when the checkpoint has none
 * @throws SherryError tokenizer_invalid | tokenizer_unsupported
 */
export function loadTokenizer(
  tokenizer_json: Uint8Array,
  tokenizer_config: Readonly<Record<string, unknown>>,
): Tokenizer {
  const definition = readTokenizerDefinition(tokenizer_json, tokenizer_config);
  const decoder = readDecoderDefinition(definition.decoder);
  // Of tokenizer_config.json the library would use text cleaning and lower-casing, which are not the reference
  // tokenizer's; what matters for the ids has joined the definition already.
  const library = runLibrary(() => new LibraryTokenizer(definition.library_input, {}));
  const tokenizer = new LoadedTokenizer(definition, decoder, library);
  // Some parts of the file are first touched by encoding; a broken one shall fail here, not at the first request.
  tokenizer.encode(" a", { add_special_tokens: true });
  return tokenizer;
}

class LoadedTokenizer implements Tokenizer {
  readonly vocab_size: number;
  readonly special_token_ids: ReadonlySet<number>;
  readonly #definition: TokenizerDefinition;
  readonly #decoder: DecoderDefinition;
  readonly #library: LibraryTokenizer;
  readonly #pieces: TokenPieces;

  constructor(definition: TokenizerDefinition, decoder: DecoderDefinition, library: LibraryTokenizer) {
    this.vocab_size = definition.token_texts.length;
    this.special_token_ids = new Set(
      definition.added_tokens.filter((token) => token.special).map((token) => token.id),
    );
    this.#definition = definition;
    this.#decoder = decoder;
    this.#library = library;
    this.#pieces = new TokenPieces(definition, decoder);
  }

  encode(text: string, options: { readonly add_special_tokens: boolean }): number[] {
    const { ids, tokens } = runLibrary(() => this.#library.encode(text, options));
    // The library's own type promises numbers, but a token that is nowhere in the vocabulary comes out as undefined.
    const missing = ids.findIndex((id: number | undefined) => id === undefined);
    if (missing >= 0) {
      throw new SherryError("tokenizer_invalid", "tokenizer.json", {
        expected: "only tokens of the vocabulary as unknown token and in the post-processor",
        received: JSON.stringify(tokens[missing]),
      });
    }
    return ids;
  }

  decode(token_ids: readonly number[], options: { readonly skip_special_tokens: boolean }): string {
    const decoder = new StreamDecoder(this.#pieces, this.#decoder, { ...options, prompt_token_ids: [] });
    const parts = token_ids.map((token_id) => decoder.push(token_id));
    parts.push(decoder.flush());
    return parts.join("");
  }

  tokenText(token_id: number): string | undefined {
    return this.#definition.token_texts[token_id];
  }

  tokenId(token_text: string): number | undefined {
    return this.#library.token_to_id(token_text);
  }

  streamDecoder(prompt_token_ids: readonly number[] = []): StreamDecoder {
    return new StreamDecoder(this.#pieces, this.#decoder, { skip_special_tokens: true, prompt_token_ids });
  }
}

/** The library throws plain errors when a part of the file is not what it takes for granted. */
function runLibrary<Result>(run: () => Result): Result {
  try {
    return run();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const unknown_part = /^Unknown (\w+) type: (.*)$/s.exec(reason);
    if (unknown_part === null) {
      throw new SherryError("tokenizer_invalid", "tokenizer.json", {
        expected: "a file that Hugging Face tokenizers can load",
        received: reason,
        cause,
      });
    }
    throw new SherryError("tokenizer_unsupported", `tokenizer.json: ${unknown_part[1]}`, {
      expected: "a type that the tokenizer library knows",
      received: unknown_part[2] ?? "none",
      next_step: "Use a checkpoint whose tokenizer has another one",
      cause,
    });
  }
}
