/** Plots in which something is lost, and found where it was left. */
import { definePlot } from "../plot.ts";

export const LOST_PLOTS = [
  definePlot({
    name: "lost and found where it was left",
    theme: "care",
    summaries: ["who loses {a_thing}", "who cannot find {a_thing}", "and {a_thing} that is lost"],
    facts: {
      use: [
        "to take a nap",
        "to pick some {snacks}",
        "to drink some water",
        "to chase a butterfly",
        "to tie {his} shoe",
        "to look at a snail",
        "to listen to a bird",
      ],
    },
    story: `
[{hero} had {a_thing}|{His} greatest treasure was {a_thing}|{hero} owned {a_thing}], and {he} [took it along wherever {he} went|loved it more than anything|never went out without it]. [It was a gift from {elder}.|{Elder} had given it to {him}.|]

¶ {One_day}, {hero} {set_off} {to_place}. {sight} [{He} played there {all_day}|{He} stayed there {all_day}|It was so {beautiful} that {he} forgot the time].
¶ {One_day}, {hero} played {in_place} {all_day}. {sight}

[Once|At noon|In the middle of the day], {he} put the {noun} down {spot} {use}. [Then {he} went on and did not think of it.|After that {he} ran off to play and left it there.]
{He} laid the {thing} {spot} {use}, [and then {he} forgot all about it|and then {he} walked on without it].

¶ [When {he} came home|Back at home|At supper time], {he} [wanted to show the {noun} to {elder}|reached for the {noun}|looked for the {noun}]. It was gone! "{Oh_no}!" {called} {hero}. "Where is my {thing}?"
¶ {That_evening}, {he} {noticed} that the {thing} was missing. "{Oh_no}!" {he} {called}. "I have lost my {noun}!"

{He} looked [under the bed|behind the door|in every corner], [but it was not there|but {he} found only dust|but there was no {noun}]. {He} was {sad}.
{He} turned {his} {home} upside down, but {he} could not find it. {hero} {wept}.

"[When did you have it last?|Where did you play today?|Think back. Where have you been?]" {asked} {elder} {softly}. {hero} {thought}. "[I went {to_place}|I was {in_place}]," {he} said, "[and I stopped {use}|and there I stopped {use}]."
"{Dont_worry}," [said|answered] {elder} {softly}. "[Go back the way you came|Walk the same way again], and look [well|closely]."

¶ {Next_day}, {hero} went back {to_place}. {He} looked {spot_2}. Nothing. {He} looked {spot_3}. [Nothing again.|Nothing there.|Still nothing.]
¶ [So {hero} ran back {to_place}|{hero} went back {to_place} {quickly}]. First {he} looked {spot_2}, and then {spot_3}, [but there was nothing|but the {noun} was not there].

Then {he} looked {the_spot}, and there it was! The {thing} [lay|was lying] exactly where {he} had left it. "{Hooray}!" {called} {hero}.
{At_last} {he} looked {the_spot}. There lay the {thing}, [a little wet from the dew|just where {he} had put it|safe and sound]! {hero} [hugged it|held it tight|jumped for joy].

[From then on|After that|From that day on], {he} [always looked behind {him} before {he} left a place|took better care of the {noun}|never again left the {noun} behind].
-
`,
  }),
  definePlot({
    name: "a friend finds it",
    theme: "helping",
    summaries: [
      "who loses {a_thing}",
      "and {friend} the {f_kind}, who look for {a_thing}",
      "who looks for {a_thing} with a friend",
    ],
    facts: {
      sign: [
        {
          it: "[tiny|small|fresh] footprints",
          who: "a squirrel",
          why: "It looked so pretty that I wanted it for my nest",
        },
        { it: "a trail of crumbs", who: "a mouse", why: "I only wanted to show it to my children" },
        { it: "a line of wet tracks", who: "an old frog", why: "I found it on the path and kept it dry" },
        { it: "a black feather", who: "a crow", why: "I like things so much, and it looked lonely" },
        { it: "a few white hairs", who: "a goat", why: "I wanted to know whether one can eat it" },
      ],
    },
    story: `
[{One_day}|{One_day}], {hero} could not find {his} {thing}. {He} had [put it beside the door|left it on the step|hung it on the fence] the night before, and now it was [gone|nowhere to be seen].
{One_day}, {hero} woke up, and {his} {thing} was gone. It had been [on the window sill|in front of the door|on the bench outside] the evening before.

"{Oh_no}!" {called} {hero}. [{He} was {sad}.|{hero} {wept}.|"What shall I do now?"]

¶ {Soon}, {his_friend} came by. "[Why are you so sad?|What is the matter?|Why do you look so sad?]" {asked} {friend}. "[My {thing} is gone|I have lost my {thing}|Somebody has taken my {thing}]," {said} {hero} {sadly}.
¶ {He} went to {his_friend}. "[Please help me|Can you help me?|I need your help]," said {hero}. "My {thing} is gone."

"{Dont_worry}," said {friend}. "[Two can see more than one|Four eyes see more than two|I will help you look]. {Come_on}!"
"{Of_course} I will help you," said {friend}.

So they looked [everywhere|high and low|{all_day}]. They looked {spot} and {spot_2}, but they found nothing.
They searched the yard and the path {to_place}. {friend} looked {spot}, and {hero} looked {spot_2}.

Then {friend} {noticed} {sign_it} on the ground. "Look here!" {f_he} {called}. [They followed it step by step|Together they followed it] {to_place}.

¶ And who was sitting there, {spot_3}? It was {sign_who}, with the {thing}! "[Is this yours?|Oh! Does this belong to you?]" asked {sign_who}. "I am {sorry}. {sign_why}."
¶ {In_place}, {spot_3}, sat {sign_who}. And right next to it lay the {thing}! "[Please do not be angry|I am so sorry|Forgive me]," it said. "{sign_why}."

"[That is all right|I am not angry|I understand]," said {hero}. "[But it means very much to me|I am just so glad to have it back|You can come and look at it whenever you like]."

{hero} took the {noun} in {his} {hands} and turned to {friend}. "{Thank_you}! [Without you I would never have found it|You are a real friend|I could not have done it without you]."
{hero} was {glad}. "{Thank_you}, {friend}," {he} said. "You have [such good eyes|sharp eyes|helped me so much]."
`,
  }),
  definePlot({
    name: "the messy room",
    theme: "care",
    traits: ["messy", "careless", "forgetful"],
    summaries: ["who never tidies up", "who has to clean up to find {a_thing}", "and a very messy room"],
    facts: {
      event: [
        "the big parade",
        "the summer party",
        "the harvest fair",
        "the school play",
        "the lantern walk",
        "{friend}'s birthday party",
        "the winter concert",
      ],
      hidden: [
        "under a mountain of socks",
        "behind the wardrobe",
        "in an old boot",
        "under the blanket",
        "between two dusty books",
        "in a pot under the bed",
      ],
    },
    story: `
"[You really should tidy up|Please put your things away|One day you will lose your own nose in there]," said {elder} [again and again|every evening|each morning]. "[Later|Maybe tomorrow|Not now]," {hero} always answered.
[{His} {home} was such a mess that|There was so much lying about that] [you could not see the floor|nobody could find a place to sit|even the spiders got lost].

¶ {One_day}, it was time for {event}. {hero} wanted to bring {his} {thing}. [But where was it?|But it was nowhere to be seen.]
¶ {One_day}, {friend} knocked at the door. "{Come_on}! It is time for {event}," {f_he} said. "And do not forget your {thing}!"

{hero} [threw things left and right|dug through the heaps|looked here and there], but {he} could not find it. "{Oh_no}!" {he} {called}. "[Where can it be?|It must be here somewhere!]"
{hero} looked on the chair, under the chair and behind the chair. There was no {noun}. {He} {wept}.

"{Dont_worry}," said {friend}. "[Let us tidy up together|We will put everything in its place], [and then we shall find it|one thing at a time]."
{friend} {looked_around}. "{I_have_an_idea}," {f_he} said. "[First the books, then the toys, then the clothes.|If we clean up, the {noun} must turn up.]"

¶ So they set to work. They put the [books on the shelf|shoes by the door|pencils in the box] and the [cups in the kitchen|clothes in the basket|toys in the chest]. [The heaps grew smaller and smaller.|Little by little, the floor came back.]

And there, {hidden}, was the {thing}! "{Hooray}!" {called} {hero}.
Then {hero} {noticed} something {hidden}. It was the {thing}!

They ran to {event} and were just in time. [{hero} was {glad}.|It was a {beautiful} day.] 
"{Thank_you}," {said} {hero}. They hurried to {event}, and [nobody noticed that they were a little late|they were not even late].

After that, {hero} [tidied up every evening|put everything back where it belonged], [and {elder} was very proud of {him}|and nothing ever got lost again].
-
`,
  }),
  definePlot({
    name: "the kite in the tree",
    theme: "teamwork",
    thing: ["flies"],
    place: ["green"],
    summaries: [
      "and {a_thing} that gets stuck in a tree",
      "whose {noun} flies into a tree",
      "who gets {a_thing} back with the help of a friend",
    ],
    facts: {
      tree: ["a tall oak", "a crooked pine", "an old chestnut tree", "a high poplar", "a mighty beech"],
      way: [
        {
          try: "jumped as high as {he} could",
          fail: "it was much too high",
          how: "{friend} climbed onto {his} shoulders",
          next: "pulled gently at the {noun}",
        },
        {
          try: "shook the tree",
          fail: "only leaves came down",
          how: "{friend} fetched a long stick and {hero} lifted {f_him} up",
          next: "poked the {noun} loose",
        },
        {
          try: "threw a pine cone at it",
          fail: "the pine cone missed",
          how: "they pushed an old barrel under the tree and {friend} climbed on top",
          next: "reached for the {noun}",
        },
        {
          try: "shouted at the wind to blow it down",
          fail: "the wind did not listen",
          how: "{hero} held the ladder while {friend} climbed up",
          next: "set the {noun} free",
        },
      ],
    },
    story: `
{One_windy_day}, {hero} took {his} {thing} {to_place}. {sight}
{Elder} had given {hero} {a_thing}. {One_windy_day}, {he} took it {to_place} [to let it dance in the wind|to see how high it could fly].

Up, up it went, [higher than the roofs|higher and higher|as high as the birds]. [Then a gust of wind tore it away|{Suddenly}, the wind pulled it out of {his} {hands}], and it got stuck in {tree}.
At first the {noun} [danced|whirled|sailed] {happily} in the air. But {suddenly} a gust of wind carried it off, right into the top of {tree}.

"{Oh_no}! My {thing}!" {called} {hero}. {He} {way_try}, but {way_fail}.
{hero} {way_try}, but {way_fail}. {He} tried again and again. {At_last} {he} sat down under the tree, {tired} and {sad}.

¶ [A {f_kind} named {friend} came along the path|Then {a_stranger} came along]. "[What are you looking at?|What is up there?|Can I help?]" {asked} {friend}. "[My {noun} is stuck|The wind took my {noun}], and I cannot reach it," {said} {hero}.
¶ {his_friend} heard {him} and came running. "[What happened?|What is wrong?]" {f_he} asked. {hero} pointed up into the branches.

"{I_have_an_idea}," said {friend}. [And so|A moment later], {way_how}. {friend} stretched and stretched and {way_next}.
"[Alone we are too small|Together we can do it]," said {friend}. So {way_how}, and {friend} {carefully} {way_next}.

It came floating down, right into {hero}'s {hands}. [It had not even a scratch.|It had only a tiny tear.] "{Hooray}!" {called} {hero}. "{Thank_you}!"
Down came the {thing}, [softly like a leaf|turning round and round]. {hero} was {glad}. "{Thank_you}, {friend}!"

¶ Then the two of them played with the {noun} until [the sun went down|it got dark|they were too tired to run]. [First it was {hero}'s turn, then {friend}'s.|They took turns, and nobody had to wait long.]
¶ "Now it is your turn," said {hero}, and [{he} gave the {noun} to {friend}|{friend} was allowed to hold the {noun}]. They played until [supper|sunset|the first stars came out].
`,
  }),
  definePlot({
    name: "who took the cookies",
    theme: "cleverness",
    traits: "friendly",
    summaries: [
      "who solves a mystery",
      "who finds out who took the {snacks}",
      "and a bowl of {snacks} that is empty",
    ],
    facts: {
      clue: [
        {
          it: "flour on the floor",
          who: "the baker's cat",
          why: "had been so hungry after hunting mice all night",
        },
        {
          it: "a small muddy print on the wall",
          who: "a little hedgehog",
          why: "was getting fat for the winter",
        },
        { it: "a blue button", who: "the old gardener", why: "had thought they were left for him" },
        {
          it: "a gray hair on the chair",
          who: "a young donkey",
          why: "had smelled them through the open window",
        },
        {
          it: "crumbs on the window sill",
          who: "a family of sparrows",
          why: "had seven hungry children at home",
        },
      ],
    },
    story: `
{One_day}, {elder} put a big bowl of {snacks} on the table. [But when it was time for tea|But at noon|An hour later], the bowl was empty. "[Who has taken the {snacks}?|Where are all the {snacks}?]" asked {elder}.
{hero} and {friend} had [picked|fetched] a whole bowl of {snacks} for {elder}. {Next_day}, the bowl was empty!

"It was not me," said {hero}. "It was not me either," said {friend}. "[Then let us find out who it was|Then this is a mystery]," said {hero}, "[and we shall solve it|and I like mysteries]."
{hero} {looked_around}. "[Somebody must have been here|A thief!|This is very strange]," {he} said to {friend}. "[Let us look for clues|We must look closely]."

¶ First they asked [the rooster|the dog next door|the milkman|the spider on the wall], [who had slept all morning|who had seen nothing|who only shook his head]. Then they asked [the snail|the postman|the old turtle], [who had been looking the other way|who was busy|who knew nothing either].
¶ {friend} looked under the table, and {hero} looked behind the curtain. [There was nobody.|They found only a sleepy fly.]

Then {hero} {noticed} {clue_it}. "[Look at this|Aha|Here is a clue]!" {he} {called}. {He} {thought}. "[I know who leaves such a thing behind|There is only one who leaves that behind]," {he} said.
{Soon} {friend} {noticed} something: {clue_it}. {hero} {thought}. "[Now I know|I think I know who it was]," {he} said.

They [tiptoed outside|went around the house|crept into the yard], and there, behind the shed, was {clue_who}, with {snacks} all around! It turned out that the thief {clue_why}.
Behind the house they found {clue_who}, [eating the last of the {snacks}|with a very full belly]. The thief {clue_why}.

"[You only had to ask|Next time, please ask]," said {hero} {softly}. "[There is enough for everyone|We would have shared with you]."
"We are not angry," said {hero}, "[but the next time you must ask|but please ask the next time]."

¶ {hero} and {friend} [picked|fetched|gathered] more {snacks}, and [everyone had some for tea|in the afternoon they all ate together]. "[How did you find it out?|How clever you are!|What a good detective you are!]" said {elder}, and {hero} {smiled}.
`,
  }),
];
