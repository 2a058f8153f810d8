/**
 * Whether a told story hangs together, judged by the grammar that the corpus is told with: sentences of one plot, in that
 * plot's order, from its first beat to its last, about two characters at most, whose names do not change.
 *
 * A plot is recognised by its wording: the runs of words between slots of its beats. What plots share with one another,
 * and what openings and endings say, tells nothing.
 */
import { CLOSINGS, CLOSINGS_WITH_FRIEND, MORALS } from "./endings.ts";
import { DAILY_LIVES, INTRODUCTIONS } from "./openings.ts";
import { PHRASES } from "./phrases.ts";
import { PLACES } from "./places.ts";
import { PLOTS } from "./plots/plots.ts";
import { parseTemplate, type Template } from "./template.ts";
import { BRAVE_TRAITS, FLAWS, FRIENDLY_TRAITS, SHY_TRAITS } from "./traits.ts";

export interface Judgement {
  /** The plot that most of the wording is from; null where none is recognised. */
  readonly plot: string | null;
  /** Wording of other plots only. */
  readonly strays: readonly string[];
  /** Whether the wording of the plot comes in the plot's order. */
  readonly is_in_order: boolean;
  /** Whether every beat that each telling of the plot has is told. */
  readonly is_whole: boolean;
  /** Whoever has a name, in the order of the first mention. */
  readonly names: readonly string[];
}

interface Wording {
  readonly text: string;
  /** The beats that have it, by plot. */
  readonly beats: ReadonlyMap<string, ReadonlySet<number>>;
}

/** Shorter runs of words occur anywhere. */
const WORDING_LENGTH_MIN = 16;
/** Shorter ones are now and then made of a plot's words and a slot's, and accuse nobody. */
const ACCUSING_LENGTH_MIN = 24;

/** What is told in any plot. */
const COMMON = JSON.stringify([
  ...[PHRASES, PLACES, INTRODUCTIONS, DAILY_LIVES, CLOSINGS, CLOSINGS_WITH_FRIEND, MORALS],
  ...[FRIENDLY_TRAITS, BRAVE_TRAITS, SHY_TRAITS, FLAWS, PLOTS.map(({ facts }) => facts)],
]);
const COMMON_PLAIN = plainText(COMMON);
/** "Monday", "Miss Willow": written with a capital, and neither the hero nor a friend. */
const KNOWN_CAPITALS = new Set([
  ...(`${COMMON} ${JSON.stringify(PLOTS)}`.match(/\p{Lu}\p{Ll}+/gu) ?? []),
  // How elders are spoken to (characters.ts).
  ...["Mother", "Grandma", "Auntie", "Father", "Grandpa", "Uncle"],
]);

const WORDINGS = wordings();
/** Beats that every telling has wording of. */
const CERTAIN_BEATS = new Map(
  PLOTS.map((plot) => [
    plot.name,
    plot.beats.flatMap((beat, index) =>
      beat.every((line) => alwaysTells(parseTemplate(line))) ? [index] : [],
    ),
  ]),
);

export function judgeStory(text: string): Judgement {
  const plain = plainText(text);
  const found = WORDINGS.filter((wording) => plain.includes(wording.text));
  const counts = new Map<string, number>();
  for (const { beats } of found)
    for (const plot of beats.keys()) counts.set(plot, (counts.get(plot) ?? 0) + 1);
  const [plot = null] = [...counts.entries()].sort((a, b) => b[1] - a[1])[0] ?? [];
  const own = found.filter(({ beats }) => plot !== null && beats.has(plot));
  const own_text = own.map(({ text: words }) => words);
  const strays = found
    .filter((wording) => isAccusing(wording) && !own.includes(wording))
    .map(({ text: words }) => words)
    .filter((stray) => !own_text.some((words) => words.includes(stray)));
  return { plot, strays, ...beatsOf(plot, own, plain), names: namesIn(text) };
}

/** No stray, in order, whole, and no third name. */
export function isCoherent({ plot, strays, is_in_order, is_whole, names }: Judgement): boolean {
  return plot !== null && strays.length === 0 && is_in_order && is_whole && names.length <= 2;
}

function beatsOf(
  plot: string | null,
  own: readonly Wording[],
  plain: string,
): Pick<Judgement, "is_in_order" | "is_whole"> {
  if (plot === null) return { is_in_order: false, is_whole: false };
  const told = own.map(({ text, beats }) => ({
    ...{ text, at: plain.indexOf(text) },
    beats: beats.get(plot) ?? new Set<number>(),
  }));
  const certain = told
    .filter((wording) => wording.beats.size === 1 && isAccusing(wording))
    .sort((a, b) => a.at - b.at);
  const order = certain.flatMap(({ beats }) => [...beats]);
  const all = new Set(told.flatMap(({ beats }) => [...beats]));
  return {
    is_in_order: order.every((beat, index) => index === 0 || beat >= (order[index - 1] ?? 0)),
    is_whole: (CERTAIN_BEATS.get(plot) ?? []).every((beat) => all.has(beat)),
  };
}

/** Words that have a capital within a sentence. */
function namesIn(text: string): string[] {
  const words = text.match(/(?<=[a-z,;] )\p{Lu}\p{Ll}+/gu) ?? [];
  return [...new Set(words)].filter((word) => !KNOWN_CAPITALS.has(word));
}

function wordings(): Wording[] {
  const known = new Map<string, Map<string, Set<number>>>();
  for (const plot of PLOTS) {
    for (const [index, beat] of plot.beats.entries()) {
      for (const text of beat.flatMap((line) => textsOf(parseTemplate(line))).filter(isTelling)) {
        const plots = known.get(text) ?? new Map<string, Set<number>>();
        known.set(text, plots.set(plot.name, (plots.get(plot.name) ?? new Set()).add(index)));
      }
    }
  }
  return [...known].map(([text, beats]) => ({ text, beats }));
}

function isAccusing({ text }: { readonly text: string }): boolean {
  return text.length >= ACCUSING_LENGTH_MIN;
}

function isTelling(text: string): boolean {
  return text.length >= WORDING_LENGTH_MIN && !COMMON_PLAIN.includes(text);
}

/** All runs of words, choices' included, cut at what a sentence ends with. */
function textsOf(template: Template): string[] {
  return template.flatMap((part) => {
    if (part.kind === "text") return pieces(part.text);
    return part.kind === "choice" ? part.options.flatMap(textsOf) : [];
  });
}

/** Whether there is wording in it whatever is chosen. */
function alwaysTells(template: Template): boolean {
  return template.some((part) => {
    if (part.kind === "text") return pieces(part.text).some(isTelling);
    return part.kind === "choice" && part.options.every(alwaysTells);
  });
}

function pieces(text: string): string[] {
  return plainText(text)
    .split(/[.!?"¶]+/)
    .map((piece) => piece.replace(/^[ ,]+|[ ,]+$/g, ""));
}

function plainText(text: string): string {
  return text.toLowerCase().replace(/\s+/g, " ");
}
