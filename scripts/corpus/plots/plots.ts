/** All plots. */
import type { Plot } from "../plot.ts";
import { LESSON_PLOTS } from "./lessons.ts";
import { LOST_PLOTS } from "./lost.ts";

export const PLOTS: readonly Plot[] = [...LOST_PLOTS, ...LESSON_PLOTS];
