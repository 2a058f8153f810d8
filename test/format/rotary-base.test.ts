/** The rotary base, and the table of families, against numbers and names from the models' own publications. */
import { expect, test } from "bun:test";
import { ARCHITECTURES, QUERY_KEY_NORM_OF, queryKeyNormNames } from "../../src/format/architectures.ts";
import { rotaryBase } from "../../src/format/rotary-base.ts";

test("the base is rope_theta unless an alpha scales it", () => {
  const config = { head_dim: 128, rope_theta: 10_000 };
  expect(rotaryBase({ ...config, rope_scaling: null })).toBe(10_000);
  expect(rotaryBase({ ...config, rope_scaling: { type: "linear", factor: 4 } })).toBe(10_000);
  // Hy-MT2's config.json carries this base ready-made, as a whole number.
  const scaled = rotaryBase({ ...config, rope_scaling: { type: "dynamic_alpha", alpha: 1000 } });
  expect(Math.round(scaled)).toBe(11_158_840);
});

test("a head of two elements has no alpha", () => {
  const config = { head_dim: 2, rope_theta: 10_000 };
  expect(rotaryBase({ ...config, rope_scaling: { type: "dynamic_alpha", alpha: 1000 } })).toBe(
    Number.POSITIVE_INFINITY,
  );
});

test("every family says where it norms its heads and how those norms are called", () => {
  expect(
    ARCHITECTURES.map((name) => [name, QUERY_KEY_NORM_OF[name], queryKeyNormNames(QUERY_KEY_NORM_OF[name])]),
  ).toEqual([
    ["llama", "none", null],
    ["qwen3", "before_rotary", { query: "q_norm", key: "k_norm" }],
    ["hunyuan_v1_dense", "after_rotary", { query: "query_layernorm", key: "key_layernorm" }],
  ]);
});
