/**
 * Continues a full-precision model as a Sherry one, on texts that it wrote itself: its held-out perplexity before, after
 * the plain projection onto the 3:4 grid, and after training with Arenas and the model itself as the teacher.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Prompt } from "../../src/generation/types.ts";
import { parseTrainingConfig } from "./config.ts";
import { describeFolder } from "./model-source.ts";
import { withRuntime, writeMany, writeOne } from "./own-samples.ts";
import { readTokenizerFiles } from "./tokenizer-files.ts";
import { type TrainOptions, type TrainResult, train } from "./train.ts";
import { writeWholeFile } from "./whole-files.ts";

export interface ContinuationOptions extends Omit<TrainOptions, "config" | "resume"> {
  /** A Hugging Face folder of a llama, with its tokenizer. */
  readonly from: string;
  readonly output: string;
  /** Texts that the model writes as training data. */
  readonly samples: number;
  readonly sample_tokens: number;
  readonly steps: number;
  readonly sequence_tokens: number;
  readonly sequences: number;
  readonly learning_rate: number;
  /** Of the teacher's pull; 0 is none. */
  readonly teacher_weight: number;
}

export interface ContinuedModel {
  readonly name: "before" | "projected" | "trained";
  readonly folder: string;
  readonly perplexity: number;
  readonly runtime_perplexity: number;
  readonly bits_per_weight: number;
  /** What it writes after PROMPT. */
  readonly text: string;
}

const PROMPT = "Once upon a time";
const TEXT_TOKENS = 120;
const DOCUMENT_SEPARATOR = "\n\n----\n\n";
const SCORED_TOKENS = 8_192;

/** @throws SherryError as `train` and packing do */
export async function continueModel(options: ContinuationOptions): Promise<readonly ContinuedModel[]> {
  const { output, notify = () => {}, ...callbacks } = options;
  const texts = await ownTexts(options, notify);
  const runs = [
    { name: "before", quantization: { method: "none" }, trains: false },
    { name: "projected", quantization: { method: "sherry", granularity: "channel" }, trains: false },
    {
      name: "trained",
      quantization: { method: "sherry", granularity: "channel", arenas: { warmup_fraction: 0 } },
      trains: true,
    },
  ] as const;
  const models: ContinuedModel[] = [];
  for (const { name, quantization, trains } of runs) {
    notify(`Run ${name}`);
    const config = runConfig(options, name, quantization, trains, texts);
    const result = await train({ ...callbacks, notify, config, resume: true });
    models.push(await describe(name, result, name === "before" ? "f32" : "sherry"));
  }
  writeWholeFile(join(output, "continuation.json"), `${JSON.stringify({ version: 1, models }, null, 2)}\n`);
  writeWholeFile(join(output, "continuation.md"), continuationMarkdown(options, models));
  return models;
}

/** The file of the model's own texts; written once. */
async function ownTexts(options: ContinuationOptions, notify: (message: string) => void): Promise<string> {
  const { from, output, samples, sample_tokens } = options;
  const path = join(output, "own-texts.txt");
  if (existsSync(path)) return path;
  notify(`The model writes ${samples} texts`);
  const texts = await withRuntime(from, "f32", (text_model) => [
    ...writeMany(text_model, samples, sample_tokens, 1),
  ]);
  writeWholeFile(path, texts.filter((text) => text !== "").join(DOCUMENT_SEPARATOR));
  return path;
}

function runConfig(
  options: ContinuationOptions,
  name: string,
  quantization: object,
  trains: boolean,
  texts: string,
) {
  const { from, output, steps, sequence_tokens, sequences, learning_rate, teacher_weight } = options;
  return parseTrainingConfig({
    ...{ name, output: join(output, name), model: { from }, quantization },
    data: {
      texts: {
        ...{ files: [texts], document_separator: DOCUMENT_SEPARATOR, held_out_fraction: 0.1 },
        document_end: documentEnd(from),
      },
    },
    batch: { sequence_tokens, sequences },
    evaluation: { interval_steps: 250, tokens: SCORED_TOKENS },
    ...(trains
      ? {
          steps,
          learning_rate: { peak: learning_rate, warmup_steps: Math.round(steps / 20), final_fraction: 0.05 },
          distillation: teacher_weight === 0 ? null : { teacher: from, weight: teacher_weight },
        }
      : // A step that changes nothing: the model is evaluated and exported as it is.
        { steps: 1, learning_rate: { peak: 0 } }),
  });
}

/** What the model saw between two texts: its start token, else its end token, as the tokenizer spells them. */
function documentEnd(from: string): string {
  const { bos_token_id, eos_token_ids } = describeFolder(from).config;
  const id = bos_token_id ?? eos_token_ids[0];
  return id === undefined ? "" : (readTokenizerFiles(from).tokenizer.tokenText(id) ?? "");
}

async function describe(
  name: ContinuedModel["name"],
  result: TrainResult,
  linear: "f32" | "sherry",
): Promise<ContinuedModel> {
  const folder = join(result.folder, "model");
  const prompt: Prompt = { text: PROMPT };
  const settings = { max_tokens: TEXT_TOKENS, temperature: 0, seed: 0 };
  const text = await withRuntime(folder, linear, (text_model) => writeOne(text_model, prompt, settings));
  return {
    ...{ name, folder, text: `${PROMPT}${text}`, perplexity: result.perplexity },
    runtime_perplexity: result.runtime_perplexity ?? Number.NaN,
    bits_per_weight: result.bits_per_weight,
  };
}

function continuationMarkdown(options: ContinuationOptions, models: readonly ContinuedModel[]): string {
  const { samples, steps, sequences, sequence_tokens } = options;
  const tokens = (steps * sequences * sequence_tokens).toLocaleString("en-US");
  const lines = [
    "# A model continued as Sherry",
    "",
    `${samples} texts of its own, a tenth of them held out; ${steps} steps, ${tokens} tokens; teacher's weight ${options.teacher_weight}.`,
    "",
    "| model | bits a weight | held-out perplexity | through the runtime |",
    "| --- | --- | --- | --- |",
    ...models.map((model) => {
      const numbers = [model.bits_per_weight, model.perplexity, model.runtime_perplexity];
      return `| ${model.name} | ${numbers.map((value) => value.toFixed(3)).join(" | ")} |`;
    }),
    ...models.flatMap(({ name, text }) => ["", `## ${name}, greedy`, "", text]),
  ];
  return `${lines.join("\n")}\n`;
}
