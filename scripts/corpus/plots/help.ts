/** Plots in which somebody is in need and somebody helps. */
import { definePlot } from "../plot.ts";

export const HELP_PLOTS = [
  definePlot({
    name: "the bird out of the nest",
    theme: "helping",
    place: ["green"],
    hero: "any",
    summaries: [
      "who helps a baby bird",
      "who finds a baby bird",
      "and a little bird that fell out of its nest",
    ],
    facts: {
      tree: ["an old oak", "a tall birch", "a chestnut tree", "a crooked apple tree", "a big beech"],
      way: [
        "{hero} stood on {f_his} shoulders",
        "they piled up flat stones and climbed on top",
        "they leaned a long branch against the trunk and {hero} climbed up",
        "they fetched a ladder from {elder}",
      ],
    },
    story: `
¶ {One_day}, {hero} {walked} {to_place}. {sight} {Suddenly} {he} heard a [thin|tiny|faint] voice. "Peep! Peep!" [Under {tree}, in the grass,|On the ground, under {tree},] sat a baby bird.
¶ {One_day}, {hero} was on {his} way {to_place} when {he} heard something. "Peep, peep!" it went. {He} {looked_around} and {noticed} a baby bird under {tree}.

"[You poor little thing|Oh, little one]," said {hero} {softly}. "[Did you fall out of your nest?|Where is your mother?]" The baby bird [shivered|was trembling] and opened its beak.
It had fallen out of its nest and could not fly yet. "[Don't be afraid|I will not hurt you]," {whispered} {hero}.

{hero} looked up. [High above, between two branches, was the nest.|The nest was far up in the tree.] {He} tried to climb up, but [the trunk was too smooth|{he} slid down again and again].
{He} wrapped the bird in [a soft leaf|a bit of moss|{his} scarf] so that it would be warm. But the nest was so high up that {he} could not reach it.

{Soon} {his_friend} came by. "[What have you got there?|What are you doing?]" {f_he} asked. {hero} showed {f_him} the baby bird. "[We must bring it back to its nest|It wants to go home]," {he} said. "[But how?|But I am too small.]"
{hero} ran to {his_friend}. "[Come quickly|I need your help]!" {he} {called}. "[A little bird fell out of its nest|There is a little bird on the ground]!"

"{I_have_an_idea}," said {friend}. [And so|A moment later] {way}. {Carefully}, {hero} put the baby bird back into the nest[, next to its brothers and sisters| between three other little birds|].
They thought about it. Then {way}, and {hero} {carefully} set the baby bird down in its nest.

[Just then the mother bird came flying, with a worm in her beak.|{Soon} the mother bird came home.] "[Thank you, thank you|How can I thank you]!" she sang. "[I looked everywhere for my child|I was so afraid for my little one]."
The mother bird had seen everything. She flew three times around their heads and sang [her most {beautiful} song|as loud as she could].

¶ [Every morning after that|From that day on], a bird sat at {hero}'s window and sang. [{hero} knew very well why.|It was the most {beautiful} song in the world.]
¶ A few weeks later, a young bird landed right on {hero}'s shoulder. "[Peep|Look, I can fly]!" it sang. {hero} {smiled}. [{He} knew who it was.|]
`,
  }),
  definePlot({
    name: "stuck in the mud",
    theme: "teamwork",
    place: ["green", "water"],
    summaries: [
      "and {friend} the {f_kind}, who gets stuck in the mud",
      "who helps a friend who is stuck",
      "who pulls a friend out of the mud",
    ],
    facts: {
      animals: [
        ["a cow", "a goat", "a mouse"],
        ["a sheep", "a dog", "a beetle"],
        ["a horse", "a rabbit", "a ladybug"],
        ["a donkey", "a goose", "a frog"],
        ["a deer", "a hedgehog", "a snail"],
      ].map(([first = "", second = "", last = ""]) => ({
        first,
        second,
        last,
        lasts: last.replace(/^an? /, "the "),
      })),
    },
    story: `
¶ After a long rain, the sun came out again, and {hero} and {friend} ran {to_place}. [The ground was soft and wet.|There were puddles everywhere.] {Suddenly} {friend} sank into the mud.
¶ It had rained for three days. When the sun came out at last, {hero} {walked} {to_place}. There {he} heard somebody call, "Help! Help!" It was {his_friend}, stuck deep in the mud.

"[I can't get out|I am stuck]!" {f_he} {called}. "[The more I kick, the deeper I sink|Please help me]!" "[Keep still|Hold on]!" said {hero}. "[I will pull you out|I am coming]!"
{hero} did not lose a second. "[Give me your {f_hands}|Hold on to me]!" {he} {called}.

{He} pulled and pulled, but {friend} did not move. "[I am not strong enough alone|We need help]," said {hero} and ran to fetch somebody.
{hero} pulled as hard as {he} could. [It was no use.|But the mud held {friend} tight.] So {he} called for help as loud as {he} could.

[Then {animals_first} came along.|The first to come was {animals_first}.] It held on to {hero}, and both of them pulled. Nothing moved. Then came {animals_second} and pulled too. Still nothing.
{Animals_first} came and pulled with {him}. It was not enough. {Animals_second} came and pulled too. It was still not enough.

At last came {animals_last}. "[Can I help?|Let me help too]," it said. [Everyone laughed.|The others shook their heads.] "You? You are much too small!" But {hero} said, "[Everyone can help|Every bit counts|Come on, hold on to us]!"
{At_last} {animals_last} came. "[I am small, but I can pull|I will pull too]," it said. "[Then come|That is kind of you]," said {hero}.

"One, two, three!" They all pulled together, [the big ones and the small ones|as hard as they could]. There was a loud plop, and {friend} flew out of the mud! [They all fell over backward.|All of them landed in a heap and laughed.]
So they all pulled, {hero} in front and {animals_lasts} at the very end. "One, two, three, pull!" Plop! {friend} was free, [and everyone was covered with mud|and everybody cheered].

"{Thank_you}!" said {friend} and [hugged them all|shook the mud off]. "[Without each of you I would still be in there|It took all of you]." [And nobody laughed about {animals_lasts} any more.|"And it took the smallest one," said {hero}, and winked at {animals_lasts}.]
"[You saved me|You are all wonderful]!" said {friend}. Then they [washed in the river|jumped into the water and got clean], and [had a feast of {snacks}|lay in the sun until they were dry].
`,
  }),
  definePlot({
    name: "small helps big",
    theme: "helping",
    hero: "animal",
    summaries: ["who helps somebody much bigger", "and a giant", "who is small but can help"],
    facts: {
      giant: [
        {
          who: "a huge bull",
          the: "the bull",
          pain: "has a thorn in my foot",
          cure: "pulled the thorn out with {his} small {hands}",
        },
        {
          who: "a mighty moose",
          the: "the moose",
          pain: "has got a rope around my leg",
          cure: "gnawed and picked at the knot until it came loose",
        },
        {
          who: "a giant",
          the: "the giant",
          pain: "has lost my glasses and cannot see a thing",
          cure: "crept under the bushes and found the glasses",
        },
        {
          who: "a great gray whale",
          the: "the whale",
          pain: "is lying on the sand and cannot get back into the sea",
          cure: "dug a long ditch until the water came in",
        },
        {
          who: "a dragon as big as a house",
          the: "the dragon",
          pain: "has a fish bone between my teeth",
          cure: "climbed right into the big mouth and pulled out the bone",
        },
      ].map((fact) => ({ ...fact, pain: fact.pain.replace(/^has /, "I have ").replace(/^is /, "I am ") })),
      teased: [
        "You are too small for anything",
        "Go and play with the ants",
        "What can somebody so little do",
        "Mind that nobody steps on you",
      ],
    },
    story: `
{hero} was the smallest of all {his} friends. "{teased}!" the others used to say. {hero} wished that {he} were [big and strong|as big as a house].
Because {he} was so small, the others often laughed at {him}. "{teased}!" they said. [That made {him} sad.|That hurt.|]

¶ {One_day}, a [terrible|loud] roar shook the ground. Everyone ran away and hid. Only {hero} [stayed|listened]. "[That does not sound angry|Somebody is in pain]," {he} said.
¶ {One_day}, they all heard a loud moan. "Run!" the others shouted, and they ran. But {hero} thought for a moment and went to see.

Behind the hill {he} found {giant_who}. {Heart_beat}. "[Why are you crying?|What is the matter?]" asked {hero}. "{giant_pain}," said {giant_the}. "[Nobody wants to help me. They all run away|Everyone is afraid of me]."
And there lay {giant_who}! {hero} was {afraid}, but {he} went closer. "[Can I help you?|What is wrong with you?]" {he} asked. "Oh, {giant_pain}," said {giant_the}. "[But you are so small|Nobody can help me]."

"[Being small can be a good thing|Let me try]," said {hero}. {He} {giant_cure}. [It took a long time, but {he} did not give up.|It was hard work.]
"[Hold still|Trust me]," said {hero}, and {he} {giant_cure}. 

"[It does not hurt any more|I am saved|What a relief]!" {giant_the} [laughed|cried], so that the leaves fell from the trees. "[Little friend|You are small, but your heart is big], I shall never forget this."
"{Thank_you}!" said {giant_the}. "[Nobody else was brave enough|You are the bravest of them all]. [If you ever need me, just call|From now on you are my friend]."

¶ {Next_day}, {hero} came back on the back of {giant_the}[, high above everyone|]. The others [stared with open mouths|could not believe their eyes]. Nobody ever said that {he} was too small again.
¶ The others [came out of their hiding places|had seen everything]. "[You helped {giant_the}?|How did you do that?]" they asked. {hero} only {smiled}. "[I was just the right size|Somebody small was needed]," {he} said.
`,
  }),
  definePlot({
    name: "soup for the sick",
    theme: "kindness",
    summaries: [
      "who cooks soup for someone who is ill",
      "who takes care of {elder}",
      "who helps when {elder} is ill",
    ],
    facts: {
      ingredient: [
        { it: "a carrot", from: "the rabbit", for: "to fix the hole in my fence" },
        { it: "an onion", from: "the gardener", for: "to water my lettuce" },
        { it: "a handful of herbs", from: "the old goat", for: "to brush my back" },
        { it: "some barley", from: "the miller", for: "to sweep my floor" },
        { it: "a big potato", from: "the mole", for: "to dig a new tunnel" },
        { it: "a jar of honey", from: "the bees", for: "to plant some clover" },
      ],
    },
    story: `
¶ {One_day}, {elder} was ill and had to stay in bed. "[My throat hurts|I feel so weak]," said {elder}. {hero} was {worried}.
¶ {One_day}, {hero} came to see {elder}. But {elder} lay in bed and coughed. "[I am not well|I have caught a cold]," said {elder} in a weak voice.

"[I will cook some soup for you|Soup is the best thing for that]," said {hero}. [{He} looked into the cupboard. There was a pot, there was water and salt, but nothing else.|But when {he} looked into the kitchen, there was nothing but water and salt.]
"[What do you need?|What can I do for you?]" asked {hero}. "[A hot soup would be nice|Nothing helps like a hot soup]," said {elder}. But [there was nothing in the house for a soup|the cupboard was almost empty].

So {he} went to {ingredient_from} and asked, "[May I have {ingredient_it} for my soup?|Could you give me {ingredient_it}, please?]" "[You can have it if you help me|Yes, if you help me] {ingredient_for}," was the answer. {hero} [set to work at once|rolled up {his} sleeves and helped].
{He} ran to {ingredient_from}. "[I need {ingredient_it} for a soup|Please give me {ingredient_it}, for {elder_spoken} is ill]," {he} said. "[Gladly|Of course]. [But first I need somebody|Can you help me in return] {ingredient_for}." {hero} worked hard until it was done.

On the way back, {he} met {his_friend}. "[Where are you going in such a hurry?|What have you got there?]" {f_he} asked. When {f_he} heard it, {f_he} [fetched some {snacks}|brought a loaf of bread] and came along.
-

¶ Then {hero} cooked the soup. [It bubbled and smelled so good.|{He} stirred and tasted and stirred again.] {He} put some into a bowl and carried it {carefully} to the bed.
¶ The soup bubbled in the pot for an hour. [It filled the whole house with a good smell.|{hero} stirred it so that it would not burn.] Then {he} brought a big bowl of it to {elder}.

{Elder} ate one spoon, and then another, until the bowl was empty. "[I have never eaten a better soup|That is the best soup in the world]," said {elder}. "[What did you put into it?|What is your secret?]" "[Only {ingredient_it} and a lot of love|{ingredient_it}, and very much love]," said {hero}.
"[That does me good|I can feel it helping already]," said {elder}, and ate it all up. {hero} [read a story aloud|sang a quiet song|held {elder}'s hand] until {elder} fell asleep.

{Next_day}, {elder} felt much better. [And two days later, they danced in the kitchen.|"You made me well again," said {elder}.]
In a few days {elder} was well again. "[You took such good care of me|It was not only the soup. It was you]," said {elder}, and {hero} [turned red|was {glad}].
`,
  }),
  definePlot({
    name: "shelter from the storm",
    theme: "sharing",
    summaries: [
      "and a big storm",
      "who gives others shelter from a storm",
      "who has a very small house and many guests",
    ],
    facts: {
      guests: [
        { one: "a wet hen", two: "three cold mice" },
        { one: "a shivering lamb", two: "a family of squirrels" },
        { one: "a tired peddler", two: "two stray kittens" },
        { one: "a lost puppy", two: "an old crow" },
        { one: "a dripping goose", two: "a hare with a cold nose" },
      ],
    },
    story: `
{hero}'s {home} was very small. [There was just enough room for one.|There was one bed, one chair and one cup.]
{hero} had only a tiny place to live in, [but it was warm and dry|but {he} loved it].

¶ {One_night}, a storm came up. The wind howled, and [rain beat against the door|thunder rolled over the hills]. {hero} was glad to be inside. Then somebody knocked. Outside stood {his_friend}, wet through. "[Please, may I come in?|My roof has blown away. Can I stay here?]"
¶ {One_night}, there was a terrible storm. [Lightning flashed, and the trees bent low.|The rain came down in buckets.] There was a knock. It was {his_friend}. "[May I come in?|Please let me in]," {f_he} said. "[I am so cold|The storm has torn off my roof]."

"{Of_course}," said {hero}. "[It is small, but there is room for two|Where there is room for one, there is room for two]. Come in!" [{He} gave {friend} {his} only blanket.|{He} made some hot tea.]
"[Quick, come in|Come in, come in]!" said {hero}. {He} gave {friend} [a towel and a cup of tea|the warm place by the stove].

{Soon} somebody knocked again. It was {guests_one}. "[Is there room for me too?|May I come in?]" [{hero} and {friend} moved closer together.|"Where two fit in, three fit in," said {hero}.] And then came {guests_two}, and they were let in too.
After that, {guests_one} knocked, and then {guests_two}. "[There is no more room|It is really very full]," said {friend}. "[Then we must sit closer|There is always room if you want it]," said {hero}.

Now it was so full that nobody could [lie down|move]. [So they sat close together all night and told stories.|But it was warm, much warmer than before.] They shared [{hero}'s last {snacks}|a pot of tea and some {snacks}], and [nobody was afraid of the storm any more|they sang so loud that they did not hear the thunder].
They sat side by side, [as close as peas in a pod|nose to nose]. {hero} shared out the {snacks} that {he} had. [Everyone got only a little, but everyone got some.|It was not much, but it was enough.] They told stories until the storm was over.

¶ {Next_day}, the sun was shining. "{Thank_you}," said {friend} and all the others. Then they [went to work together|fetched wood and nails], and built a bigger room for {hero}, so that there would always be enough room for guests.
¶ When morning came, the sky was blue again. [Together they mended {friend}'s roof.|Everyone helped to build {friend} a new roof.] "[Your home is small|You have the smallest house]," {friend} said to {hero}, "[but your heart is big|but no door is as open as yours]."
`,
  }),
  definePlot({
    name: "a light in the fog",
    theme: "helping",
    traits: "friendly",
    place: ["water", "high"],
    summaries: [
      "who shows others the way in the fog",
      "who helps somebody who is lost in the fog",
      "and a light in the fog",
    ],
    facts: {
      call: ["rang a bell", "beat on a pot with a spoon", "sang as loud as {he} could", "blew on a horn"],
      lost: [
        "gone out to fish",
        "gone out to pick {snacks}",
        "gone to visit an aunt on the other side",
        "gone out to fetch wood",
      ],
    },
    story: `
¶ {One_day}, thick fog came up. [It was as white as milk.|You could not see your own {hands}.] {hero} sat by the window, and {he} was {worried}, for {friend} had {lost} that morning.
¶ {friend} had {lost}, and in the afternoon fog rolled in. [It swallowed the trees and the houses.|It was so thick that even the birds stopped singing.] "[{friend} will not find the way home|What if {friend} gets lost?]" said {hero} to {elder}.

"[I must do something|{friend} needs a light]," said {hero}. {He} took the [biggest|brightest] lantern {he} could find and went {to_place}.
"[Nobody can see anything out there|If only there were a light]," said {elder}. "[Then I will make one|Then I will light one]!" said {hero}. {He} took a lantern and ran {to_place}.

[There|Up there] {he} held the lantern as high as {he} could and {call}. [{His} arms grew heavy, but {he} did not let the light sink.|An hour went by, and then another.] 
{hero} swung the lantern to and fro and {call}. [It was cold and wet.|Nobody answered.] But {he} did not go home.

Far away in the fog, {friend} was going around in circles. "[Where am I?|I have been here before]," {f_he} said, [and was close to tears|and {f_his} voice shook]. {Suddenly} {f_he} saw a tiny yellow spot, and {f_he} heard something. "[That is a light|Somebody is over there]!"
{At_last} there came a voice out of the fog. "Hello? Is anybody there?" It was {friend}! "[Here|This way|Over here]!" {called} {hero}. "[Come to the light|Follow the light]!"

Step by step, {friend} came nearer, until [{f_he} stood before {hero}|{f_he} could see {hero}'s face]. They hugged each other. "[Your light brought me home|Without your light I would have been lost]," said {friend}. "[How long have you been standing here?|You must be so cold.]" 
And then {friend} stepped out of the fog, tired and wet. "[You waited for me|You stood here all this time]!" {f_he} said. "[I would have stood here all night|I knew that you would see it]," said {hero}.

¶ From then on, a lamp was lit {in_place} whenever there was fog, [so that nobody would get lost|and {hero} took care of it].
¶ {That_evening}, they drank hot [milk|tea|chocolate] with {elder}, and [outside the fog crept around the house|the lantern stood in the window].
`,
  }),
];
