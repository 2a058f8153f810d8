/** Metadata: values of every type, and the refusal of each that is of another one. */
import { describe, expect, test } from "bun:test";
import { memorySource } from "../../../src/format/byte-source.ts";
import { readGgufPart } from "../../../src/packing/gguf/part.ts";
import { refusal } from "../../format/refusal.ts";
import { type ByteList, DAMAGED, fileBytes, kv, type RawFile } from "./gguf-bytes.ts";

const read = (bytes: Uint8Array) => readGgufPart(memorySource(bytes), "m.gguf");
const readFile = (file: RawFile) => read(fileBytes(file));
const damaged = (message: string) => ({ code: "checkpoint_invalid", message: `${message}. ${DAMAGED}` });

test("gives values of every type", () => {
  const { metadata } = readFile({
    metadata: [
      kv.u8("u8", 200),
      kv.i8("i8", -3),
      kv.u16("u16", 60_000),
      kv.i16("i16", -300),
      kv.u32("u32", 4_000_000_000),
      kv.i32("i32", -70_000),
      kv.f32("f32", 0.25),
      kv.bool("bool", 1),
      kv.text("text", "caf\u00e9"),
      kv.u64("u64", 2n ** 40n),
      kv.i64("i64", -(2n ** 40n)),
      kv.f64("f64", 1 / 3),
      kv.texts("texts", ["a", "", "\ufeffb"]),
      kv.i32s("i32s", [1, -2, 3]),
      kv.f32s("empty", []),
    ],
  });
  const integers = ["u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64"];
  expect(integers.map((key) => metadata.integer(key, -(2 ** 41), 2 ** 41))).toEqual([
    200,
    -3,
    60_000,
    -300,
    4_000_000_000,
    -70_000,
    2 ** 40,
    -(2 ** 40),
  ]);
  expect([metadata.number("f32"), metadata.number("f64"), metadata.number("u64")]).toEqual([
    0.25,
    1 / 3,
    2 ** 40,
  ]);
  expect(metadata.boolean("bool")).toBe(true);
  expect(metadata.text("text")).toBe("caf\u00e9");
  expect(metadata.texts("texts")).toEqual(["a", "", "\ufeffb"]);
  expect([...(metadata.numbers("i32s") ?? [])]).toEqual([1, -2, 3]);
  expect(metadata.arrayLength("empty")).toBe(0);
  const absent = [metadata.text("absent"), metadata.boolean("absent"), metadata.number("absent")];
  expect([...absent, metadata.texts("absent"), metadata.numbers("absent")]).toEqual(
    new Array(5).fill(undefined),
  );
  expect(metadata.integer("absent", 0, 1)).toBeUndefined();
  expect(metadata.has("u8")).toBe(true);
  expect(metadata.keys()).toHaveLength(15);
});

describe("values of another type", () => {
  const { metadata } = readFile({
    metadata: [kv.text("text", "a"), kv.f32("half", 0.5), kv.f32("nan", Number.NaN), kv.i32s("list", [1])],
  });
  const cases: [string, () => unknown, string][] = [
    ["text", () => metadata.text("half"), "half: expected a text, received 0.5"],
    ["boolean", () => metadata.boolean("text"), 'text: expected true or false, received "a"'],
    ["integer", () => metadata.integer("half", 0, 9), "half: expected an integer from 0 to 9, received 0.5"],
    ["number", () => metadata.number("nan"), "nan: expected a finite number, received NaN"],
    ["array", () => metadata.texts("text"), 'text: expected an array, received "a"'],
    ["texts", () => metadata.texts("list"), "list: expected an array of texts, received an array of 1 int32"],
    ["numbers", () => metadata.numbers("half"), "half: expected an array, received 0.5"],
  ];
  test.each(cases)("%s", (_name, ask, message) => {
    expect(refusal(ask)).toEqual(damaged(`m.gguf: ${message}`));
  });
});

test("arrays of arrays", () => {
  const nested = (bytes: ByteList) => bytes.text("a").u32(9).u32(9).u64(1).u32(0).u64(0);
  expect(refusal(() => readFile({ metadata: [nested] }))).toEqual({
    code: "checkpoint_unsupported",
    message: "m.gguf: a: expected an array of plain values, received an array of arrays",
  });
});

test("a file that changes while it is open", () => {
  const bytes = fileBytes({ metadata: [kv.texts("tokens", ["ab", "cd"])] });
  const { metadata } = read(bytes);
  bytes[bytes.length - 10] = 99;
  expect(refusal(() => metadata.texts("tokens"))).toEqual(
    damaged("m.gguf: tokens: expected the array that was there a moment ago, received an array of 2 string"),
  );
});
