/**
 * Training sequences from text files: every sequence begins at a place of its own, drawn from the seed and the
 * sequence's number. The last documents are held out; a single document gives its end.
 *
 * Legend: S sequences, T tokens of a sequence.
 */

import { readTextFile } from "../../src/cli/text-file.ts";
import { SherryError } from "../../src/errors.ts";
import { splitMix64 } from "../../src/sampling/random.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import type { TextsConfig } from "./config-schema.ts";
import type { DataPosition, TokenData } from "./token-data.ts";

export interface TextSizes {
  readonly sequence_tokens: number;
  readonly seed: number;
}

export class TextData implements TokenData {
  readonly held_out_text: string;
  readonly #tokens: Uint32Array;
  readonly #sizes: TextSizes;
  #sequences = 0;

  /** @throws SherryError argument_invalid for texts shorter than a sequence; from reading files */
  constructor(tokenizer: Tokenizer, texts: TextsConfig, sizes: TextSizes) {
    const { training, held_out } = splitDocuments(readDocuments(texts), texts.held_out_fraction);
    const marked = (document: string) => `${document}${texts.document_end}`;
    this.held_out_text = held_out.map(marked).join("");
    this.#sizes = sizes;
    this.#tokens = Uint32Array.from(
      training.flatMap((document) => tokenizer.encode(marked(document), { add_special_tokens: false })),
    );
    if (this.#tokens.length > sizes.sequence_tokens) return;
    throw new SherryError("argument_invalid", "data.texts.files", {
      expected: `training texts of more than ${sizes.sequence_tokens} tokens, a sequence`,
      received: String(this.#tokens.length),
      next_step: "Add texts, or shorten batch.sequence_tokens",
    });
  }

  get position(): DataPosition {
    return { sequences: this.#sequences, next_seed: 0, pending: [] };
  }

  restore({ sequences }: DataPosition): void {
    this.#sequences = sequences;
  }

  next(inputs: Uint32Array, targets: Uint32Array): void {
    const { sequence_tokens } = this.#sizes;
    for (let start = 0; start < inputs.length; start += sequence_tokens) {
      const first = this.#startOf(this.#sequences);
      inputs.set(this.#tokens.subarray(first, first + sequence_tokens), start);
      targets.set(this.#tokens.subarray(first + 1, first + 1 + sequence_tokens), start);
      this.#sequences += 1;
    }
  }

  #startOf(sequence: number): number {
    const { seed, sequence_tokens } = this.#sizes;
    const [drawn = 0n] = splitMix64((BigInt(seed) << 32n) + BigInt(sequence), 1);
    return Number(drawn % BigInt(this.#tokens.length - sequence_tokens));
  }
}

/** All documents of the files, in their order; what is only white space is none. */
export function readDocuments({ files, document_separator }: TextsConfig): string[] {
  return files.flatMap((path) => {
    const text = readTextFile(path);
    const documents = document_separator === null ? [text] : text.split(document_separator);
    return documents.filter((document) => document.trim() !== "");
  });
}

/** @throws SherryError argument_invalid when nothing is left to train on */
export function splitDocuments(
  documents: readonly string[],
  held_out_fraction: number,
): { readonly training: readonly string[]; readonly held_out: readonly string[] } {
  const [only = "", ...others] = documents;
  if (documents.length === 0 || (others.length === 0 && only.length < 2)) {
    throw new SherryError("argument_invalid", "data.texts.files", {
      expected: "texts to train on",
      received: "none",
    });
  }
  if (others.length === 0) {
    const cut = Math.min(only.length - 1, Math.max(1, Math.floor(only.length * (1 - held_out_fraction))));
    // A pair of surrogates is not cut apart.
    const place = only.codePointAt(cut - 1)?.toString(16).length === 5 ? cut + 1 : cut;
    return { training: [only.slice(0, place)], held_out: [only.slice(place)] };
  }
  const held_out_count = Math.max(1, Math.floor(documents.length * held_out_fraction));
  const place = documents.length - held_out_count;
  return { training: documents.slice(0, place), held_out: documents.slice(place) };
}
