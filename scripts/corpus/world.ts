/**
 * The words of one story: who, what, where. They are drawn once and stay: the kite that is wanted at the beginning has
 * the colour of the kite that is found in the end.
 */
import { type Cast, castStory } from "./characters.ts";
import { DISHES, SNACKS } from "./foods.ts";
import { withArticle, withDefiniteArticle } from "./grammar.ts";
import { PHRASES } from "./phrases.ts";
import type { Picker } from "./picker.ts";
import { PLACES, type Place } from "./places.ts";
import type { Plot } from "./plot.ts";
import { capitalize, fillTemplate, type Slots } from "./template.ts";
import { THINGS, type Thing } from "./things.ts";
import { BRAVE_TRAITS, FRIENDLY_TRAITS, SHY_TRAITS } from "./traits.ts";

export interface World {
  readonly cast: Cast;
  readonly trait: string;
  readonly thing: Thing;
  readonly adjective: string;
  readonly place: Place;
  readonly slots: Slots;
}

export function createWorld(plot: Plot, picker: Picker): World {
  const cast = castStory(picker, plot.hero);
  const trait = picker.pick(traitsOf(plot));
  const thing = picker.pick(THINGS.filter(({ tags }) => fits(tags, plot.thing)));
  const adjective = picker.pick(thing.adjectives);
  const place = picker.pick(PLACES.filter(({ tags }) => fits(tags, plot.place)));
  const words = {
    ...characterWords(cast),
    trait,
    ...thingWords(thing, adjective),
    ...placeWords(place, picker),
    ...foodWords(picker),
  };
  const facts = factWords(plot, picker);
  return { cast, trait, thing, adjective, place, slots: createSlots(words, facts, picker) };
}

/** Slots that say who the friend is, after which the name alone will do. */
export const NAMING_FRIEND: ReadonlySet<string> = new Set(["his_friend", "a_stranger", "friend_who"]);

function fits<Tag>(tags: readonly Tag[], wanted: readonly Tag[]): boolean {
  return wanted.length === 0 || wanted.some((tag) => tags.includes(tag));
}

function traitsOf({ traits }: Plot): readonly string[] {
  if (traits === "friendly") return Object.keys({ ...FRIENDLY_TRAITS, ...BRAVE_TRAITS });
  if (traits === "brave") return Object.keys(BRAVE_TRAITS);
  if (traits === "shy") return Object.keys(SHY_TRAITS);
  return traits;
}

function characterWords({ hero, friend, elder }: Cast): Record<string, string> {
  const young = hero.is_person
    ? "[the {kind}|the little {kind}|the young {kind}]"
    : "[the {kind}|the little {kind}]";
  const young_friend = friend.is_person
    ? "[the {f_kind}|the little {f_kind}]"
    : "[the {f_kind}|the little {f_kind}]";
  return {
    hero: hero.name,
    ...hero.pronouns,
    kind: hero.kind.noun,
    the_hero: young,
    home: hero.kind.home,
    hands: hero.kind.hands,
    friend_name: friend.name,
    f_he: friend.pronouns.he,
    f_him: friend.pronouns.him,
    f_his: friend.pronouns.his,
    f_himself: friend.pronouns.himself,
    f_kind: friend.kind.noun,
    the_friend: young_friend,
    f_hands: friend.kind.hands,
    /** The first time that the hero's friend is named. */
    his_friend: friend.is_person
      ? "{his} friend {friend_name}"
      : "[{his} friend {friend_name} the {f_kind}|{friend_name} the {f_kind}]",
    /** After "the best friend of all was". */
    friend_who: friend.is_person ? "{friend_name}" : "{friend_name} the {f_kind}",
    /** The first time that somebody unknown is named. */
    a_stranger: `a [little |small |young |]{f_kind} [named|called] {friend_name}`,
    elder: elder.phrase,
    elder_call: elder.call,
    elder_spoken: elder.spoken,
  };
}

function thingWords(thing: Thing, adjective: string): Record<string, string> {
  const full = `${adjective} ${thing.noun}`;
  return { thing: full, a_thing: withArticle(full), noun: thing.noun, adjective };
}

function placeWords(place: Place, picker: Picker): Record<string, string> {
  const [spot = "", spot_2 = "", spot_3 = ""] = picker.pickSome(place.spots, 3);
  const [sight = "", sight_2 = ""] = picker.pickSome(place.sights, 2);
  return {
    place: place.noun,
    in_place: place.in,
    to_place: place.to,
    spot,
    spot_2,
    spot_3,
    the_spot: withDefiniteArticle(spot),
    sight,
    sight_2,
  };
}

function foodWords(picker: Picker): Record<string, string> {
  const [snacks = "", snacks_2 = ""] = picker.pickSome(SNACKS, 2);
  const dish = picker.pick(DISHES);
  return { dish, a_dish: withArticle(dish), snacks, snacks_2 };
}

function factWords(plot: Plot, picker: Picker): Record<string, string> {
  const words: Record<string, string> = {};
  for (const [name, choices] of Object.entries(plot.facts)) {
    const fact = picker.pick<string | Readonly<Record<string, string>>>(choices);
    if (typeof fact === "string") words[name] = fact;
    else for (const [part, text] of Object.entries(fact)) words[`${name}_${part}`] = text;
  }
  return words;
}

/** Words of the_hero's sort and phrases are chosen anew each time; facts once. */
function createSlots(
  words: Readonly<Record<string, string>>,
  facts: Readonly<Record<string, string>>,
  picker: Picker,
): Slots {
  const settled = new Map<string, string>();
  const slots: Slots = (name) => {
    // Whoever names the friend first also says who that is.
    if (NAMING_FRIEND.has(name)) settled.set("friend", words["friend_name"] ?? "");
    else if (name === "friend" && !settled.has(name)) return slots("his_friend");
    const known = settled.get(name);
    if (known !== undefined) return known;
    const fact = facts[name];
    if (fact !== undefined) {
      const text = fillTemplate(fact, slots, picker);
      settled.set(name, text);
      return text;
    }
    const source = words[name] ?? PHRASES[name];
    if (source === undefined) throw new RangeError(`no story has a word for {${name}}`);
    return fillTemplate(source, slots, picker);
  };
  return slots;
}

/** Fills a text with capitals at the beginning of its lines. */
export function tell(source: string, world: World, picker: Picker): string {
  return capitalize(fillTemplate(source, world.slots, picker));
}
