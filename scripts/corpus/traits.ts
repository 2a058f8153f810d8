/** What characters are like, and one sentence more about it. Slots: see words.ts. */

/** Good company in any story. */
export const FRIENDLY_TRAITS: Readonly<Record<string, readonly string[]>> = {
  cheerful: [
    "{He} hummed a little song wherever {he} went.",
    "Even on rainy days {he} had a smile for everybody.",
    "{He} woke up happy every single morning.",
  ],
  curious: [
    "{He} asked questions from morning till night.",
    "{He} wanted to know how everything worked.",
    "{He} looked under every stone and behind every door.",
  ],
  kind: [
    "{He} never walked past anybody who needed help.",
    "{He} always had a good word for everyone.",
    "{He} shared whatever {he} had.",
  ],
  playful: [
    "{He} could make a game out of anything.",
    "{He} liked games better than anything else.",
    "{He} was always ready for some fun.",
  ],
  gentle: [
    "{He} was careful never to step on an ant.",
    "{He} spoke softly and never pushed anyone.",
    "Even the shyest birds were not afraid of {him}.",
  ],
  clever: [
    "{He} liked to solve riddles.",
    "When there was a puzzle, {he} was the first to solve it.",
    "{He} always had an idea.",
  ],
  friendly: [
    "{He} said hello to everyone {he} met.",
    "{He} waved at everybody who came by.",
    "{He} had more friends than {he} could count.",
  ],
  lively: [
    "{He} could not sit still for a minute.",
    "{He} hopped and skipped instead of walking.",
    "{He} ran everywhere {he} went.",
  ],
  merry: [
    "{He} knew a hundred jokes.",
    "{He} laughed more than anyone else.",
    "{His} laugh could be heard from far away.",
  ],
  helpful: [
    "{He} carried baskets, fetched water and swept the floor for others.",
    '"Can I help?" was {his} favorite question.',
    "{He} liked nothing better than to lend a hand.",
  ],
  thoughtful: [
    "{He} liked to sit quietly and think.",
    "{He} remembered everybody's birthday.",
    "{He} thought before {he} spoke.",
  ],
  hopeful: [
    "{He} believed that every day would bring something good.",
    "{He} never gave up easily.",
    "When things went wrong, {he} looked for the bright side.",
  ],
  dreamy: [
    "{He} could watch the clouds for hours.",
    "{He} saw castles in the clouds and ships in the puddles.",
    "{He} often forgot the time while {he} was dreaming.",
  ],
};

export const BRAVE_TRAITS: Readonly<Record<string, readonly string[]>> = {
  brave: [
    "{He} was not afraid of the dark or of thunder.",
    "{He} dreamed of great adventures.",
    "Hardly anything could frighten {him}.",
  ],
  bold: [
    "{He} was always the first to try something new.",
    "{He} had climbed every tree for miles around.",
    "{He} liked to explore places where nobody had been.",
  ],
  adventurous: [
    "{He} dreamed of faraway lands.",
    "{He} wanted to see the whole world.",
    "Every path made {him} wonder where it went.",
  ],
};

export const SHY_TRAITS: Readonly<Record<string, readonly string[]>> = {
  shy: [
    "{He} spoke so softly that others could hardly hear {him}.",
    "{He} hid behind {his} mother when visitors came.",
    "{He} often wished {he} knew what to say.",
  ],
  timid: [
    "{He} was afraid of loud noises and of the dark.",
    "Even {his} own shadow made {him} jump.",
    "{He} never went far from home.",
  ],
  quiet: [
    "{He} liked to listen more than to talk.",
    "{He} often played alone.",
    "{He} hardly ever said a word to anyone new.",
  ],
};

/** For stories in which somebody has something to learn. */
export const FLAWS = {
  greedy: [
    "{He} always wanted the biggest piece.",
    '"Mine, mine, mine!" {he} would say.',
    "{He} did not like to give anything away.",
  ],
  proud: [
    "{He} thought {he} was better than everyone else.",
    "{He} liked to look at {himself} in puddles.",
    "{He} talked about {himself} all day long.",
  ],
  boastful: [
    "{He} told everyone how great {he} was.",
    '"I am the best at everything," {he} liked to say.',
    "{He} bragged from morning till night.",
  ],
  careless: [
    "{He} left {his} things lying about everywhere.",
    "{He} never looked where {he} was going.",
    "{He} did everything in a hurry.",
  ],
  messy: [
    "{His} things were all over the floor.",
    "{He} never put anything back in its place.",
    "{He} could never find {his} shoes.",
  ],
  forgetful: [
    "{He} forgot names, days and even {his} own lunch.",
    "{He} often went out and forgot why.",
    "Things went in one ear and out the other.",
  ],
  impatient: [
    "{He} could not wait for anything.",
    '"Is it ready yet?" {he} asked all the time.',
    "{He} wanted everything at once.",
  ],
  grumpy: [
    "{He} grumbled about the rain and about the sun.",
    "{He} hardly ever smiled.",
    "{He} liked to be left alone.",
  ],
  stubborn: [
    "{He} never listened to advice.",
    "When {he} had made up {his} mind, nothing could change it.",
    '"I know better," {he} always said.',
  ],
  lazy: [
    "{He} liked to lie in the sun and do nothing.",
    '"Maybe tomorrow," {he} said about everything.',
    "{He} yawned when there was work to do.",
  ],
  mischievous: [
    "{He} loved to play tricks on others.",
    "{He} giggled when someone fell for one of {his} jokes.",
    "Nobody was safe from {his} tricks.",
  ],
  selfish: [
    "{He} thought only of {himself}.",
    "{He} never let anyone play with {his} toys.",
    "{He} had never learned to share.",
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export const TRAIT_LINES: Readonly<Record<string, readonly string[]>> = {
  ...FRIENDLY_TRAITS,
  ...BRAVE_TRAITS,
  ...SHY_TRAITS,
  ...FLAWS,
};
