/** Plots in which the hero is afraid and tries all the same. */
import { definePlot } from "../plot.ts";

export const COURAGE_PLOTS = [
  definePlot({
    name: "a noise in the night",
    theme: "courage",
    traits: "shy",
    summaries: ["who hears a noise in the night", "who is afraid of the dark", "and a strange noise"],
    facts: {
      noise: [
        {
          it: "tap, tap, tap",
          at: "at the window",
          was: "only a branch that knocked against the glass",
          done: "{He} tied the branch back with a piece of string",
        },
        {
          it: "creak, creak, creak",
          at: "above the ceiling",
          was: "only an old door that swung in the wind",
          done: "{He} closed the door with care",
        },
        {
          it: "drip, drop, drip",
          at: "behind the stove",
          was: "only water that dripped from a hole in the roof",
          done: "{He} put a bucket under the hole",
        },
        {
          it: "whoo, whoo, whoo",
          at: "outside the door",
          was: "only a young owl that could not sleep either",
          done: "{He} sang a song for the young owl",
        },
        {
          it: "scratch, scratch",
          at: "under the bed",
          was: "only a tiny beetle that had lost its way",
          done: "{He} carried the beetle out into the grass",
        },
        {
          it: "rustle, rustle",
          at: "in the corner",
          was: "only a paper bag that moved in the draft",
          done: "{He} folded the bag and put it away",
        },
      ],
    },
    story: `
¶ {One_night}, {hero} lay in bed[ and could not sleep|]. {Suddenly} {he} heard something {noise_at}: {noise_it}! {He} pulled the blanket over {his} head.
¶ {One_night}, {hero} woke up. It was dark, and there was a noise. "{noise_it}," it went {noise_at}.

"[What can that be?|Who is there?|Is it a monster?]" {whispered} {hero}. {Heart_beat}. [But nobody answered.|The noise came again.]
{hero} was {afraid}. "[It must be a ghost|That is a monster]," {he} thought. {Heart_beat}.

[{He} wanted to call {elder}, but {his} voice was gone.|{He} lay still and counted to ten, but the noise did not stop.] {noise_it}!
-

Then {he} remembered what {elder} always said: "[If you are afraid of something, look at it closely|Most things are smaller by light|Fear grows in the dark and shrinks in the light]." {hero} {deep_breath} and lit [a candle|the lamp|a little lantern].
"[I will have a look|I am not a baby any more]," {he} said to {himself}. {He} {deep_breath}, lit [the lamp|a candle|the lantern] and got up.

Step by step, {he} went closer. {noise_it}! [{His} {hands} were shaking, but {he} did not turn back.|{He} held the light up high.] And then {he} saw it: it was {noise_was}!
On tiptoe, {he} went to see. {noise_it}! {He} held up the light, and then {he} had to laugh. It was {noise_was}.

{noise_done}, and everything was quiet. [{hero} was {glad} and a little proud.|"So that was all," {he} said.]
"[And I was afraid of that|So small, and so much noise]!" said {hero}. {noise_done}[, and then {he} went back to bed|].

¶ {Next_day}, {he} told {elder} about it. "[You were very brave|You looked at it, and that takes courage|I am proud of you]," said {elder}.
¶ [In the morning|At breakfast], {hero} told the whole story. "[And you were not afraid?|Were you not afraid?]" asked {elder}. "[I was very much afraid|My knees were shaking]," said {hero}, "but I went all the same."
-
`,
  }),
  definePlot({
    name: "learning to swim",
    theme: "courage",
    place: ["water"],
    hero: "any",
    summaries: ["who learns to swim", "who is afraid of the water", "who goes swimming for the first time"],
    facts: {
      why: [
        "{He} was afraid that the water would be too deep",
        "Once {he} had slipped and got water in {his} nose",
        "The water looked so dark and cold",
        "{He} did not know what was down there",
      ],
    },
    story: `
On hot days, everyone went swimming, only {hero} [stayed on the shore|sat in the shade]. {why}. 
All {his} friends could swim, but {hero} could not. {why}.

¶ {One_day}, {his_friend} {called}, "[Come in! The water is warm|Come in and play with us|Don't you want to swim]!" {hero} shook {his} head. "[I cannot swim|I would rather watch]," {he} said {sadly}.
¶ {One_day}, {hero} sat {in_place} and watched {his_friend}, who swam [in circles|like a fish]. "[How do you do that?|I wish I could do that]!" {he} said.

"[I was afraid too, once|Everyone is afraid the first time]," said {friend}. "[I will show you|We will do it together|I will stay right beside you], one little step at a time."
"[It is not hard|You can learn it]," said {friend}. "[First only the feet. I will hold you|I will hold you the whole time]."

First {hero} put one foot into the water. [Brr! It was cold.|It tickled.] Then {he} put in the other. {hero} {deep_breath} and went in up to {his} belly.
{hero} {deep_breath} and went in: first up to the knees, then up to the belly. [It was not so bad.|The water was not as cold as it looked.]

"[Now lie on the water|Lie down as if in your bed]," said {friend}, "[and kick with your legs|and move your legs like a frog]." {hero} tried, [swallowed some water and coughed|but {he} sank like a stone]. "[I can't do it|I will never learn it]!" {he} {called}.
{friend} held {him} and {hero} kicked. [Splash! {He} went under.|{He} kicked so hard that water flew everywhere.] {He} came up and coughed. "[Again|Once more]," said {friend} and laughed.

"[Try again|Do not give up]," said {friend}. "[You are doing well|It was much better this time]." So {hero} tried again, [and again, and again|and once more, and once more].
{He} tried {all_day}. [The first day, the second day, and the third day too.|Sometimes {he} wanted to give up, but {friend} would not let {him}.]

And {suddenly} {hero} noticed that {friend} was not holding {him} any more. {He} was swimming! "{Hooray}!" {called} {hero}. "[I can swim|Look at me, I am swimming]!"
{At_last} it went well. {hero} swam from [one stone to another|the shore to {friend} and back], all by {himself}. "[I can do it!|Did you see that?]" {he} {called}.

¶ From then on, nobody could get {hero} out of the water. [{He} only came out to eat some {snacks}.|{He} was always the first one in and the last one out.]
-
`,
  }),
  definePlot({
    name: "stage fright",
    theme: "courage",
    traits: "shy",
    thing: ["plays"],
    summaries: ["who is too shy to play in front of others", "who plays {a_thing}", "and {a_thing}"],
    facts: {
      feast: [
        "the summer feast",
        "the big village concert",
        "the harvest dance",
        "the school show",
        "the lantern night",
      ],
    },
    story: `
{hero} could play {a_thing} better than anyone else, but nobody knew it. {He} only played when {he} was alone[ {in_place}|].
{hero} had {a_thing}. When {he} was alone, {he} made the most {beautiful} music with it, but {he} was too shy to let anybody hear.

¶ {One_day}, {a_stranger} passed by and heard the music. "[That is wonderful|How {beautiful}]!" {f_he} {called}. "[You must play at {feast}|Please come and play at {feast}]!" {hero} turned red and hid {his} {noun}.
¶ {One_day}, {his_friend} came by without a sound and listened. "[I did not know that you can play like that|So it was you]!" {f_he} said. "[Everybody should hear it. Come to {feast}|You have to play at {feast}]!"

"[I can't|No, no]," {whispered} {hero}. "[Everyone will look at me|What if I make a mistake?|They will all laugh at me]."
"[Not in front of all those people|I would die of fright]," said {hero}. {His} {hands} shook when {he} only thought of it.

"{I_have_an_idea}," said {friend}. "[Look only at me while you play|Close your eyes and think that you are alone|Play only for me, and forget the others]."
{friend} thought for a while. "[I will sit in the first row|I will stand right next to you]," {f_he} said. "[Just play for me|Then you need not look at anybody else]."

¶ Then the evening came. [There were so many people!|All the seats were taken.] {hero} stood there with {his} {noun}, and {heart_beat}. It was very quiet.
¶ On the evening of {feast}, {hero} stood behind the curtain. {Heart_beat}. "[I want to go home|I cannot do it]," {he} {whispered}. But then {he} saw {friend}, who [waved|smiled at {him}].

{He} {deep_breath} and looked at {friend}. Then {he} began to play, [first softly, then louder and louder|and the first note was a little shaky, but the second was clear].
{hero} closed {his} eyes and began. [The music was like a bird that flies over the hills.|The tune went up and down like a swallow.]

When it was over, [it was quiet for a moment|nobody moved]. Then they all clapped and cheered. "[More! More!|Once again!]" they cried, and {hero} [bowed|smiled] and played another tune.
[Everyone clapped for a long, long time.|The people clapped and stamped their feet.] {hero} could hardly believe it. [{He} played three more tunes.|{He} bowed so low that {his} nose touched the floor.]

"[I knew it|You see]!" said {friend}. "[I was so afraid|I only played for you]," said {hero}, "[and then it was wonderful|and then I forgot to be afraid]."
-
`,
  }),
  definePlot({
    name: "the dark cave",
    theme: "courage",
    traits: "brave",
    place: ["high", "green"],
    summaries: ["who goes into a dark cave", "who fetches {a_thing} out of a cave", "and a dark cave"],
    facts: {
      inside: [
        {
          shine: "two green eyes",
          who: "a lonely bat",
          say: "Nobody ever visits me",
          wish: "a visit now and then",
        },
        {
          shine: "a tiny light",
          who: "a glowworm",
          say: "I have lost my way, and it is so cold here",
          wish: "to be carried out into the warm grass",
        },
        {
          shine: "something white",
          who: "an old, old tortoise",
          say: "I only wanted some peace and quiet",
          wish: "a handful of {snacks}",
        },
        {
          shine: "a golden spot",
          who: "a very small dragon",
          say: "I am afraid of the big world outside",
          wish: "a friend",
        },
      ],
    },
    story: `
Near the {place} there was a dark cave, [and nobody dared to go in|and everyone said that a monster lived there]. 
Everyone knew the dark cave near the {place}, [and nobody had ever gone inside|and at night strange sounds came out of it].

¶ {One_day}, {hero} and {friend} played near the cave, and {friend}'s {thing} [rolled|slipped] right into the dark hole. "{Oh_no}!" {called} {friend}. "[My {noun}! Now it is gone for ever|I dare not go in there]."
¶ {One_day}, a gust of wind blew {friend}'s {thing} right into the cave. {friend} [was close to tears|stood in front of it and did not know what to do]. "[It was a present|I loved it so much]," {f_he} said.

"I will get it for you," said {hero}. [{He} was not as sure as {he} sounded.|{He} tried to sound brave.] {He} {deep_breath} and lit a [lantern|candle|torch].
{hero} looked into the dark. "[I will go|Somebody has to go]," {he} said. {Heart_beat}, but {he} took a [lantern|torch] and went in.

[It was cold and wet inside.|Water dripped from the walls.] With every step it got darker. {Suddenly} {he} saw {inside_shine}. "Who is there?" {called} {hero}.
[The walls were wet, and every step echoed.|Somewhere water was dripping.] {hero} went on and on. Then something moved in front of {him}: it was {inside_shine}!

It was {inside_who}! "[Please do not hurt me|Do not be angry]," it said. "{inside_say}."
But it was no monster at all, only {inside_who}. "[Oh! A visitor|Please do not run away]," it said in a small voice. "{inside_say}."

"[You need not be afraid of me|And I was afraid of you]," said {hero}, and [both of them laughed|they both had to laugh]. [Next to it lay|There lay] the {thing}. "[You can have the {noun}|I kept the {noun} safe for you]," it said. "[All that I wish for is|I only wish for] {inside_wish}."
"[Is this yours?|Are you looking for this?]" it asked and gave {him} the {thing}. "{Thank_you}!" said {hero}. "[What can I do for you?|Can I do something for you too?]" "[All that I wish for is|I only wish for] {inside_wish}," it answered.

¶ {hero} [promised it|kept {his} word]. When {he} came out again, {friend} [jumped for joy|cheered]. "[You are so brave|You really did it]!" {f_he} said. "[There was no monster|It was not so dark after all]," said {hero}, and gave {f_him} the {thing}.
¶ {Soon} {hero} stood in the sunlight again and gave the {thing} to {friend}. "[Were you not afraid?|And the monster?]" asked {friend}. "[I was, but I went all the same|It is smaller than you think]," said {hero} and told {f_him} everything. The wish [came true|was granted] that very day.
`,
  }),
  definePlot({
    name: "the first day at school",
    theme: "courage",
    traits: "shy",
    thing: ["treasure", "worn"],
    summaries: [
      "who has the first day at school",
      "who does not want to go to school",
      "who is new at school and finds a friend",
    ],
    facts: {
      teacher: ["Mrs. Goose", "Mr. Badger", "Mrs. Plum", "Mr. Pepper", "Miss Willow", "Mr. Finch"],
      task: [
        "to draw their favorite place",
        "to sing a song about the rain",
        "to build a tower out of wooden blocks",
        "to count the buttons in a jar",
        "to tell about something that they love",
      ],
    },
    story: `
¶ {One_day}, it was time for {hero} to go to school. "[My tummy hurts|I do not want to go|Can I stay at home?]," {he} said {sadly} at breakfast.
¶ Then the first day of school came. {hero} was {worried}. "[What if nobody likes me?|What if I do not know anything?|I do not know anyone there]," {he} said.

"[Everything new is a little scary|The first step is the hardest]," said {elder} {softly} and put {a_thing} into {his} bag. "[If you are afraid, touch it and think of me|This will bring you luck]."
{Elder} gave {him} {a_thing}. "[Keep it with you|Take this along]," said {elder}. "[It will remind you that I am thinking of you|Whenever you are afraid, hold it tight]."

The school was [big and loud|full of noise]. {hero} sat down [in the last row|in a corner] and [made {himself} small|did not say a word]. {teacher}, the teacher, asked the children {task}.
"Good morning, children," said the teacher, whose name was {teacher}. The children were asked {task}. [Everyone began at once, only {hero} did not move.|{hero} did not know how to begin.]

{hero} held {his} {noun} tight. [Then {he} saw that someone else was sitting all alone too.|Then {he} heard someone sniff.] It was {a_stranger}. {F_his} eyes were red.
Next to {him} sat {a_stranger}, [who looked at the floor|who looked just as scared].

{hero} {deep_breath}. "[Are you new too?|Hello. I am {hero}]," {he} {whispered}. "[Would you like to hold my {noun}?|Look, I have {a_thing}. It helps when you are afraid.]" {friend} [nodded|smiled a little].
"[Is it your first day too?|Are you afraid too?]" asked {hero} {softly}. "[Yes|Very much]," said {friend}. "[Then let us do it together|Then there are two of us]," said {hero} and showed {f_him} the {thing}.

So they did the task together, [and it was fun|and they laughed more than all the others]. "[Very well done|How {beautiful}]!" said {teacher}, and both of them [were proud|turned red with joy].
Together it was easy. [They whispered and giggled, and time flew.|When the bell rang, they did not even hear it.] {teacher} came by and said, "[Well done, you two|I see that you are a good team]!"

¶ "How was it?" asked {elder} when {hero} came home. "[It was wonderful|I have a friend]!" {called} {hero}. "[Can I go again tomorrow?|And tomorrow we will sit together again.]"
¶ {Next_day}, {hero} was the first one at the door. "[Hurry up|Come quickly]!" {he} called. "[{friend} is waiting for me|I must not be late]!"
`,
  }),
];
