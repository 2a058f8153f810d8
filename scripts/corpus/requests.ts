/**
 * Wishes for a story, from bare to specific. A wish is made for a story that has been told, of what occurs in it, so
 * that the answer always fulfils it.
 */
import { smooth } from "./grammar.ts";
import type { Picker } from "./picker.ts";
import type { Story } from "./story.ts";
import { fillTemplate } from "./template.ts";

/** `{about}` is what the story is to be about. */
const FRAMES: readonly string[] = [
  "Tell me a [|short |little |nice ]story about {about}.",
  "Please tell me a [|short |little ]story about {about}.",
  "Can you tell me a [|short |bedtime |nice ]story about {about}?",
  "Could you [please |]tell me a story about {about}?",
  "Write a [|short |little |funny ]story about {about}.",
  "I [want|would like|wish] to hear a story about {about}.",
  "I would like a story about {about}, please.",
  "[A|One] story about {about}, please[.|!]",
  "Do you know a story about {about}?",
  "Make up a [|new |short ]story about {about}.",
  "Tell my [son|daughter|little sister|little brother|friend] a story about {about}.",
  "It is bedtime. Tell [me|us] a story about {about}.",
  "I cannot sleep. Please tell me a story about {about}.",
  "Do you have a story for me about {about}?",
  "What about a story about {about}?",
];

const BARE_REQUESTS: readonly string[] = [
  "Tell me a story[.|!|, please.|]",
  "Can you tell me a [|short |bedtime |good ]story?",
  "[Another|One more] story, please[.|!]",
  "Please tell [me|us] a [|short |bedtime |new ]story.",
  "I am bored. Tell me [a story|something].",
  "I want to hear a story[.|!]",
  "Write a [|short ]story[.|]",
  "Story time!",
  "What story do you have for me today?",
  "Once upon a time...",
];

const GREETINGS = ["Hi! ", "Hello! ", "Hey, ", "Good evening! ", "Hello, storyteller. "];
/** What other programs set before a chat; the chat template puts it before the first turn. */
const SYSTEM_MESSAGE =
  "You are a [helpful|friendly|kind|little] [assistant|storyteller|chatbot]. [|Answer the user.|You tell stories for children.|Be kind and brief.]";
const SYSTEM_MESSAGE_SHARE = 0.04;

export function requestFor(story: Story, picker: Picker): string {
  const request = requestTextFor(story, picker);
  const greeting = picker.chance(0.12) ? picker.pick(GREETINGS) : "";
  const polite = smooth(greeting.endsWith(", ") ? greeting + uncapitalize(request) : greeting + request);
  // Many people type without capitals and full stops.
  const typed = picker.chance(0.1) ? polite.toLowerCase().replace(/[.!]$/, "") : polite;
  if (!picker.chance(SYSTEM_MESSAGE_SHARE)) return typed;
  return `${fillTemplate(SYSTEM_MESSAGE, story.world.slots, picker).trim()}\n\n${typed}`;
}

function requestTextFor(story: Story, picker: Picker): string {
  const fill = (source: string) => fillTemplate(source, story.world.slots, picker);
  const kind = picker.below(20);
  if (kind < 2) return fill(picker.pick(BARE_REQUESTS));
  if (kind < 4) return framed(picker, story.plot.theme);
  if (kind < 6) return fill(`Tell me a story with ${listOf(wordsIn(story, picker))}.`);
  if (kind < 7) return fill(`Write a story. It should have ${listOf(wordsIn(story, picker))} in it.`);
  if (kind < 8) {
    return fill(
      `[Tell me|Write] a story. The [hero|main character] is a ${heroIn(picker)}. [It should be about|The story is about] ${story.plot.theme}.`,
    );
  }
  return framed(picker, fill(aboutIn(story, picker)));
}

function framed(picker: Picker, about: string): string {
  return fillTemplate(picker.pick(FRAMES), () => about, picker);
}

/** The hero as wished for, from "fox" to "brave little fox named Pip". */
function heroIn(picker: Picker): string {
  const trait = picker.chance(0.5) ? "{trait} " : picker.chance(0.2) ? "little " : "";
  const name = picker.chance(0.6) ? " [named|called] {hero}" : "";
  return `${trait}{kind}${name}`;
}

function aboutIn(story: Story, picker: Picker): string {
  const { text, world, plot } = story;
  const { friend } = world.cast;
  const hero = `a ${heroIn(picker)}`;
  const additions = [""];
  additions.push(
    ...plot.summaries.map((summary) => ` ${summary}`).filter((summary) => isTold(summary, story)),
  );
  if (text.includes(`${world.adjective} ${world.thing.noun}`)) additions.push(" and {a_thing}");
  if (text.includes(world.place.in) || text.includes(world.place.to)) additions.push(" {in_place}");
  if (text.includes(friend.name) && text.includes(friend.kind.noun)) {
    additions.push(" and a {f_kind} [named|called] {friend}");
  }
  if (picker.chance(0.1)) return `{hero} the {kind}${picker.pick(additions)}`;
  return hero + picker.pick(additions);
}

/** Whether the names and things that a summary speaks of occur in the story. */
function isTold(summary: string, { text, world }: Story): boolean {
  const occurs: Readonly<Record<string, string>> = {
    a_thing: `${world.adjective} ${world.thing.noun}`,
    thing: `${world.adjective} ${world.thing.noun}`,
    noun: world.thing.noun,
    friend: world.cast.friend.name,
    f_kind: world.cast.friend.kind.noun,
    place: world.place.noun,
    in_place: world.place.noun,
    to_place: world.place.noun,
  };
  return Object.entries(occurs).every(
    ([slot, word]) => !summary.includes(`{${slot}}`) || text.includes(word),
  );
}

/** Two or three things with articles, all of which occur. */
function wordsIn({ text, world }: Story, picker: Picker): string[] {
  const others = [
    { word: world.thing.noun, said: "a {noun}" },
    { word: world.place.noun, said: `a {place}` },
    { word: world.cast.friend.kind.noun, said: "a {f_kind}" },
  ].filter(({ word }) => new RegExp(`\\b${word}\\b`).test(text));
  const some = picker.pickSome(others, 1 + picker.below(2)).map(({ said }) => said);
  return ["a {kind}", ...some];
}

function listOf(phrases: readonly string[]): string {
  if (phrases.length < 2) return phrases.join("");
  return `${phrases.slice(0, -1).join(", ")} and ${phrases.at(-1)}`;
}

function uncapitalize(text: string): string {
  return text.startsWith("I ") ? text : text.charAt(0).toLowerCase() + text.slice(1);
}
