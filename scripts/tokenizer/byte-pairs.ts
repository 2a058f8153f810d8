/**
 * Learns the merges of byte-level BPE: again and again the most frequent pair of neighbouring tokens becomes a token.
 * Pair counts are kept up to date merge by merge, and only in the pieces that hold the pair.
 * Source: Sennrich, Haddow and Birch, "Neural Machine Translation of Rare Words with Subword Units", ACL 2016.
 */
import { SherryError } from "../../src/errors.ts";
import { PairQueue } from "./pair-queue.ts";
import { BYTE_ALPHABET, BYTE_COUNT } from "./pre-tokenizer.ts";

/** Token ids are kept two in one number; a vocabulary for small models is far below this. */
export const VOCABULARY_SIZE_MAX = 1_048_576;
/** A pair that occurs once would only learn one text by heart. */
const PAIR_COUNT_MIN = 2;

export interface LearnedPairs {
  /** Index: token id; bytes first, then what each merge made. */
  readonly token_texts: readonly string[];
  /** In the order learned, which is the order in which encoding applies them. */
  readonly merges: readonly (readonly [string, string])[];
}

/**
 * @param pieces how often each piece of the texts occurs
 * @param vocabulary_size of bytes and merged tokens together
 * @throws SherryError argument_invalid when the texts have too few pairs for so many tokens
 */
export function learnBytePairs(
  pieces: ReadonlyMap<string, number>,
  vocabulary_size: number,
  onProgress: (token_count: number) => void = () => {},
): LearnedPairs {
  const counts = new PairCounts(pieces);
  const token_texts = [...BYTE_ALPHABET];
  const id_of_text = new Map(token_texts.map((text, id) => [text, id]));
  const merges: [string, string][] = [];
  while (token_texts.length < vocabulary_size) {
    const pair = counts.mostFrequent();
    if (pair === undefined) {
      throw new SherryError("argument_invalid", "The vocabulary size", {
        expected: `at most ${token_texts.length} tokens beside the special ones, which is all that pairs in these texts give`,
        received: String(vocabulary_size),
        next_step: "Ask for fewer tokens or give more text",
      });
    }
    const left = token_texts[pair.left] ?? "";
    const right = token_texts[pair.right] ?? "";
    // Two pairs can spell the same text; they share a token and both are merges.
    const id = id_of_text.get(left + right) ?? token_texts.length;
    if (id === token_texts.length) token_texts.push(left + right);
    id_of_text.set(left + right, id);
    merges.push([left, right]);
    counts.merge(pair.left, pair.right, id);
    onProgress(token_texts.length);
  }
  return { token_texts, merges };
}

/** A piece as tokens, shortened by every merge. */
interface Word {
  tokens: number[];
  readonly count: number;
}

class PairCounts {
  readonly #words: Word[] = [];
  readonly #counts = new Map<number, number>();
  /** Words that held the pair when it was counted; some hold it no more. */
  readonly #words_of_pair = new Map<number, Set<number>>();
  readonly #queue = new PairQueue();

  constructor(pieces: ReadonlyMap<string, number>) {
    const encoder = new TextEncoder();
    for (const [piece, count] of pieces) {
      this.#words.push({ tokens: [...encoder.encode(piece)], count });
    }
    const touched = new Set<number>();
    for (const index of this.#words.keys()) this.#countWord(index, 1, touched);
    this.#pushAll(touched);
  }

  mostFrequent(): { readonly left: number; readonly right: number } | undefined {
    const pair = this.#queue.pop((left, right) => this.#counts.get(keyOf(left, right)) ?? 0);
    return pair === undefined || pair.count < PAIR_COUNT_MIN ? undefined : pair;
  }

  /** Replaces the pair by `id` wherever it stands, from the left. */
  merge(left: number, right: number, id: number): void {
    const key = keyOf(left, right);
    const word_indexes = this.#words_of_pair.get(key) ?? new Set();
    this.#words_of_pair.delete(key);
    const touched = new Set<number>();
    for (const index of word_indexes) {
      const word = this.#words[index];
      if (word === undefined) continue;
      this.#countWord(index, -1, touched);
      word.tokens = mergeTokens(word.tokens, left, right, id);
      this.#countWord(index, 1, touched);
    }
    this.#counts.delete(key);
    touched.delete(key);
    this.#pushAll(touched);
  }

  #countWord(index: number, sign: 1 | -1, touched: Set<number>): void {
    const word = this.#words[index];
    if (word === undefined) return;
    for (let position = 1; position < word.tokens.length; position += 1) {
      const key = keyOf(word.tokens[position - 1] ?? 0, word.tokens[position] ?? 0);
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + sign * word.count);
      if (sign < 0) continue;
      touched.add(key);
      const words = this.#words_of_pair.get(key);
      if (words === undefined) this.#words_of_pair.set(key, new Set([index]));
      else words.add(index);
    }
  }

  /** A count that fell is corrected when it comes to the top; one that rose must be pushed anew. */
  #pushAll(keys: Iterable<number>): void {
    for (const key of keys) {
      const count = this.#counts.get(key) ?? 0;
      if (count >= PAIR_COUNT_MIN) this.#queue.push({ left: leftOf(key), right: rightOf(key), count });
    }
  }
}

function mergeTokens(tokens: readonly number[], left: number, right: number, id: number): number[] {
  const merged: number[] = [];
  for (let position = 0; position < tokens.length; position += 1) {
    const token = tokens[position] ?? 0;
    const is_pair = token === left && tokens[position + 1] === right;
    merged.push(is_pair ? id : token);
    if (is_pair) position += 1;
  }
  return merged;
}

function keyOf(left: number, right: number): number {
  return left * VOCABULARY_SIZE_MAX + right;
}

function leftOf(key: number): number {
  return Math.floor(key / VOCABULARY_SIZE_MAX);
}

function rightOf(key: number): number {
  return key % VOCABULARY_SIZE_MAX;
}

/** @throws SherryError argument_invalid unless `vocab_size` has room for the bytes and the special tokens. */
export function checkVocabularySize(vocab_size: number, special_token_count: number): void {
  const minimum = BYTE_COUNT + special_token_count;
  if (Number.isInteger(vocab_size) && vocab_size >= minimum && vocab_size <= VOCABULARY_SIZE_MAX) return;
  throw new SherryError("argument_invalid", "The vocabulary size", {
    expected: `a whole number from ${minimum} (${BYTE_COUNT} bytes and ${special_token_count} special tokens) to ${VOCABULARY_SIZE_MAX}`,
    received: String(vocab_size),
  });
}
