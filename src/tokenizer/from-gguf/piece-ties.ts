/**
 * Whether a strict order of merges means the same as scores of which some are equal. Of several pairs with the highest
 * score the leftmost is joined, so where one pair's right part is the left part of another pair, in "L x R", the first
 * pair has to rank higher. Pairs that do not overlap may come in any order, as long as no piece scores higher than its
 * parts, which holds for every trained vocabulary.
 *
 * Runs of one character (Llama's runs of spaces all have one score) break that rule by nature: they are tried out, both
 * ways, at every length up to four times the longest piece. What fails is refused, naming the pieces.
 */
import { SherryError } from "../../errors.ts";
import { describeJson } from "../json.ts";
import { tokenizerKey } from "./metadata.ts";

/** `left` and `right` join to the token `id` with that score. */
export interface Merge {
  readonly left: string;
  readonly right: string;
  readonly id: number;
  readonly score: number;
}

/** Longest run of one character that is tried out; the ones in use have 16 to 32. */
const RUN_LENGTH_MAX = 64;
/** Runs are tried out at up to that many times the longest piece. */
const RUN_MULTIPLE = 4;

/** @param merges by rank, so equal scores stand together. @throws SherryError tokenizer_unsupported */
export function checkTies(merges: readonly Merge[]): void {
  for (let start = 0; start < merges.length; ) {
    let end = start + 1;
    while (merges[end]?.score === merges[start]?.score) end += 1;
    if (merges[end - 1]?.id !== merges[start]?.id) checkTie(merges.slice(start, end));
    start = end;
  }
}

/** @param merges all merges of one score, by rank */
function checkTie(merges: readonly Merge[]): void {
  const by_left = new Map<string, Map<number, Merge>>();
  const run_characters = new Set<string>();
  for (const merge of merges) {
    // Every merge so far whose left part is this one's right part can stand behind it in a text, but ranks before it.
    for (const other of by_left.get(merge.right)?.values() ?? []) {
      if (other.id === merge.id) continue;
      const character = runCharacter(merge.left + merge.right + other.right);
      if (character === null) throw refuseTie(merge, other);
      run_characters.add(character);
    }
    const same_left = by_left.get(merge.left) ?? new Map<number, Merge>();
    by_left.set(merge.left, same_left.set(merge.id, merge));
  }
  for (const character of run_characters) checkRuns(merges, character);
}

/** The one character that the text repeats, or null. */
function runCharacter(text: string): string | null {
  const [character = ""] = text;
  return text === character.repeat(text.length / character.length) ? character : null;
}

function checkRuns(merges: readonly Merge[], character: string): void {
  const run_merges = merges.filter((merge) => runCharacter(merge.left + merge.right) === character);
  const ranks = new Map<string, number>();
  const lengths = new Set<number>();
  let longest = 0;
  for (const [rank, { left, right }] of run_merges.entries()) {
    const [left_length, right_length] = [left.length / character.length, right.length / character.length];
    ranks.set(`${left_length} ${right_length}`, rank);
    lengths.add(left_length + right_length);
    longest = Math.max(longest, left_length + right_length);
  }
  const refuse = () => refuseTie(run_merges[0], run_merges.at(-1));
  if (longest > RUN_LENGTH_MAX) throw refuse();
  for (let length = 2; length <= RUN_MULTIPLE * longest; length += 1) {
    const by_score = joinRuns(length, (left, right) => (lengths.has(left + right) ? 0 : undefined));
    const by_rank = joinRuns(length, (left, right) => ranks.get(`${left} ${right}`));
    if (by_score.join() !== by_rank.join()) throw refuse();
  }
}

/** Joins a run of `length` single characters: always the pair of the lowest rank, the leftmost of several. */
function joinRuns(length: number, rankOf: (left: number, right: number) => number | undefined): number[] {
  const runs = new Array<number>(length).fill(1);
  for (;;) {
    let best: { rank: number; index: number } | null = null;
    for (let index = 0; index + 1 < runs.length; index += 1) {
      const rank = rankOf(runs[index] ?? 0, runs[index + 1] ?? 0);
      if (rank !== undefined && (best === null || rank < best.rank)) best = { rank, index };
    }
    if (best === null) return runs;
    runs.splice(best.index, 2, (runs[best.index] ?? 0) + (runs[best.index + 1] ?? 0));
  }
}

function refuseTie(first: Merge | undefined, second: Merge | undefined): SherryError {
  const text = (merge: Merge | undefined) => describeJson(`${merge?.left}${merge?.right}`);
  return new SherryError("tokenizer_unsupported", tokenizerKey("scores"), {
    expected: "different scores for pieces that can overlap",
    received: `${first?.score} for both ${text(first)} and ${text(second)}`,
    next_step: "Pack the original checkpoint, with its tokenizer.json",
  });
}
