/**
 * What a plot is. Its text is beats in order, parted by empty lines; each line of a beat is one way to tell it, and a
 * line that is only "-" tells nothing. A line that begins with "¶ " opens a paragraph.
 */
import type { PlaceTag } from "./places.ts";
import type { ThingTag } from "./things.ts";
import type { FLAWS } from "./traits.ts";

/** What a story is about, as one asks for it: "a story about sharing". */
export type Theme =
  | "friendship"
  | "sharing"
  | "honesty"
  | "courage"
  | "patience"
  | "kindness"
  | "helping"
  | "practice"
  | "listening"
  | "forgiveness"
  | "teamwork"
  | "cleverness"
  | "family"
  | "care"
  | "modesty"
  | "wonder"
  | "adventure";

export type Fact = string | Readonly<Record<string, string>>;

export interface Plot {
  readonly name: string;
  readonly theme: Theme;
  readonly hero: "child" | "animal" | "any";
  readonly traits: "friendly" | "brave" | "shy" | readonly (keyof typeof FLAWS)[];
  /** Of the things that have one of the tags; none: any thing. */
  readonly thing: readonly ThingTag[];
  readonly place: readonly PlaceTag[];
  /** Ends "a story about a fox …": "who loses a red kite". */
  readonly summaries: readonly string[];
  /** Chosen once for the story: `{name}`, or `{name_part}` of what belongs together. */
  readonly facts: Readonly<Record<string, readonly Fact[]>>;
  readonly beats: readonly (readonly string[])[];
}

export type PlotDescription = Pick<Plot, "name" | "theme" | "summaries"> &
  Partial<Omit<Plot, "beats">> & { readonly story: string };

export function definePlot({ story, ...description }: PlotDescription): Plot {
  const beats = story
    .trim()
    .split(/\n\s*\n/)
    .map((beat) => beat.split("\n").map((line) => line.trim()));
  return { hero: "any", traits: "friendly", thing: [], place: [], facts: {}, ...description, beats };
}
