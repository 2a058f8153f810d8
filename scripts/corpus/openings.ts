/** How stories begin: who there was, where, and what for a day-to-day life. */

/** Homes of people and animals alike. */
const HOME =
  "[at the edge of a quiet [forest|wood|village]|in a small village by the sea|on top of a green hill|near an old mill|by a winding river|in a valley between two mountains|in a little house with a [red|green|blue|yellow] door|at the end of a long lane|behind a big farm|not far from a [deep|blue|little] lake|under a tall oak tree|in a town with crooked streets|on an island in the middle of a lake|next to a windmill|beside a field of [sunflowers|corn|poppies|wheat|clover]|in a land far away|close to a sandy beach|at the foot of a mountain|near a stone bridge|in a sleepy little town]";

/** The hero by trait, kind and name. With and without "Once upon a time". */
export const INTRODUCTIONS: readonly string[] = [
  `Once upon a time, [there was|there lived] a {trait}[ little| young|] {kind} [named|called] {hero}.`,
  `Once upon a time, a {trait}[ little| young|] {kind} [named|called] {hero} lived ${HOME}.`,
  `Once upon a time there was a {kind} named {hero}, who was [very|quite|always|ever so] {trait}.`,
  `Once upon a time, ${HOME}, there lived a {trait} {kind} [named|called] {hero}.`,
  `Once there was a {trait}[ little|] {kind} [named|called] {hero}, who lived ${HOME}.`,
  `Long ago, a {trait}[ little|] {kind} [named|called] {hero} lived ${HOME}.`,
  `Far, far away, ${HOME}, lived a {trait} {kind} [named|called] {hero}.`,
  `{hero} was a {trait}[ little| young|] {kind} who lived ${HOME}.`,
  `{hero} the {kind} lived ${HOME}. {He} was [very|quite] {trait}.`,
  `Everyone knew {hero}, the {trait}[ little|] {kind} who lived ${HOME}.`,
  `There was once a {trait} {kind} whose name was {hero}.`,
  `This is the story of {hero}, a {trait}[ little| young|] {kind}.`,
  `In a [small|cozy|crooked|tiny|bright] house ${HOME.replace("in a little house with a [red|green|blue|yellow] door|", "")} lived a {kind} named {hero}. Everybody said that {he} was {trait}.`,
  `Have you heard of {hero}? {He} was a {trait}[ little|] {kind} who lived ${HOME}.`,
];

/** Told or left out. */
export const DAILY_LIVES: readonly string[] = [
  "{He} loved to [climb trees|splash in puddles|count the stars|paint pictures|pick flowers|sing in the rain|look at old maps|watch the clouds|collect pretty stones|tell stories|dance in the kitchen|listen to the wind|build little towers|roll down hills|skip over stones|ride on wagons|bake with {elder}].",
  "[Every morning|Every day|Every evening], {he} [watered the flowers|swept the steps|fed the birds|waved at the sun|went for a long walk|ate a bowl of porridge with honey|looked out of the window and wondered what would happen next|helped {elder} in the garden].",
  "{His} favorite food was [warm bread with honey|a bowl of {snacks}|{a_dish}|hot soup|sweet {snacks}], and {his} favorite color was [red|blue|green|yellow|purple|orange].",
  "In {his} {home} there was [a soft bed|a round table|a tiny window|a warm stove|a shelf full of books|a clock that ticked loudly] and [a big box of pencils|a jar of {snacks}|a picture of the sea|a rug with stars on it|a chair that creaked].",
  "{He} had [bright eyes|a loud laugh|a round nose|very quick feet|a red scarf|a small scar on {his} knee|a kind face] and [a big heart|many plans|a good memory|a head full of ideas|pockets full of string].",
];
