/** How a model is opened: the options that every command which computes has in common. */
import { CONTEXT_TOKENS_MAX, THREAD_COUNT_MAX } from "../limits.ts";
import { CPU_LEVELS } from "../native/kernels.ts";
import type { LoadOptions } from "../scheduler/load-model.ts";
import type { OptionDescription, ParsedCommand } from "./arguments.ts";
import { choiceOf, isOn, numberOf } from "./option-values.ts";

const KEY_VALUE_ELEMENTS = ["f16", "f32", "q8"] as const;
const CPU_LEVEL_CHOICES = ["auto", ...CPU_LEVELS] as const;

export const MODEL_OPTIONS: Readonly<Record<string, OptionDescription>> = {
  threads: {
    type: "integer",
    description: "Threads that compute",
    placeholder: "COUNT",
    environment: "SHERRY_THREADS",
    minimum: 1,
    maximum: THREAD_COUNT_MAX,
    default_text: "the CPUs this process may use",
  },
  context: {
    type: "integer",
    description: "Tokens of prompt and answer together",
    placeholder: "TOKENS",
    environment: "SHERRY_CONTEXT",
    minimum: 1,
    maximum: CONTEXT_TOKENS_MAX,
    default_text: "4096, or the model's own limit when that is less",
  },
  "key-value": {
    type: "string",
    description: "How keys and values are kept: q8 takes about half of f16's memory and is less exact",
    placeholder: "ELEMENT",
    environment: "SHERRY_KEY_VALUE",
    choices: KEY_VALUE_ELEMENTS,
    default_text: "f16",
  },
  "lock-memory": {
    type: "boolean",
    description: "Keep the model's file in memory; refused where the system's limit forbids it",
    environment: "SHERRY_LOCK_MEMORY",
    default_text: "off",
  },
  "coarse-head": {
    type: "boolean",
    description: "Search a split8 head by a coarse plane first (docs/head.md); refused for other heads",
    environment: "SHERRY_COARSE_HEAD",
    default_text: "off",
  },
  "cpu-level": {
    type: "string",
    description: "Which kernels compute",
    placeholder: "LEVEL",
    environment: "SHERRY_CPU_LEVEL",
    choices: CPU_LEVEL_CHOICES,
    default_text: "auto, the best this machine has",
  },
};

export function modelOptionsOf(parsed: ParsedCommand): LoadOptions {
  return {
    thread_count: numberOf(parsed, "threads"),
    context_tokens: numberOf(parsed, "context"),
    key_value_element: choiceOf(parsed, "key-value", KEY_VALUE_ELEMENTS),
    lock_memory: isOn(parsed, "lock-memory") ? true : undefined,
    coarse_head: isOn(parsed, "coarse-head") ? true : undefined,
    cpu_level: choiceOf(parsed, "cpu-level", CPU_LEVEL_CHOICES),
  };
}
