/**
 * The `decoder` of tokenizer.json, reduced to what can be applied one token at a time: the byte-level alphabet, or
 * SentencePiece-like pieces (replace, byte fallback, fuse, strip). Anything else is refused by its type, because it
 * could not be streamed or would be streamed wrongly.
 * Source: Hugging Face tokenizers, decoders; the byte alphabet is GPT-2's (Radford et al. 2019, bytes_to_unicode).
 */
import { SherryError } from "../errors.ts";
import { describeJson, isRecord } from "./json.ts";

export interface Replacement {
  readonly pattern: string;
  readonly content: string;
}

export type DecoderDefinition =
  | { readonly kind: "byte_level" }
  | {
      readonly kind: "pieces";
      /** Applied to each token's text in this order. */
      readonly replacements: readonly Replacement[];
      /** Whether tokens that read <0xXX> stand for that byte. */
      readonly byte_fallback: boolean;
      /** Up to `count` units equal to `content` are cut from the very start of the whole text. */
      readonly strip: { readonly content: string; readonly count: number };
    };

/** @throws SherryError tokenizer_unsupported, naming the decoder (or the step of it) that is not understood. */
export function readDecoderDefinition(decoder: unknown): DecoderDefinition {
  const steps = flatten(decoder);
  const types = steps.map((step) => step["type"]);
  if (types.length === 1 && types[0] === "ByteLevel") return { kind: "byte_level" };
  const replacements: Replacement[] = [];
  let byte_fallback = false;
  let fused = false;
  let strip = { content: "", count: 0 };
  for (const step of steps) {
    const type = step["type"];
    // Before Fuse a step sees single tokens, after it the whole text; only these orders mean the same streamed.
    if (type === "Replace" && !byte_fallback && !fused) replacements.push(readReplacement(step));
    else if (type === "ByteFallback" && !byte_fallback && !fused) byte_fallback = true;
    else if (type === "Fuse" && !fused) fused = true;
    else if (type === "Strip" && fused && strip.count === 0) strip = readStrip(step);
    else throw refuse(types.map(describeJson).join(", "));
  }
  if (replacements.length === 0 && !byte_fallback) throw refuse(types.map(describeJson).join(", ") || "none");
  return { kind: "pieces", replacements, byte_fallback, strip };
}

function flatten(decoder: unknown): Readonly<Record<string, unknown>>[] {
  if (!isRecord(decoder)) throw refuse(decoder === null ? "none" : describeJson(decoder));
  if (decoder["type"] !== "Sequence") return [decoder];
  const steps = decoder["decoders"];
  if (!Array.isArray(steps)) throw refuse("a Sequence without decoders");
  return steps.map((step: unknown) => {
    if (!isRecord(step)) throw refuse(`a Sequence that holds ${describeJson(step)}`);
    return step;
  });
}

function readReplacement(step: Readonly<Record<string, unknown>>): Replacement {
  const pattern = isRecord(step["pattern"]) ? step["pattern"]["String"] : undefined;
  const content = step["content"];
  if (
    typeof pattern !== "string" ||
    pattern === "" ||
    typeof content !== "string" ||
    !content.isWellFormed()
  ) {
    throw refuse("a Replace whose pattern or content is not a plain text");
  }
  return { pattern, content };
}

function readStrip(step: Readonly<Record<string, unknown>>): { content: string; count: number } {
  const { content, start, stop } = step;
  if (typeof content !== "string" || content.length !== 1 || !content.isWellFormed()) {
    throw refuse("a Strip of something else than one character");
  }
  // Cutting at the end would mean holding text back until the answer is over.
  if (stop !== 0) throw refuse("a Strip that cuts at the end");
  if (typeof start !== "number" || !Number.isInteger(start) || start < 0 || start > 1_024) {
    throw refuse("a Strip whose start is no count from 0 to 1024");
  }
  return { content, count: start };
}

function refuse(received: string): SherryError {
  return new SherryError("tokenizer_unsupported", "tokenizer.json: decoder", {
    expected: "ByteLevel, or a Sequence of Replace, ByteFallback, Fuse and Strip in this order",
    received,
    next_step: "This tokenizer's text cannot be streamed faithfully; use a checkpoint with another one",
  });
}
