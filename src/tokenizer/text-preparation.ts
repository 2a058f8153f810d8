/**
 * What tokenizer.json does to a text before the model sees it: the normalizer and the pre-tokenizer. The library leaves
 * some of their options aside, and a pattern that it cannot read it skips; both would give wrong ids without a word.
 * Source of the options: Hugging Face tokenizers, normalizers and pre_tokenizers; of what is left aside:
 * @huggingface/tokenizers 0.2.0.
 */
import { SherryError } from "../errors.ts";
import { describeJson, isRecord } from "./json.ts";

/** Steps nest by a level or two; a file that nests deeper means to exhaust the stack. */
const DEPTH_MAX = 16;

/**
 * @param part where in the file the step stands
 * @param step the step, or null for none; types that are unknown here are the library's to refuse
 * @throws SherryError tokenizer_invalid | tokenizer_unsupported
 */
export function checkTextPreparation(part: "normalizer" | "pre_tokenizer", step: unknown, depth = 0): void {
  if (step === null) return;
  if (!isRecord(step)) throw invalid(part, "an object or null", describeJson(step));
  if (depth > DEPTH_MAX) throw invalid(part, `at most ${DEPTH_MAX} levels`, "more");
  const { type } = step;
  if (type === "Sequence") {
    const steps = step[part === "normalizer" ? "normalizers" : "pretokenizers"];
    if (!Array.isArray(steps)) throw invalid(part, "a Sequence with a list of steps", describeJson(steps));
    for (const inner of steps) checkTextPreparation(part, inner, depth + 1);
  }
  if (type === "Split" || type === "Replace") checkPattern(part, type, step["pattern"]);
  if (part === "pre_tokenizer") checkLeftAside(step);
}

function checkPattern(part: string, type: string, pattern: unknown): void {
  const texts = isRecord(pattern) ? [pattern["String"], pattern["Regex"]] : [];
  if (texts.some((text) => typeof text === "string")) return;
  throw invalid(part, `a ${type} whose pattern has a String or a Regex`, describeJson(pattern));
}

/** Refuses the options that the library does not look at, unless they ask for what it does anyway. */
function checkLeftAside(step: Readonly<Record<string, unknown>>): void {
  const { type, behavior, invert, split, prepend_scheme } = step;
  if (type === "Split" && behavior !== "Removed" && (behavior !== "Isolated" || invert === true)) {
    const received = `${describeJson(behavior)}${invert === true ? ", inverted" : ""}`;
    throw unsupported("Split's behavior", "Removed, or Isolated and not inverted", received);
  }
  if (type === "Punctuation" && behavior !== "Contiguous") {
    throw unsupported("Punctuation's behavior", "Contiguous", describeJson(behavior));
  }
  if (type === "Metaspace" && split !== false) {
    throw unsupported("Metaspace's split", "false", describeJson(split ?? true));
  }
  if (type === "Metaspace" && typeof prepend_scheme !== "string") {
    throw unsupported("Metaspace's prepend_scheme", "always, first or never", describeJson(prepend_scheme));
  }
}

function invalid(part: string, expected: string, received: string): SherryError {
  return new SherryError("tokenizer_invalid", `tokenizer.json: ${part}`, { expected, received });
}

function unsupported(what: string, expected: string, received: string): SherryError {
  return new SherryError("tokenizer_unsupported", `tokenizer.json: pre_tokenizer: ${what}`, {
    expected,
    received,
    next_step: "This tokenizer would give wrong ids here; use a checkpoint with another one",
  });
}
