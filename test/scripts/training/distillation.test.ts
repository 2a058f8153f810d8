/** Training from a folder and towards a teacher: what a folder brings is what the run starts with, and the pull is there. */
import { beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readLog } from "../../../scripts/training/log.ts";
import { train } from "../../../scripts/training/train.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { tinyConfig, tinyRun } from "./tiny-run.ts";

// Training takes as long as the machine is busy.
setDefaultTimeout(120_000);

const at = temporaryFolder();
const FULL = { method: "none" };
let teacher = "";

beforeAll(async () => {
  const { folder } = await train({ config: tinyRun(at("teacher"), { quantization: FULL }), resume: false });
  teacher = join(folder, "model");
});

/** From the teacher's own weights. */
function continued(name: string, settings: Readonly<Record<string, unknown>>) {
  return tinyRun(at(name), {
    ...{ model: { from: teacher }, tokenizer: null, learning_rate: { peak: 0.002 } },
    ...settings,
  });
}

const losses = (name: string) =>
  readLog(join(at(name), "log.jsonl")).flatMap((line) => (line.kind === "step" ? [line.loss] : []));

describe("a run from a folder", () => {
  test("starts with the folder's weights", async () => {
    const settings = { quantization: FULL, steps: 1, learning_rate: { peak: 0 } };
    await train({ config: continued("same", settings), resume: false });
    const weights = (folder: string) => readFileSync(join(folder, "model.safetensors"));
    expect(weights(join(at("same"), "model")).equals(weights(teacher))).toBe(true);
    expect(losses("same")[0]).toBeLessThan((losses("teacher")[0] ?? 0) - 0.7);
  });
});

describe("distillation", () => {
  const distillation = (weight: number) => ({ teacher, weight, temperature: 2 });

  test("from a student that is the teacher has no loss and no gradient", async () => {
    const settings = { quantization: FULL, steps: 1, distillation: distillation(1) };
    await train({ config: continued("twin", settings), resume: false });
    expect(Math.abs(losses("twin")[0] ?? 1)).toBeLessThan(1e-5);
    const [step] = readLog(join(at("twin"), "log.jsonl")).filter((line) => line.kind === "step");
    expect(Number(Object(step).gradient_norm)).toBeLessThan(1e-4);
  });

  test("draws a quantized student towards its teacher", async () => {
    const settings = { distillation: distillation(1), steps: 40 };
    await train({ config: continued("student", settings), resume: false });
    const all = losses("student");
    expect(all.at(-1)).toBeLessThan(Number(all[0]) * 0.8);
  });

  test("of weight 0 is training without", async () => {
    await train({ config: continued("plain", { steps: 3 }), resume: false });
    await train({ config: continued("zero", { steps: 3, distillation: distillation(0) }), resume: false });
    expect(losses("zero")).toEqual(losses("plain"));
  });

  test("is refused from another vocabulary", async () => {
    const config = tinyRun(at("other"), {
      tokenizer: { vocab_size: 310, documents: 40 },
      distillation: distillation(1),
    });
    await expect(train({ config, resume: false })).rejects.toThrow(
      "distillation.teacher: expected the student's vocabulary of 310 tokens, received 300",
    );
  });
});

describe("a run from a folder is refused", () => {
  test("for another family", async () => {
    const config_json = JSON.parse(readFileSync(join(teacher, "config.json"), "utf8"));
    const path = join(teacher, "config.json");
    writeFileSync(path, JSON.stringify({ ...config_json, model_type: "gpt2" }));
    try {
      await expect(train({ config: continued("family", {}), resume: false })).rejects.toThrow("model_type");
    } finally {
      writeFileSync(path, JSON.stringify(config_json));
    }
  });

  test("when there is none", async () => {
    const config = tinyRun(at("absent"), {
      ...tinyConfig(""),
      output: at("absent"),
      model: { from: at("nowhere") },
      tokenizer: null,
    });
    await expect(train({ config, resume: false })).rejects.toThrow(at("nowhere"));
  });
});
