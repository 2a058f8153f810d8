/**
 * Ways to say what every story says: when, how, and with what feeling. Asked for by slot and chosen anew each time, so
 * that two stories of one plot seldom share a sentence.
 */
export const PHRASES: Readonly<Record<string, string>> = {
  one_day:
    "[one day|one [sunny|bright|fine|warm|cool|mild|clear|golden|quiet|lovely] [morning|afternoon|day]|early one morning|one [spring|summer|autumn] [morning|day|afternoon]|one [Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday][| morning| afternoon]|late one afternoon|on a [fresh|lovely|bright] [morning|day]]",
  one_rainy_day:
    "[one rainy [day|morning|afternoon]|one day, when it rained|one gray and rainy [day|morning|afternoon]|on a rainy [day|Sunday|Monday|Saturday]]",
  one_windy_day:
    "[one windy [day|morning|afternoon]|one day, when the wind blew hard|on a windy [day|Sunday|Friday|Saturday]|one breezy [day|morning|afternoon]]",
  one_night: "[one night|one dark night|one [warm|cold|clear|quiet] night|late one evening]",
  soon: "[soon|before long|after a while|in a little while|a moment later|a few minutes later|not much later|a short time later]",
  at_last: "[at last|finally|in the end|after a long time|after what felt like hours|at long last]",
  suddenly: "[suddenly|all at once|all of a sudden|just then|at that moment|at that very moment|then]",
  next_day:
    "[the next day|the next morning|the following day|the day after|early the next morning|when the sun came up again]",
  that_evening:
    "[that evening|that night|when evening came|as the sun went down|at bedtime|when the stars came out|at the end of the day]",
  glad: "[glad|happy|delighted|very happy|full of joy|pleased|so happy that {he} could have danced|merry and glad|as happy as could be]",
  sad: "[sad|unhappy|very sad|miserable|heavy-hearted|close to tears|terribly sad|downcast]",
  afraid: "[afraid|scared|frightened|very frightened|terribly scared|full of fear|a little afraid]",
  worried: "[worried|uneasy|troubled|very worried|anxious]",
  tired: "[tired|very tired|worn out|weary|quite tired|sleepy]",
  sorry: "[sorry|very sorry|truly sorry|ashamed|deeply sorry]",
  surprised: "[surprised|amazed|astonished|very surprised|taken by surprise]",
  excited: "[excited|thrilled|eager|very excited|full of excitement]",
  beautiful: "[beautiful|lovely|wonderful|splendid|pretty|marvelous]",
  happily: "[happily|merrily|cheerfully|gladly|with a big smile|with shining eyes|joyfully]",
  sadly: "[sadly|with a sigh|in a small voice|with tears in {his} eyes|unhappily|in a low voice]",
  softly: "[softly|gently|quietly|in a soft voice|kindly|in a warm voice]",
  carefully: "[carefully|slowly and carefully|gently|very carefully|with great care|step by step]",
  quickly: "[quickly|fast|as fast as {he} could|in a flash|without waiting|right away]",
  said: "[said|said|answered|replied]",
  asked: "[asked|asked|wondered]",
  called: "[called|cried|shouted|exclaimed]",
  whispered: "[whispered|whispered|murmured|breathed]",
  set_off: "[set off|set out|went off|started out|made {his} way|walked|wandered|strolled]",
  walked: "[walked|strolled|wandered|went|skipped|hurried|marched]",
  smiled: "[smiled|grinned|beamed|smiled a wide smile|laughed softly|smiled from ear to ear]",
  wept: "[began to cry|burst into tears|sat down and wept|felt tears run down {his} cheeks|cried and cried|sobbed]",
  thought:
    "[thought hard|thought about it|scratched {his} head and thought|sat down to think|thought for a while|thought and thought]",
  looked_around: "[looked around|looked about|looked left and right|turned around|peered about|gazed around]",
  noticed: "[saw|noticed|spotted|caught sight of|discovered|found]",
  thank_you:
    "[Thank you|Thank you so much|Thank you, thank you|Oh, thank you|Many thanks|Thank you with all my heart]",
  oh_no: "[Oh no|Oh dear|Oh my|Dear me|What bad luck|Goodness]",
  hooray: "[Hooray|Hurrah|Yes|Yippee|How wonderful|We did it|Look at that]",
  dont_worry: "[Do not worry|Don't worry|Never mind|Do not be sad|Cheer up|Don't cry]",
  of_course: "[Of course|Gladly|With pleasure|Certainly|Yes, of course|I would love to]",
  come_on: "[Come on|Come along|Let us go|Come with me|Follow me|Let's go]",
  i_have_an_idea:
    "[I have an idea|I know what to do|I know a way|Listen, I have a plan|I have a plan|I think I know how]",
  all_day: "[all day|all morning|all afternoon|the whole day|from morning till night|for hours]",
  little: "[little|small|young]",
  big: "[big|large|great|huge|enormous]",
  old: "[old|ancient|very old]",
  best_friends: "[best friends|good friends|close friends|the best of friends|true friends]",
  heart_beat:
    "[{his} heart beat fast|{his} heart was pounding|{his} knees shook|{his} legs trembled|{he} held {his} breath|{his} heart went thump, thump, thump]",
  deep_breath: "[took a deep breath|swallowed hard|gathered all {his} courage|plucked up {his} courage]",
};
