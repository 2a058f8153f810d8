/** Rows of packed tensors as GGUF blocks, kind by kind, and the tensors that no GGUF type holds. */
import { describe, expect, test } from "bun:test";
import { memorySource } from "../../../src/format/byte-source.ts";
import type { TensorEntry } from "../../../src/format/directory.ts";
import { int4Layout } from "../../../src/format/int4-layout.ts";
import { unpackTensor } from "../../../src/format/unpack.ts";
import { decodeRows } from "../../../src/packing/gguf/decode.ts";
import { blockRows } from "../../../src/packing/to-gguf/block-rows.ts";
import { refusal } from "../../format/refusal.ts";
import { randomNumbers } from "../../format/sample-file.ts";

const NOWHERE = memorySource(new Uint8Array(0));

function entryOf(change: Partial<TensorEntry>): TensorEntry {
  const rest = { name: "w", offset: 0, bytes: 0, sha256: "", scale: null, column_order: null };
  return { ...rest, kind: "q8", shape: [4, 256], ...change };
}

describe("int4", () => {
  test("becomes Q4_0 with the same weights, for every range of rows", () => {
    const [rows, columns] = [19, 96];
    const layout = int4Layout({ rows, columns });
    const random = randomNumbers(5);
    const bytes = Uint8Array.from({ length: layout.bytes }, () => Math.floor(random() * 256));
    const view = new DataView(bytes.buffer);
    for (let at = layout.scales_offset; at < bytes.length; at += 2) view.setFloat16(at, random(), true);
    const entry = entryOf({ kind: "int4", shape: [rows, columns], offset: 64, bytes: bytes.length });
    const file = new Uint8Array(64 + bytes.length);
    file.set(bytes, 64);
    const converted = blockRows(entry, memorySource(file));
    expect(converted).toMatchObject({ type: "Q4_0", rows, columns });
    const weights = unpackTensor(entry, bytes);
    for (const [first, count] of [
      [0, 19],
      [7, 2],
      [8, 8],
      [18, 1],
    ] as const) {
      const decoded = new Float32Array(count * columns);
      expect(decodeRows(converted.read(first, count), "Q4_0", columns, decoded)).toBeNull();
      // Q4_0 gives zeros a sign, which is no weight's.
      expect(decoded.map((weight) => weight + 0)).toEqual(
        weights.slice(first * columns, (first + count) * columns).map((weight) => weight + 0),
      );
    }
  });
});

describe("tensors that no GGUF type holds", () => {
  const again =
    "Only models that were packed from STQ1_0 can become STQ1_0 again; pack this one as q8 or f16";
  const strided = { kind: "sherry", column_order: "strided" } as const;
  const expected = "expected sherry with one f16 scale for 256 columns, of which there is a multiple";
  test.each<[Partial<TensorEntry>, string]>([
    [
      { ...strided, scale: { granularity: "channel", group_columns: 0, element: "f32" } },
      `tensor w: ${expected}, received 256 columns with scales by channel 0 in f32. ${again}`,
    ],
    [
      { ...strided, scale: { granularity: "group", group_columns: 256, element: "bf16" } },
      `tensor w: ${expected}, received 256 columns with scales by group 256 in bf16. ${again}`,
    ],
    [
      {
        ...{ ...strided, shape: [4, 320] },
        scale: { granularity: "group", group_columns: 256, element: "f16" },
      },
      `tensor w: ${expected}, received 320 columns with scales by group 256 in f16. ${again}`,
    ],
    [
      { kind: "split8" },
      "tensor w: expected a kind that GGUF has a type for, received kind split8. Pack the model again with this tensor as f16",
    ],
    [
      { kind: "q8", shape: [4, 40] },
      "tensor w: expected a multiple of 32 columns, received q8 with 40 columns. " +
        "Pack the model again with this tensor as f16",
    ],
    [
      { kind: "int4", shape: [4, 40] },
      "tensor w: expected a multiple of 32 columns, received int4 with 40 columns. " +
        "Pack the model again with this tensor as f16",
    ],
  ])("%j", (change, message) => {
    expect(refusal(() => blockRows(entryOf(change), NOWHERE))).toEqual({
      code: "checkpoint_unsupported",
      message,
    });
  });
});
