/** Every kind of refusal of a training configuration, with its message, and the defaults that are filled in. */
import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { readComparisonConfig } from "../../../scripts/training/comparison.ts";
import { parseTrainingConfig, readTrainingConfig } from "../../../scripts/training/config.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { tinyConfig } from "./tiny-run.ts";

const at = temporaryFolder();

/** The tiny configuration with the value at a dotted path replaced. */
function changed(path: string, value: unknown): unknown {
  const config: unknown = structuredClone(tinyConfig("x"));
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  let place = config;
  for (const key of keys) place = Reflect.get(Object(place), key);
  Reflect.set(Object(place), last, value);
  return config;
}

describe("a configuration", () => {
  test("gets its defaults", () => {
    const config = parseTrainingConfig(tinyConfig("x"));
    expect(config.optimizer).toEqual({
      beta1: 0.9,
      beta2: 0.95,
      epsilon: 1e-8,
      weight_decay: 0,
      gradient_norm_max: 1,
    });
    expect(config.quantization.arenas).toEqual({
      schedule: "cosine",
      warmup_fraction: 0.1,
      final_phase_fraction: 0.05,
    });
    expect(config.distillation).toBeNull();
  });

  test("with defaults filled in means the same", () => {
    const config = parseTrainingConfig(tinyConfig("x"));
    expect(parseTrainingConfig(JSON.parse(JSON.stringify(config)))).toEqual(config);
  });

  test.each([
    ["stepz", 1, "stepz: expected no such setting, received one. docs/training.md lists the settings"],
    [
      "batch.size",
      1,
      "batch.size: expected no such setting, received one. docs/training.md lists the settings",
    ],
    [
      "model.shape.layers",
      1,
      "model.shape.layers: expected no such setting, received one. docs/training.md lists the settings",
    ],
    ["steps", 0, "steps: expected an integer from 1 to 100000000, received 0"],
    ["steps", 1.5, "steps: expected an integer from 1 to 100000000, received 1.5"],
    ["steps", "many", 'steps: expected an integer from 1 to 100000000, received "many"'],
    ["threads", 1_000, "threads: expected an integer from 1 to 256, received 1000"],
    ["learning_rate.peak", 2, "learning_rate.peak: expected a number from 0 to 1, received 2"],
    [
      "learning_rate.schedule",
      "step",
      'learning_rate.schedule: expected "cosine", "linear", "constant", received "step"',
    ],
    [
      "learning_rate.warmup_steps",
      5_000,
      "learning_rate.warmup_steps: expected at most steps (40), received 5000",
    ],
    [
      "quantization.method",
      "lsq",
      'quantization.method: expected "none", "sherry", "absmean", "twn", "binary", received "lsq"',
    ],
    ["quantization.group_columns", 48, "quantization.group_columns: expected 32, 64 or 128, received 48"],
    [
      "quantization.arenas",
      true,
      "quantization.arenas: expected null, or an object with a schedule, received true",
    ],
    [
      "quantization.arenas.warmup_fraction",
      0.7,
      "quantization.arenas.warmup_fraction: expected a number from 0 to 0.5, received 0.7",
    ],
    [
      "quantization",
      { method: "none", arenas: {} },
      "quantization.arenas: expected null: without a quantizer there is nothing to anneal, received an object",
    ],
    ["model", {}, "model.shape: expected a value, received nothing. docs/training.md lists the settings"],
    ["model", { from: "" }, 'model.from: expected a text of 1 to 4096 characters, received ""'],
    ["data", { texts: { files: [] } }, "data.texts.files: expected at least one file, received []"],
    [
      "data",
      { corpus: { held_out_seed_begin: 5 } },
      "data.corpus.held_out_seed_begin: expected an integer from 2147483648 to 4294967295, received 5",
    ],
    [
      "tokenizer",
      { vocab_size: 10 },
      "tokenizer.vocab_size: expected an integer from 260 to 262144, received 10",
    ],
    [
      "tokenizer",
      null,
      'tokenizer: expected an object with "vocab_size" or "from": the model brings none, received nothing',
    ],
    [
      "model",
      { from: "folder" },
      "tokenizer: expected nothing: model.from brings its own, received an object",
    ],
    [
      "evaluation",
      { tokens: 8 },
      "evaluation.tokens: expected at least batch.sequence_tokens (32), received 8",
    ],
    [
      "distillation",
      { weight: 0.5 },
      "distillation.teacher: expected a value, received nothing. docs/training.md lists the settings",
    ],
  ])("is refused for %s = %j", (path, value, message) => {
    expect(() => parseTrainingConfig(changed(path, value))).toThrow(message);
  });

  test("is refused for a missing setting", () => {
    const { steps: _, ...rest } = tinyConfig("x");
    expect(() => parseTrainingConfig(rest)).toThrow("steps: expected a value, received nothing");
  });

  test("is refused when warm-up and final phase leave nothing between them", () => {
    const arenas = { warmup_fraction: 0.5, final_phase_fraction: 0.5 };
    expect(() => parseTrainingConfig(changed("quantization.arenas", arenas))).toThrow(
      "quantization.arenas: expected a warm-up and a final phase that leave steps between them, received none",
    );
  });
});

describe("a configuration's file", () => {
  const written = (text: string) => {
    const path = at("config.json");
    writeFileSync(path, text);
    return path;
  };

  test("is JSON", () => {
    expect(() => readTrainingConfig(written("{"))).toThrow("expected one JSON object, received");
    expect(() => readTrainingConfig(written("[]"))).toThrow("expected one JSON object, received []");
  });

  test("has no key twice", () => {
    expect(() => readTrainingConfig(written('{"steps": 1, "steps": 2}'))).toThrow(
      'expected each key once, received "steps" twice',
    );
  });

  test("is there", () => {
    expect(() => readTrainingConfig(at("absent.json"))).toThrow("absent.json");
  });
});

describe("the configurations that the repository carries", () => {
  const folder = `${import.meta.dir}/../../../scripts/training/configs`;

  test("are accepted", () => {
    expect(readTrainingConfig(`${folder}/carried.json`).name).toBe("carried");
    const comparison = readComparisonConfig(`${folder}/compare.json`);
    expect(comparison.seeds.length).toBeGreaterThanOrEqual(3);
    expect(comparison.rows).toHaveLength(8);
  });
});
