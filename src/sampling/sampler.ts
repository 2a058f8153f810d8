/**
 * Logits to one token id. Pure: no clock, no global randomness; the same seed, options, observations and logits give
 * the same tokens.
 * Order: repetition penalty, temperature, top-k, top-p, min-p, draw; each sees what the one before left, with the
 * probabilities of what is left summing to 1. This is the order of transformers (generation/utils.py,
 * _get_logits_processor). Unlike there, top-k keeps exactly k tokens when logits are equal at its border: the ones with
 * the lower ids.
 */
import { SherryError } from "../errors.ts";
import { Candidates, HEAP_COUNT_MAX } from "./candidates.ts";
import { type ResolvedSamplerOptions, resolveSamplerOptions, type SamplerOptions } from "./options.ts";
import { Random } from "./random.ts";

export interface Sampler {
  /**
   * Remembers a token of the prompt or the answer for the repetition penalty. `sample` does not call it, so that the
   * caller decides what counts as seen.
   * @throws SherryError argument_invalid when `token_id` is no whole number of at least 0.
   */
  observe(token_id: number): void;
  /**
   * @param logits shape [vocab_size]; read only. Memory is taken by the first call and reused while the size stays.
   * @returns the id of the chosen token. Greedy: the largest logit, the lowest id among equals; no random number is
   *   drawn. Else exactly one is drawn.
   * @throws SherryError numbers_not_finite for NaN or infinity among the logits (after the penalty) |
   *   argument_invalid when there are no logits or an observed token is not among them.
   */
  sample(logits: Float32Array): number;
  /**
   * How many of the likeliest tokens decide, whatever the others' logits are: then `sampleTop` does. Null where the whole
   * vocabulary counts.
   */
  readonly top_count: number | null;
  /**
   * The same token from the same state as `sample` with the logits of the whole vocabulary, provided that this is larger
   * than `top_count`.
   * @param ids the `top_count` likeliest tokens, likeliest first, equal logits by id; `logits` are theirs.
   * @throws SherryError numbers_not_finite | argument_invalid for another number of tokens.
   */
  sampleTop(ids: Uint32Array, logits: Float32Array): number;
}

/** @throws SherryError argument_invalid for an option out of range. */
export function createSampler(options: SamplerOptions): Sampler {
  const resolved = resolveSamplerOptions(options);
  return new SeededSampler(resolved, Random.fromSeed(resolved.seed));
}

class SeededSampler implements Sampler {
  readonly #options: ResolvedSamplerOptions;
  readonly #random: Random;
  readonly #candidates = new Candidates();
  readonly #seen = new Set<number>();
  /** The members of `#seen`; walking an array makes no garbage, walking a set does. */
  readonly #seen_ids: number[] = [];
  /** A copy of the logits for the penalty to change. Shape [vocab_size]. */
  #penalized = new Float32Array(0);

  constructor(options: ResolvedSamplerOptions, random: Random) {
    this.#options = options;
    this.#random = random;
  }

  observe(token_id: number): void {
    if (!Number.isSafeInteger(token_id) || token_id < 0) {
      throw new SherryError("argument_invalid", "observed token id", {
        expected: "a whole number of at least 0",
        received: String(token_id),
      });
    }
    if (this.#seen.has(token_id)) return;
    this.#seen.add(token_id);
    this.#seen_ids.push(token_id);
  }

  sample(logits: Float32Array): number {
    if (logits.length === 0) {
      throw new SherryError("argument_invalid", "logits", { expected: "at least one", received: "none" });
    }
    return this.#draw(this.#options.repetition_penalty === 1 ? logits : this.#penalize(logits));
  }

  get top_count(): number | null {
    const { temperature, top_k, repetition_penalty } = this.#options;
    // The penalty can lift a token over any other.
    if (repetition_penalty !== 1) return null;
    if (temperature === 0) return 1;
    return top_k >= 1 && top_k <= HEAP_COUNT_MAX ? top_k : null;
  }

  sampleTop(ids: Uint32Array, logits: Float32Array): number {
    const { top_count } = this;
    if (top_count === null || ids.length !== top_count || logits.length !== top_count) {
      throw new SherryError("argument_invalid", "the likeliest tokens", {
        expected: top_count === null ? "the logits of all tokens" : `${top_count} ids with their logits`,
        received: `${ids.length} ids, ${logits.length} logits`,
      });
    }
    // Places in the list are ordered as ids are: by logit, equal ones by id. What is kept and drawn is the same.
    return ids[this.#draw(logits)] ?? 0;
  }

  #draw(logits: Float32Array): number {
    const likeliest_id = findLikeliest(logits);
    if (this.#options.temperature === 0) return likeliest_id;
    const maximum = logits[likeliest_id] ?? 0;
    const mass = this.#narrow(logits, maximum);
    return this.#candidates.idAt(this.#random.nextUniform() * mass);
  }

  /**
   * Divides positive and multiplies negative logits of observed tokens, once each.
   * Source: Keskar et al. 2019, "CTRL", section 4.1; the sign rule is transformers' RepetitionPenaltyLogitsProcessor.
   */
  #penalize(logits: Float32Array): Float32Array {
    if (this.#penalized.length !== logits.length) this.#penalized = new Float32Array(logits.length);
    const penalized = this.#penalized;
    penalized.set(logits);
    const penalty = this.#options.repetition_penalty;
    for (const token_id of this.#seen_ids) {
      const logit = penalized[token_id];
      if (logit === undefined) {
        throw new SherryError("argument_invalid", "observed token id", {
          expected: `an id below ${logits.length}, the number of logits`,
          received: String(token_id),
        });
      }
      penalized[token_id] = logit > 0 ? logit / penalty : logit * penalty;
    }
    return penalized;
  }

  /** Leaves in `#candidates` what may be drawn. @returns the sum of their weights. */
  #narrow(logits: Float32Array, maximum: number): number {
    const { temperature, top_k, top_p, min_p } = this.#options;
    const candidates = this.#candidates;
    candidates.start(logits);
    const takes_all = top_k === 0 || top_k >= logits.length;
    if (!takes_all) {
      candidates.takeTop(top_k);
    } else if (top_p === 1 && min_p > 0) {
      // Alone, min-p needs no sum over the vocabulary: a logit tells whether it passes. The margin keeps rounding from
      // deciding; the exact comparison follows below.
      candidates.takeAtLeast(maximum + temperature * (Math.log(min_p) - 0.01));
    } else {
      candidates.takeAtLeast(Number.NEGATIVE_INFINITY);
    }
    let mass = candidates.weigh(maximum, temperature);
    if (top_p < 1) {
      const wanted_mass = top_p * mass;
      // All tokens lighter than this weigh less than 1 - p together, so the likeliest that hold p are among the others.
      candidates.dropLighter(((1 - top_p) * mass) / candidates.count);
      mass = candidates.keepMass(wanted_mass);
    }
    // The likeliest token weighs exp(0) = 1, so min_p is a weight as it stands.
    return min_p > 0 ? candidates.dropLighter(min_p) : mass;
  }
}

/** @returns the id of the largest logit, the lowest among equals. @throws SherryError numbers_not_finite */
function findLikeliest(logits: Float32Array): number {
  let likeliest_id = 0;
  let maximum = Number.NEGATIVE_INFINITY;
  // 0 times a finite number is 0, times NaN or infinity NaN: one sum checks all logits without a branch for each.
  let check = 0;
  for (let id = 0; id < logits.length; id += 1) {
    const logit = logits[id] ?? 0;
    check += logit * 0;
    if (logit > maximum) {
      maximum = logit;
      likeliest_id = id;
    }
  }
  if (check !== 0) refuseLogits(logits);
  return likeliest_id;
}

function refuseLogits(logits: Float32Array): never {
  const token_id = logits.findIndex((logit) => !Number.isFinite(logit));
  throw new SherryError("numbers_not_finite", "The model's logits", {
    expected: `${logits.length} finite numbers`,
    received: `${logits[token_id]} for token ${token_id}`,
    next_step: "Check the model's file with sherry verify",
  });
}
