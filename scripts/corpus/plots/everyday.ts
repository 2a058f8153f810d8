/** Plots of everyday life: bedtime, market, picnic, winter, and the one whom everybody fears. */
import { definePlot } from "../plot.ts";

export const EVERYDAY_PLOTS = [
  definePlot({
    name: "the found purse",
    theme: "honesty",
    summaries: [
      "who finds something that belongs to someone else",
      "who finds a purse full of money",
      "who gives back what was not {his} own",
    ],
    place: ["town", "green"],
    facts: {
      find: [
        { a: "a purse full of coins", it: "purse", mark: "a little silver bell was sewn to it" },
        { a: "a gold watch", it: "watch", mark: "there were two letters on the back" },
        { a: "a bag of silver buttons", it: "bag", mark: "a blue cross was stitched on it" },
        { a: "a little box with a pearl in it", it: "box", mark: "a swan was painted on the lid" },
      ],
      owner: [
        {
          who: "an old woman with a stick",
          the: "the old woman",
          why: "It is all that I have saved for the winter",
        },
        { who: "a pale tailor", the: "the tailor", why: "I need it to pay for my little shop" },
        { who: "a milkmaid with a red nose", the: "the milkmaid", why: "It belonged to my grandmother" },
        {
          who: "a shepherd with a gray beard",
          the: "the shepherd",
          why: "Without it I cannot buy hay for my sheep",
        },
      ],
    },
    story: `
{hero} wished for {a_thing} [with all {his} heart|more than anything]. {He} had seen it in a shop window, but {he} had no money.
Every day {hero} passed a shop with {a_thing} in the window. [How {he} wished for it!|"If only I had that," {he} always thought.] But it was much too dear.

¶ {One_day}, {he} {walked} {to_place}. {sight} Something shone {spot}. It was {find_a}! [{hero} {looked_around}. There was nobody.|Nobody was to be seen far and wide.]
¶ {One_day}, when {hero} was {in_place}, {he} {noticed} something {spot}. {He} bent down and picked it up: {find_a}!

"[With this I could buy the {thing}|Now I can have the {thing}]," thought {hero}. {Heart_beat}. [Nobody would ever know.|{He} put it into {his} pocket and took it out again.]
"[Now I am rich|The {thing} is mine]!" was {his} first thought. But {his} second thought was, "[Somebody has lost this|Somebody is looking for this now]."

{He} looked at it more closely; {find_mark}. "[It is not mine|It belongs to somebody]," {he} said to {himself}. "[And that somebody is sad now|I would be sad if I had lost it]." 
But it did not feel right. [{His} feet did not want to walk to the shop.|The {find_it} grew heavier with every step.] "[It is not mine, after all|What is not mine I must not keep]," {he} said.

So {he} went from house to house and asked. At the last house sat {owner_who} and wept. "[Have you lost something?|Did you lose something?]" asked {hero}. "Yes, {find_a}," said {owner_the}, "and {find_mark}. {owner_why}."
{Soon} {owner_who} came along the way, with eyes on the ground. "[Have you seen my {find_it}?|I have lost my {find_it}]," said {owner_the}. "[You can know it by this|You can tell it easily]: {find_mark}. {owner_why}."

"Here it is," said {hero} and held it out. {Owner_the} [laughed and cried|could hardly believe it]. "[How can I thank you?|There are still honest people in the world]! [Is there something that you wish for?|Take this coin as a reward.]" 
{hero} held out the {find_it}. "{Thank_you}!" said {owner_the}. "[You could have kept it, and you did not|Not everyone would have given it back]." 

¶ {hero} went home with a light heart. [And some days later there was a parcel at {his} door.|And what did {he} find at {his} door the next Sunday? A parcel!] In it was the {thing}, and a note: "[For an honest {kind}|Honesty is worth more than gold]."
¶ {Owner_the} asked {him} in for [a cup of tea|{dish} and tea] and heard about the {thing}. "[I can make one for you|My brother made that one], [and you shall have it|and I will see to it that you get it]," said {owner_the}. And a week later, {hero} held {a_thing} in {his} {hands}.
`,
  }),
  definePlot({
    name: "cannot sleep",
    theme: "family",
    summaries: ["who cannot sleep", "who does not want to go to bed", "at bedtime"],
    facts: {
      reason: [
        {
          why: "The wind is too loud",
          help: "It only sings a song for the trees, so that they can sleep",
          done: "listened to the wind",
        },
        {
          why: "My thoughts hop around like frogs",
          help: "Then let us put each of them to bed, one after the other",
          done: "named one thought after another and let it go",
        },
        {
          why: "It is too dark",
          help: "It must be dark, or you could not see the stars",
          done: "counted the stars in the window",
        },
        {
          why: "I am thinking of tomorrow",
          help: "Tomorrow is asleep too, and you must not wake it",
          done: "whispered, so as not to wake tomorrow",
        },
      ],
      animal: [
        "a snail that wanted to see the sea",
        "a cloud that was afraid of heights",
        "a bear who collected buttons",
        "a sleepy train that stopped at every flower",
        "a whale who sang the waves to sleep",
      ],
    },
    story: `
¶ {One_night}, {hero} [turned from one side to the other|lay in bed with wide open eyes]. {He} was {tired}, but sleep did not come. {He} counted sheep, but [the sheep ran away|at sheep number fifty {he} was still awake].
¶ It was long past bedtime, but {hero} could not sleep. [{He} had looked at the ceiling for an hour.|{He} had turned {his} pillow over ten times.]

So {he} got up and went to {elder} on bare feet. "[I can't sleep|I am still awake]," {he} {whispered}. "{reason_why}."
"{Elder_call}?" {he} called softly. {Elder} came and sat down on the edge of the bed. "[Why are you not asleep?|What is the matter?]" "{reason_why}," said {hero}.

"{reason_help}," said {elder} {softly}. They {reason_done}. [But {hero} was still awake.|That helped a little.]
{Elder} nodded. "{reason_help}," said {elder}. So together they {reason_done}[, and it grew very quiet|].

Then {elder} brought [a cup of warm milk|{his} {thing}] and tucked {him} in. "[Close your eyes|Lie down], [and I will tell you a story|and I will tell you something]," said {elder}. It was the story of {animal}.
"[Tell me a story|One story, please]," said {hero}. "[A short one|All right]," said {elder}, and told {him} about {animal}. [The voice was as soft as a blanket.|The words came slower and slower.]

[{hero} wanted to know how it ended|{hero} wanted to ask something], but {his} eyes closed all by themselves. [The clock ticked.|Outside an owl called.] {Elder} stayed a little longer and held {his} {hands}.
"[And then?|What happened next?]" murmured {hero}. But before {elder} could answer, {he} was fast asleep.

¶ {Next_day}, {hero} asked, "How did the story end?" "[You must dream the ending yourself|I will tell you tonight]," said {elder} and laughed.
¶ And {he} dreamed of {animal}, [and in the dream {elder} was there too|and it was the best dream of the year].
`,
  }),
  definePlot({
    name: "the picnic in the rain",
    theme: "friendship",
    place: ["green"],
    summaries: ["and a picnic", "who goes on a picnic with a friend", "and a picnic in the rain"],
    facts: {
      roof: [
        "under an old wooden bridge",
        "in a hollow tree",
        "under a big rock that stuck out like a roof",
        "in an empty barn",
        "under a cart that somebody had left there",
      ],
      play: [
        "They played that they were pirates in a stormy sea",
        "They told each other the silliest stories",
        "They made little boats out of bark and let them sail in the puddles",
        "They sang so loud that the frogs joined in",
        "They guessed the shapes of the clouds",
      ],
    },
    story: `
¶ {One_day}, {hero} and {friend} packed a basket: {a_dish}, some {snacks} and a bottle of juice. "[Today we have a picnic|This will be a wonderful day]!" said {hero}. They went {to_place} and spread out a blanket. {sight}
¶ "[Let us have a picnic|The sun is shining, let us eat outside]!" said {hero} to {friend} {one_day}. They took {a_dish} and some {snacks} and walked {to_place}. {sight}

They had just sat down when something went plop. [It was a raindrop, right on {friend}'s nose.|A drop fell on the {dish}, and then another.] {Suddenly} it rained [cats and dogs|in buckets]. "{Oh_no}!" {called} {hero}. "Our picnic!"
But first came [the ants|a wasp], and then came dark clouds. {friend} looked up. "[That does not look good|I think that was a drop]," {f_he} said. And then it poured.

They [threw everything into the basket|grabbed the basket and the blanket] and ran. {Roof}, they found a dry place. [They were wet from head to toe.|Water ran down their faces.] "[Now our day is ruined|It was all for nothing]," said {hero} {sadly}.
"[Quick, over there|Run]!" {called} {friend}. {Roof} they found shelter, with the basket between them. {hero} was {sad}. "[I had looked forward to it so much.|Why does it have to rain today?]" {he} said.

"[Why? We have {dish}, and we have each other|What is ruined? It is dry here, and we have {dish}]," said {friend}. "[Nobody else has a picnic like that|A picnic is a picnic]!" {hero} had to laugh.
{friend} unpacked the basket. "[The {dish} is a little wet, but it tastes even better|A picnic with music]," {f_he} said. "[Listen how the rain drums!|Do you hear how the rain plays for us?]"

So they ate {dish} and {snacks} and watched the rain. {play}. [They did not even notice that the rain had stopped.|It was so cozy that they forgot the time.]
They wrapped themselves in the blanket and ate. {play}. [And the rain drummed on and on.|They laughed until their bellies hurt.]

¶ When they came out, [there was a rainbow in the sky|a rainbow stood over the {place}], and everything shone. "[That was the best picnic of all|I am glad that it rained]!" said {hero}.
¶ {At_last} the sun came back, and the {place} smelled fresh. "[Shall we do that again?|Tomorrow again?]" asked {friend}. "[Yes, but only if it rains|I hope that it rains]!" said {hero}, and they laughed.
`,
  }),
  definePlot({
    name: "winter is coming",
    theme: "sharing",
    place: ["green"],
    hero: "animal",
    traits: ["lazy"],
    summaries: [
      "who is lazy in summer and hungry in winter",
      "who does not want to work",
      "and a long cold winter",
    ],
    story: `
All summer long, {hero} [lay in the grass and looked at the sky|slept in the sun]. {sight} {his_friend}, however, [carried {snacks} home from morning till night|gathered {snacks} every day].
It was summer, and the sun was warm. {friend} was busy: {f_he} [collected {snacks} and {snacks_2}|filled one jar after another with {snacks}]. But {hero} only [yawned|watched].

¶ "[Come and play|Why do you work so hard?|Lie down with me]," said {hero}. "[Winter is coming|The winter will be long], and then there is nothing to eat," said {friend}. "[You should gather something too.|Don't you want to fill your {home} too?]" "[Winter is far away|Maybe tomorrow]," said {hero} and closed {his} eyes.
¶ "[Will you help me?|You should gather something too]," said {friend}. "[The days are getting shorter|The first leaves are falling]." "[Tomorrow|There is plenty of time]," said {hero}. But {he} said the same thing the next day, and the day after.

Then, one morning, everything was white. [Snow lay on every branch.|The pond was frozen.] {hero} looked for something to eat, but {he} found nothing. {His} tummy rumbled. 
The leaves fell, the wind grew cold, and one morning there was snow. {hero} {walked} {to_place}, but there was nothing left. {He} was hungry and {sad}. "[If only I had gathered something|What shall I do now?]" {he} {whispered}.

[At {friend}'s house there was a light in the window.|After three days, {he} knocked at {friend}'s door.] "[I am so hungry and cold|Please, do you have something to eat for me?]" said {hero}. "[You were right and I was lazy|I should have listened to you]."
{He} went through the deep snow to {friend} and knocked. "[I was foolish|I was lazy, and now I have nothing]," {he} said. "[Could you give me just a little?|I am so hungry.]"

{friend} looked at {him}. [{F_he} could have said no.|"You slept while I worked," {f_he} said.] But then {f_he} opened the door wide. "[Come in, there is enough for two|I would not let a friend go hungry]," {f_he} said. 
"[Come in and warm yourself|Sit down by the stove]," said {friend}. "[There is enough for both of us, if we are careful|What I have is enough for two]. [But in spring you must help me|Only, next summer we will gather together]."

{hero} [ate a bowl of hot soup and {snacks}|had never eaten such good {snacks}]. To say thank you, {he} [swept the snow from the door every morning|fetched wood every day], and in the evening {he} told {friend} stories.
-

¶ And when summer came again, {hero} was the first one up. "[Get up, {friend}, there is work to do|Come, the {snacks} are ripe]!" {he} {called}, [and the two of them filled both houses|and side by side they gathered for the winter].
¶ The next summer, nobody worked harder than {hero}. [{He} filled {his} own {home}, and then {he} helped {friend}.|And when the snow came, {he} brought {friend} a full basket.]
`,
  }),
  definePlot({
    name: "the lonely dragon",
    theme: "kindness",
    hero: "child",
    traits: "brave",
    summaries: [
      "and a lonely dragon",
      "who makes friends with a dragon",
      "who meets a dragon that everyone fears",
    ],
    facts: {
      sorrow: [
        {
          sign: "smoke rose from the mountain every night",
          say: "I only light a fire because I am so cold and alone",
          deal: "every evening the dragon warmed the big oven of the bakery with its fire",
        },
        {
          sign: "a terrible howling came down from the mountain",
          say: "I only wanted to sing, but nobody likes my song",
          deal: "the dragon sang in the choir, in the very last row",
        },
        {
          sign: "the ground shook as if giants were dancing",
          say: "I stamp my feet because I am so bored",
          deal: "the dragon stamped the new road flat, so that everyone could walk on it",
        },
        {
          sign: "big footprints were found in the fields",
          say: "I only came to look at your lights from far away",
          deal: "the dragon lit all the lamps in the streets, one little flame for each",
        },
      ],
    },
    story: `
[High above the village|On the mountain behind the village] lived a dragon, and everyone was afraid of it. {Sorrow_sign}. "[Never go up there|It eats children for breakfast]!" the people said.
Everyone told bad stories about the dragon on the mountain. {Sorrow_sign}, [and people locked their doors|and nobody dared to go near].

¶ {One_day}, {hero} said to {friend}, "[Has anybody ever talked to it?|How do we know that it is bad?]" "[No! Who would dare?|Are you mad?]" said {friend}. "[Then I will|I am going up there]," said {hero} and packed {a_dish}.
¶ "[I want to see the dragon|I will ask the dragon myself what is wrong]," said {hero} {one_day}. {friend} [turned pale|shook all over]. "[Don't go|You are so brave]," {f_he} {whispered}. But {hero} took {a_dish} and set off.

{He} climbed all morning. [The path was steep and stony.|The higher {he} came, the quieter it was.] {At_last} {he} stood before a cave. There sat the dragon, [as big as a barn|green and huge], and a tear as big as a plum rolled down its nose.
After a long climb {he} saw the dragon. It was [as big as a house|green, with golden eyes]. {Heart_beat}. But then {he} noticed that it was crying.

"Good day," said {hero}. "[I have brought you {a_dish}.|Would you like some {dish}?]" The dragon [stared at {him}|was so surprised that it got the hiccups]. "[You are not afraid of me?|Nobody has ever brought me anything]," it said. "{sorrow_say}."
"[Why are you crying?|Are you sad?]" asked {hero}. The dragon jumped. "[You do not run away?|You are talking to me?]" it said. "{sorrow_say}. [And then they all run away|But they only scream when they see me]."

"[They don't know you|They only know the stories about you]," said {hero}. "[Come with me, and I will tell them who you are|We must change that]." [The dragon ate the {dish} in one bite.|They shared the {dish} and talked until noon.] 
"[I know how that feels|It is sad to be alone]," said {hero}. They ate the {dish} together. "[Come down with me|I will talk to the others]," {he} said. "[But slowly, and smile without showing your teeth|You only have to be a little careful with your tail]."

¶ When the two of them came into the village, everyone hid. "[Come out|Don't be afraid]!" {called} {hero}. "[It only wanted a friend|The dragon is gentle]!" {friend} was the first to come out. {F_he} [held out some {snacks}|bowed and said good day]. Then the others came too.
¶ At first the people [screamed and ran|locked their doors]. But {friend} saw how {hero} rode on the dragon's back and laughed. "[It is not bad at all|Look, it is kind]!" {f_he} cried. One door opened, and then another.

After that, {sorrow_deal}. [And nobody in the village was ever afraid again.|And the dragon was never alone again.]
From that day on, {sorrow_deal}, [and on Sundays the children slid down its tail|and {hero} was its very best friend].
`,
  }),
];
