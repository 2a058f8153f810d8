/** Chat documents: a wish for a story and a story that fulfils it, or a little talk. */
import type { Picker } from "./picker.ts";
import { requestFor } from "./requests.ts";
import { type Chat, createSmallTalk } from "./small-talk.ts";
import { createStory } from "./story.ts";
import { fillTemplate } from "./template.ts";

const SMALL_TALK_SHARE = 0.1;
const PREFACE_SHARE = 0.15;
const PREFACE =
  "[Of course!|Gladly!|With pleasure!|Sure!|I would love to!] [Here is a story for you.|Here is your story.|Listen.|Here it comes.|This is how it goes.]";

export function createChat(picker: Picker): Chat {
  if (picker.chance(SMALL_TALK_SHARE)) return createSmallTalk(picker);
  const story = createStory(picker);
  const user = requestFor(story, picker);
  const noSlots = (name: string): never => {
    throw new RangeError(`a preface has no {${name}}`);
  };
  const preface = picker.chance(PREFACE_SHARE) ? `${fillTemplate(PREFACE, noSlots, picker)}\n\n` : "";
  return { user, assistant: preface + story.text };
}
