/**
 * What a sampler can be asked for, with defaults that leave the model's distribution as it is. Values out of range are
 * refused, never adjusted.
 */
import { SherryError } from "../errors.ts";

export interface SamplerOptions {
  /** From 0 to 100. 0 is greedy: the other options, but for the repetition penalty, then change nothing. Default 1. */
  readonly temperature?: number | undefined;
  /** Keep the k likeliest tokens; 0 keeps all. Default 0. */
  readonly top_k?: number | undefined;
  /** From 0 to 1: keep the fewest likeliest tokens that hold this share of the probability. Default 1, which is all. */
  readonly top_p?: number | undefined;
  /** From 0 to 1: keep tokens with at least this share of the likeliest one's probability. Default 0, which is all. */
  readonly min_p?: number | undefined;
  /** From 0.01 to 100: weakens (above 1) or favours (below 1) tokens that were observed. Default 1, which is off. */
  readonly repetition_penalty?: number | undefined;
  /** A whole number from 0 to 2^53 - 1. */
  readonly seed: number;
}

export interface ResolvedSamplerOptions {
  readonly temperature: number;
  readonly top_k: number;
  readonly top_p: number;
  readonly min_p: number;
  readonly repetition_penalty: number;
  readonly seed: number;
}

const TEMPERATURE_MAX = 100;
const REPETITION_PENALTY_MIN = 0.01;
const REPETITION_PENALTY_MAX = 100;

/** @throws SherryError argument_invalid, naming the option and its range. The seed is checked where it is used. */
export function resolveSamplerOptions(options: SamplerOptions): ResolvedSamplerOptions {
  const { temperature = 1, top_k = 0, top_p = 1, min_p = 0, repetition_penalty = 1, seed } = options;
  checkRange("temperature", temperature, 0, TEMPERATURE_MAX);
  checkRange("top_p", top_p, 0, 1);
  checkRange("min_p", min_p, 0, 1);
  checkRange("repetition_penalty", repetition_penalty, REPETITION_PENALTY_MIN, REPETITION_PENALTY_MAX);
  if (!Number.isSafeInteger(top_k) || top_k < 0) throw refuse("top_k", "a whole number of at least 0", top_k);
  return { temperature, top_k, top_p, min_p, repetition_penalty, seed };
}

function checkRange(name: string, value: number, minimum: number, maximum: number): void {
  // The comparison is written so that NaN, and what is no number at all, fails it.
  if (typeof value === "number" && value >= minimum && value <= maximum) return;
  throw refuse(name, `a number from ${minimum} to ${maximum}`, value);
}

function refuse(name: string, expected: string, received: unknown): SherryError {
  return new SherryError("argument_invalid", name, { expected, received: String(received) });
}
