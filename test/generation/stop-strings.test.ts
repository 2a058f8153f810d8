/** The automaton against a plain search over the whole text, in every cutting of it. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SherryError } from "../../src/errors.ts";
import { createStopMatcher } from "../../src/generation/stop-strings.ts";

/** The match that ends first, the longest of those; found by trying every end and every stop string. */
function naive(text: string, stops: readonly string[]): { text: string; matched: string | null } {
  for (let end = 1; end <= text.length; end += 1) {
    const ending = stops.filter((stop) => text.slice(0, end).endsWith(stop));
    if (ending.length === 0) continue;
    const matched = ending.reduce((longest, stop) => (stop.length > longest.length ? stop : longest));
    return { text: text.slice(0, end - matched.length), matched };
  }
  return { text, matched: null };
}

/** The most that may be emitted of `text`: up to the longest end of it that begins a stop string. */
function naiveSafeLength(text: string, stops: readonly string[]): number {
  for (let start = 0; start < text.length; start += 1) {
    const end = text.slice(start);
    if (stops.some((stop) => stop.length > end.length && stop.startsWith(end))) return start;
  }
  return text.length;
}

function cut(text: string, sizes: readonly number[]): string[] {
  const pieces: string[] = [];
  let rest = text;
  for (let index = 0; rest !== ""; index += 1) {
    const size = sizes.length === 0 ? rest.length : (sizes[index % sizes.length] ?? 1);
    pieces.push(rest.slice(0, size));
    rest = rest.slice(size);
  }
  return pieces;
}

// A small alphabet makes overlaps likely; the emoji share their first half, so pairs get cut in the middle.
const letters = fc.constantFrom("a", "b", "c", "😀", "😁");
const texts = fc.array(letters, { maxLength: 40 }).map((parts) => parts.join(""));
const stop_lists = fc.array(
  fc.array(letters, { minLength: 1, maxLength: 6 }).map((parts) => parts.join("")),
  { maxLength: 5 },
);
const cuttings = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 6 });

describe("createStopMatcher", () => {
  test("equals the plain search in every cutting, holds back no more than it must", () => {
    fc.assert(
      fc.property(texts, stop_lists, cuttings, (text, stops, sizes) => {
        const expected = naive(text, stops);
        const matcher = createStopMatcher(stops);
        let emitted = "";
        let read = "";
        let matched: string | null = null;
        for (const piece of cut(text, sizes)) {
          read += piece;
          const step = matcher.push(piece);
          // No emission ends, or begins, inside a pair.
          expect(step.text.isWellFormed()).toBe(true);
          emitted += step.text;
          matched = step.matched;
          if (matched !== null) break;
          const safe_length = naiveSafeLength(read, stops);
          const waits_for_pair = safe_length === read.length && !read.isWellFormed();
          expect(emitted.length).toBe(waits_for_pair ? safe_length - 1 : safe_length);
        }
        emitted += matcher.flush();
        expect({ text: emitted, matched }).toEqual(expected);
      }),
      { seed: 31, numRuns: 5_000 },
    );
  });

  test("finds a stop string across pieces and lets nothing of it out", () => {
    const matcher = createStopMatcher(["\nUser:"]);
    expect(["Hi", "\n", "Us", "e", "r: no"].map((piece) => matcher.push(piece))).toEqual([
      { text: "Hi", matched: null },
      { text: "", matched: null },
      { text: "", matched: null },
      { text: "", matched: null },
      { text: "", matched: "\nUser:" },
    ]);
    expect(matcher.flush()).toBe("");
    expect(matcher.push("more")).toEqual({ text: "", matched: "\nUser:" });
  });

  test("lets go of what turned out harmless, and of the rest at the end", () => {
    const matcher = createStopMatcher(["abab!"]);
    expect(matcher.push("xabab").text).toBe("x");
    expect(matcher.push("ab").text).toBe("ab");
    expect(matcher.push("?").text).toBe("abab?");
    expect(matcher.push("aba").text).toBe("");
    expect(matcher.flush()).toBe("aba");
    expect(matcher.flush()).toBe("");
  });

  test("the match that ends first wins, the longest of those", () => {
    expect(createStopMatcher(["abcd", "bc"]).push("xabcd")).toEqual({ text: "xa", matched: "bc" });
    expect(createStopMatcher(["c", "bc", "abc"]).push("xabcd")).toEqual({ text: "x", matched: "abc" });
  });

  test("without stop strings everything passes, pairs whole", () => {
    const matcher = createStopMatcher([]);
    const [high = "", low = ""] = "😀".split("");
    expect(matcher.push(`a${high}`)).toEqual({ text: "a", matched: null });
    expect(matcher.push("")).toEqual({ text: "", matched: null });
    expect(matcher.push(low)).toEqual({ text: "😀", matched: null });
    matcher.push(high);
    expect(matcher.flush()).toBe(high);
  });

  test("takes stop strings at the limits", () => {
    const stops = Array.from({ length: 16 }, (_, index) => String.fromCharCode(97 + index).repeat(1_024));
    const matcher = createStopMatcher(stops);
    expect(matcher.push("b".repeat(1_023))).toEqual({ text: "", matched: null });
    expect(matcher.push("b")).toEqual({ text: "", matched: "b".repeat(1_024) });
  });

  test("refuses stop strings that are none", () => {
    const cases: [unknown[], string][] = [
      [["a", ""], "stop[1]: expected a text of at least one character, received an empty one"],
      [["a".repeat(1_025)], "stop[0]: expected at most 1024 UTF-16 units, received 1025"],
      [new Array(17).fill("a"), "stop: expected at most 16 stop strings, received 17"],
      [["\ud83d"], 'stop[0]: expected whole characters, received "\\ud83d"'],
      [[5], "stop[0]: expected a text, received number"],
    ];
    for (const [stops, message] of cases) {
      let caught: unknown;
      try {
        createStopMatcher(stops as string[]);
      } catch (error) {
        caught = error;
      }
      expect(caught).toBeInstanceOf(SherryError);
      expect(caught).toMatchObject({ code: "argument_invalid", message });
    }
  });
});
