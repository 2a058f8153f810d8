/** How stories end: the last evening, and now and then what was learned. */
import type { Theme } from "./plot.ts";

export const CLOSINGS: readonly string[] = [
  "{That_evening}, {hero} fell asleep with a smile.",
  "{That_evening}, {hero} told {elder} everything that had happened.",
  "It had been a [good|wonderful|long and happy|day to remember|very good] day.".replace(
    "|day to remember",
    "",
  ),
  "{He} [hummed|sang|whistled] all the way home.",
  "{hero} [would never forget|never forgot|often thought about] that day.",
  "And {he} slept [soundly|deeply|very well|like a stone] that night.",
  "And that is how the story ends.",
  "And if you ever pass by, {hero} will be happy to tell you all about it.",
  "{hero} was the happiest {kind} in the whole [world|land|valley|wide world].",
  "[The moon rose over the roofs|The stars twinkled|The wind sang a soft song|A warm rain began to fall], and all was well.",
];

export const CLOSINGS_WITH_FRIEND: readonly string[] = [
  "From that day on, {hero} and {friend} were {best_friends}.",
  "{hero} and {friend} laughed all the way home.",
  "After that, {hero} and {friend} [met|played together|saw each other] every day.",
  "{That_evening}, {hero} and {friend} sat side by side and watched the stars.",
  "{hero} and {friend} shared some {snacks} and talked about it for a long time.",
  "And whenever {hero} and {friend} thought of that day, they had to smile.",
  "The two friends walked home [arm in arm|side by side|under the first stars|in the golden light].",
];

export const MORALS: Readonly<Record<Theme, readonly string[]>> = {
  friendship: [
    "{hero} knew now that a true friend is worth more than gold.",
    "{He} had learned that a friend makes [every day brighter|hard things easy|the world a better place].",
    "Friends make everything better.",
    "A friend is the best thing that one can find.",
    "There was always room for one more friend.",
  ],
  sharing: [
    "{hero} had learned that [things are more fun when you share them|joy grows when it is shared].",
    "From then on, {he} always shared what {he} had.",
    "What you share tastes twice as good.",
    "There is always enough when everyone gives a little.",
    "A gift makes two people happy: the one who gets it and the one who gives it.",
  ],
  honesty: [
    "{hero} had learned that [it is always best to tell the truth|the truth makes your heart light|a lie only makes things worse].",
    "From then on, {he} always told the truth, even when it was hard.",
    "An honest heart sleeps well.",
    "Trust is like glass, and one must be careful with it.",
  ],
  courage: [
    "{hero} had learned that being brave means [to be afraid and to try anyway|to go on even when your knees shake].",
    "{He} was braver than {he} had ever thought.",
    "Sometimes the smallest step takes the most courage.",
    "{He} felt as tall as a [tree|tower|mountain].",
    "After that, {hero} was not so easily frightened any more.",
    "Courage is a [little flame|small seed], and it had grown that day.",
  ],
  patience: [
    "{hero} had learned that good things take time.",
    "From then on, {he} knew how to wait.",
    "[Good things come to those who wait|Slowly, slowly, great things grow], as {elder} liked to say.",
  ],
  kindness: [
    "{hero} had learned that a little kindness [goes a long way|can change everything|always comes back].",
    "A kind word costs nothing, and yet it is worth so much.",
    "Being kind had made {him} feel warm inside.",
    "Kindness is like the sun: it makes everything grow.",
    "You never know who needs a friendly word.",
  ],
  helping: [
    "{hero} had learned that [nobody is too small to help|helping others makes you happy].",
    "And {hero} felt proud, because {he} had been able to help.",
    "Even a small {kind} can be a big help.",
    "It feels good to be needed.",
    "Whoever helps others is never alone.",
    "One good turn deserves another.",
  ],
  practice: [
    "{hero} had learned that [you must try and try again|nobody is a master on the first day|practice makes things easy].",
    "{He} was glad that {he} had not given up.",
    "If you fall down, get up once more.",
    "What is hard today will be easy tomorrow.",
    "{hero} had learned that every master was a beginner once.",
  ],
  listening: [
    "{hero} had learned that [it is wise to listen|good advice is worth a lot].",
    "From then on, {he} listened when {elder} told {him} something.",
  ],
  forgiveness: [
    "{hero} had learned that [saying sorry makes things right|everyone makes mistakes|a friend is more important than being right].",
    'A quarrel is soon forgotten when someone says "I am sorry."',
  ],
  teamwork: [
    "{hero} had learned that together [we can do more than alone|everything is easier|we are strong].",
    "Alone, it would have been too hard; together, it was easy.",
    "Many hands make light work.",
    "Everyone can do something, and together it is a lot.",
    "{hero} was glad not to be alone.",
  ],
  cleverness: [
    "A good idea can be stronger than [strong arms|a giant|big muscles].",
    "{hero} had learned that it pays to think first.",
    "Everyone said that {hero} was the cleverest {kind} they knew.",
  ],
  family: [
    "{hero} had learned that home is where somebody loves you.",
    "There was no better place in the world than home.",
    "Love is the best present of all.",
    "{His} heart was warm and full.",
    "{He} knew that {he} was loved, and that was the best gift of all.",
  ],
  care: [
    "{hero} had learned to take good care of {his} things.",
    "From then on, {he} put everything back in its place.",
    "{He} was much more careful after that.",
  ],
  modesty: [
    "{hero} had learned that it is better to be kind than to be the best.",
    "{He} never bragged again.",
    "Everyone liked {him} much better after that.",
  ],
  wonder: [
    "The world is full of wonders, if you look closely.",
    "{hero} had learned that [there is always something new to discover|even small things can be full of wonder].",
    "{He} would always keep this secret in {his} heart.",
  ],
  adventure: [
    "It had been a real adventure, and {hero} could hardly wait for the next one.",
    "{He} had seen so much, and yet it was good to be home.",
    "{hero} had learned that the best part of every adventure is to come home again.",
  ],
};
