/** Plots about finding, losing and keeping friends. */
import { definePlot } from "../plot.ts";

export const FRIEND_PLOTS = [
  definePlot({
    name: "the new neighbor",
    theme: "friendship",
    summaries: ["who gets a new neighbor", "and a new neighbor who is shy", "who makes a new friend"],
    facts: {
      lure: [
        "a note with a smiling face",
        "a bunch of daisies",
        "a bowl of {snacks}",
        "a paper star",
        "a drawing of a rainbow",
        "a piece of {dish}",
      ],
      reason: [
        "I have never had a friend before",
        "I was afraid that you would laugh at me, because I talk so slowly",
        "At my old home the others always teased me",
        "I did not know what to say",
      ],
    },
    story: `
¶ {One_day}, somebody moved into the empty house next door. It was {a_stranger}. {hero} [waved over the fence|ran to the fence and waved], but {friend} [hid behind the door|quickly went inside].
¶ {One_day}, {a_stranger} moved in next door. "[Welcome|Good morning]!" {called} {hero}. But the new neighbor did not answer and closed the window.

"[Maybe {f_he} does not like me|Why does {f_he} hide?]" said {hero} to {elder}. "[Maybe {f_he} is only shy|Give {f_him} some time]," said {elder}. "[A shy bird comes when you sit still|Friendship is like a flower. It needs a little time]."
{hero} was {sad}. "[Did I do something wrong?|I only wanted to say hello]," {he} said. "[No|Not at all]," said {elder}. "[Some need a little longer to trust|Perhaps {f_he} is afraid]. [Be patient|Try again tomorrow]."

{Next_day}, {hero} put {lure} in front of {friend}'s door and went away on tiptoe. [The day after that, it was gone.|When {he} looked again, it was gone.]
So {hero} laid {lure} on {friend}'s doorstep, knocked, and hid [behind a bush|around the corner]. The door opened a crack, and it was taken in.

[Then {hero} found something on {his} own doorstep: {a_thing}!|And {next_day}, there was {a_thing} on {hero}'s own step!] A note said, "[Thank you. From {friend}|For you. From {friend}]."
[In the evening, someone knocked softly.|Two days later, there was a soft knock.] Outside stood {friend} with {a_thing}. "[This is for you|I wanted to give you this]," {f_he} {whispered}.

¶ {hero} {smiled}. "[Shall we play together?|Would you like to come in?]" {he} asked. {friend} nodded. "I wanted to come much sooner," {f_he} said in a small voice. "{reason}."
¶ "{Thank_you}!" said {hero}. "[Do you want to play with me?|Come in, there is {dish}.]" {friend} [came closer, step by step|looked up for the first time]. "{reason}," {f_he} said.

"[I like you just as you are|You need not be afraid of me|Then I will be your first friend here]," said {hero}. They [built a tent out of blankets|played with the {noun}|ate some {snacks} in the grass] and [talked until it got dark|laughed {all_day}].
"[Then we begin today|I am glad that you came]," said {hero}. And they played with the {noun} until [supper|it was dark], [and it turned out that {friend} knew the funniest jokes|and {friend} laughed for the first time].
`,
  }),
  definePlot({
    name: "the quarrel",
    theme: "forgiveness",
    thing: ["toy", "sounds", "tool"],
    summaries: [
      "who has a quarrel with a friend",
      "and {friend} the {f_kind}, who both want {a_thing}",
      "who learns to say sorry",
    ],
    facts: {
      end: [
        { crack: "it broke in two", fix: "They fetched glue and string and mended the {noun} together" },
        {
          crack: "it flew out of their grip and landed in the mud",
          fix: "They washed the {noun} together until it was clean",
        },
        { crack: "a piece came off", fix: "They found the little piece in the grass and put it back on" },
      ],
    },
    story: `
{hero} and {friend} [did everything together|had been friends for ever|had never had a quarrel].
{hero}'s best friend was {friend_who}[, and they met every day|, and nothing could part them].

¶ {One_day}, they found {a_thing} {in_place}. "[I saw it first|It is mine]!" {called} {hero}. "No, I did!" said {friend}. [They both held on to it.|Neither of them wanted to let go.]
¶ {One_day}, they were playing with {a_thing}. "[It is my turn|Give it to me]!" said {hero}. "[No, it is my turn|You had it all morning]!" said {friend}.

{hero} pulled on one side, and {friend} pulled on the other. They pulled and pulled, and {suddenly} {end_crack}. "[Now look what you have done|That is your fault]!" {called} {hero}.
They pulled this way and that way until {end_crack}. "[It is all your fault|You are mean]!" they both shouted at the same time.

"[I will never play with you again|You are not my friend any more]!" said {friend} and [ran away|went home]. {hero} [stamped {his} foot and went home too|stood there all alone].
-

¶ {hero} sat at home[ and looked out of the window|]. [At first {he} was angry, but then {he} was only {sad}.|It was very quiet.] "[It is no fun to play alone|What is {a_thing} worth without a friend?]" {he} thought.
¶ That night, {hero} could not sleep. [{He} thought of all the fun they had had.|{He} missed {friend} already.] "[I was not nice|I should not have shouted]," {he} said to {himself}.

{Next_day}, {he} {deep_breath} and went to {friend}'s house. On the way, {he} met {friend}, [who was coming to see {him}|who had wanted to come to {him}]! "I am sorry," they both said at the same time, and then they had to laugh.
So {he} went to {friend} and knocked at the door. "I am sorry," {he} said {sadly}. "[I was selfish|You are more important to me than the {noun}]." "I am sorry too," said {friend}. "[I missed you|I should have waited for my turn]."

{end_fix}. [It took a long time, but they had fun.|It looked almost like new.] "[You go first|You first]," said {hero}. "[No, you go first|No, you first]," said {friend}, and they laughed.
{end_fix}. From then on, [they took turns|the {noun} belonged to both of them: one day to {hero}, one day to {friend}].
`,
  }),
  definePlot({
    name: "the forgotten birthday",
    theme: "friendship",
    summaries: [
      "who thinks that everyone forgot the birthday",
      "who has a birthday",
      "and a birthday surprise",
    ],
    story: `
¶ {One_day} {he} woke up very early, for it was {his} birthday. [{He} jumped out of bed.|"Today I am one year older!" {he} called.] But nobody [came to wish {him} well|was in the kitchen].
¶ It was {hero}'s birthday. [{He} had looked forward to it for weeks.|{He} had counted the days.] But when {he} got up, {elder} only said, "[Good morning. I have no time today|I have to go out]," and left.

{hero} went out and met {friend}. "[Do you know what day it is?|Isn't today a special day?]" {he} asked. "[Today? An ordinary day|It is [Monday|Tuesday|Thursday|Friday], I think]," said {friend} and hurried on. [{F_he} was hiding something behind {f_his} back.|]
On the path, {he} saw {friend}. "Hello, {friend}! Today is..." {he} began, but {friend} said, "[I am in a hurry|Sorry, I have to go]," and ran off.

{hero} was {sad}. "[They have all forgotten me|Nobody thinks of my birthday]," {he} thought. {He} [walked {to_place} all alone|sat down {spot} {in_place}] and [threw little stones|watched the clouds].
{He} went {to_place} and sat down {spot}. "[Nobody cares about me|Not even {friend} remembered]," {he} said {sadly}, and a tear ran down {his} cheek.

¶ When the sun went down, {he} {walked} home. [Everything was dark and quiet.|There was no light in the window.] {He} opened the door, and {suddenly} all the lamps went on. "Surprise!" everyone called. "Happy birthday, {hero}!"
¶ {That_evening}, {friend} came running. "[Come quickly|Please come with me], [I need your help|something has happened]!" {f_he} called. {hero} ran after {f_him} and opened the door. "Happy birthday!" everyone shouted.

There was {a_dish} with candles on it, [and colorful paper hung from the ceiling|and there were lanterns everywhere|and flowers stood on the table]. {friend} held out a {little} parcel. In it was {a_thing}!
On the table stood {a_dish}, and everybody was there. {friend} gave {him} a [parcel with a bow|big round parcel], and in it was {a_thing}.

"[And I thought that you had forgotten me|So you did remember]!" said {hero}. "[We have been baking and painting since morning|We have planned it for weeks]," said {friend}, "[but it had to be a secret|and it was so hard to keep the secret]."
"[Is that for me?|I do not know what to say]," {whispered} {hero}. "[Of course it is|Who else]!" said {friend}. "[It was so hard not to tell you|We wanted to surprise you]."

They [danced and sang|ate and laughed] until late in the night. [It was the best birthday of all.|{hero} had never been so happy.]
-
`,
  }),
  definePlot({
    name: "the grumpy neighbor",
    theme: "kindness",
    summaries: [
      "and a grumpy old neighbor",
      "who is kind to a grumpy neighbor",
      "who makes a grumpy neighbor smile",
    ],
    facts: {
      old: ["Mr. Crumb", "Mrs. Thistle", "Mr. Grumble", "Mrs. Nettle", "Mr. Thorn", "Mrs. Bark"],
      trouble: [
        { why: "my sister, who always sang with me, has moved far away", day: "the days have been so long" },
        { why: "my knees hurt so much", day: "I cannot work in my garden any more" },
        { why: "my eyes have become so weak", day: "I cannot read my books any more" },
        { why: "nobody has come to see me for a whole year", day: "I have forgotten how to laugh" },
      ],
    },
    story: `
Next door lived {old}, who was always grumpy. "[Not so loud|Go away|Do not step on my grass]!" {old} shouted [all day long|whenever somebody laughed]. [Everyone was afraid of that voice.|]
At the end of the path lived {old}. Nobody had ever seen {old} smile. [Children made a big circle around the house.|Even the birds did not sing there.]

¶ {One_day}, {hero} and {friend} were playing, and their {thing} landed in {old}'s garden. "{Oh_no}," {whispered} {friend}. "[We will never get it back|Let us run away]."
¶ {One_day}, {hero} heard something behind the fence. It sounded like crying. "[Come away|That is none of our business]," {whispered} {friend}. "[{old} will only shout at us|{old} does not like us]."

But {hero} {deep_breath} and knocked at the door. "What do you want?" grumbled {old}. "[Good day. Is everything all right?|I only wanted to ask how you are]," said {hero}[ in a friendly voice|].
"[Somebody who is always grumpy must be sad|Maybe there is a reason]," said {hero}. So {he} knocked at the door and said, "[Good morning! Can we help you?|Hello! Are you all right?]"

{old} was quiet for a moment. "[Nobody has ever asked me that|You are the first to ask]," said {old}. "{Trouble_why}, and {trouble_day}."
{old} looked at {him} for a long time. "{Trouble_why}," {old} said at last, "and {trouble_day}."

¶ {Next_day}, {hero} and {friend} came back. They brought {a_dish}, [swept the steps and watered the beans|pulled out the weeds], and {hero} [read a story aloud|told a funny story].
¶ From then on, {hero} and {friend} visited {old} [every week|every Sunday]. They [raked the leaves|carried in the wood], ate {snacks} together and [told each other stories|sang songs].

And then something happened that nobody had ever seen: {old} [smiled|laughed out loud]! [First only a little, then more and more.|It sounded like an old door, but it was a real laugh.]
"[You are good children|How good that you knocked]," said {old}, [and there was a smile on that wrinkled face|and two eyes began to shine].

Soon everyone greeted {old}, and {old} greeted them too.
After that, [the garden gate was always open|you could hear laughter in that house every day].
`,
  }),
  definePlot({
    name: "hide and seek",
    theme: "friendship",
    place: ["green"],
    summaries: [
      "who plays hide and seek",
      "who hides too well",
      "and {friend} the {f_kind}, who play hide and seek",
    ],
    story: `
{hero} and {friend} loved to play hide and seek. [Nobody could hide as well as {hero}.|They knew every hiding place for miles around.]
{hero}'s favorite game was hide and seek[, and {he} always won|].

¶ {One_day}, they played {in_place}. {sight} "One, two, three, four, five!" counted {friend} and covered {f_his} eyes. {hero} ran and hid {spot}.
¶ {One_day}, {hero} played with {friend} {in_place}. {friend} shut {f_his} eyes and counted to twenty, and {hero} crept away. {He} found the best place of all: {spot}.

{friend} looked {spot_2}. {F_he} looked {spot_3}. "[Where are you?|I cannot find you]!" {f_he} {called}. {hero} tried hard not to giggle.
First {friend} looked {spot_2}, and then {spot_3}. {hero} kept very still. "[What a good hiding place|Nobody will ever find me here]," {he} thought.

Time went by. [It got cold and dark.|The sun sank lower and lower.] {friend} did not come any more. [{hero} began to feel lonely.|{hero}'s legs hurt, and {his} tummy rumbled.] "[Maybe {f_he} has gone home without me|What if nobody looks for me any more?]" {he} thought.
{hero} waited and waited. [It was so warm and quiet that {he} fell asleep.|{His} eyes grew heavy, and {he} fell asleep.] When {he} woke up, it was almost dark. [Where was everybody?|{He} was all alone.]

¶ Then {he} heard a small voice. Somebody was crying. {hero} peeped out. There sat {friend} and wept. "[I cannot find {hero} anywhere|{hero} is lost, and it is my fault]," {f_he} said.
¶ {Suddenly} {he} heard {friend} far away. "{hero}! {hero}! [Please come out|You have won]!" {f_he} called, and {f_his} voice shook.

{hero} jumped out. "Here I am!" {he} {called}. {friend} [fell around {his} neck|ran to {him} and hugged {him}]. "[I thought that I had lost you|I was so worried about you]!"
{hero} came out {quickly}. "[I am here|Do not cry, I am here]!" {friend} [laughed and cried at the same time|hugged {him} tight]. "[I have looked for you for hours|I would never go home without you]," {f_he} said.

"[I thought that you had stopped looking|I am sorry that I hid so well]," said {hero}. "[I would never stop looking for you|A friend does not stop looking]," said {friend}. Side by side, they went home.
"[I won|That was my best hiding place]," said {hero}, "but [being found is the best part|it is much nicer to be found]." 
`,
  }),
];
