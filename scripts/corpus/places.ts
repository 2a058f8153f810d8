/** Where stories happen: how one is there and goes there, what is to be seen, and spots where a thing can lie. */

export type PlaceTag = "trees" | "water" | "open" | "town" | "high" | "sandy" | "green" | "shore";

export interface Place {
  /** With "the" before it. */
  readonly noun: string;
  readonly in: string;
  readonly to: string;
  readonly tags: readonly PlaceTag[];
  /** Each begins with a preposition and has "a" or "an" once. */
  readonly spots: readonly string[];
  /** Whole sentences. */
  readonly sights: readonly string[];
}

function place(
  noun: string,
  [at, to]: readonly [string, string],
  tags: readonly PlaceTag[],
  spots: readonly string[],
  sights: readonly string[],
): Place {
  return { noun, in: `${at} the ${noun}`, to: `${to} the ${noun}`, tags, spots, sights };
}

export const PLACES: readonly Place[] = [
  place(
    "forest",
    ["in", "into"],
    ["green", "trees"],
    [
      "under a mossy log",
      "behind an old oak",
      "beside a red mushroom",
      "in a hollow tree",
      "under a fern",
      "on a low branch",
    ],
    [
      "Sunlight fell through the leaves.",
      "The air smelled of pine and moss.",
      "A woodpecker was knocking on a trunk.",
      "Dry leaves rustled under every step.",
    ],
  ),
  place(
    "woods",
    ["in", "into"],
    ["green", "trees"],
    [
      "under a heap of leaves",
      "behind a tree stump",
      "between the roots of a birch",
      "in a bramble bush",
      "beside a fallen branch",
    ],
    [
      "It was cool and green between the trees.",
      "A cuckoo called from far away.",
      "Tiny white flowers grew along the path.",
    ],
  ),
  place(
    "meadow",
    ["in", "to"],
    ["green", "open"],
    [
      "in a clump of clover",
      "behind a thorn bush",
      "beside a molehill",
      "under a wild rose",
      "next to a wooden fence",
    ],
    [
      "The grass was tall and full of flowers.",
      "Bees were humming over the clover.",
      "Yellow butterflies danced in the air.",
      "Crickets were singing everywhere.",
    ],
  ),
  place(
    "park",
    ["in", "to"],
    ["green", "open", "trees"],
    ["under a bench", "behind a statue", "beside a fountain", "under a chestnut tree", "in a flower bed"],
    [
      "The paths were full of people.",
      "Pigeons were strutting about.",
      "The fountain splashed and sparkled.",
    ],
  ),
  place(
    "garden",
    ["in", "to"],
    ["green", "open"],
    [
      "under a cabbage leaf",
      "behind a watering can",
      "beside a sunflower",
      "in an empty flower pot",
      "under a bean plant",
    ],
    [
      "Roses climbed up the old wall.",
      "Tomatoes were ripening in the sun.",
      "A bumblebee bumped from flower to flower.",
    ],
  ),
  place(
    "river",
    ["by", "to"],
    ["water"],
    [
      "between the stones of a little dam",
      "under a willow",
      "behind a clump of reeds",
      "on a flat rock",
      "beside an old rowing boat",
    ],
    [
      "The water gurgled over the stones.",
      "Silver fish darted to and fro.",
      "A blue dragonfly hovered over the water.",
    ],
  ),
  place(
    "pond",
    ["by", "to"],
    ["water"],
    [
      "in a tuft of grass",
      "under a bush with white berries",
      "behind a clump of reeds",
      "on a wooden bridge",
      "beside a flat stone",
    ],
    [
      "Water lilies floated on the pond.",
      "The frogs were croaking a song.",
      "The water was as smooth as a mirror.",
    ],
  ),
  place(
    "lake",
    ["by", "to"],
    ["water"],
    [
      "under a rowing boat",
      "behind a pile of logs",
      "on a wooden pier",
      "beside a big gray rock",
      "in a bed of rushes",
    ],
    [
      "The lake glittered in the light.",
      "A heron stood on one leg in the shallow water.",
      "Little waves lapped at the shore.",
    ],
  ),
  place(
    "beach",
    ["on", "to"],
    ["water", "shore", "open"],
    [
      "behind a sand dune",
      "in a rock pool",
      "under a heap of seaweed",
      "beside a piece of driftwood",
      "under an old net",
    ],
    [
      "Gulls were screaming over the waves.",
      "The sand was warm and soft.",
      "The sea smelled of salt.",
      "The waves rolled in, one after another.",
    ],
  ),
  place(
    "hill",
    ["on", "up"],
    ["green", "high", "open"],
    [
      "behind a gray boulder",
      "under a crooked pine",
      "in a patch of heather",
      "beside a stone wall",
      "between the roots of a thorn tree",
    ],
    [
      "From the top you could see the whole valley.",
      "The wind blew through the grass.",
      "Sheep were grazing on the slope.",
    ],
  ),
  place(
    "mountain",
    ["on", "up"],
    ["high"],
    [
      "in a crack in the rock",
      "behind a heap of stones",
      "under a little fir tree",
      "beside a waterfall",
      "at the mouth of a cave",
    ],
    ["The air was thin and clear.", "An eagle was circling above the peak.", "Snow shone on the summit."],
  ),
  place(
    "farm",
    ["on", "to"],
    ["green", "open"],
    [
      "behind a haystack",
      "under a cart",
      "in an old bucket",
      "beside a water trough",
      "under a pile of straw",
    ],
    [
      "Hens were scratching in the yard.",
      "It smelled of hay and warm milk.",
      "The rooster was crowing on the roof.",
    ],
  ),
  place(
    "orchard",
    ["in", "to"],
    ["green", "trees"],
    [
      "under an apple tree",
      "behind a ladder",
      "in an empty basket",
      "beside a beehive",
      "in a heap of cut grass",
    ],
    [
      "The branches were heavy with fruit.",
      "Wasps were humming over the fallen pears.",
      "Blossoms drifted down like snow.",
    ],
  ),
  place(
    "village",
    ["in", "to"],
    ["town"],
    ["behind a barrel", "under a bench", "beside a well", "on a window sill", "behind a cart"],
    [
      "Smoke rose from the chimneys.",
      "The church clock struck ten.",
      "Somebody was sweeping the street.",
      "It smelled of fresh bread.",
    ],
  ),
  place(
    "market",
    ["at", "to"],
    ["town"],
    [
      "under a table",
      "behind a stack of boxes",
      "between the wheels of a wagon",
      "beside a barrel of apples",
      "in an empty crate",
    ],
    [
      "People were calling out their prices.",
      "There were cheeses as big as wheels.",
      "The stalls were bright with flowers and fruit.",
    ],
  ),
  place(
    "harbor",
    ["at", "to"],
    ["town", "water"],
    [
      "behind a coil of rope",
      "under a fishing net",
      "beside an anchor",
      "behind a crate of fish",
      "on a stone step",
    ],
    [
      "The boats rocked gently on the water.",
      "Fishermen were mending their nets.",
      "A ship's horn sounded far out at sea.",
    ],
  ),
  place(
    "valley",
    ["in", "down into"],
    ["green", "open"],
    [
      "under a hazel bush",
      "beside a little stream",
      "behind a round rock",
      "in a patch of daisies",
      "under a wooden bridge",
    ],
    [
      "The valley was quiet and green.",
      "A stream wound through the grass.",
      "Swallows swooped over the fields.",
    ],
  ),
  place(
    "desert",
    ["in", "into"],
    ["sandy", "open"],
    [
      "beside a tall cactus",
      "under a flat stone",
      "behind a red rock",
      "in the shade of a palm tree",
      "at the foot of a sand dune",
    ],
    [
      "The sand was golden as far as you could see.",
      "The sun burned in a sky without clouds.",
      "A lizard slept on a hot stone.",
    ],
  ),
];
