/**
 * Reads a run's log for the report: every line checked, a broken one named by file and line. Lines may hold more than
 * is read here. A last line without its end is left out: the run is still being written, or was killed while it wrote.
 */
import { existsSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import * as v from "valibot";
import { SherryError } from "../../../src/errors.ts";
import { openFileSource } from "../../../src/format/byte-source.ts";
import { describeValue, excerpt } from "../../../src/packing/excerpt.ts";

export const LOG_FILE = "log.jsonl";
const LOG_VERSION = 1;
const HISTOGRAM_BINS_MAX = 4096;
const LOG_BYTES_MAX = 256 * 1024 * 1024;
const LINE_FEED = 10;

const number = v.pipe(v.number("a number"), v.finite("a finite number"));
const count = v.pipe(v.number("a number"), v.integer("a whole number"), v.minValue(0, "no negative number"));
const share = v.pipe(number, v.minValue(0, "a share from 0 to 1"), v.maxValue(1, "a share from 0 to 1"));
const text = v.string("a text");

const START = v.object({
  kind: v.literal("start"),
  version: v.literal(LOG_VERSION, `version ${LOG_VERSION}`),
  name: text,
  method: text,
  arenas: v.boolean("true or false"),
  schedule: v.nullish(text, null),
  granularity: text,
  group_columns: count,
  seed: count,
  parameters: count,
  quantized_parameters: count,
  bits_per_weight: number,
  tokens_per_step: v.pipe(count, v.minValue(1, "at least 1")),
  steps: count,
});

const STEP = v.object({
  kind: v.literal("step"),
  step: count,
  loss: number,
  learning_rate: number,
  lambda: number,
  gradient_norm: number,
  tokens_per_second: number,
  seconds: number,
});

const EVALUATION = v.object({
  kind: v.literal("evaluation"),
  step: count,
  loss: number,
  perplexity: number,
  lambda: number,
});

const HISTOGRAM = v.object({
  low: number,
  high: number,
  counts: v.pipe(
    v.array(count, "a list of counts"),
    v.minLength(1, "at least one bin"),
    v.maxLength(HISTOGRAM_BINS_MAX, `at most ${HISTOGRAM_BINS_MAX} bins`),
  ),
});

const DIAGNOSTICS = v.object({
  kind: v.literal("diagnostics"),
  step: count,
  lambda: number,
  layers: v.array(
    v.object({
      name: text,
      effective_rank: number,
      effective_rank_max: v.pipe(number, v.minValue(1, "at least 1")),
      zero_moved_fraction: v.nullable(share),
      histogram: HISTOGRAM,
    }),
    "a list of layers",
  ),
});

const SAMPLE = v.object({ kind: v.literal("sample"), step: count, prompt: text, text });

const FINISH = v.object({
  kind: v.literal("finish"),
  step: count,
  loss: number,
  perplexity: number,
  seconds: number,
  tokens_per_second: number,
  runtime_perplexity: v.nullable(number),
});

const LINE = v.variant("kind", [START, STEP, EVALUATION, DIAGNOSTICS, SAMPLE, FINISH]);

export type StartLine = v.InferOutput<typeof START>;
export type StepLine = v.InferOutput<typeof STEP>;
export type EvaluationLine = v.InferOutput<typeof EVALUATION>;
export type DiagnosticsLine = v.InferOutput<typeof DIAGNOSTICS>;
export type LayerLine = DiagnosticsLine["layers"][number];
export type Histogram = v.InferOutput<typeof HISTOGRAM>;
export type SampleLine = v.InferOutput<typeof SAMPLE>;
export type FinishLine = v.InferOutput<typeof FINISH>;
export type LogLine = v.InferOutput<typeof LINE>;

/** One run's log, its lines by kind, in the order of the file. */
export interface RunLog {
  /** The folder's name, else what the start line says. */
  readonly name: string;
  readonly start: StartLine;
  readonly steps: readonly StepLine[];
  readonly evaluations: readonly EvaluationLine[];
  readonly diagnostics: readonly DiagnosticsLine[];
  readonly samples: readonly SampleLine[];
  readonly finish: FinishLine | null;
}

/**
 * @param path a run's folder, or its log.jsonl
 * @throws SherryError file_not_found | file_unreadable | argument_invalid, naming the line
 */
export function readRun(path: string): RunLog {
  const is_folder = existsSync(path) && statSync(path).isDirectory();
  const file = is_folder ? join(path, LOG_FILE) : path;
  return parseRun(readWholeLines(file), file, basename(dirname(file)));
}

/** The bytes behind the last line feed may end within a character. */
function readWholeLines(path: string): string {
  const source = openFileSource(path);
  try {
    if (source.bytes > LOG_BYTES_MAX) {
      throw refuse(path, `a log of at most ${LOG_BYTES_MAX} bytes`, `${source.bytes} bytes`);
    }
    const bytes = source.read(0, source.bytes);
    return new TextDecoder("utf-8").decode(bytes.subarray(0, bytes.lastIndexOf(LINE_FEED) + 1));
  } finally {
    source.close();
  }
}

/** @param file names the log in refusals. @throws SherryError argument_invalid */
export function parseRun(source: string, file: string, name = ""): RunLog {
  const lines = source
    .split("\n")
    .slice(0, -1)
    .flatMap((line, index) => (line.trim() === "" ? [] : [parseLine(line, `${file}, line ${index + 1}`)]));
  const [start, ...rest] = lines;
  if (start?.kind !== "start") {
    throw refuse(file, "a first line of kind start", start === undefined ? "no whole line" : start.kind);
  }
  const of = <Kind extends LogLine["kind"]>(kind: Kind) =>
    rest.filter((line): line is Extract<LogLine, { kind: Kind }> => line.kind === kind);
  if (of("start").length > 0) throw refuse(file, "one run", "a second line of kind start");
  return {
    name: name === "" || name === "." ? start.name : name,
    start,
    steps: of("step"),
    evaluations: of("evaluation"),
    diagnostics: of("diagnostics"),
    samples: of("sample"),
    finish: of("finish").at(-1) ?? null,
  };
}

function parseLine(line: string, where: string): LogLine {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    throw refuse(where, "one JSON object", excerpt(line));
  }
  return parseWith(LINE, json, where);
}

/** @throws SherryError argument_invalid, naming the first field that is wrong */
export function parseWith<Schema extends v.GenericSchema>(
  schema: Schema,
  json: unknown,
  where: string,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, json, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const field = v.getDotPath(issue);
  const expected = issue.expected !== null && issue.received === "undefined" ? "a value" : issue.message;
  const place = field === null ? where : `${where}, ${field}`;
  if (issue.type === "variant") {
    const kinds = "start, step, evaluation, diagnostics, sample or finish";
    throw refuse(place, kinds, describeValue(issue.input));
  }
  throw refuse(place, expected, issue.received === "undefined" ? "nothing" : describeValue(issue.input));
}

function refuse(where: string, expected: string, received: string): SherryError {
  return new SherryError("argument_invalid", where, {
    expected,
    received,
    next_step: "docs/training.md describes the files",
  });
}
