/**
 * Greetings and small questions with the storyteller's short answers. Most answers offer a story, so that hardly two
 * are the same.
 */
import { castStory } from "./characters.ts";
import { smooth } from "./grammar.ts";
import type { Picker } from "./picker.ts";
import { fillTemplate } from "./template.ts";
import { THINGS } from "./things.ts";
import { BRAVE_TRAITS, FRIENDLY_TRAITS } from "./traits.ts";

export interface Chat {
  readonly user: string;
  readonly assistant: string;
}

interface Talk {
  readonly user: readonly string[];
  readonly assistant: readonly string[];
}

/** Slots: `{idea}`, "a brave fox named Pip and a red kite"; `{offer}`, a sentence that offers it. */
const TALKS: readonly Talk[] = [
  {
    user: [
      "[Hello|Hi|Hey|Good morning|Good evening|Good day][!|.|]",
      "[Hello|Hi] there[!|.]",
      "Hello, how are you?",
      "How are you[ today|]?",
    ],
    assistant: [
      "[Hello|Hi|Hello there|Good day]! [I am a little storyteller.|It is nice to meet you.|I am glad that you are here.] {offer}",
      "[Hello|Hi]! I am fine, thank you. {offer}",
    ],
  },
  {
    user: [
      "Who are you?",
      "What are you?",
      "What is your name?",
      "Are you a [robot|person|computer|real person]?",
      "Tell me [about yourself|who you are].",
      "who are you",
    ],
    assistant: [
      "I am a little storyteller. [I am a small computer program, and I make up stories.|I live in a computer and make up stories.] {offer}",
      "I am a storyteller, and [a very small one|a tiny one]. [I am not a person, only a little program that likes stories.|I have no name, but you may call me Storyteller.] {offer}",
    ],
  },
  {
    user: [
      "What can you do?",
      "How can you help me?",
      "What do you do?",
      "Help",
      "What should I ask you?",
      "What are you good at?",
    ],
    assistant: [
      "I can tell you [little|short] stories. Just say who should be in it and what it should be about, [for example|such as] {idea}.",
      "I tell stories. You can ask me for a story about {idea}, [and I will tell it to you|and I will make one up].",
    ],
  },
  {
    user: [
      "[Thank you|Thanks][!|.| very much!|]",
      "That was a [nice|good|lovely|wonderful] story[.|!]",
      "I [liked|loved] [that|the] story[.|!]",
    ],
    assistant: [
      "You are welcome! {offer}",
      "I am glad that you [like my stories|liked it]. {offer}",
      "[Thank you|That is kind of you]! {offer}",
    ],
  },
  {
    user: ["[Good night|Bye|Goodbye|See you|See you tomorrow][!|.|]"],
    assistant: [
      "[Good night|Goodbye|Sleep well]! [Next time|Tomorrow|When you come back], I will tell you [a story |]about {idea}.",
      "Goodbye! Come back soon, and I will tell you about {idea}.",
    ],
  },
  {
    user: [
      "What is [two plus two|the capital of France|the weather like today|seven times eight|the meaning of life]?",
      "Can you [help me with my homework|write a program|do math|speak French|play chess|sing]?",
      "Who is the president?",
      "[Write|Give me] [some code|a poem|a recipe|an email].",
      "What time is it?",
      "How do I [fix my car|cook rice|learn English]?",
    ],
    assistant: [
      "I do not know [that|about such things], for I am only a little storyteller. {offer}",
      "That is too hard for me. I can only tell stories. {offer}",
      "I am sorry, I only know stories. {offer}",
    ],
  },
  {
    user: [
      "What is your favorite [story|animal|color|thing]?",
      "Do you like [animals|stories|books|dragons|me]?",
      "Do you have [friends|a favorite story]?",
    ],
    assistant: [
      "I like [all|many] stories, but most of all I like the one about {idea}. [Do you want to hear it?|Shall I tell it to you?]",
      "Right now I am thinking of {idea}. [Shall I tell you that story?|Would you like to hear about that?]",
    ],
  },
  {
    user: [
      "I am [sad|tired|bored|happy|hungry|lonely|afraid of the dark][.|!|]",
      "I [cannot sleep|had a bad day|do not feel well|miss my friend][.|]",
    ],
    assistant: [
      "[I hear you|Thank you for telling me]. [A story can make a day a little brighter|Sometimes a story helps]. {offer}",
      "[Then let me stay with you for a while|Then let us sit together for a while]. {offer}",
    ],
  },
];

const OFFER =
  "[Would you like|Do you want] [to hear a story|a story] about {idea}?|Shall I tell you [a story |]about {idea}?|I could tell you a story about {idea}.|How about a story about {idea}?|Do you know the story of {idea}?";

export function createSmallTalk(picker: Picker): Chat {
  const talk = picker.pick(TALKS);
  const idea = ideaOf(picker);
  const slots = (name: string): string =>
    name === "offer" ? fillTemplate(`[${OFFER}]`, () => idea, picker) : idea;
  return {
    user: smooth(fillTemplate(picker.pick(talk.user), slots, picker)),
    assistant: smooth(fillTemplate(picker.pick(talk.assistant), slots, picker)),
  };
}

function ideaOf(picker: Picker): string {
  const { hero } = castStory(picker, "any");
  const trait = picker.pick(Object.keys({ ...FRIENDLY_TRAITS, ...BRAVE_TRAITS }));
  const thing = picker.pick(THINGS);
  const company = picker.chance(0.6) ? ` and a ${picker.pick(thing.adjectives)} ${thing.noun}` : "";
  return `a ${trait} ${hero.kind.noun} named ${hero.name}${company}`;
}
