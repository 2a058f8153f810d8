/** docs/format.md says what the code does: its tables are read and computed again. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { tensorCost } from "../../src/format/accounting.ts";
import type { ScaleDescription } from "../../src/format/directory.ts";
import { JSON_DEPTH_MAX, JSON_VALUES_MAX } from "../../src/format/json-size.ts";
import { decodeCode, rowOfByte } from "../../src/format/layout.ts";
import * as limits from "../../src/limits.ts";

const DOCUMENT = readFileSync(join(import.meta.dir, "../../docs/format.md"), "utf8");

const integer = (text: string | undefined) => Number((text ?? "").replaceAll(",", ""));

test("the padding of real shapes", () => {
  const rows = [
    ...DOCUMENT.matchAll(/\| \[(\d+), (\d+)\] \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|/g),
  ].map((match) => match.slice(1).map(integer));
  expect(rows.length).toBe(12);
  for (const [rows_count = 0, columns = 0, codes, padding, by_channel, by_group] of rows) {
    const cost = (scale: ScaleDescription) =>
      tensorCost({ kind: "sherry", shape: [rows_count, columns], scale, column_order: "natural" });
    const tensor = cost({ granularity: "tensor", group_columns: 0, element: "f32" });
    const channel = cost({ granularity: "channel", group_columns: 0, element: "f32" });
    const group = cost({ granularity: "group", group_columns: 128, element: "f16" });
    expect([
      tensor.code_bits / 8,
      tensor.padding_bits / 8,
      (channel.padding_bits - tensor.padding_bits) / 8,
      (group.padding_bits - tensor.padding_bits) / 8,
    ]).toEqual([codes ?? 0, padding ?? 0, by_channel ?? 0, by_group ?? 0]);
  }
});

test("the sixteen indexes", () => {
  const entries = [...DOCUMENT.matchAll(/\| (\d+) \| `([0+-] [0+-] [0+-] [0+-])`/g)];
  expect(entries.length).toBe(16);
  for (const [, index, weights] of entries) {
    const characters = decodeCode(Number(index), 0).map((weight) =>
      weight === 0 ? "0" : weight > 0 ? "+" : "-",
    );
    expect(characters.join(" ")).toBe(weights ?? "");
  }
});

test("the order of the rows", () => {
  const line = /\| `order\[i\]` \|(.*)\|/.exec(DOCUMENT)?.[1] ?? "";
  const order = line.split("|").flatMap((range) => {
    const [first = 0] = range.split("-").map(Number);
    return [first, first + 1, first + 2, first + 3];
  });
  expect(order).toEqual(Array.from({ length: 32 }, (_, byte) => rowOfByte(byte, 0)));
});

test("the limits", () => {
  const named = [
    limits.DIRECTORY_BYTES_MAX,
    limits.TENSOR_COUNT_MAX,
    limits.TENSOR_DIMENSION_MAX,
    limits.LAYER_COUNT_MAX,
    limits.TOKENIZER_BYTES_MAX,
    limits.CHAT_TEMPLATE_LENGTH_MAX,
    JSON_VALUES_MAX,
  ];
  for (const limit of named) expect(DOCUMENT).toContain(limit.toLocaleString("en-US"));
  expect(DOCUMENT).toContain(`nests deeper than ${JSON_DEPTH_MAX} levels`);
  expect(DOCUMENT).toContain(`1 to ${limits.TENSOR_NAME_LENGTH_MAX} printable`);
});
