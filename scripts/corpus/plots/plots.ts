/** All plots. Their order is part of the corpus: a seed draws by it. */
import type { Plot } from "../plot.ts";
import { ADVENTURE_PLOTS } from "./adventures.ts";
import { COURAGE_PLOTS } from "./courage.ts";
import { EVERYDAY_PLOTS } from "./everyday.ts";
import { FRIEND_PLOTS } from "./friends.ts";
import { HELP_PLOTS } from "./help.ts";
import { LESSON_PLOTS } from "./lessons.ts";
import { LOST_PLOTS } from "./lost.ts";
import { MAKING_PLOTS } from "./making.ts";

export const PLOTS: readonly Plot[] = [
  ...ADVENTURE_PLOTS,
  ...COURAGE_PLOTS,
  ...EVERYDAY_PLOTS,
  ...FRIEND_PLOTS,
  ...HELP_PLOTS,
  ...LESSON_PLOTS,
  ...LOST_PLOTS,
  ...MAKING_PLOTS,
];
