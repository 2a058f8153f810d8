/**
 * Chats in which the assistant says again what it was told: words in no order that could be guessed, or a few sentences
 * out of a story. They teach copying from far back, which stories ask for (the name, the kind, the thing that was wished
 * for) but reward too seldom for a small model to find out soon: here half of the tokens are free to whoever looks back
 * ("In-context Learning and Induction Heads", Olsson et al. 2022).
 */
import { ANIMALS } from "./animals.ts";
import { pickName } from "./names.ts";
import type { Picker } from "./picker.ts";
import type { Chat } from "./small-talk.ts";
import { createStory } from "./story.ts";
import { fillTemplate } from "./template.ts";
import { THINGS } from "./things.ts";

const WORDS_MIN = 6;
const WORDS_MAX = 36;
const PASSAGE_SHARE = 0.5;
const SENTENCES_MAX = 5;
const NAME_SHARE = 0.6;

const REQUEST =
  "[Say|Repeat] after me: {words}|[Please say|Say] this [again|once more]: {words}|Can you [say|repeat] this? {words}|{words} [Now you!|Say it again.|What did I say?]";

export function createEcho(picker: Picker): Chat {
  const words = picker.chance(PASSAGE_SHARE) ? passageOf(picker) : wordsOf(picker);
  const user = fillTemplate(`[${REQUEST}]`, () => words, picker);
  return { user, assistant: words };
}

function wordsOf(picker: Picker): string {
  const count = WORDS_MIN + picker.below(WORDS_MAX - WORDS_MIN + 1);
  const separator = picker.pick([" ", ", "]);
  return `${Array.from({ length: count }, () => wordOf(picker)).join(separator)}.`;
}

/** Neighbouring sentences of one paragraph. */
function passageOf(picker: Picker): string {
  const paragraph = picker.pick(createStory(picker).text.split("\n\n"));
  const sentences = paragraph.split(/(?<=[.!?]"?) /);
  const begin = picker.below(sentences.length);
  return sentences.slice(begin, begin + 1 + picker.below(SENTENCES_MAX)).join(" ");
}

function wordOf(picker: Picker): string {
  if (picker.chance(NAME_SHARE)) return pickName(picker, picker.chance(0.5));
  return picker.chance(0.5) ? picker.pick(ANIMALS).noun : picker.pick(THINGS).noun;
}
