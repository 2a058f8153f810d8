/** Things that are wanted, lost, made, given and found. Each is one thing: "it". */

export type ThingTag =
  | "toy"
  | "worn"
  | "treasure"
  | "flies"
  | "floats"
  | "sounds"
  | "plays"
  | "gift"
  | "tool";

export interface Thing {
  readonly noun: string;
  /** What can stand before the noun. */
  readonly adjectives: readonly string[];
  readonly tags: readonly ThingTag[];
}

const COLORS = ["red", "blue", "green", "yellow", "purple", "orange", "white", "pink"];
const CLOTH = [...COLORS, "striped", "spotted", "woolly", "warm", "soft"];
const METAL = ["silver", "golden", "shiny", "copper", "tiny", "old"];
const WOOD = ["wooden", "painted", "carved", "small", ...COLORS.slice(0, 4)];

function things(adjectives: readonly string[], tags: readonly ThingTag[], ...nouns: string[]): Thing[] {
  return nouns.map((noun) => ({ noun, adjectives, tags }));
}

export const THINGS: readonly Thing[] = [
  ...things(COLORS, ["toy", "flies", "gift"], "kite", "paper plane", "balloon"),
  ...things([...COLORS, "bouncy", "striped", "shiny"], ["toy", "gift", "floats"], "ball"),
  ...things(WOOD, ["toy", "gift", "floats"], "toy boat", "toy duck"),
  ...things(WOOD, ["toy", "gift"], "spinning top", "toy train", "yo-yo", "puppet", "toy horse", "wagon"),
  ...things(["soft", "fluffy", "brown", "little", "old", "blue"], ["toy", "gift"], "teddy bear", "rag doll"),
  ...things(CLOTH, ["worn", "gift"], "hat", "scarf", "cap", "mitten", "sock", "jacket"),
  ...things([...COLORS, "silk", "long", "shiny"], ["worn", "gift", "flies"], "ribbon"),
  ...things([...COLORS, "striped", "big", "broken"].slice(0, 10), ["tool", "gift"], "umbrella"),
  ...things(METAL, ["treasure", "gift"], "key", "ring", "coin", "button", "locket", "crown", "medal"),
  ...things(METAL, ["sounds", "gift", "treasure"], "bell", "music box"),
  ...things(METAL, ["sounds", "plays", "gift"], "whistle", "trumpet", "harmonica"),
  ...things([...WOOD, "little"], ["sounds", "plays", "gift"], "flute", "drum", "fiddle", "guitar", "harp"),
  ...things(
    ["smooth", "pink", "white", "striped", "pearly", "spotted"],
    ["treasure", "gift"],
    "shell",
    "pebble",
  ),
  ...things(["blue", "green", "golden", "long", "white", "speckled"], ["treasure", "flies"], "feather"),
  ...things(
    ["glass", "round", "sparkling", "purple", "green"],
    ["treasure", "toy", "gift"],
    "marble",
    "crystal",
  ),
  ...things(["thick", "old", "red", "blue", "little", "dusty"], ["tool", "gift"], "picture book", "notebook"),
  ...things(["little", "bright", "brass", "red", "old"], ["tool", "gift"], "lantern"),
  ...things([...COLORS.slice(0, 4), "tin", "little"], ["tool"], "bucket", "watering can", "cup"),
  ...things(["woven", "round", "brown", "little", "big"], ["tool", "gift"], "basket"),
  ...things([...CLOTH, "patchwork"], ["gift"], "blanket", "pillow"),
];
