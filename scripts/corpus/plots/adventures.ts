/** Plots in which the hero sets out and sees something of the world. */
import { definePlot } from "../plot.ts";

export const ADVENTURE_PLOTS = [
  definePlot({
    name: "the treasure map",
    theme: "adventure",
    traits: "brave",
    summaries: ["who finds a treasure map", "who looks for a treasure", "and a hidden treasure"],
    facts: {
      found: [
        "in a bottle on the shore",
        "between the pages of an old book",
        "in the pocket of an old coat",
        "under a loose board in the attic",
        "inside a hollow walking stick",
      ],
      riddle: [
        {
          say: "Walk from the crooked tree toward the morning sun",
          how: '"The sun rises in the east," said {friend}, "so we must go that way"',
        },
        {
          say: "Go where the water sings, and count ten steps",
          how: "They listened until they heard a little waterfall, and there they counted ten steps",
        },
        {
          say: "Look where the shadow of the big rock points at noon",
          how: "They waited until the sun stood high, and then they followed the shadow",
        },
        {
          say: "Follow the stones that look like sleeping sheep",
          how: '"There they are!" said {friend} and pointed at a row of round white stones',
        },
      ],
      box: [
        {
          held: "old toys, and a letter from a child who had lived there a hundred years ago",
          end: "They played with the toys until evening, and then they put in a new letter and buried the box again",
        },
        {
          held: "a hundred golden coins made of chocolate",
          end: "They ate until they were full and took the rest home to share it with everyone",
        },
        {
          held: "seeds in little bags, red, yellow and blue",
          end: "They planted the seeds, and in the summer the whole hill was in bloom",
        },
        {
          held: "a mirror, and the words: the real treasure is the one who looks at me with you",
          end: "They looked into the mirror together, and both of them had to laugh",
        },
      ],
    },
    story: `
¶ {One_day}, {hero} found an old map {found}. [There was a red cross on it, and a way drawn in dots.|It was yellow and torn, and a red cross was painted on it.] "[A treasure map|That must be a treasure map]!" {he} {called}.
¶ {One_day}, {hero} came running to {friend}. "[Look what I have found|You will not believe this]!" {he} {called}. It was a map with a red cross. {hero} had found it {found}.

{friend} [looked at it from all sides|bent over the map]. "[The cross is {in_place}|That looks just like the {place}]!" {f_he} said. They packed [a rope, a lantern and some {snacks}|some {snacks} and a spade], and off they went {to_place}.
{He} showed it to {friend}. "[Shall we look for it together?|Will you come with me?]" "[Of course|What are we waiting for]!" said {friend}. They took a spade and a bag of {snacks} and set out {to_place}.

{sight} [They climbed over rocks and jumped over ditches.|It was a long way.] On the map it said: "{riddle_say}." {hero} {thought}. {riddle_how}.
On the back of the map there was a riddle: "{riddle_say}." "[What does that mean?|That is strange]," said {hero}. {riddle_how}.

{At_last} they stood before the place with the cross. It was {spot}. They dug and dug[, until their arms hurt|]. [Clonk! The spade hit something hard.|Then there was a hollow sound.] It was a box!
The way ended {spot}. "[Here it must be|Here we must dig]," said {hero}. They dug by turns, and {soon} they pulled a heavy box out of the ground.

{hero} [held {his} breath and opened|slowly lifted] the lid. In the box there were {box_held}. {box_end}.
"[You open it|Open it]," {whispered} {friend}. The lid creaked. Inside there were {box_held}. {box_end}.

¶ "[Do you know what was best?|The best part was the way there]," said {hero} on the way home. "[That you came with me|To look for it with you]."
¶ [Dirty and happy, they came home.|They came home with dirty knees and shining eyes.] "[What shall we look for tomorrow?|Where do we go next?]" asked {friend}.
`,
  }),
  definePlot({
    name: "adrift in a boat",
    theme: "adventure",
    place: ["water"],
    summaries: ["who drifts away in a boat", "who goes on a trip in a little boat", "and a little boat"],
    facts: {
      helper: [
        {
          who: "an old turtle",
          the: "the turtle",
          way: "took the rope between its jaws and pulled the boat behind it",
        },
        {
          who: "a flock of wild geese",
          the: "the geese",
          way: "took the rope in their beaks and flew ahead",
        },
        { who: "a big friendly fish", the: "the fish", way: "pushed the boat from behind with its nose" },
        {
          who: "a fisherman with a white beard",
          the: "the fisherman",
          way: "tied the little boat to his own and rowed home with it",
        },
        { who: "two otters", the: "the otters", way: "swam on either side and pushed" },
      ],
    },
    story: `
¶ {One_day}, {hero} and {friend} found a little boat {in_place}. It was tied to a post. "[Let us sit in it and play sailors|Let us play that we are pirates]," said {friend}. They climbed in.
¶ {One_day}, {hero} sat in a little boat {in_place} with {his_friend}. [They played that they were on a long voyage.|"Full speed ahead, captain!" called {friend}.] {sight}

[They rocked to and fro and laughed.|They had such fun that they did not look around.] Nobody noticed that the knot came loose. When {hero} looked up, the shore was far away. "{Oh_no}!" {he} {called}. "[We are floating away|The rope has come off]!"
But the rope was old, and {suddenly} it broke. The boat drifted away, [slowly at first, then faster and faster|farther and farther]. "[We have no oars!|How do we get back?]" said {friend}.

{friend} [began to cry|turned pale]. {hero} was {afraid} too, but {he} said, "[We must keep calm|Crying will not help us]. [Somebody will see us|Let us think]." {He} took off {his} [scarf|jacket] and waved it in the air.
"[Help! Help!|Is there anybody?]" they shouted, but [only the wind answered|nobody heard them]. {hero} {thought}. "[We can paddle with our {f_hands}|We must make ourselves seen]," {he} said, [and tied {his} scarf to a stick|and waved with both arms].

[The sun sank lower.|It grew cold.] They shared [their last {snacks}|a handful of {snacks}] and moved close together. Then, out of the water mist, came {helper_who}. "[What are you doing out here?|Are you lost?]" asked {helper_the}.
{At_last} {helper_who} came by. "[Such a small boat, so far out|Do you need help?]" said {helper_the}. "[Yes, please|We want to go home]!" they both {called}.

"[Hold on tight|Throw me the rope]!" It did not take long: {helper_the} {helper_way}. [The waves splashed, and the shore came nearer and nearer.|{Soon} they could see the shore.]
And so {helper_the} {helper_way}, and {soon} they could see the lights of home. "[There is {elder_spoken}|I can see {elder_spoken}]!" {called} {hero}.

¶ {Elder} stood on the shore and [took both of them into a big blanket|hugged them]. "[I am so glad that you are back|What a fright you gave me]!" "[We will always tie a good knot from now on|We will never play in a boat alone again]," said {hero}.
¶ "{Thank_you}!" they {called} to {helper_the} and waved for a long time. {Elder} [had hot tea for them|brought them home], and {hero} told the whole story twice.
`,
  }),
  definePlot({
    name: "lost in the woods",
    theme: "courage",
    place: ["trees"],
    summaries: ["who gets lost", "who gets lost {in_place}", "who finds the way home"],
    facts: {
      chase: [
        "a blue butterfly",
        "a rabbit with a white tail",
        "a little bird that sang",
        "a rolling apple",
        "the sound of a cuckoo",
      ],
      guide: [
        {
          think: "Water always flows down to the valley",
          do: "followed a little stream, down and down",
          see: "the old mill by the bridge",
        },
        {
          think: "The big star stands over our house",
          do: "walked toward the big star and did not take {his} eyes off it",
          see: "the lamp in {his} own window",
        },
        {
          think: "Moss grows on the side where it is damp, and that is north",
          do: "looked at the moss on every tree and walked south",
          see: "the fence behind the house",
        },
        {
          think: "From high up you can see more",
          do: "climbed a tree and saw smoke rising from a chimney, and went that way",
          see: "the smoke of {elder}'s stove",
        },
        {
          think: "I can follow my own steps",
          do: "looked for {his} own footprints in the soft ground and followed them back",
          see: "the path that {he} knew",
        },
      ],
    },
    story: `
¶ {One_day}, {hero} {walked} {to_place} [to pick {snacks}|to look for {snacks}]. {sight} "[Stay on the path|Do not go too far]," {elder} had said. But then {he} saw {chase}, and {he} ran after it.
¶ {One_day}, {hero} was playing {in_place}. {sight} {He} followed {chase}, [deeper and deeper between the trees|left and right and left again], and did not look where {he} was going.

When {he} stopped, [nothing looked the way it should|everything looked strange]. There was no path any more. "[Where am I?|Which way is home?]" {he} {whispered}. [It was getting dark.|The shadows grew long.]
{Suddenly} {he} noticed that the path was gone. [All the trees looked alike.|It was very quiet.] "[Hello? Is anybody there?|{Oh_no}, I am lost]!" {he} {called}, but [only an owl answered|nobody answered].

{Heart_beat}. {He} [sat down {spot} and wept a little|leaned against a tree and felt very small]. 
{hero} was {afraid}. [Twigs cracked, and something rustled.|The wind moaned in the branches.] {He} sat down {spot}.

Then {he} wiped {his} tears away. "[Crying does not show me the way|{Elder_spoken} always says: first think, then walk]," {he} said to {himself}. {He} {thought}. "{guide_think}!" 
But {he} remembered something that {elder} had taught {him}: "{guide_think}." {hero} {deep_breath} and stood up.

So {he} {guide_do}. [It was a long way, and {he} was {tired}.|{He} stumbled over roots, but {he} went on.] And then {he} saw {guide_see}!
{He} {guide_do}. [Whenever {he} was afraid, {he} sang a song.|"Just a little farther," {he} told {himself}.] {At_last} {he} saw {guide_see}. {hero} began to run.

¶ {Elder} came toward {him} with a lantern. "[There you are|I was looking for you everywhere]!" "[I got lost, but I found the way all by myself|I was afraid, but I thought of what you taught me]," said {hero}. [{Elder} hugged {him} and did not let go for a long time.|They held each other tight.]
¶ At home, {elder} [made a bowl of hot soup|put a blanket around {him}]. "[You kept a cool head|You were lost and you did not lose your head]," said {elder}. "[That is what brave people do|I am proud of you]."
`,
  }),
  definePlot({
    name: "the wishing stone",
    theme: "kindness",
    summaries: ["who has one wish", "who finds a magic stone", "who gives a wish away"],
    facts: {
      fairy: [
        { who: "a tiny fairy", from: "a spider's web" },
        { who: "a golden fish", from: "a muddy puddle" },
        { who: "a silver beetle", from: "a sticky drop of honey" },
        { who: "a little star", from: "the thorns of a rose bush" },
        { who: "a white mouse with a crown", from: "a trap" },
      ],
      need: [
        { is: "had hurt {f_his} leg and could not walk", now: "{friend} jumped up and danced on both legs" },
        {
          is: "had lost {f_his} voice and could not sing any more",
          now: "{friend} opened {f_his} mouth and sang so that all the birds listened",
        },
        {
          is: "was so homesick that {f_he} could not eat",
          now: "the door opened and there stood {friend}'s whole family",
        },
        {
          is: "had lost {f_his} home in the storm",
          now: "a little house with a green door stood in the grass, just big enough for {friend}",
        },
        {
          is: "lay in bed with a bad fever",
          now: "{friend} sat up, with clear eyes, and was hungry as a bear",
        },
      ],
    },
    story: `
¶ {One_day}, {hero} {walked} {to_place} and found {fairy_who}, caught in {fairy_from}. {Carefully}, {he} set it free. "{Thank_you}!" it said. "[For this you may have one wish|You have one wish. Think about it well]."
¶ {One_day}, {hero} heard a small voice {in_place}. "[Help me, please|Please let me out]!" It was {fairy_who}, caught in {fairy_from}. {hero} freed it {quickly}. "[You are kind|That was good of you]," it said. "One wish is yours. [Use it well|But only one]!"

{hero} was {excited}. "[What shall I wish for?|One wish! What shall it be?]" [A mountain of {snacks}? A castle? {A_thing}?|A boat with white sails? {A_thing}?] {He} had always wanted {a_thing}. {He} thought about it all the way home.
"[I could be rich|I could have anything]," thought {hero}. Most of all, {he} had always wanted {a_thing}. [{He} could see it before {him} already.|{He} was just about to say it.]

But on the way, {he} came to the house of {friend_who}. {friend} {need_is}. [{F_his} eyes were red from crying.|It was quiet and sad in the house.] {hero} [sat down at the bed|held {f_his} {f_hands}] and [did not know what to say|told {f_him} a story].
Then {he} met {elder}, who looked worried. "[Have you heard about {friend}?|Something bad has happened]," said {elder}. {friend} {need_is}. {hero} ran there as fast as {he} could.

{hero} thought of the {thing}. Then {he} looked at {friend}. [It was not hard at all.|Now {he} knew what to do.] "I wish that {friend} may be [happy and well|well and happy] again," {he} {whispered}.
[It was quiet for a moment.|{He} did not have to think for long.] "[I know my wish|This is my wish]," said {hero} to the wind. "I wish that everything may be good again for {friend}."

There was a [flash|tinkle|glow], and then {need_now}. "[What happened?|How can that be?]" {called} {friend}. {hero} only {smiled}.
A warm wind blew, and {suddenly} {need_now}. {hero} was {glad}, [more than about any gift|from head to toe].

¶ And the {thing}? [Some weeks later|On {his} birthday], {hero} found it at {his} door, with a note: "[For a kind heart|Because you gave your wish away]."
¶ "[You gave your only wish away for me?|You could have had anything]," said {friend}, when {f_he} heard about it. "[I did get what I wanted|I wanted to see you laugh]," said {hero}.
`,
  }),
  definePlot({
    name: "the moon in the pond",
    theme: "wonder",
    place: ["water"],
    summaries: [
      "who wants to catch the moon",
      "who sees the moon in the water",
      "who is curious about the moon",
    ],
    facts: {
      tool: ["a net", "a bucket", "a big spoon", "a basket", "a soup pot"],
    },
    story: `
¶ {One_night}, {hero} looked out of the window. [Everything was still.|The wind had gone to sleep.] And there was something round and bright in the water! "[The moon has fallen into the water|The moon has fallen down]!" {called} {hero}.
¶ {One_night}, {hero} could not sleep and went for a walk {in_place}. There, in the dark water, lay the moon. "[Poor moon, it has fallen in|Oh! The moon is drowning]!" {he} {called}.

{He} woke {friend}. "[Come quickly, we must save the moon|Get up, the moon has fallen into the water]!" They took {tool} and ran {to_place}. {sight}
{He} ran to fetch {friend}. "[Hurry, and bring {tool}|Take {tool} and come]!" {he} said. "[We have to get the moon out|The moon must not get wet]!"

{hero} reached out with {tool}, but as soon as it touched the water, the moon broke into a thousand pieces. "{Oh_no}! [I have broken it|Now it is broken]!" {he} {whispered}. They waited, and {soon} the moon was whole again.
They fished for it with {tool}. Each time they almost had it, the moon [wobbled and slipped away|broke into little pieces of light]. "[It does not want to be caught|It is too quick for us]," said {friend}.

They tried [ten|a dozen|twenty] times, until they were wet and {tired}. Then {hero} [lay down on {his} back|sat down in the grass and looked up]. "{friend}," {he} said slowly, "look up there."
Again and again they tried. {Suddenly} {friend} [sneezed|slipped] and sat down in the grass. {F_he} looked up and began to laugh. "[Look|Look up, {hero}]!" {f_he} said.

There was the moon, high up in the sky, [round and quiet|where it had always been]. "[It never fell down at all|What we saw was only its picture]," said {hero}. "[The water is like a mirror|The pond was looking at the moon, just like us]." 
High above them stood the moon. "[It was in the sky all the time|It is in the sky and in the water]," said {hero}. "[Then everyone has a moon of their own|So the water keeps a picture of it]," said {friend}.

¶ They [sat side by side|lay in the grass] for a long time and looked at the two moons, one above and one below. [It was the most {beautiful} night of the year.|Neither of them said a word.]
¶ {Next_day}, they told {elder} about it. "[Some things you can't catch|You can't take the moon home]," said {elder}, "[you can only look at it and be glad|but you can visit it every night]."
`,
  }),
  definePlot({
    name: "the riddle at the bridge",
    theme: "cleverness",
    traits: "friendly",
    summaries: ["who has to solve a riddle", "who is smarter than a troll", "and a troll under a bridge"],
    facts: {
      guard: [
        { who: "a troll with a green beard", the: "the troll" },
        { who: "a fat old toad with a key around its neck", the: "the toad" },
        { who: "a giant with three hairs on his head", the: "the giant" },
        { who: "a proud raven on a golden pole", the: "the raven" },
      ],
      riddle: [
        {
          ask: "It has hands, but it can't clap. What is it",
          idea: "looked up at the church tower",
          answer: "A clock",
        },
        {
          ask: "The more it dries, the wetter it gets. What is it",
          idea: "thought of the bath on Saturday evening",
          answer: "A towel",
        },
        {
          ask: "It has teeth, but it can't bite. What is it",
          idea: "scratched {his} head and felt {his} tangled hair",
          answer: "A comb",
        },
        {
          ask: "It goes up and never comes down. What is it",
          idea: "thought of {his} last birthday",
          answer: "Your age",
        },
        {
          ask: "It runs all day and never gets tired. What is it",
          idea: "looked down at the water under the bridge",
          answer: "The river",
        },
        { ask: "It has a neck, but no head. What is it", idea: "took a sip of water", answer: "A bottle" },
        {
          ask: "You can break it without touching it. What is it",
          idea: "thought of what {he} had told {elder}",
          answer: "A promise",
        },
        {
          ask: "It follows you everywhere, but in the dark it is gone. What is it",
          idea: "looked at the ground in front of {him}",
          answer: "My shadow",
        },
      ],
    },
    story: `
¶ {One_day}, {hero} and {friend} wanted to visit {elder} on the other side of the river. But on the bridge sat {guard_who}. "[Stop|Halt]!" said {guard_the}. "[Whoever wants to cross must solve my riddle|Nobody crosses my bridge without solving a riddle]!"
¶ {One_day}, {hero} had to take {a_dish} to {elder}, and {friend} went with {him}. The way led over a bridge, and there stood {guard_who}. "[I will let you pass if you can solve my riddle|First you must answer a riddle]," said {guard_the}. "[If you can't, give me your {dish}|If not, you must turn back]."

"[All right, ask us|We are not afraid of riddles]," said {hero}. {Guard_the} grinned. "{riddle_ask}?"
{friend} [trembled a little|hid behind {hero}]. "[Then ask|Go on]," said {hero}. "{riddle_ask}?" asked {guard_the}[ and laughed in a deep voice|].

"[A cat|A tree|A shoe]?" said {friend}. "[Wrong|No]!" said {guard_the}. "[You may try once more|One more try]."
"[That is hard|I have no idea]," {whispered} {friend}. "[Give us a moment|Let us think]," said {hero}. [{Guard_the} yawned.|{Guard_the} began to count to one hundred.]

{hero} {thought}. {He} {riddle_idea}, and then {he} {smiled}. "[I know it|Now I have it]!" {he} said. "{riddle_answer}!"
{hero} closed {his} eyes and thought. Then {he} {riddle_idea}. "Of course!" {he} {called}. "{riddle_answer}!"

{Guard_the} [turned red and then laughed|stared at {him} with round eyes]. "[Right|That is right]! [Nobody has solved it for a hundred years|You are the first]," said {guard_the}. "[A word is a word|I keep my word]. You may pass."
"[How did you know that?|That can't be]!" {called} {guard_the}. "[I only had to look around|I took my time to think]," said {hero}. And {guard_the} stepped aside and bowed.

¶ "[Wait|Will you come back?]" called {guard_the}. "[It is so boring here|Nobody ever plays with me]." "[We will bring a new riddle tomorrow|Then next time we shall ask, and you must guess]," said {hero}. [And so they did.|From then on, they came every week.]
¶ On the other side, {friend} said, "[I would never have found that out|You are so clever]." "[You just have to take your time|I was lucky too]," said {hero}, [and they hurried on to {elder}|and both of them ran the rest of the way].
`,
  }),
];
