/** Plots in which the hero has something to learn: sharing, telling the truth, listening, not bragging. */
import { definePlot } from "../plot.ts";

export const LESSON_PLOTS = [
  definePlot({
    name: "learning to share",
    theme: "sharing",
    traits: ["greedy", "selfish"],
    summaries: [
      "who does not want to share",
      "who learns to share",
      "and {a_dish}",
      "who has {a_dish} and eats it all alone",
    ],
    story: `
{One_day}, {hero} got {a_dish} from {elder}. [It smelled wonderful.|It was still warm.|What a treat!]
{One_day}, {elder} baked {a_dish} for {hero}. "[Take it along and share it with your friends|There is enough for all your friends]," said {elder}.

¶ {Soon}, {his_friend} came by. "[That smells so good|What a {beautiful} {dish}]!" said {friend}. "[May I have a piece?|Can I have a little bit?|Will you share it with me?]"
¶ On the way {to_place}, {he} met {his_friend}. "[I have not eaten all day|I am so hungry]," said {friend}. "[May I have a piece of your {dish}?|Could I have just a bite?]"

"No!" said {hero}. "[It is all mine|I want it all for myself|There is not enough for two]." [{friend} hung {f_his} head and went away.|{friend} walked off without a word.]
{hero} held the {dish} behind {his} back. "[There is none left|This is mine]!" {he} said, and {friend} [went away hungry|walked away sadly].

{hero} [sat down {spot}|hid {spot}] and ate and ate until the {dish} was gone. [Now {his} belly hurt.|But it did not taste as good as {he} had thought.] {He} [looked for somebody to play with|wanted to play], but [nobody was there|{he} was all alone].
So {hero} ate the whole {dish} alone. {Soon} {he} had a terrible tummy ache, and [there was nobody to keep {him} company|it was very quiet all around {him}].

¶ {Next_day}, {hero} was hungry, and [the cupboard was empty|there was nothing left to eat]. {He} saw {friend} [{in_place}|by the path] with a basket full of {snacks}. {hero} [did not dare to ask|looked at the ground].
¶ {Next_day}, {hero} went {to_place}, but {he} had forgotten {his} lunch. {His} tummy rumbled. {friend} sat there and had a bag of {snacks}.

But {friend} [{smiled}|waved to {him}]. "[Come and sit with me|Sit down]," {f_he} said. "[You can have half of my {snacks}|There is enough for both of us|They taste better when we are two]."
"Are you hungry?" {asked} {friend}. "[Here, take some|Please have some]. [I have enough for two|It is more fun to eat together]."

{hero} felt {sorry}. "[I was not nice to you yesterday|Yesterday I gave you nothing]," {he} said. "[And still you share with me. |]I am sorry."
{hero} turned red. "[Why are you so kind to me?|You share with me, although I was so mean?]" {he} asked. "[Because we are friends|That is what friends do]," said {friend}.

[The {snacks} were the best that {he} had ever eaten.|They ate together and laughed, and every bite tasted sweet.]
-

¶ [A few days later|The week after], {elder} baked another {dish}. This time, {hero} cut it into [two|many] pieces, and the first piece was for {friend}.
¶ [A few days later|Soon after that], {hero} had {a_dish} again. {He} ran straight to {friend} and called, "[Look! Half of it is yours|Come, we will share it]!"
`,
  }),
  definePlot({
    name: "the broken thing and the truth",
    theme: "honesty",
    summaries: [
      "who breaks something and tells the truth",
      "who has to tell the truth",
      "who breaks {vase_a}",
    ],
    facts: {
      vase: [
        { a: "a blue vase", it: "vase", mend: "They glued the pieces together, one by one" },
        { a: "an old clock", it: "clock", mend: "They put the little wheels back one after another" },
        { a: "a big teapot", it: "teapot", mend: "They glued the spout back on" },
        {
          a: "a glass bowl",
          it: "bowl",
          mend: "They swept up the pieces and made a colorful picture out of them",
        },
        { a: "a clay jug", it: "jug", mend: "They stuck the pieces together with clay" },
        {
          a: "a painted plate",
          it: "plate",
          mend: "They glued it so well that you could hardly see the crack",
        },
        { a: "a wooden chair", it: "chair", mend: "They put in a new leg with four nails" },
      ],
      game: [
        "ran around the table",
        "played ball in the house",
        "pretended to be a pirate",
        "danced through the room",
        "jumped from chair to chair",
        "chased a fly",
      ],
    },
    story: `
{Elder} had {vase_a}[ that was very dear to {elder}|, and it stood on the shelf by the window|]. "[Be careful with it|Please never play near it]," {elder} always said.
In the house there was {vase_a} that belonged to {elder}. [It was very old.|It had come from far away.|Nobody was allowed to play near it.]

¶ {One_rainy_day}, {hero} {game}. {Suddenly} there was a loud crash. The {vase_it} lay on the floor, broken!
¶ {One_day}, {hero} was alone and {game}. [Crash!|Bang!|Bump! Crash!] The {vase_it} fell down and broke.

"{Oh_no}!" {whispered} {hero}. {Heart_beat}. {He} [pushed the pieces under the rug|hid everything behind the curtain|put a cloth over it], and ran outside.
{hero} was {afraid}. "[What will {elder_spoken} say?|Now I am in trouble]," {he} thought, and {he} quickly hid the broken {vase_it} [in the closet|under the bed|behind the stove].

[At noon|In the evening|After dinner], {elder} asked, "[Where is the {vase_it}?|Have you seen my {vase_it}?]" "[I do not know|Maybe the wind knocked it over|Maybe the cat took it]," said {hero}[ and looked at {his} feet| and turned red|].
"[What has happened to my {vase_it}?|Who broke the {vase_it}?]" asked {elder}. "[It was not me|It must have been the wind]," said {hero} quickly.

¶ But {hero} [could not eat|did not feel like playing|could not sleep]. [The lie was like a stone in {his} belly.|There was a lump in {his} throat.|{His} heart felt as heavy as lead.]
¶ That night, {hero} lay awake. [Every time {he} closed {his} eyes, {he} saw the broken {vase_it}.|{He} turned from one side to the other.] {He} knew that {he} had done wrong.

{At_last} {he} {deep_breath} and went to {elder}. "[I have to tell you something|I did not tell the truth]," {he} said {sadly}. "[It was me. I broke the {vase_it}|I broke the {vase_it} while I was playing, and then I lied]. I am so sorry."
So {he} got up and went to {elder}. "[It was not the wind|I lied to you]," {he} said. "I broke your {vase_it}. [I was afraid that you would be angry|Please forgive me]."

{Elder} [took {him} into the arms|hugged {him}|was quiet for a moment and then smiled]. "[I am sad about the {vase_it}|A {vase_it} can break|The {vase_it} was only a thing]," said {elder}, "but [I am glad that you told me the truth|it was brave of you to tell the truth|your honesty is worth much more to me]."
"[I thought so|I knew it already]," said {elder} {softly}. "[But I am happy that you told me yourself|It takes courage to say that]. [Thank you for telling the truth|Now everything is all right]."

¶ Together they fetched the broken pieces. {vase_mend}, and [{hero} felt as light as a feather|the stone in {his} belly was gone|{hero} could laugh again].
¶ {Next_day}, they mended it together. {vase_mend}. [{hero} held the glue.|{hero} helped as well as {he} could.]
`,
  }),
  definePlot({
    name: "the false alarm",
    theme: "honesty",
    traits: ["mischievous"],
    place: ["open"],
    summaries: ["who plays tricks on everyone", "who cries for help for fun", "who learns not to lie"],
    facts: {
      danger: [
        {
          cry: "Help! There is a bear",
          real: "a real bear came out of the bushes",
          end: "They made such a noise with pots and pans that the bear ran away",
        },
        {
          cry: "Fire! Fire",
          real: "a spark flew out of the stove and the hay began to smoke",
          end: "They fetched buckets of water, and soon the fire was out",
        },
        {
          cry: "The flood is coming! Run",
          real: "the little stream rose higher and higher and the water came up to the door",
          end: "They built a wall of sand and stones just in time",
        },
        {
          cry: "Help! I am stuck in the mud",
          real: "{hero} slipped and sank into the mud up to {his} belly",
          end: "They threw {him} a rope and pulled {him} out",
        },
      ],
    },
    story: `
{One_day}, {hero} was bored. [Then {he} had an idea.|So {he} thought of a trick.] "{danger_cry}!" {he} shouted as loud as {he} could.
{One_day}, {hero} wanted to have some fun. {He} stood {in_place} and screamed, "{danger_cry}!"

[Everyone dropped what they were doing and came running.|{Elder} came running, and so did {friend} and all the neighbors.] But {hero} only laughed. "[I was joking|It was only a joke|You should see your faces]!" {he} called.
{friend} came running, out of breath, and {elder} came too. "[Where? Where?|What has happened?]" they cried. {hero} rolled on the ground and laughed. "[Nothing at all|I tricked you]!"

"[That is not funny|You must not do that]," said {elder}. "[One day you will need help, and nobody will come|If you lie, nobody will believe you any more]." [But {hero} did not listen.|{hero} only giggled.]
"[That was not nice|We were so worried]," said {friend}, and they all went home.

¶ {Next_day}, {hero} did it again. "{danger_cry}!" Again they all came, and again there was nothing. [Now they were really angry.|They shook their heads and went away.]
¶ [Two days later|A day later], {hero} played the same trick once more. Again everyone ran, and again it was for nothing.

¶ But then, [one evening|a few days later|on the third day], {danger_real}. "{danger_cry}!" called {hero}, and this time it was true. [Nobody came.|But nobody even turned around.] "It is only {hero} again," they said.
¶ [The day after that|The following week], {danger_real}! {hero} shouted and shouted, "{danger_cry}!" [But nobody believed {him}.|But everyone thought that it was another joke.]

"[Please! This time it is true|I am not lying! Please believe me]!" cried {hero}, and tears ran down {his} cheeks. {friend} heard it and [stopped|listened]. "[That does not sound like a joke|I think it is true]," {f_he} said, [and ran to help|and called the others]. {danger_end}.
Only {friend} [was not quite sure|came to look]. "[It is true|This time it is real]!" {f_he} called to the others, and they all hurried to help. {danger_end}.
`,
  }),
  definePlot({
    name: "the race",
    theme: "modesty",
    hero: "animal",
    traits: ["boastful", "proud"],
    place: ["green"],
    summaries: ["who brags and runs a race", "who loses a race", "who thinks {he} is the fastest"],
    facts: {
      stop: [
        "to take a nap",
        "to eat some {snacks}",
        "to look at {himself} in a puddle",
        "to tell a bird how fast {he} was",
        "to pick flowers for {his} own crown",
      ],
      goal: ["the old bridge", "the big oak", "the windmill", "the red gate", "the stone well"],
    },
    story: `
"[Nobody is as fast as I am|I am the fastest of all]!" said {hero} [every day|to everyone]. "[You could not even catch my shadow|I could win with my eyes closed]!"
Every day, {hero} told the others how fast {he} was. [They were tired of hearing it.|Nobody wanted to listen any more.]

¶ {One_day}, {a_stranger} said, "[Let us have a race|Will you race me]." {hero} laughed [loudly|until {his} belly hurt]. "[You? Against me?|With those short legs?] {Of_course}! [To {goal}|We will run to {goal}]!"
¶ "[Then let us run a race|I will race you]," said {his_friend} {one_day}. "[From here to {goal}|The one who is first at {goal} wins]." "[You will never win|That will be easy]!" said {hero}.

[All the animals came to watch.|Many animals came {to_place} to watch.] "Ready, steady, go!" called {elder}. {hero} shot off [like an arrow|like the wind], and {friend} came [slowly behind|far behind].
{Elder} counted to three, and off they went. {Soon} {hero} was far ahead. {friend} ran slowly, [but did not stop|one step after another].

¶ Halfway there, {hero} {looked_around}. {friend} was nowhere to be seen. "[I have plenty of time|I can take a break]," {he} thought, and {he} stopped {stop}.
¶ "[This is boring|I have already won]," thought {hero}. So {he} stopped {stop}. [{He} did not notice how the time went by.|It took much longer than {he} thought.]

{friend} [was tired, but {f_he} kept going|went on, step by step]. {F_he} [did not stop once|looked neither left nor right|did not even stop to drink].
[Meanwhile|All this time], {friend} ran on and on, [slowly but surely|without a break].

{Suddenly} {hero} heard the others cheer. {He} ran as fast as {he} could, but it was too late. {friend} [stood at {goal} already|had already reached {goal}]!
When {hero} ran on at last, {he} saw {friend} just in front of {goal}. {hero} ran faster than ever before, but {friend} won by [a nose|one step].

¶ {hero} [hung {his} head|was {sad} and ashamed]. But {friend} held out {f_his} {f_hands}. "[You are really very fast|You run much faster than I do]," {f_he} said. "[Will you show me how you do it?|You only have to keep going.]"
¶ "[You have won|You were better]," said {hero} {sadly}. "[I should not have bragged|I am sorry that I laughed at you]." "[That is all right|Never mind]," said {friend}. "[It was a good race|Let us run together tomorrow]."

[{hero} had to smile.|{hero} shook {f_his} {f_hands}.] [The next time, they ran side by side.|From then on, they ran together every morning.]
`,
  }),
  definePlot({
    name: "not listening to advice",
    theme: "listening",
    traits: ["stubborn", "impatient"],
    summaries: ["who does not listen", "who never listens to advice", "who has to learn to listen"],
    facts: {
      advice: [
        {
          say: "Take your umbrella, it will rain",
          no: "There is not one cloud in the sky",
          next: "dark clouds came up, and it rained so hard that {hero} was wet to the skin",
          so: "{he} took the umbrella when {elder} said so",
        },
        {
          say: "Do not walk over the old bridge, it is rotten",
          no: "It looks strong enough to me",
          next: "the boards of the bridge broke, and {hero} fell into the cold water up to {his} belly",
          so: "{he} took the long way around the old bridge",
        },
        {
          say: "Eat your breakfast first, it is a long way",
          no: "I am not hungry at all",
          next: "{hero} was so hungry that {he} could not walk one step further",
          so: "{he} never left the house without breakfast",
        },
        {
          say: "Stay on the path, or you will get lost",
          no: "I know a shorter way",
          next: "{hero} was in the middle of thorns and did not know which way to go",
          so: "{he} stayed on the path",
        },
        {
          say: "Do not pick the green {snacks}, they are not ripe",
          no: "They look good to me",
          next: "{hero} had such a tummy ache that {he} had to lie down",
          so: "{he} waited until the {snacks} were ripe",
        },
        {
          say: "Do not touch that nest, wasps live in it",
          no: "I do not see any wasps",
          next: "the wasps came out, and {hero} had to run for {his} life",
          so: "{he} left wasps alone",
        },
      ],
    },
    story: `
{One_day}, {hero} wanted to go {to_place}. "{advice_say}," said {elder}. "{advice_no}," {said} {hero}[ and ran off| and slammed the door|, and away {he} went].
"{advice_say}," said {elder} {one_day}, when {hero} [wanted to go out|was on {his} way {to_place}]. But {hero} [shook {his} head|did not want to hear it]. "{advice_no}!"

[{He} met {friend} on the way.|On the way, {he} met {his_friend}.] "Did you not hear the good advice?" asked {friend}. "[I know better|I do not need any advice]," said {hero}.
-

¶ [At first all went well.|At first everything was fine.] {sight} But {soon} {advice_next}.
¶ {hero} came {to_place}. {sight} "[See? I was right|Ha! Nothing happens]," {he} said. But {soon} {advice_next}.

"{Oh_no}!" {called} {hero}. "[If only I had listened|Why did I not listen?|{Elder_spoken} was right]!" {He} was {sad} and {tired}.
{hero} [sat down|stood still] and {wept}. "[I should have listened|I wish I had listened]," {he} said to {himself}.

¶ [{Elder} had been worried and came to look for {him}.|Luckily, {elder} had followed {him}.] "Come," said {elder} {softly}, [and took {him} home|and brought {him} home to the warm stove]. [There was hot tea with honey.|There {hero} got a blanket and a cup of warm milk.]
¶ {At_last} {he} came home. {Elder} [did not scold {him}|said nothing], but made {him} [a hot soup|a cup of tea] and tucked {him} into bed.

"I am {sorry}," said {hero}. "[You wanted to help me, and I did not listen|You were right, and I was wrong]." "[I was once like you|That is how we learn]," said {elder}[ and smiled|].
"Next time I will listen to you," said {hero} {sadly}. "[That makes me glad|I am happy to hear that]," said {elder}.

From then on, {advice_so}.
-
`,
  }),
];
