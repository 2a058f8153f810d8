/** Values from outside, told apart and shown shortly. */
import { expect, test } from "bun:test";
import { describeJson, isRecord } from "../../src/tokenizer/json.ts";

test("isRecord is true for objects with named members only", () => {
  expect(isRecord({})).toBe(true);
  for (const value of [null, [], "a", 1, undefined]) expect(isRecord(value)).toBe(false);
});

test("describeJson is short whatever the value is", () => {
  expect(describeJson([1, 2])).toBe("a list of 2");
  expect(describeJson({ a: 1 })).toBe("an object");
  expect(describeJson(undefined)).toBe("nothing");
  expect(describeJson("x")).toBe('"x"');
  expect(describeJson("x".repeat(200))).toBe(`"${"x".repeat(76)}...`);
});
