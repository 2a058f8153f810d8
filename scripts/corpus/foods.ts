/** What is baked, shared and picnicked on: one dish ("it") or a heap of small ones ("they"). */

/** Singular, counted: they take "a" and "it". */
export const DISHES: readonly string[] = [
  "apple pie",
  "honey cake",
  "berry tart",
  "carrot cake",
  "pumpkin pie",
  "peach pie",
  "plum cake",
  "cherry pie",
  "chocolate cake",
  "lemon cake",
  "nut cake",
  "pear tart",
  "blueberry pie",
  "ginger cake",
  "cheese pie",
  "banana cake",
];

/** Plural: they take "some" and "they". */
export const SNACKS: readonly string[] = [
  "berries",
  "nuts",
  "apples",
  "carrots",
  "cookies",
  "plums",
  "pears",
  "cherries",
  "strawberries",
  "pancakes",
  "grapes",
  "buns",
  "biscuits",
  "peaches",
  "muffins",
  "figs",
];
