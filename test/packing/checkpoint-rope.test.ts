/** Rotary bases and scalings of config.json, in the older and the newer spelling, and what is refused of them. */
import { describe, expect, test } from "bun:test";
import type { Architecture } from "../../src/format/directory.ts";
import { Fields } from "../../src/packing/checkpoint-fields.ts";
import { parseRope } from "../../src/packing/checkpoint-rope.ts";
import { refusal } from "../format/refusal.ts";

const LLAMA3 = {
  factor: 32,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 8192,
};

const parse = (
  config: Readonly<Record<string, unknown>>,
  architecture: Architecture = "llama",
  head_dim = 128,
) => parseRope(new Fields("config.json", config), architecture, head_dim);

describe("read", () => {
  test.each([
    [{}, { theta: 10_000, scaling: null }],
    [
      { rope_theta: 5e5, rope_scaling: null },
      { theta: 5e5, scaling: null },
    ],
    [{ rope_parameters: { rope_theta: 1e6, rope_type: "default" } }, { theta: 1e6, scaling: null }],
    [{ rope_parameters: { rope_theta: 1e6 } }, { theta: 1e6, scaling: null }],
    [
      { rope_scaling: { type: "linear", factor: 2 } },
      { theta: 10_000, scaling: { type: "linear", factor: 2 } },
    ],
    [
      { rope_theta: 5e5, rope_scaling: { rope_type: "llama3", ...LLAMA3 } },
      { theta: 5e5, scaling: { type: "llama3", ...LLAMA3 } },
    ],
    [
      {
        rope_theta: 5e5,
        rope_parameters: { rope_type: "llama3", rope_theta: 5e5, ...LLAMA3 },
        rope_scaling: null,
      },
      { theta: 5e5, scaling: { type: "llama3", ...LLAMA3 } },
    ],
    [
      { rope_scaling: { type: "linear", factor: 2 }, rope_parameters: { rope_type: "linear", factor: 2 } },
      { theta: 10_000, scaling: { type: "linear", factor: 2 } },
    ],
  ])("%o", (config, expected) => {
    for (const architecture of ["llama", "qwen3", "hunyuan_v1_dense"] as const) {
      expect<unknown>(parse(config, architecture)).toEqual(expected);
    }
  });

  test("dynamic with an alpha, for Hunyuan alone", () => {
    const rope_scaling = {
      type: "dynamic",
      rope_type: "dynamic",
      alpha: 50,
      factor: 1,
      beta_fast: 32,
      mscale: 1,
    };
    expect(parse({ rope_scaling }, "hunyuan_v1_dense")).toEqual({
      theta: 10_000,
      scaling: { type: "dynamic_alpha", alpha: 50 },
    });
    expect(refusal(() => parse({ rope_scaling }, "qwen3")).code).toBe("checkpoint_unsupported");
  });
});

const LATER = ". This way of stretching rotary positions cannot be computed yet";

describe("refused", () => {
  test.each([
    [
      { rope_scaling: { rope_type: "yarn", factor: 4, original_max_position_embeddings: 32768 } },
      `rope_scaling: rope_type: expected "default", "linear", "llama3", received "yarn"${LATER}`,
    ],
    [
      { rope_scaling: { type: "dynamic", factor: 2 } },
      `rope_scaling: type: expected "default", "linear", "llama3", received "dynamic"${LATER}`,
    ],
    [
      { rope_parameters: { rope_type: "longrope" } },
      `rope_parameters: rope_type: expected "default", "linear", "llama3", received "longrope"${LATER}`,
    ],
    [
      { rope_scaling: { type: "linear", factor: 2, attention_factor: 1 } },
      'rope_scaling: attention_factor: expected no such field for "linear", received 1',
    ],
    [
      { rope_scaling: { factor: 2 } },
      'rope_scaling: factor: expected no such field for "default", received 2',
    ],
    [
      { rope_parameters: { rope_theta: 1e6, partial_rotary_factor: 0.5 } },
      'rope_parameters: partial_rotary_factor: expected no such field for "default", received 0.5',
    ],
  ])("%o: not supported", (config, message) => {
    expect(refusal(() => parse(config))).toEqual({
      code: "checkpoint_unsupported",
      message: `config.json: ${message}`,
    });
  });

  test.each([
    [{ rope_scaling: "linear" }, 'rope_scaling: expected an object or null, received "linear"'],
    [{ rope_scaling: { type: 7 } }, "rope_scaling: type: expected a text, received 7"],
    [
      { rope_scaling: { type: "linear", rope_type: "llama3", ...LLAMA3 } },
      'rope_scaling: type: expected the same as rope_type ("llama3"), received "linear"',
    ],
    [
      { rope_scaling: { type: "linear" } },
      "rope_scaling: factor: expected a number above 0, received nothing",
    ],
    [
      { rope_scaling: { type: "llama3", ...LLAMA3, high_freq_factor: 1 } },
      "rope_scaling: high_freq_factor: expected a number above low_freq_factor (1), received 1",
    ],
    [
      { rope_scaling: { type: "llama3", ...LLAMA3, original_max_position_embeddings: 0.5 } },
      "rope_scaling: original_max_position_embeddings: expected an integer from 1 to 16777216, received 0.5",
    ],
  ])("%o: not valid", (config, message) => {
    expect(refusal(() => parse(config))).toEqual({
      code: "checkpoint_invalid",
      message: `config.json: ${message}`,
    });
  });

  test("bases and scalings that contradict each other", () => {
    expect(refusal(() => parse({ rope_theta: 1e4, rope_parameters: { rope_theta: 1e6 } })).message).toBe(
      "config.json: rope_theta: expected one rotary base in the file, not 10000 and 1000000, received 10000",
    );
    const rope_scaling = { type: "linear", factor: 2 };
    expect(
      refusal(() => parse({ rope_scaling, rope_parameters: { ...rope_scaling, factor: 4 } })).message,
    ).toBe("config.json: rope_scaling: expected the same scaling as rope_parameters has, received an object");
    expect(refusal(() => parse({ rope_theta: 0 })).message).toBe(
      "config.json: rope_theta: expected a number above 0, received 0",
    );
  });

  test("a dynamic base of Hunyuan's that is not the alpha alone", () => {
    const refuse = (rope_scaling: Readonly<Record<string, unknown>>, head_dim = 128) =>
      refusal(() =>
        parse({ rope_scaling: { type: "dynamic", ...rope_scaling } }, "hunyuan_v1_dense", head_dim),
      );
    expect(refuse({ factor: 2 })).toEqual({
      code: "checkpoint_unsupported",
      message:
        "config.json: rope_scaling: alpha: expected a number: a base that grows with the sequence cannot be " +
        "computed yet, received nothing",
    });
    expect(refuse({ alpha: 1000, mscale: 0.7 })).toEqual({
      code: "checkpoint_unsupported",
      message: "config.json: rope_scaling: mscale: expected 1 beside an alpha, received 0.7",
    });
    expect(refuse({ alpha: 0 }).message).toBe(
      "config.json: rope_scaling: alpha: expected a number above 0, received 0",
    );
    expect(refuse({ alpha: 1000, xdrope_section: [1] }).message).toBe(
      'config.json: rope_scaling: xdrope_section: expected no such field for "dynamic", received [1]',
    );
    expect(refuse({ alpha: 1000 }, 2)).toEqual({
      code: "checkpoint_invalid",
      message:
        "config.json: rope_scaling: expected an alpha whose rotary base is finite and above 0 at head_dim 2, " +
        "received an object",
    });
    expect(
      refusal(() => parse({ rope_parameters: { type: "dynamic", alpha: 1000 } }, "hunyuan_v1_dense", 2))
        .message,
    ).toStartWith("config.json: rope_parameters: expected an alpha");
    expect(refusal(() => parse({ rope_scaling: { type: "su" } }, "hunyuan_v1_dense")).message).toBe(
      `config.json: rope_scaling: type: expected "default", "linear", "llama3", "dynamic" with an alpha, received "su"${LATER}`,
    );
  });
});
