/** The kinds that a character can be, with what depends on the kind: where it lives and what it takes things with. */

export interface Kind {
  readonly noun: string;
  /** Where an animal sleeps; a word that goes with "in his". */
  readonly home: string;
  /** Plural: what it carries and builds with. */
  readonly hands: string;
}

function kinds(home: string, hands: string, ...nouns: readonly string[]): Kind[] {
  return nouns.map((noun) => ({ noun, home, hands }));
}

/** All of them walk, talk and carry things, as in stories. */
export const ANIMALS: readonly Kind[] = [
  ...kinds("den", "paws", "fox", "wolf", "badger", "raccoon", "lion", "tiger"),
  ...kinds("burrow", "paws", "rabbit", "bunny", "mole", "hare", "hamster", "hedgehog"),
  ...kinds("cave", "paws", "bear"),
  ...kinds("hole", "paws", "mouse", "chipmunk"),
  ...kinds("tree house", "paws", "squirrel", "monkey", "panda", "koala"),
  ...kinds("cottage", "paws", "cat", "dog", "kitten", "puppy"),
  ...kinds("lodge", "paws", "beaver", "otter"),
  ...kinds("nest", "wings", "duck", "owl", "sparrow", "robin", "crow", "duckling"),
  ...kinds("barn", "hooves", "pony", "lamb", "goat", "donkey", "calf"),
  ...kinds("house", "feet", "elephant", "turtle", "frog", "penguin", "pig"),
];

/** Not found in every wood. */
export const MARVELS: readonly Kind[] = [
  ...kinds("cave", "claws", "dragon", "dinosaur"),
  ...kinds("workshop", "hands", "robot"),
  ...kinds("cottage", "hands", "elf", "gnome"),
  ...kinds("stable", "hooves", "unicorn"),
];

export const GIRL: Kind = { noun: "girl", home: "room", hands: "hands" };
export const BOY: Kind = { noun: "boy", home: "room", hands: "hands" };

/** Who else a child can be in a story. */
export const GIRLS_OF_TALES: readonly Kind[] = kinds(
  "tower",
  "hands",
  "princess",
  "fairy",
  "witch",
  "pirate",
);
export const BOYS_OF_TALES: readonly Kind[] = kinds("tower", "hands", "prince", "knight", "wizard", "sailor");

/** Old and wise, for advice; always called by what they are. */
export const ELDER_ANIMALS: readonly string[] = ["owl", "tortoise", "badger", "goose", "toad", "stork"];
