/** Plots in which something is made or learned: it takes patience, practice or an idea. */
import { definePlot } from "../plot.ts";

export const MAKING_PLOTS = [
  definePlot({
    name: "the gift",
    theme: "family",
    summaries: [
      "who looks for a gift for {elder}",
      "who has no money for a gift",
      "who makes a present for {elder}",
    ],
    facts: {
      made: [
        {
          wish: "a new scarf",
          from: "of soft wool from the sheep next door",
          it: "a long woolly scarf",
          how: "knitted until {his} {hands} were stiff",
        },
        {
          wish: "a picture for the wall",
          from: "with juice from red berries and blue flowers",
          it: "a picture of the two of them under a rainbow",
          how: "painted {all_day}",
        },
        {
          wish: "a pretty box",
          from: "out of bark and acorns",
          it: "a box with a heart on the lid",
          how: "cut and glued {all_day}",
        },
        {
          wish: "a necklace",
          from: "out of little shells",
          it: "a necklace of forty-two shells",
          how: "threaded one shell after another",
        },
        {
          wish: "a song",
          from: "all by {himself}",
          it: "a song with three verses",
          how: "hummed and wrote and hummed again",
        },
        {
          wish: "a bunch of roses",
          from: "out of colorful paper",
          it: "twelve paper roses that will never wither",
          how: "folded and folded until late at night",
        },
        {
          wish: "a chair to rest in",
          from: "out of old boards",
          it: "a little chair with a crooked back",
          how: "sawed and hammered {all_day}",
        },
      ],
    },
    story: `
¶ [Tomorrow was {elder}'s birthday|Soon it would be {elder}'s birthday], and {hero} had no gift yet. {He} knew that {elder} wished for {made_wish}. {He} counted {his} money: [one coin and a button|two small coins|three coins and a hole in {his} pocket].
¶ {One_day}, {hero} remembered that it was almost {elder}'s birthday. "[What can I give?|I need a present]," {he} thought. {Elder} had always wished for {made_wish}.

{He} went to the shop, but everything cost much too much. "[That is not enough|I am sorry, that costs ten coins]," said the shopkeeper[ in a kind voice|]. {hero} went out again, {sad}.
In the shop window there was just the right thing. But it cost [ten|twelve|twenty] coins, and {hero} had only [two|three]. {He} walked on with {his} head down.

On the way, {he} met {his_friend} and told {f_him} about it. "[Does it have to be bought?|Why don't you make something yourself?]" {asked} {friend}. "[A thing that you make yourself is worth more than gold|I would like that best of all]."
"What a pity," {he} said to {friend}, who [came along the road|was sitting on the fence]. "[You are good with your {hands}|You can make so many things]," said {friend}. "[Make something yourself!|Then make it yourself.]"

"[That is it|What a good idea]!" {called} {hero} and ran home. [There was not much time left.|{He} locked the door so that nobody could see.] {He} {made_how}. {He} made it {made_from}.
So {hero} set to work. {He} {made_how}. [It went wrong twice, and twice {he} began again.|{friend} held the lamp for {him}.] {He} made it {made_from}.

¶ {Next_day}, {he} held out {his} gift. "[It is not from the shop|I had no money, so I made it myself]," {he} said, and [{he} was a little worried|{he} did not dare to look up].
¶ On the birthday, there were many parcels. {hero}'s was the smallest. "[I hope that you like it|It is not very big, but it is from me]," {he} {whispered}.

{Elder} unwrapped it, and there was {made_it}. For a moment {elder} said nothing. "[This is the most {beautiful} gift that I ever got|You made that for me, all by yourself?]" said {elder} then, and hugged {him} tight.
It was {made_it}. {Elder} [wiped away a tear|could not stop smiling]. "[Nobody else in the world has such a gift|You cannot buy anything like this in a shop]," said {elder}. "[I will keep it for ever|It has your love in it]."
`,
  }),
  definePlot({
    name: "salt and sugar",
    theme: "practice",
    summaries: [
      "who bakes {a_dish}",
      "who bakes for the first time and makes a mistake",
      "and {a_dish} that goes wrong",
    ],
    facts: {
      wrong: [
        {
          did: "took salt instead of sugar",
          came: "It was so salty that their eyes watered",
          fix: "tasted everything first",
        },
        {
          did: "forgot it in the oven",
          came: "It was as black as coal and as hard as a stone",
          fix: "watched the clock",
        },
        {
          did: "put in ten spoons of baking powder instead of one",
          came: "It grew and grew until it pushed the oven door open",
          fix: "counted the spoons aloud",
        },
        { did: "forgot the flour", came: "It was as flat as a puddle", fix: "read every line twice" },
        {
          did: "put in pepper instead of cinnamon",
          came: "Everyone who tried it had to sneeze",
          fix: "smelled at every jar",
        },
      ],
      event: [
        "{elder}'s birthday",
        "the spring feast",
        "the big baking contest",
        "the spring fair",
        "the harvest feast",
      ],
    },
    story: `
¶ {One_day}, {hero} wanted to bake {a_dish} for {event}. "[I can do it all alone|I don't need any help|It can't be so hard]," {he} said and put on an apron.
¶ It was the day before {event}. "[I will bake {a_dish}|I am going to bake {a_dish}]," said {hero} to {friend}. "[Have you ever baked before?|Do you know how?]" asked {friend}. "[No, but it can't be hard|I have watched {elder_spoken} do it]," said {hero}.

{He} mixed [flour, eggs and butter|eggs, milk and butter] in a big bowl and stirred and stirred. [Soon there was flour on the floor, on the table and on {his} nose.|It splashed a little.] But {he} was in a hurry, and so {he} {wrong_did}.
{He} took the biggest bowl and began. [{He} sang while {he} stirred.|Eggs cracked, and flour flew like snow.] But {he} did not pay attention and {wrong_did}.

When it was done, {he} gave a piece to {friend}. {friend} [made a strange face|took one bite and stopped]. {wrong_came}. "{Oh_no}," said {hero}. "[Nobody can eat that|It is ruined]!"
Then {hero} took it out of the oven. {wrong_came}! "{Oh_no}!" {he} {called}. [{friend} had to laugh, and then {hero} had to laugh too.|{He} was {sad}. "All that work for nothing," {he} said.]

"[Everyone makes mistakes|My first one was even worse]," said {friend}. "[Come, we will try again|Let us do it once more, and slowly]." 
"I will never bake again," said {hero}. "[But now you know how not to do it|You only did one thing wrong]," said {friend}. "[The second one is always better|Let us try it again together]."

¶ So they began again. This time {hero} did not hurry and {wrong_fix}. [{friend} read out what came next.|{friend} weighed the flour.] {Soon} a wonderful smell [filled the house|came out of the oven].
¶ The second time, {hero} took {his} time and {wrong_fix}. [They waited and watched through the oven door.|It rose slowly and turned golden brown.]

The {dish} was perfect. [Everyone wanted a second piece.|{Elder} ate three pieces.] "[Who baked this?|How did you do that?]" they asked. "[We did|It was my second try]," said {hero}, [and winked at {friend}|and {he} was proud].
{Next_day}, the {dish} stood on the table, [golden and round|with {snacks} on top]. "[Delicious|I have never eaten a better one]!" said {elder}. "[You should have seen the first one|The first one was only for practice]," said {hero}, and {friend} giggled.
`,
  }),
  definePlot({
    name: "the seed",
    theme: "patience",
    traits: ["impatient"],
    summaries: ["who plants a seed", "who cannot wait for a seed to grow", "who has to be patient"],
    facts: {
      plant: [
        { seed: "a small black seed", grew: "a sunflower, taller than the door" },
        { seed: "a flat white seed", grew: "a pumpkin, as big as a wagon" },
        { seed: "a round brown seed", grew: "a bean plant that climbed up to the roof" },
        { seed: "a tiny gray seed", grew: "a poppy, as red as the evening sun" },
        { seed: "a wrinkled seed", grew: "a sweet pea with a hundred flowers" },
        { seed: "a seed like a little moon", grew: "a melon, round and sweet" },
      ],
    },
    story: `
¶ {One_day}, {elder} gave {hero} {plant_seed}. "[Put it into the earth, give it water, and wait|If you take good care of it, something {beautiful} will grow]," said {elder}.
¶ {One_day}, {hero} found {plant_seed} in {his} pocket. "[What is that?|What will become of it?]" {he} asked {elder}. "[Plant it, and you will see|Put it into the earth and wait]," said {elder}.

{hero} dug a hole, put the seed in and watered it. Then {he} sat down in front of it. "[Grow|Now grow]!" {he} said. Nothing happened. "[Why does it take so long?|Is it broken?]"
{He} planted it behind the house and watered it. An hour later, {he} ran out to look. [Nothing.|There was only earth.] {He} looked before supper and after supper. [Still nothing.|Nothing at all.]

The next day, {he} [sang to it|shouted at it|told it a story]. The day after that, {he} [dug it up to see whether it was growing|poured a whole bucket of water on it]. "[Nothing happens|That seed is no good]!" {he} grumbled.
"[Maybe it is asleep|I must wake it up]," said {hero}, and {he} [beat a drum|danced around it|rang a bell]. But [the seed did not care|the earth stayed as it was].

"[You can't hurry a seed|A seed has its own time]," said {elder} {softly}. "[It is working down there where you can't see it|Under the earth it is making roots]. [You must give it water, sun and time|Water it every morning, and do something else meanwhile]."
{friend} came by and laughed. "[You can't make it grow by shouting|It will not come faster if you stare at it]," {f_he} said. "[Come and play, and water it every morning|Give it water and a little time]."

¶ So {hero} watered it every morning, and then {he} [went to play with {friend}|helped {elder}|read a book]. One day went by, and another, and a week. [It rained, and the sun shone.|{He} learned to wait.]
¶ {hero} sighed, but {he} did what {he} was told. Every morning {he} gave it a little water. Days went by, and then weeks. [Sometimes {he} almost forgot it.|{He} did not dig it up again.]

And then, [one fine morning|one day], there was a tiny green [tip|leaf]! "[It is growing|Come and look, it is growing]!" {called} {hero}. It got bigger and bigger, and in the summer it was {plant_grew}.
{At_last} something green peeped out of the earth. {hero} [danced around it|did not dare to breathe]. From that day on it grew and grew, until it was {plant_grew}.

"[It was worth the wait|And all this was in that little seed]," said {hero}. {He} gave [some of its seeds|a new seed] to {friend} and said, "[You must be patient with it|The most important thing is to wait]."
{He} showed it to everyone. "[How did you do that?|What is your secret?]" they asked. "[Water, sun and time|I waited]," said {hero}[ proudly| and laughed|].
`,
  }),
  definePlot({
    name: "the sand castle",
    theme: "practice",
    place: ["shore"],
    summaries: [
      "who builds a sand castle",
      "and a castle that falls down again and again",
      "who does not give up",
    ],
    facts: {
      fall: [
        { one: "the wind blew the towers down", two: "a clumsy crab walked right through it" },
        { one: "the sand was too dry and everything crumbled", two: "a ball landed on the gate" },
        { one: "a big wave washed it away", two: "a dog ran across it" },
        { one: "the highest tower leaned over and fell", two: "the wall slid into the ditch" },
      ],
    },
    story: `
¶ {One_day}, {hero} went {to_place} with a bucket and a spade. {sight} "[I will build the biggest castle in the world|Today I will build a castle with seven towers]!" {he} said.
¶ {One_day}, {hero} {walked} {to_place}. {sight} {He} wanted to build a castle, [with towers and walls and a gate|fit for a king].

{He} dug and shoveled {all_day}. The castle was almost finished, but then {fall_one}. "{Oh_no}!" {called} {hero}. "[All my work|My {beautiful} castle]!"
{He} built one tower, two towers, three towers. But {suddenly} {fall_one}. {hero} [stamped {his} foot|threw down {his} spade].

[{He} took a deep breath and began again.|"Then I will start once more," {he} said.] This time {he} [made the walls thicker|took wet sand]. The second castle was even better, until {fall_two}. {hero} {wept}.
{He} began again from the beginning. But when the second castle was ready, {fall_two}. "[I give up|I can't do it]!" said {hero}.

{his_friend} sat down next to {him}. "[I have watched you|I saw your castles]," {f_he} said. "[Each one was better than the one before|The second one was much better than the first]. [What have you learned?|Shall we build the third one together?]"
Then {a_stranger} came by. "[Why did you stop?|Don't stop now]!" {f_he} said. "[I liked it so much|I have never seen such a good castle]. [May I help you?|Can we try it together?]"

"[Wet sand is better than dry sand|We need wet sand]," said {hero}, "[and we must build farther up|and we need a wall around it]." {friend} fetched water, and {hero} built. [They dug a deep ditch and set stones into the walls.|They beat the sand until it was hard.]
"[First we need a strong wall|Let us build it behind the big stone, where it is safe]," said {hero}. They worked side by side. {friend} [carried the stones|fetched shells], and {hero} made the towers.

¶ In the evening it stood there, with seven towers and {a_thing} on top. [The wind came, but the castle stood.|A crab came and walked around it.] "{Hooray}!" they cried.
¶ When the sun went down, the castle was finished. On the highest tower they put {a_thing}. [The wind blew, but nothing fell.|It stood as firm as a rock.] "[That is the best castle of all|Look what we have made]!" said {hero}.
`,
  }),
  definePlot({
    name: "learning a trick",
    theme: "practice",
    summaries: ["who wants to learn to {skill_do}", "who learns to {skill_do}", "who tries again and again"],
    facts: {
      skill: [
        {
          do: "whistle",
          fail: "only a hiss came out",
          twice: "it sounded like a teapot",
          done: "a clear, loud whistle rang out over the roofs",
        },
        {
          do: "juggle",
          fail: "all the balls fell on {his} head",
          twice: "one ball rolled under the stove and another into the soup",
          done: "three balls flew round and round without falling",
        },
        {
          do: "ride a bicycle",
          fail: "{he} fell into the flower bed",
          twice: "{he} rode straight into a bush",
          done: "{he} rode along the lane all alone, and the wind blew in {his} face",
        },
        {
          do: "skip rope",
          fail: "{his} feet got caught in the rope",
          twice: "the rope wound around {him} like a snake",
          done: "{he} skipped twenty times without a mistake",
        },
        {
          do: "stand on {his} head",
          fail: "{he} tipped over to the left",
          twice: "{he} tipped over to the right",
          done: "{he} stood on {his} head and saw the world upside down",
        },
        {
          do: "skate on ice",
          fail: "{he} sat down hard on {his} bottom",
          twice: "{he} slid into a heap of snow",
          done: "{he} glided over the ice like a swan",
        },
        {
          do: "write {his} name",
          fail: "the letters fell over each other",
          twice: "one letter was missing and one was backward",
          done: "{his} name stood there, big and clear: {hero}",
        },
        {
          do: "tie {his} shoes",
          fail: "the laces were in a knot",
          twice: "the bow came apart at the first step",
          done: "there was a bow on each shoe, and both of them held",
        },
        {
          do: "play the flute",
          fail: "it squeaked like a rusty door",
          twice: "the cat ran away",
          done: "{he} played a whole tune from beginning to end",
        },
        {
          do: "walk on a rope",
          fail: "{he} fell off at the first step",
          twice: "{he} wobbled and fell into the hay",
          done: "{he} walked from one end of the rope to the other",
        },
      ],
    },
    story: `
¶ {One_day}, {hero} saw {friend} {skill_do}. "[I want to be able to do that too|Is that hard? I want to do it too]!" {he} {called}. "[It looks so easy|That looks like fun]!"
¶ {hero} wanted [very much|more than anything] to learn to {skill_do}. [Everybody could do it, only {he} could not.|{friend} could do it so well.] {One_day}, {he} began to practice.

{He} tried it at once, but {skill_fail}. {friend} laughed[, but not in a mean way|]. "[Nobody can do it the first time|It took me a whole month]," {f_he} said.
The first time, {skill_fail}. "[That is all right|It was the same with me]," said {friend}. "[Try again|Once more]!"

{hero} tried again, and this time {skill_twice}. "[I can't do it|I will never learn it]!" {he} said and [sat down on a stone|threw {himself} down].
The second time, {skill_twice}. {hero} [could have cried|was so angry that {he} stamped {his} foot]. "[It is no use|I am just not good at it]," {he} said.

"[Do you know how often I tried?|I failed a hundred times]," said {friend}. "[You only need to try once more than you fail|A little better every day, that is all]." 
{Elder} had seen it. "[A tree does not fall at the first blow|No one is born a master]," said {elder}. "[Practice a little every day, and you will see|Try ten times every day]."

¶ So {hero} practiced: before breakfast, after school and in the evening. [On Monday it was a little better, and on Tuesday a little worse.|Some days it went well, and some days it did not.] But {he} did not give up.
¶ From then on, {hero} tried ten times every day. [On Wednesday it almost worked.|After a week it was much better.] {friend} came to watch and [gave {him} good advice|cheered {him} on].

And one [morning|evening|Sunday], {he} tried again, and {skill_done}! "[I can do it|Did you see that]!" {called} {hero}. [{friend} clapped and clapped.|{He} was so happy that {he} did it again right away.]
Then, [one day|on the tenth day|after three weeks], it happened: {skill_done}! "{Hooray}!" {called} {hero}, and {friend} [jumped for joy|cheered with {him}].
`,
  }),
  definePlot({
    name: "the band of pots",
    theme: "teamwork",
    thing: ["plays"],
    summaries: ["who makes music with friends", "who starts a band", "and {a_thing}"],
    facts: {
      band: [
        {
          a: "The cat drummed on a pot",
          b: "the rooster beat two lids together",
          noise: "a cart full of tin cans",
        },
        { a: "The pig blew into a bottle", b: "the goat rubbed a washboard", noise: "a storm in a kitchen" },
        {
          a: "The goose shook a box of peas",
          b: "the dog howled as well as he could",
          noise: "a hundred quarreling crows",
        },
        {
          a: "The squirrel rattled with nuts",
          b: "the bear banged on a barrel",
          noise: "a house falling down",
        },
      ],
      night: [
        "the summer night",
        "the feast",
        "the king's visit",
        "the wedding of the mill girl",
        "the new year",
      ],
    },
    story: `
{hero} had {a_thing} and played it every day. [But it was a little lonely to play all alone.|Alone it was not half as much fun.]
{Elder} had given {him} {a_thing}, and {hero} could play it well. "[But music for one is a bit thin|I wish I had a band]," {he} said.

¶ {One_day}, {he} said to {friend}, "[Let us start a band|We could play together for {night}]!" "[But I have no instrument|I can't play anything]," said {friend}. "[Everything can be an instrument|You have a voice], [you will see|and a spoon]!" said {hero}.
¶ "[We need music for {night}|Who will play at {night}?]" said {elder} {one_day}. "[We will|I will find a band]!" {called} {hero}, and {he} ran to {friend}.

{Soon} they were four. {band_a}, and {band_b}. {friend} [sang|hit a bucket], and {hero} played the {noun}. It sounded like {band_noise}! [The neighbors closed their windows.|Even the cows ran away.]
They found others who wanted to join. {band_a}, and {band_b}. {friend} clapped and [sang|stamped]. But everyone wanted to be the loudest, and it sounded like {band_noise}.

"[Stop|Stop, stop]!" {called} {hero}. "[We do not listen to each other|Everyone plays alone]. [Let us begin again, softly, and listen|First one of us, then the next]."
"[That is terrible|That is no music]," said {friend} and covered {f_his} ears. {hero} {thought}. "[We must listen to each other|We all play at the same time, but not together]," {he} said.

So they tried again. First came the {noun}, then one after another joined in, [soft and slow|each in turn]. {Suddenly} it was music! [They looked at each other and smiled.|Their feet began to tap.]
{hero} counted, "One, two, three, four!" They played softly and listened. And there it was: [a real song|a tune that made you want to dance]! They practiced every day until [it was perfect|they could play it in their sleep].

¶ In the end, everybody danced until [midnight|the moon went down]. "[Who are these musicians?|What a wonderful band]!" they said. [{hero} bowed, and so did all the others.|The band had to play three more songs.]
¶ When they played for everyone, [old and young danced|nobody could keep still]. "[That is the best band in the land|More! More!]" they called. "[Alone I was only one sound|Together we are a song]," said {hero} to {friend}.
`,
  }),
];
