/** JSON from a checkpoint: repeated keys are found wherever they hide, sizes are bounded. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { examineJson, parseJsonObject, readOptionalFile } from "../../src/packing/json-text.ts";
import { refusal } from "../format/refusal.ts";
import { TemporaryFolder } from "./checkpoint-folder.ts";

describe("repeated keys", () => {
  test.each([
    ['{"a":1,"b":2,"a":3}', '"a"'],
    ['{"a":1,"\\u0061":3}', '"\\u0061"'],
    ['{ "a" : [ {"b":1, "b" :2} ] }', '"b"'],
    ['{"a":{"b":1},"c":{"b":1},"a":0}', '"a"'],
    ['{"":1,"":2}', '""'],
  ])("%s", (text, expected) => {
    expect(examineJson(text).repeated_key).toBe(expected);
  });

  test.each([
    '{"a":1,"b":{"a":2,"c":[{"a":1},{"a":1}]}}',
    '{"a":"b","b":"a","c":"\\"a\\":1,\\"a\\":"}',
    '{"a":["x","x",{"x":"x"}],"{":"}","[":1}',
    '{"a\\\\":"1","a":"\\\\"}',
    "[]",
    '"a"',
  ])("none in %s", (text) => {
    expect(examineJson(text).repeated_key).toBeNull();
  });

  test("a long text full of escapes is no trouble", () => {
    const text = JSON.stringify({ template: '\\"{'.repeat(300_000), other: 1 });
    expect(examineJson(text).repeated_key).toBeNull();
  });
});

describe("objects", () => {
  const parse = (text: string | Uint8Array) =>
    parseJsonObject(typeof text === "string" ? new TextEncoder().encode(text) : text, "config.json");

  test.each([
    ["[1]", "config.json: expected a JSON object, received an array"],
    ["3", "config.json: expected a JSON object, received number"],
    ["null", "config.json: expected a JSON object, received object"],
    [
      "{",
      "config.json: expected JSON in UTF-8, received a text that is no JSON. The file is damaged; get it again",
    ],
    ['{"a":1,"a":1}', 'config.json: expected each key of an object once, received "a" twice'],
  ])("%s is refused", (text, message) => {
    expect(refusal(() => parse(text))).toEqual({ code: "checkpoint_invalid", message });
  });

  test("deep nesting is refused, by whoever meets it first", () => {
    const nested = (depth: number) => `{"a":${"[".repeat(depth)}${"]".repeat(depth)}}`;
    expect(parse(nested(63))).toHaveProperty("a");
    expect(refusal(() => parse(nested(64))).message).toBe(
      "config.json: expected at most 64 arrays and objects inside each other, received 65",
    );
    expect(refusal(() => parse(nested(3_000_000))).code).toBe("checkpoint_invalid");
  });

  test("bytes that are no UTF-8 are refused", () => {
    expect(refusal(() => parse(Uint8Array.of(0x7b, 0xff, 0x7d))).message).toBe(
      "config.json: expected JSON in UTF-8, received other bytes. The file is damaged; get it again",
    );
  });
});

describe("files", () => {
  test("absent is null; too large is refused before it is read; a folder is no file", () => {
    using place = new TemporaryFolder();
    const path = place.at("a.json");
    expect(readOptionalFile(path, 10)).toBeNull();
    writeFileSync(path, "12345");
    expect(readOptionalFile(path, 5)?.length).toBe(5);
    expect(refusal(() => readOptionalFile(path, 4))).toEqual({
      code: "checkpoint_invalid",
      message: `${path}: expected at most 4 bytes, received 5 bytes`,
    });
    mkdirSync(place.at("b"));
    expect(refusal(() => readOptionalFile(place.at("b"), 4)).code).toBe("file_unreadable");
  });
});
