/** A story from a plot: opening, beats, ending, in paragraphs. */
import { CLOSINGS, CLOSINGS_WITH_FRIEND, MORALS } from "./endings.ts";
import { smooth } from "./grammar.ts";
import { DAILY_LIVES, INTRODUCTIONS } from "./openings.ts";
import type { Picker } from "./picker.ts";
import type { Plot } from "./plot.ts";
import { PLOTS } from "./plots/plots.ts";
import { parseTemplate, slotsOf } from "./template.ts";
import { TRAIT_LINES } from "./traits.ts";
import { createWorld, NAMING_FRIEND, tell, type World } from "./world.ts";

export interface Story {
  readonly text: string;
  readonly plot: Plot;
  readonly world: World;
}

const PARAGRAPH = "¶ ";
const NOTHING = "-";
/** Of a sentence, enough to tell "From then on" from others. */
const BEGINNING_LENGTH = 12;

export function createStory(picker: Picker): Story {
  const plot = picker.pick(PLOTS);
  const world = createWorld(plot, picker);
  const sentences = [...openingOf(world, picker), ...plot.beats.map((beat) => picker.pick(beat))];
  sentences.push(...endingOf(plot, sentences, picker));
  const text = sentences
    .filter((sentence) => sentence !== NOTHING)
    .map((sentence) =>
      sentence.startsWith(PARAGRAPH)
        ? `\n\n${tell(sentence.slice(PARAGRAPH.length), world, picker)}`
        : tell(sentence, world, picker),
    )
    .join(" ");
  return { text: smooth(text), plot, world };
}

function openingOf(world: World, picker: Picker): string[] {
  const sentences = [picker.pick(INTRODUCTIONS)];
  if (picker.chance(0.5)) sentences.push(picker.pick(TRAIT_LINES[world.trait] ?? [NOTHING]));
  if (picker.chance(0.5)) sentences.push(picker.pick(DAILY_LIVES));
  return sentences;
}

/** @param told the sentences before; an ending never begins as one of them does */
function endingOf(plot: Plot, told: readonly string[], picker: Picker): string[] {
  const story = told.join(" ");
  const pickFresh = (lines: readonly string[]) =>
    picker.pick(lines.filter((line) => !story.includes(line.slice(0, BEGINNING_LENGTH))));
  const sentences: string[] = [];
  if (picker.chance(0.6)) sentences.push(pickFresh(MORALS[plot.theme]));
  if (sentences.length === 0 || picker.chance(0.6)) {
    sentences.push(pickFresh(hasFriend(plot) && picker.chance(0.6) ? CLOSINGS_WITH_FRIEND : CLOSINGS));
  }
  if (picker.chance(0.15) && !sentences.at(-1)?.includes("story ends")) sentences.push("The end.");
  return sentences;
}

/** Whether the friend is in every telling of the plot, and so can be in its ending. */
function hasFriend(plot: Plot): boolean {
  return plot.beats.some((beat) => beat.every((line) => slotsOf(parseTemplate(line)).some(isFriend)));
}

function isFriend(slot: string): boolean {
  return slot === "friend" || NAMING_FRIEND.has(slot);
}
