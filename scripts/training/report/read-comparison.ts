/** Reads the comparison.json that `bun run train:compare` writes, checked. */
import * as v from "valibot";
import { readTextFile } from "../../../src/cli/text-file.ts";
import { SherryError } from "../../../src/errors.ts";
import { excerpt } from "../../../src/packing/excerpt.ts";
import { parseWith } from "./read-log.ts";

export const COMPARISON_FILE = "comparison.json";
const COMPARISON_VERSION = 1;

const number = v.pipe(v.number("a number"), v.finite("a finite number"));
const text = v.string("a text");

const COMPARISON = v.object({
  version: v.literal(COMPARISON_VERSION, `version ${COMPARISON_VERSION}`),
  budget: v.record(
    text,
    v.union([number, text, v.array(number, "a list")], "a number, a text or a list of numbers"),
    "an object",
  ),
  rows: v.array(
    v.object({
      method: text,
      arenas: v.boolean("true or false"),
      schedule: v.nullish(text, null),
      granularity: v.nullish(text, null),
      group_columns: v.nullish(number, null),
      bits_per_weight: number,
      perplexities: v.pipe(v.array(number, "a list of numbers"), v.minLength(1, "at least one seed")),
      mean: number,
      standard_deviation: number,
      runtime_mean: v.nullish(number, null),
      effective_rank: v.nullable(number),
    }),
    "a list of rows",
  ),
});

export type Comparison = v.InferOutput<typeof COMPARISON>;
export type ComparisonRow = Comparison["rows"][number];

/** @throws SherryError file_not_found | file_unreadable | argument_invalid */
export function readComparison(path: string): Comparison {
  const source = readTextFile(path);
  let json: unknown;
  try {
    json = JSON.parse(source);
  } catch {
    throw new SherryError("argument_invalid", path, {
      expected: "one JSON object",
      received: excerpt(source),
      next_step: "docs/training.md describes the files",
    });
  }
  return parseWith(COMPARISON, json, path);
}
