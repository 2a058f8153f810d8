/**
 * The merges of a SentencePiece vocabulary that has only scores. Encoding joins, again and again, the two neighbours
 * whose joined text is the piece with the highest score, the leftmost pair of several. A tokenizer.json of type BPE does
 * the same with a list of merges: every split of every piece into two pieces, higher scores first.
 *
 * Ranks are a strict order where scores may be equal, so two cases need care:
 * - Splits of one piece P. They compete where P overlaps itself, as in L x R with L x = x R = P; the left one, which
 *   splits P behind its period |L|, has to come first. So splits at a period of P come before all others.
 * - Different pieces of one score: piece-ties.ts checks that the order by id means the same.
 * Source: llama.cpp, llama-vocab.cpp (llm_tokenizer_spm); SentencePiece's byte-pair model.
 */
import { checkTies, type Merge } from "./piece-ties.ts";
import { invalid, type Vocabulary } from "./vocabulary.ts";

/** Characters of a piece that is split: longer ones are no words, and their splits would fill the memory. */
const PIECE_LENGTH_MAX = 256;

/** @param scores one for each token. @throws SherryError tokenizer_invalid | tokenizer_unsupported */
export function piecesToMerges(vocabulary: Vocabulary, scores: ArrayLike<number>): [string, string][] {
  const merges: Merge[] = [];
  for (const [id, text] of vocabulary.texts.entries()) {
    const score = scores[id] ?? Number.NaN;
    if (!Number.isFinite(score)) throw invalid(`scores[${id}]`, "a finite number", String(score));
    if (!isPiece(vocabulary, id)) continue;
    for (const [left, right] of splitsOf(text, vocabulary, id)) merges.push({ left, right, id, score });
  }
  // The sort is stable: within a score the order of ids, and of a piece's splits, stays.
  merges.sort((first, second) => second.score - first.score);
  checkTies(merges);
  return merges.map(({ left, right }) => [left, right]);
}

/** Control tokens and bytes are never spelled by joining letters: the former are found before, the latter stand alone. */
function isPiece(vocabulary: Vocabulary, id: number): boolean {
  const kind = vocabulary.kinds[id];
  return kind === "normal" || kind === "user_defined" || kind === "unused";
}

/** The splits of a piece into two pieces, those at one of its periods first. */
function splitsOf(text: string, vocabulary: Vocabulary, id: number): [string, string][] {
  const characters = Array.from(text);
  if (characters.length > PIECE_LENGTH_MAX) {
    throw invalid(`tokens[${id}]`, `at most ${PIECE_LENGTH_MAX} characters`, String(characters.length));
  }
  const at_period: [string, string][] = [];
  const elsewhere: [string, string][] = [];
  let left = "";
  for (const character of characters.slice(0, -1)) {
    left += character;
    const right = text.slice(left.length);
    const left_id = vocabulary.id_of_text.get(left);
    const right_id = vocabulary.id_of_text.get(right);
    if (left_id === undefined || right_id === undefined) continue;
    if (!isPiece(vocabulary, left_id) || !isPiece(vocabulary, right_id)) continue;
    (text.startsWith(right) ? at_period : elsewhere).push([left, right]);
  }
  return [...at_period, ...elsewhere];
}
