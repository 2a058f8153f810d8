/**
 * Who is in a story. Hero and friend are of different sex and kind, and an elder is of the friend's sex, so that "he",
 * "she", "the fox" and "the girl" always mean one of them only.
 */
import {
  ANIMALS,
  BOY,
  BOYS_OF_TALES,
  ELDER_ANIMALS,
  GIRL,
  GIRLS_OF_TALES,
  type Kind,
  MARVELS,
} from "./animals.ts";
import { pickName } from "./names.ts";
import type { Picker } from "./picker.ts";

export interface Pronouns {
  readonly he: "he" | "she";
  readonly him: "him" | "her";
  readonly his: "his" | "her";
  readonly himself: "himself" | "herself";
}

export interface Character {
  readonly name: string;
  readonly kind: Kind;
  readonly is_person: boolean;
  readonly pronouns: Pronouns;
}

export interface Elder {
  /** In a sentence about the hero: "his grandmother", "the old owl". */
  readonly phrase: string;
  /** How the hero speaks to the elder. */
  readonly call: string;
  /** How the hero speaks of the elder. */
  readonly spoken: string;
}

export interface Cast {
  readonly hero: Character;
  readonly friend: Character;
  readonly elder: Elder;
}

const MALE: Pronouns = { he: "he", him: "him", his: "his", himself: "himself" };
const FEMALE: Pronouns = { he: "she", him: "her", his: "her", himself: "herself" };

/** @param people whether the hero must be a child, must be an animal, or may be either */
export function castStory(picker: Picker, people: "child" | "animal" | "any"): Cast {
  const hero_is_male = picker.chance(0.5);
  const hero_is_person = people === "any" ? picker.chance(0.3) : people === "child";
  const hero = characterOf(picker, hero_is_male, hero_is_person, null);
  const friend_is_person = hero_is_person && picker.chance(0.7);
  const friend = characterOf(picker, !hero_is_male, friend_is_person, hero.kind);
  return { hero, friend, elder: elderOf(picker, hero, friend) };
}

function characterOf(picker: Picker, is_male: boolean, is_person: boolean, other: Kind | null): Character {
  const name = pickName(picker, is_male);
  const pronouns = is_male ? MALE : FEMALE;
  if (is_person) return { name, kind: personOf(picker, is_male), is_person, pronouns };
  const kinds = picker.chance(0.1) ? MARVELS : ANIMALS;
  const kind = picker.pick(kinds.filter(({ noun }) => noun !== other?.noun));
  return { name, kind, is_person, pronouns };
}

function personOf(picker: Picker, is_male: boolean): Kind {
  if (picker.chance(0.75)) return is_male ? BOY : GIRL;
  return picker.pick(is_male ? BOYS_OF_TALES : GIRLS_OF_TALES);
}

/** Of the friend's sex: grandmother to a boy, grandfather to a girl; or an old animal, which has no pronoun here. */
function elderOf(picker: Picker, hero: Character, friend: Character): Elder {
  if (!hero.is_person && picker.chance(0.5)) {
    const noun = picker.pick(
      ELDER_ANIMALS.filter((one) => one !== hero.kind.noun && one !== friend.kind.noun),
    );
    return { phrase: `the old ${noun}`, call: `wise ${noun}`, spoken: `the old ${noun}` };
  }
  const relations =
    hero.pronouns.he === "he"
      ? { mother: "Mother", grandmother: "Grandma", aunt: "Auntie" }
      : { father: "Father", grandfather: "Grandpa", uncle: "Uncle" };
  const [relation, call] = picker.pick(Object.entries(relations));
  return { phrase: `${hero.pronouns.his} ${relation}`, call, spoken: call };
}
