/**
 * Ends an answer at a stop string and never lets any part of that string out. Text that could still become a stop
 * string is held back until it cannot, and nothing else is.
 * The match that ends first wins; of several that end at the same place the longest, so the result does not depend on
 * how the text was cut into pieces.
 * Source: Aho and Corasick 1975, "Efficient String Matching: An Aid to Bibliographic Search" (CACM 18(6)), over UTF-16
 * units: the automaton's depth is exactly the length of text to hold back.
 */
import { SherryError } from "../errors.ts";
import { STOP_STRING_COUNT_MAX, STOP_STRING_LENGTH_MAX } from "../limits.ts";

export interface StopMatcher {
  /**
   * @param text the next piece of the answer
   * @returns `text` that is safe to emit, never cut inside a surrogate pair, and the stop string that ended the answer,
   *   or null. After a match nothing more comes out: later pushes give no text and the same match.
   */
  push(text: string): { readonly text: string; readonly matched: string | null };
  /** The answer is over without a stop string. @returns what was held back; "" after a match. */
  flush(): string;
}

/** @throws SherryError argument_invalid for an empty, broken or too long stop string, or too many of them. */
export function createStopMatcher(stops: readonly string[]): StopMatcher {
  checkStops(stops);
  return new AutomatonMatcher(buildAutomaton(stops));
}

/** Stands for a text: the longest suffix of what was read that begins some stop string. */
interface State {
  /** The length of that suffix. */
  readonly depth: number;
  readonly next: Map<number, State>;
  /** The state of the longest shorter suffix that begins a stop string; null at the root. */
  fallback: State | null;
  /** The longest stop string that ends here, or null. */
  matched: string | null;
}

class AutomatonMatcher implements StopMatcher {
  readonly #root: State;
  #state: State;
  #held = "";
  #matched: string | null = null;

  constructor(root: State) {
    this.#root = root;
    this.#state = root;
  }

  push(text: string): { readonly text: string; readonly matched: string | null } {
    if (this.#matched !== null) return { text: "", matched: this.#matched };
    const held = this.#held + text;
    for (let index = 0; index < text.length; index += 1) {
      this.#state = step(this.#root, this.#state, text.charCodeAt(index));
      const { matched } = this.#state;
      if (matched === null) continue;
      const end = this.#held.length + index + 1;
      this.#matched = matched;
      this.#held = "";
      return { text: held.slice(0, end - matched.length), matched };
    }
    let end = held.length - this.#state.depth;
    // The other half of a pair may be in the next piece.
    if (this.#state.depth === 0 && isHighSurrogate(held.charCodeAt(end - 1))) end -= 1;
    this.#held = held.slice(end);
    return { text: held.slice(0, end), matched: null };
  }

  flush(): string {
    const held = this.#held;
    this.#held = "";
    this.#state = this.#root;
    return held;
  }
}

function step(root: State, from: State, unit: number): State {
  for (let state: State | null = from; state !== null; state = state.fallback) {
    const next = state.next.get(unit);
    if (next !== undefined) return next;
  }
  return root;
}

function buildAutomaton(stops: readonly string[]): State {
  const root: State = { depth: 0, next: new Map(), fallback: null, matched: null };
  for (const stop of stops) {
    let state = root;
    for (let index = 0; index < stop.length; index += 1) {
      const unit = stop.charCodeAt(index);
      let next = state.next.get(unit);
      if (next === undefined) {
        next = { depth: index + 1, next: new Map(), fallback: root, matched: null };
        state.next.set(unit, next);
      }
      state = next;
    }
    state.matched = stop;
  }
  // Breadth first, because a fallback is always shallower than the state that falls back to it.
  const queue: State[] = [...root.next.values()];
  for (const state of queue) {
    for (const [unit, next] of state.next) {
      next.fallback = state.fallback === null ? root : step(root, state.fallback, unit);
      next.matched ??= next.fallback.matched;
      queue.push(next);
    }
  }
  return root;
}

function checkStops(stops: readonly string[]): void {
  if (stops.length > STOP_STRING_COUNT_MAX) {
    throw refuse("stop", `at most ${STOP_STRING_COUNT_MAX} stop strings`, String(stops.length));
  }
  for (const [index, stop] of stops.entries()) {
    const name = `stop[${index}]`;
    if (typeof stop !== "string") throw refuse(name, "a text", typeof stop);
    if (stop === "") throw refuse(name, "a text of at least one character", "an empty one");
    if (stop.length > STOP_STRING_LENGTH_MAX) {
      throw refuse(name, `at most ${STOP_STRING_LENGTH_MAX} UTF-16 units`, String(stop.length));
    }
    // Half a pair could match inside a character.
    if (!stop.isWellFormed()) throw refuse(name, "whole characters", JSON.stringify(stop));
  }
}

function refuse(name: string, expected: string, received: string): SherryError {
  return new SherryError("argument_invalid", name, { expected, received });
}

/** Whether a UTF-16 unit is the first half of a pair; NaN, the unit before the first, is not. */
function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
