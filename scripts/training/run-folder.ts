/**
 * The folder of a run: config.json, log.jsonl, checkpoint/, tokenizer/, held-out.txt and at the end model/. A folder
 * belongs to one configuration; a second run in it has to ask to go on, and may change only what does not change weights.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { SherryError } from "../../src/errors.ts";
import { describeValue } from "../../src/packing/excerpt.ts";
import { isJsonObject } from "../../src/packing/json-text.ts";
import { parseTrainingConfig, readConfigJson } from "./config.ts";
import type { TrainingConfig } from "./config-schema.ts";
import { writeWholeFile } from "./whole-files.ts";

export const CONFIG_FILE = "config.json";
export const LOG_FILE = "log.jsonl";
export const MODEL_FOLDER = "model";
export const HELD_OUT_FILE = "held-out.txt";

/** Settings that say where and how fast, and nothing about the result. */
const FREE_SETTINGS: readonly string[] = ["output", "threads"];

export function runFolder({ name, output }: TrainingConfig): string {
  return output ?? join("runs", name);
}

/**
 * Makes the folder, or checks the one that is there.
 * @throws SherryError file_unwritable; argument_invalid for a folder in use without `resume`, or one of another configuration
 */
export function openRunFolder(folder: string, config: TrainingConfig, resume: boolean): void {
  const config_path = join(folder, CONFIG_FILE);
  if (existsSync(config_path)) {
    if (!resume) throw refuseUsed(folder, "a run");
    const earlier = parseTrainingConfig(readConfigJson(config_path));
    const difference = firstDifference(earlier, config, "");
    if (difference === null) return;
    throw new SherryError("argument_invalid", difference.path, {
      expected: `${describeValue(difference.earlier)}, as the run in ${folder} began`,
      received: describeValue(difference.now),
      next_step: "Choose another output, or go on with the configuration of the run",
    });
  }
  const others = existsSync(folder)
    ? readdirSync(folder).filter((name) => name !== `${CONFIG_FILE}.partial`)
    : [];
  if (others.length > 0) throw refuseUsed(folder, "other files");
  writeWholeFile(config_path, `${JSON.stringify(config, null, 2)}\n`);
}

function refuseUsed(folder: string, received: string): SherryError {
  return new SherryError("argument_invalid", `output ${folder}`, {
    expected: "a folder that is not there yet, or is empty",
    received: `one with ${received}`,
    next_step: "Add --resume to go on with the run in it, or choose another output",
  });
}

interface Difference {
  readonly path: string;
  readonly earlier: unknown;
  readonly now: unknown;
}

function firstDifference(earlier: unknown, now: unknown, path: string): Difference | null {
  if (!isJsonObject(earlier) || !isJsonObject(now)) {
    return JSON.stringify(earlier) === JSON.stringify(now) ? null : { path, earlier, now };
  }
  for (const key of new Set([...Object.keys(earlier), ...Object.keys(now)])) {
    if (path === "" && FREE_SETTINGS.includes(key)) continue;
    const found = firstDifference(earlier[key], now[key], path === "" ? key : `${path}.${key}`);
    if (found !== null) return found;
  }
  return null;
}
