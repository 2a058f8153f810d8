/** Defaults, and the refusal of every option out of its range. */
import { describe, expect, test } from "bun:test";
import { SherryError } from "../../src/errors.ts";
import { resolveSamplerOptions } from "../../src/sampling/options.ts";

describe("resolveSamplerOptions", () => {
  test("defaults leave the distribution as it is", () => {
    const defaults = { temperature: 1, top_k: 0, top_p: 1, min_p: 0, repetition_penalty: 1, seed: 5 };
    expect(resolveSamplerOptions({ seed: 5 })).toEqual(defaults);
    expect(resolveSamplerOptions({ seed: 5, top_p: undefined })).toEqual(defaults);
  });

  test("takes the ends of every range", () => {
    const low = { temperature: 0, top_k: 0, top_p: 0, min_p: 0, repetition_penalty: 0.01, seed: 0 };
    const high = {
      temperature: 100,
      top_k: 2 ** 53 - 1,
      top_p: 1,
      min_p: 1,
      repetition_penalty: 100,
      seed: 0,
    };
    expect(resolveSamplerOptions(low)).toEqual(low);
    expect(resolveSamplerOptions(high)).toEqual(high);
  });

  test("refuses everything else by name and range", () => {
    const ranges = {
      temperature: ["a number from 0 to 100", [-0.1, 100.1, Number.NaN, Number.POSITIVE_INFINITY, "1", null]],
      top_p: ["a number from 0 to 1", [-0.1, 1.1, Number.NaN]],
      min_p: ["a number from 0 to 1", [-0.1, 1.1, Number.NaN]],
      repetition_penalty: ["a number from 0.01 to 100", [0, -1, 101, Number.NaN]],
      top_k: ["a whole number of at least 0", [-1, 0.5, Number.NaN, 2 ** 53]],
    } as const;
    for (const [name, [expected, values]] of Object.entries(ranges)) {
      for (const value of values) {
        let caught: unknown;
        try {
          resolveSamplerOptions({ seed: 0, [name]: value });
        } catch (error) {
          caught = error;
        }
        expect(caught).toBeInstanceOf(SherryError);
        expect(caught).toMatchObject({
          code: "argument_invalid",
          message: `${name}: expected ${expected}, received ${value}`,
        });
      }
    }
  });
});
