/**
 * Choices by seed: everything in a story that could have been otherwise is drawn here, from the product's own seeded
 * generator, so that a seed tells the same story on every machine.
 */
import { Random } from "../../src/sampling/random.ts";

export class Picker {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = Random.fromSeed(seed);
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    return Math.floor(this.#random.nextUniform() * limit);
  }

  chance(probability: number): boolean {
    return this.#random.nextUniform() < probability;
  }

  /** One of `values`, all equally likely. There must be one. */
  pick<Value>(values: readonly Value[]): Value {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new RangeError("there is nothing to pick from");
    return value;
  }

  /** `count` different ones of `values`, in random order; all of them when there are fewer. */
  pickSome<Value>(values: readonly Value[], count: number): Value[] {
    const rest = [...values];
    const picked: Value[] = [];
    while (picked.length < count && rest.length > 0) picked.push(...rest.splice(this.below(rest.length), 1));
    return picked;
  }
}
