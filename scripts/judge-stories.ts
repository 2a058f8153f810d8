/**
 * Has a model tell stories of heroes that held-out seeds draw, and judges them by the grammar of the corpus:
 * `bun scripts/judge-stories.ts src/models/storyteller.sherry --count 100`. See corpus/coherence.ts.
 */
import { join } from "node:path";
import { type CommandDescription, helpText, parseCommand } from "../src/cli/arguments.ts";
import { isOn, numberOf } from "../src/cli/option-values.ts";
import { errorColumns, progressBar } from "../src/cli/progress-bar.ts";
import { SherryError } from "../src/errors.ts";
import type { Model } from "../src/generation/types.ts";
import { loadModel } from "../src/scheduler/load-model.ts";
import { isCoherent, type Judgement, judgeStory } from "./corpus/coherence.ts";
import { HELD_OUT_SEED_BEGIN } from "./corpus/documents.ts";
import { withArticle } from "./corpus/grammar.ts";
import { Picker } from "./corpus/picker.ts";
import { createStory } from "./corpus/story.ts";

export interface ToldStory {
  readonly request: string;
  readonly text: string;
  readonly checks: Readonly<Record<Check, boolean>>;
}

export const CHECKS = {
  ends: "ends by itself",
  heeds: "is of the hero and kind that was asked for",
  one_plot: "has wording of one plot alone",
  in_order: "keeps that plot's order",
  whole: "tells that plot from beginning to end",
  names: "has no third name",
  coherent: "all of these",
} as const;
export type Check = keyof typeof CHECKS;

const COUNT_DEFAULT = 100;
const MODEL_DEFAULT = join(import.meta.dir, "..", "src/models/storyteller.sherry");
const COMMAND: CommandDescription = {
  name: "bun scripts/judge-stories.ts",
  summary: "Have a model tell stories and judge how well they hang together",
  positionals: [
    { name: "MODEL", description: "A .sherry file; without one, the carried model", optional: true },
  ],
  options: {
    count: {
      type: "integer",
      description: "How many stories",
      placeholder: "N",
      minimum: 1,
      default_text: String(COUNT_DEFAULT),
    },
    "seed-begin": {
      type: "integer",
      description: "The first story's seed, counted from the first held-out one",
      placeholder: "N",
      minimum: 0,
      maximum: HELD_OUT_SEED_BEGIN - 1,
      default_text: "0",
    },
    json: { type: "boolean", description: "Print every story with its checks, one JSON object a line" },
  },
  examples: ["bun scripts/judge-stories.ts", "bun scripts/judge-stories.ts model.sherry --count 20 --json"],
};

/** Asks for the hero that a held-out seed draws, at the model's own sampling settings. */
export async function tellStory(model: Model, place: number): Promise<ToldStory> {
  const seed = HELD_OUT_SEED_BEGIN + place;
  const { trait, cast } = createStory(new Picker(seed)).world;
  const { name, kind } = cast.hero;
  const request = `Tell me a story about ${withArticle(`${trait} ${kind.noun}`)} named ${name}.`;
  let text = "";
  let reason: string | undefined;
  const messages = [{ role: "user" as const, content: request }];
  for await (const chunk of model.generate({ messages }, { seed: place })) {
    text += chunk.text;
    reason = chunk.finish?.reason ?? reason;
  }
  const heeds = [name, kind.noun].every((word) => new RegExp(`\\b${word}\\b`, "i").test(text));
  return { request, text, checks: checksOf(judgeStory(text), reason === "stop", heeds) };
}

function checksOf(judgement: Judgement, ends: boolean, heeds: boolean): ToldStory["checks"] {
  const { plot, strays, is_in_order: in_order, is_whole: whole, names } = judgement;
  return {
    ...{ ends, heeds, in_order, whole },
    one_plot: plot !== null && strays.length === 0,
    names: names.length <= 2,
    coherent: ends && heeds && isCoherent(judgement),
  };
}

/** @throws SherryError as loadModel does */
export async function runJudgeStories(argv: readonly string[]): Promise<void> {
  const parsed = parseCommand(COMMAND, argv);
  if (parsed.help) {
    process.stdout.write(helpText(COMMAND));
    return;
  }
  const count = numberOf(parsed, "count") ?? COUNT_DEFAULT;
  const first = numberOf(parsed, "seed-begin") ?? 0;
  const progress = progressBar({ writeError: (text) => process.stderr.write(text) }, errorColumns());
  const model = await loadModel(parsed.positionals[0] ?? MODEL_DEFAULT);
  const told: ToldStory[] = [];
  try {
    for (let index = 0; index < count; index += 1) {
      progress.draw(index / count, `${index} of ${count} stories`);
      told.push(await tellStory(model, first + index));
    }
  } finally {
    progress.clear();
    await model.close();
  }
  process.stdout.write(isOn(parsed, "json") ? jsonLines(told) : table(told));
}

function jsonLines(told: readonly ToldStory[]): string {
  return told.map((story) => `${JSON.stringify(story)}\n`).join("");
}

function table(told: readonly ToldStory[]): string {
  const lines = Object.entries(CHECKS).map(([check, meaning]) => {
    const passed = told.filter(({ checks }) => checks[check as Check]).length;
    return `${String(passed).padStart(5)} of ${told.length}  ${meaning}\n`;
  });
  return lines.join("");
}

if (import.meta.main) {
  try {
    await runJudgeStories(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof SherryError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
