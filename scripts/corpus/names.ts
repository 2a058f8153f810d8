/** First names. None ends in "s", so that every one takes an apostrophe and s; none is in both lists. */

export const NAMES_OF_GIRLS: readonly string[] = (
  "Ada Amy Anna Bea Bella Betty Clara Cora Daisy Dora Ella Elsie Emma Eva Fern Flora Freya Gina Greta Hana Hazel " +
  "Holly Ida Ivy Jenny Josie Julia Kate Kiki Lena Lily Lola Lucy Luna Mabel Maya Mia Mimi Mina Molly Nala Nell Nina " +
  "Nora Olive Penny Pippa Polly Poppy Rosa Rosie Ruby Sadie Sally Sara Sofia Sunny Tara Tess Tilly Tina Willa Zara Zoe"
)
  .split(" ")
  .filter((name) => !name.endsWith("s"));

export const NAMES_OF_BOYS: readonly string[] = (
  "Alfie Arlo Arthur Ben Benny Billy Bruno Caleb Charlie Cody Dan Danny Eli Emil Felix Finn Frank Fred George Gus Hank " +
  "Harry Henry Hugo Ian Jack Jake Jasper Joe Jonah Karl Kip Leo Levi Liam Louie Luke Max Milo Ned Noah Nico Ollie " +
  "Oscar Otto Owen Paul Percy Peter Pip Ralph Ravi Remy Robin Rocky Rufus Sam Simon Ted Teddy Tim Toby Tom Tony Victor Will Zack"
)
  .split(" ")
  .filter((name) => !name.endsWith("s") && name !== "Robin");
