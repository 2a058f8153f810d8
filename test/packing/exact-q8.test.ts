/** GGUF blocks as q8: integers and scales as they are, and the scales that q8 does not allow. */
import { describe, expect, test } from "bun:test";
import { memorySource } from "../../src/format/byte-source.ts";
import { PackingStatistics } from "../../src/native/packing.ts";
import { prepareAsStored, prepareBlocks } from "../../src/packing/block-tensors.ts";
import { hasExactQ8 } from "../../src/packing/exact-q8.ts";
import { decodeRows } from "../../src/packing/gguf/decode.ts";
import type { GgufModelTensor } from "../../src/packing/gguf/model.ts";
import { blockSize, type GgufTensorType } from "../../src/packing/gguf/tensor-types.ts";
import { asyncRefusal } from "../format/refusal.ts";
import { q4Block, q6KBlock, q8Block, stq1Block, tq1Block, tq2Block } from "./gguf/reference-blocks.ts";

function tensorOf(type: GgufTensorType, columns: number, blocks: Uint8Array): GgufModelTensor {
  const block = blockSize(type);
  const row_bytes = (columns / block.columns) * block.bytes;
  const rows = blocks.length / row_bytes;
  const readBlocks = (row: number, count: number) => blocks.slice(row * row_bytes, (row + count) * row_bytes);
  return {
    ...{ name: "w", gguf_name: "w", type, rows, columns, shape: [rows, columns], bytes: blocks.length },
    readBlocks,
    decode: (row, weights) => decodeRows(readBlocks(row, weights.length / columns), type, columns, weights),
  };
}

async function q8Of(tensor: GgufModelTensor): Promise<{ values: number[]; scales: number[] }> {
  const pieces: Uint8Array[] = [];
  await prepareBlocks(tensor, "q8")?.write(
    (bytes) => pieces.push(bytes.slice()),
    new PackingStatistics(),
    async () => {},
  );
  const bytes = Uint8Array.from(Buffer.concat(pieces));
  const values_bytes = tensor.rows * tensor.columns;
  const scales = new Float16Array(bytes.slice(Math.ceil(values_bytes / 64) * 64).buffer);
  return { values: [...new Int8Array(bytes.buffer, 0, values_bytes)], scales: [...scales] };
}

const ramp = (count: number, low: number, high: number) =>
  Array.from({ length: count }, (_, index) => low + ((index * 7) % (high - low + 1)));

describe("integers and scales", () => {
  test("of Q8_0, -128 and integers under a zero scale among them", async () => {
    const first = ramp(32, -128, 127);
    const second = ramp(32, -3, 90);
    const blocks = Uint8Array.from([...q8Block(0.5, first), ...q8Block(0, second), ...q8Block(3, first)]);
    expect(await q8Of(tensorOf("Q8_0", 32, blocks))).toEqual({
      values: [...first, ...second, ...first],
      scales: [0.5, 0, 3],
    });
  });

  test("of Q4_0: a negative scale moves to the integers, a zero one has zeros", async () => {
    const values = ramp(32, -8, 7);
    const blocks = Uint8Array.from([
      ...q4Block(2, values),
      ...q4Block(-0.25, values),
      ...q4Block(-0, values),
    ]);
    const { values: stored, scales } = await q8Of(tensorOf("Q4_0", 96, blocks));
    expect(stored.map((value) => value + 0)).toEqual(
      [...values, ...values.map((value) => -value), ...values.map(() => 0)].map((value) => value + 0),
    );
    expect(scales).toEqual([2, 0.25, 0]);
  });

  test.each([
    ["TQ1_0", tq1Block],
    ["TQ2_0", tq2Block],
    ["STQ1_0", stq1Block],
  ] as const)("of %s, whose scale stands eight times", async (type, encode) => {
    // One zero in each of STQ1_0's strided groups.
    const values = Array.from({ length: 256 }, (_, column) => {
      const lane = Math.floor((column % 64) / 16);
      if (lane === (column * 5) % 4) return 0;
      return column % 3 === 0 ? -1 : 1;
    });
    for (let group = 0; group < 64; group += 1) {
      const columns = [0, 16, 32, 48].map((lane) => Math.floor(group / 16) * 64 + (group % 16) + lane);
      const zeros = columns.filter((column) => values[column] === 0);
      for (const column of zeros.slice(1)) values[column] = 1;
      if (zeros.length === 0) values[columns[group % 4] ?? 0] = 0;
    }
    const { values: stored, scales } = await q8Of(tensorOf(type, 256, encode(2 ** -24, values)));
    expect(stored.map((value) => value + 0)).toEqual(values);
    expect(scales).toEqual(new Array(8).fill(2 ** -24));
  });

  test("of floats and of Q6_K go another way", () => {
    for (const type of ["F32", "F16", "BF16", "Q6_K"] as const) expect(hasExactQ8(type)).toBe(false);
    expect(prepareBlocks(tensorOf("Q6_K", 256, new Uint8Array(210)), "q8")).toBeNull();
    expect(prepareBlocks(tensorOf("Q8_0", 32, new Uint8Array(34)), "sherry")).toBeNull();
  });
});

describe("scales that are refused, by their place", () => {
  const refusalOf = (type: GgufTensorType, columns: number, blocks: Uint8Array, at: number, bits: number) => {
    new DataView(blocks.buffer).setUint16(at, bits, true);
    return asyncRefusal(() => q8Of(tensorOf(type, columns, blocks)));
  };
  const damaged = "The file is damaged; get it again";

  test("Q8_0's, negative", async () => {
    expect(await refusalOf("Q8_0", 64, new Uint8Array(4 * 34), 3 * 34, 0x8000)).toEqual({
      code: "checkpoint_unsupported",
      message:
        "tensor w, row 1, column 32: scale of Q8_0: expected a number that is not negative, received the f16 bits 0x8000. " +
        "No known encoder writes such a scale; store this tensor as f16",
    });
  });

  test.each([0x7c00, 0xfc01])("an infinity and a NaN (%p)", async (bits) => {
    const received = `expected a finite number, received the f16 bits 0x${bits.toString(16)}. ${damaged}`;
    expect(await refusalOf("Q8_0", 32, new Uint8Array(34), 0, bits)).toEqual({
      code: "numbers_not_finite",
      message: `tensor w, row 0, column 0: scale of Q8_0: ${received}`,
    });
    expect(await refusalOf("TQ2_0", 512, new Uint8Array(4 * 66), 3 * 66 + 64, bits)).toEqual({
      code: "numbers_not_finite",
      message: `tensor w, row 1, column 256: scale of TQ2_0: ${received}`,
    });
  });

  test("Q6_K's and STQ1_0's own", async () => {
    const q6k = Uint8Array.from([
      ...q6KBlock(1, ramp(16, -9, 9), ramp(256, -32, 31)),
      ...new Uint8Array(210),
    ]);
    new DataView(q6k.buffer).setUint16(210 + 208, 0x7e00, true);
    const blocks = tensorOf("Q6_K", 256, q6k);
    const tensor = {
      ...({ name: "w", shape: [2, 256], element: "f32", offset: 0, bytes: 2048, blocks } as const),
      source: memorySource(new Uint8Array(0)),
    };
    const write = prepareAsStored(tensor).write(
      () => {},
      new PackingStatistics(),
      async () => {},
    );
    expect(await asyncRefusal(() => write)).toEqual({
      code: "numbers_not_finite",
      message: `tensor w, row 1, block 0: scale of Q6_K: expected a finite number, received an infinity or a NaN. ${damaged}`,
    });
    const stq1 = new Uint8Array(42);
    new DataView(stq1.buffer).setUint16(40, 0xfc00, true);
    const packing = prepareBlocks(tensorOf("STQ1_0", 256, stq1), "sherry");
    const refused = await asyncRefusal(async () =>
      packing?.write(
        () => {},
        new PackingStatistics(),
        async () => {},
      ),
    );
    expect(refused).toEqual({
      code: "numbers_not_finite",
      message:
        "tensor w, rows 0 to 0, block 0: scale of STQ1_0: expected a finite number, received the f16 bits 0xfc00. " +
        damaged,
    });
  });
});
