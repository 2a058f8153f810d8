/**
 * Training sequences from the corpus generator: its documents in the order of their seeds, one after the other, cut into
 * sequences. A document is read once; the corpus has no end that a training reaches.
 *
 * Legend: S sequences, T tokens of a sequence.
 */
import { SherryError } from "../../src/errors.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { HELD_OUT_SEED_BEGIN, markedText, SEED_END, storyDocuments } from "../corpus/documents.ts";
import type { DataPosition, TokenData } from "./token-data.ts";

export interface CorpusSeeds {
  readonly training_seed_begin: number;
  readonly held_out_seed_begin: number;
}

export interface CorpusSizes {
  readonly sequence_tokens: number;
  readonly held_out_tokens: number;
}

export class CorpusData implements TokenData {
  readonly held_out_text: string;
  readonly #tokenizer: Tokenizer;
  readonly #sequence_tokens: number;
  #sequences = 0;
  #next_seed: number;
  #pending: number[] = [];

  /** @throws SherryError argument_invalid when the held-out seeds end before there are enough tokens */
  constructor(tokenizer: Tokenizer, seeds: CorpusSeeds, sizes: CorpusSizes) {
    this.#tokenizer = tokenizer;
    this.#sequence_tokens = sizes.sequence_tokens;
    this.#next_seed = seeds.training_seed_begin;
    this.held_out_text = heldOutText(tokenizer, seeds.held_out_seed_begin, sizes.held_out_tokens);
  }

  get position(): DataPosition {
    return { sequences: this.#sequences, next_seed: this.#next_seed, pending: [...this.#pending] };
  }

  restore({ sequences, next_seed, pending }: DataPosition): void {
    this.#sequences = sequences;
    this.#next_seed = next_seed;
    this.#pending = [...pending];
  }

  next(inputs: Uint32Array, targets: Uint32Array): void {
    const length = this.#sequence_tokens;
    for (let start = 0; start < inputs.length; start += length) {
      // One token more than a sequence holds: the last one is only a target, and the next sequence's first input.
      while (this.#pending.length <= length) this.#readDocument();
      inputs.set(this.#pending.slice(0, length), start);
      targets.set(this.#pending.slice(1, length + 1), start);
      this.#pending.splice(0, length);
      this.#sequences += 1;
    }
  }

  #readDocument(): void {
    if (this.#next_seed >= HELD_OUT_SEED_BEGIN) {
      throw new SherryError("argument_invalid", "data.corpus.training_seed_begin", {
        expected: "a seed that leaves enough documents before the held-out ones",
        received: `seeds up to ${HELD_OUT_SEED_BEGIN - 1}, all used`,
      });
    }
    for (const document of storyDocuments(this.#next_seed, this.#next_seed + 1)) {
      this.#pending.push(...this.#tokenizer.encode(markedText(document), { add_special_tokens: false }));
    }
    this.#next_seed += 1;
  }
}

/** As many whole documents as give that many tokens. */
function heldOutText(tokenizer: Tokenizer, seed_begin: number, token_count: number): string {
  const texts: string[] = [];
  let tokens = 0;
  for (const document of storyDocuments(seed_begin, SEED_END)) {
    const text = markedText(document);
    texts.push(text);
    tokens += tokenizer.encode(text, { add_special_tokens: false }).length;
    // A few tokens can be lost where texts meet, so one document more than needed is taken.
    if (tokens > token_count) return texts.join("");
  }
  throw new SherryError("argument_invalid", "data.corpus.held_out_seed_begin", {
    expected: `a seed that leaves documents of ${token_count} tokens`,
    received: String(seed_begin),
  });
}
