/**
 * First names: common ones and invented ones, of which there are too many to learn by heart, so that a model learns to
 * repeat the name it was given. None ends in "s", so that every one takes an apostrophe and s.
 */
import type { Picker } from "./picker.ts";

const NAMES_OF_GIRLS: readonly string[] = (
  "Ada Amy Anna Bea Bella Betty Clara Cora Daisy Dora Ella Elsie Emma Eva Fern Flora Freya Gina Greta Hana Hazel " +
  "Holly Ida Ivy Jenny Josie Julia Kate Kiki Lena Lily Lola Lucy Luna Mabel Maya Mia Mimi Mina Molly Nala Nell Nina " +
  "Nora Olive Penny Pippa Polly Poppy Rosa Rosie Ruby Sadie Sally Sara Sofia Sunny Tara Tess Tilly Tina Willa Zara Zoe"
)
  .split(" ")
  .filter((name) => !name.endsWith("s"));

const NAMES_OF_BOYS: readonly string[] = (
  "Alfie Arlo Arthur Ben Benny Billy Bruno Caleb Charlie Cody Dan Danny Eli Emil Felix Finn Frank Fred George Gus Hank " +
  "Harry Henry Hugo Ian Jack Jake Jasper Joe Jonah Karl Kip Leo Levi Liam Louie Luke Max Milo Ned Noah Nico Ollie " +
  "Oscar Otto Owen Paul Percy Peter Pip Ralph Ravi Remy Robin Rocky Rufus Sam Simon Ted Teddy Tim Toby Tom Tony Victor Will Zack"
)
  .split(" ")
  .filter((name) => !name.endsWith("s") && name !== "Robin");

const INVENTED_SHARE = 0.3;
const BEGINNINGS = ["B", "D", "F", "K", "L", "M", "N", "R", "T", "V", "Z", "Br", "Fl", "Gr", "Pl", "St"];
const VOWELS = ["a", "e", "i", "o", "u"];
const MIDDLES = ["l", "m", "n", "r", "b", "v", "lm", "rl"];
const ENDS_OF_GIRLS = ["a", "i", "ie", "y", "ia", "ina", "ella", "inka"];
const ENDS_OF_BOYS = ["o", "ik", "ert", "ino", "ow", "im", "ok"];

export function pickName(picker: Picker, is_male: boolean): string {
  if (!picker.chance(INVENTED_SHARE)) return picker.pick(is_male ? NAMES_OF_BOYS : NAMES_OF_GIRLS);
  const parts = [BEGINNINGS, VOWELS, MIDDLES, is_male ? ENDS_OF_BOYS : ENDS_OF_GIRLS];
  return parts.map((part) => picker.pick(part)).join("");
}
