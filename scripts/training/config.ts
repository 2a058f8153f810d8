/**
 * Reads a training configuration: one JSON file, checked against the schema and then for what single settings cannot
 * show (a group that divides no row, a warm-up longer than the run). Every refusal names its setting.
 */
import * as v from "valibot";
import { readTextFile } from "../../src/cli/text-file.ts";
import { SherryError } from "../../src/errors.ts";
import { describeValue, excerpt } from "../../src/packing/excerpt.ts";
import { examineJson, isJsonObject } from "../../src/packing/json-text.ts";
import { TRAINING_SCHEMA, type TrainingConfig } from "./config-schema.ts";

/** @throws SherryError argument_invalid | file_not_found | file_unreadable */
export function readTrainingConfig(path: string): TrainingConfig {
  return parseTrainingConfig(readConfigJson(path));
}

/** A file's JSON. @throws SherryError argument_invalid for no JSON, or an object that has a key twice */
export function readConfigJson(path: string): unknown {
  const source = readTextFile(path);
  let json: unknown;
  try {
    json = JSON.parse(source);
  } catch (cause) {
    throw new SherryError("argument_invalid", path, {
      expected: "one JSON object",
      received: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
  if (!isJsonObject(json)) throw refuse(path, "one JSON object", describeValue(json));
  const { repeated_key } = examineJson(source);
  if (repeated_key === null) return json;
  throw refuse(path, "each key once", `${excerpt(repeated_key)} twice`);
}

/** @throws SherryError argument_invalid, naming the setting */
export function parseTrainingConfig(json: unknown): TrainingConfig {
  const config = parseWith(TRAINING_SCHEMA, json);
  checkTogether(config);
  return config;
}

/** What a schema makes of `json`; the first thing wrong is named by its path. @throws SherryError argument_invalid */
export function parseWith<Schema extends v.GenericSchema>(
  schema: Schema,
  json: unknown,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, json, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const where = v.getDotPath(issue) ?? "the configuration";
  if (issue.type === "strict_object" && issue.expected === "never") {
    throw refuse(where, "no such setting", "one", "docs/training.md lists the settings");
  }
  if (issue.type === "strict_object" && issue.input === undefined && issue.path !== undefined) {
    throw refuse(where, "a value", "nothing", "docs/training.md lists the settings");
  }
  throw refuse(where, issue.message, describeValue(issue.input));
}

function checkTogether(config: TrainingConfig): void {
  const { batch, steps, learning_rate, quantization, evaluation, tokenizer, model } = config;
  if (learning_rate.warmup_steps > steps) {
    throw refuse(
      "learning_rate.warmup_steps",
      `at most steps (${steps})`,
      String(learning_rate.warmup_steps),
    );
  }
  if (quantization.method === "none" && quantization.arenas !== null) {
    throw refuse("quantization.arenas", "null: without a quantizer there is nothing to anneal", "an object");
  }
  if (quantization.arenas !== null) {
    const { warmup_fraction, final_phase_fraction } = quantization.arenas;
    if (warmup_fraction + final_phase_fraction >= 1) {
      throw refuse(
        "quantization.arenas",
        "a warm-up and a final phase that leave steps between them",
        "none",
      );
    }
  }
  if (evaluation.tokens < batch.sequence_tokens) {
    throw refuse(
      "evaluation.tokens",
      `at least batch.sequence_tokens (${batch.sequence_tokens})`,
      String(evaluation.tokens),
    );
  }
  if (tokenizer === null && "shape" in model) {
    throw refuse("tokenizer", 'an object with "vocab_size" or "from": the model brings none', "nothing");
  }
  if (tokenizer !== null && "from" in model) {
    throw refuse("tokenizer", "nothing: model.from brings its own", "an object");
  }
}

function refuse(where: string, expected: string, received: string, next_step?: string): SherryError {
  return new SherryError("argument_invalid", where, {
    expected,
    received,
    ...(next_step === undefined ? {} : { next_step }),
  });
}
