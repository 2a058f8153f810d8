/**
 * The corpus: one document a seed, a plain story or a chat. The same seed gives the same document for ever. Training
 * and evaluation take seeds from ranges that do not meet.
 */
import { SherryError } from "../../src/errors.ts";
import { createChat } from "./chat.ts";
import { createEcho } from "./echoes.ts";
import { Picker } from "./picker.ts";
import type { Chat } from "./small-talk.ts";
import { createStory } from "./story.ts";

/** Training seeds are below, held-out seeds from here to `SEED_END`. */
export const HELD_OUT_SEED_BEGIN = 2 ** 31;
export const SEED_END = 2 ** 32;

/**
 * Seeds from here to the held-out ones are a course that teaches copying before stories: the first documents are echoes
 * only, then their share falls in a straight line to what it stays at.
 */
export const COURSE_SEED_BEGIN = 2 ** 30;
const COURSE = { echoes_only: 3_000, falling_until: 20_000, echo_share: 0.2 } as const;

/** Of the documents that are no echoes. */
const CHAT_SHARE = 0.3;

export interface StoryDocument {
  /** A plain story, or both turns of the chat as one would read them. */
  readonly text: string;
  readonly chat: { readonly user: string; readonly assistant: string } | null;
}

/**
 * Documents of the seeds from `seed_begin` up to, without, `seed_end`.
 * @throws SherryError argument_invalid for seeds outside 0 .. 2^32
 */
export function storyDocuments(seed_begin: number, seed_end: number): Generator<StoryDocument> {
  for (const [name, seed] of Object.entries({ seed_begin, seed_end })) {
    if (Number.isInteger(seed) && seed >= 0 && seed <= SEED_END) continue;
    throw new SherryError("argument_invalid", name, {
      expected: `a whole number from 0 to ${SEED_END}`,
      received: String(seed),
    });
  }
  return documentsOf(seed_begin, seed_end);
}

function* documentsOf(seed_begin: number, seed_end: number): Generator<StoryDocument> {
  for (let seed = seed_begin; seed < seed_end; seed += 1) yield storyDocument(seed);
}

function storyDocument(seed: number): StoryDocument {
  if (seed >= COURSE_SEED_BEGIN && seed < HELD_OUT_SEED_BEGIN)
    return courseDocument(seed - COURSE_SEED_BEGIN);
  return storyOrChat(new Picker(seed));
}

function courseDocument(place: number): StoryDocument {
  const picker = new Picker(place);
  const { echoes_only, falling_until, echo_share } = COURSE;
  const fallen = Math.min(1, Math.max(0, (place - echoes_only) / (falling_until - echoes_only)));
  if (!picker.chance(1 - fallen * (1 - echo_share))) return storyOrChat(picker);
  return chatDocument(createEcho(picker));
}

function storyOrChat(picker: Picker): StoryDocument {
  if (!picker.chance(CHAT_SHARE)) return { text: createStory(picker).text, chat: null };
  return chatDocument(createChat(picker));
}

function chatDocument(chat: Chat): StoryDocument {
  return { text: `${chat.user}\n\n${chat.assistant}`, chat };
}

/** A document as a model reads it, with the markers of the chat template; each ends with the end token. */
export function markedText({ text, chat }: StoryDocument): string {
  return chat === null ? `${text}<|end|>` : `<|user|>${chat.user}<|assistant|>${chat.assistant}<|end|>`;
}
