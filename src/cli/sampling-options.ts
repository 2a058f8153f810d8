/** How tokens are chosen and when an answer ends: the options that every command which generates has in common. */
import type { GenerateOptions } from "../generation/types.ts";
import type { OptionDescription, ParsedCommand } from "./arguments.ts";
import { numberOf, textsOf, withoutAbsent } from "./option-values.ts";

export const SAMPLING_OPTIONS: Readonly<Record<string, OptionDescription>> = {
  "max-tokens": {
    type: "integer",
    description: "Tokens to generate at most",
    placeholder: "COUNT",
    environment: "SHERRY_MAX_TOKENS",
    minimum: 1,
    default_text: "until the context is full",
  },
  temperature: {
    type: "number",
    description: "0 always takes the likeliest token; higher is more varied",
    environment: "SHERRY_TEMPERATURE",
    minimum: 0,
    maximum: 100,
    default_text: "the model's own",
  },
  "top-k": {
    type: "integer",
    description: "Keep the likeliest tokens, so many; 0 keeps all",
    placeholder: "COUNT",
    environment: "SHERRY_TOP_K",
    minimum: 0,
    default_text: "the model's own",
  },
  "top-p": {
    type: "number",
    description: "Keep the likeliest tokens that hold this share of the probability; 1 keeps all",
    environment: "SHERRY_TOP_P",
    minimum: 0,
    maximum: 1,
    default_text: "the model's own",
  },
  "min-p": {
    type: "number",
    description: "Keep tokens at least this share as likely as the likeliest; 0 keeps all",
    environment: "SHERRY_MIN_P",
    minimum: 0,
    maximum: 1,
    default_text: "the model's own",
  },
  "repetition-penalty": {
    type: "number",
    description: "Above 1 makes tokens already seen less likely",
    environment: "SHERRY_REPETITION_PENALTY",
    minimum: 0.01,
    maximum: 100,
    default_text: "the model's own",
  },
  seed: {
    type: "integer",
    description: "Same seed, same text",
    environment: "SHERRY_SEED",
    minimum: 0,
    default_text: "drawn at random and reported",
  },
  stop: {
    type: "string",
    multiple: true,
    description: "Text that ends the answer and is no part of it; may stand several times",
    placeholder: "TEXT",
    environment: "SHERRY_STOP",
    default_text: "none",
  },
};

export function samplingOptionsOf(parsed: ParsedCommand): GenerateOptions {
  return withoutAbsent({
    max_tokens: numberOf(parsed, "max-tokens"),
    temperature: numberOf(parsed, "temperature"),
    top_k: numberOf(parsed, "top-k"),
    top_p: numberOf(parsed, "top-p"),
    min_p: numberOf(parsed, "min-p"),
    repetition_penalty: numberOf(parsed, "repetition-penalty"),
    seed: numberOf(parsed, "seed"),
    stop: textsOf(parsed, "stop"),
  });
}
