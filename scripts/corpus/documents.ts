/**
 * The corpus: one document a seed, a plain story or a chat. The same seed gives the same document for ever. Training
 * and evaluation take seeds from ranges that do not meet.
 */
import { SherryError } from "../../src/errors.ts";
import { createChat } from "./chat.ts";
import { Picker } from "./picker.ts";
import { createStory } from "./story.ts";

/** Training seeds are below, held-out seeds from here to `SEED_END`. */
export const HELD_OUT_SEED_BEGIN = 2 ** 31;
export const SEED_END = 2 ** 32;

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
  const picker = new Picker(seed);
  if (!picker.chance(CHAT_SHARE)) return { text: createStory(picker).text, chat: null };
  const chat = createChat(picker);
  return { text: `${chat.user}\n\n${chat.assistant}`, chat };
}

/** A document as a model reads it, with the markers of the chat template; each ends with the end token. */
export function markedText({ text, chat }: StoryDocument): string {
  return chat === null ? `${text}<|end|>` : `<|user|>${chat.user}<|assistant|>${chat.assistant}<|end|>`;
}
