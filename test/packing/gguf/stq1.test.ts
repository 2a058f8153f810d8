/** STQ1_0: codebook, order of columns, and blocks that come back byte for byte or are refused. */
import { describe, expect, test } from "bun:test";
import { decodeCode } from "../../../src/format/layout.ts";
import { decodeRows } from "../../../src/packing/gguf/decode.ts";
import {
  blocksToCodes,
  codebookWeights,
  codeOfEntry,
  codesToBlocks,
  entryOfCode,
  originalColumn,
  packedColumn,
} from "../../../src/packing/gguf/stq1.ts";
import { refusal } from "../../format/refusal.ts";
import { randomNumbers } from "../../format/sample-file.ts";

/** Random bytes with a scale that is finite and not negative. */
function randomBlocks(count: number, seed: number): Uint8Array {
  const random = randomNumbers(seed);
  const blocks = Uint8Array.from({ length: count * 42 }, () => Math.floor(random() * 256));
  for (let block = 0; block < count; block += 1) {
    const at = block * 42 + 41;
    blocks[at] = (blocks[at] ?? 0) % 0x7c;
  }
  return blocks;
}

describe("the codebook", () => {
  test("has each of the 32 blocks of 3:4 sparsity once, and ours has the same", () => {
    const blocks = Array.from({ length: 32 }, (_, entry) => codebookWeights(entry).join());
    expect(new Set(blocks).size).toBe(32);
    for (let entry = 0; entry < 32; entry += 1) {
      const weights = codebookWeights(entry);
      expect(weights.filter((weight) => weight === 0)).toHaveLength(1);
      expect(weights.every((weight) => Math.abs(weight) <= 1)).toBe(true);
      const code = codeOfEntry(entry);
      expect(decodeCode(code & 15, code >> 4)).toEqual(weights);
      expect(entryOfCode(code)).toBe(entry);
    }
  });

  test("is negated by the sign bit", () => {
    for (let entry = 0; entry < 16; entry += 1) {
      expect(codebookWeights(entry + 16)).toEqual(
        codebookWeights(entry).map((weight) => 0 - weight) as [number, number, number, number],
      );
    }
    // Two entries read off the table by hand: 0xa9 and 0x68.
    expect(codebookWeights(0)).toEqual([0, 1, 1, 1]);
    expect(codebookWeights(31)).toEqual([-1, 1, 1, 0]);
  });
});

test("the order of columns, from the format's own formula and back", () => {
  for (let column = 0; column < 1024; column += 1) {
    const within = column % 256;
    const group = Math.floor(within / 64) * 16 + (within % 16);
    const lane = Math.floor((within % 64) / 16);
    const packed = column - within + 4 * group + lane;
    expect(packedColumn(column)).toBe(packed);
    expect(originalColumn(packed)).toBe(column);
  }
  expect([0, 1, 2, 3, 4, 63, 64, 255].map(originalColumn)).toEqual([0, 16, 32, 48, 1, 63, 64, 255]);
});

describe("blocks", () => {
  test("come back byte for byte, whatever their bits", () => {
    const blocks = randomBlocks(500, 1);
    const codes = blocksToCodes(blocks, "tensor w");
    expect(codes.codes).toHaveLength(500 * 64);
    expect(codesToBlocks(codes)).toEqual(blocks);
    const random = randomNumbers(2);
    const back = {
      codes: Uint8Array.from({ length: 6_400 }, () => Math.floor(random() * 32)),
      scales: Uint16Array.from({ length: 100 }, () => Math.floor(random() * 0x7c00)),
    };
    expect(blocksToCodes(codesToBlocks(back), "tensor w")).toEqual(back);
  });

  test("mean the same weights in packed order", () => {
    const blocks = randomBlocks(20, 3);
    const weights = new Float32Array(20 * 256);
    expect(decodeRows(blocks, "STQ1_0", 512, weights)).toBeNull();
    const { codes, scales } = blocksToCodes(blocks, "tensor w");
    const scale_view = new DataView(scales.buffer);
    for (let packed = 0; packed < weights.length; packed += 1) {
      const code = codes[packed >> 2] ?? 0;
      const sign = decodeCode(code & 15, code >> 4)[packed % 4] ?? 0;
      const scale = scale_view.getFloat16((packed >> 8) * 2, true);
      expect(weights[originalColumn(packed)]).toBe(sign * scale);
    }
  });

  test("keep zero, subnormal and largest scales", () => {
    const blocks = randomBlocks(3, 4);
    for (const [block, bits] of [0x0000, 0x0001, 0x7bff].entries()) {
      new DataView(blocks.buffer).setUint16(block * 42 + 40, bits, true);
    }
    const codes = blocksToCodes(blocks, "tensor w");
    expect([...codes.scales]).toEqual([0, 1, 0x7bff]);
    expect(codesToBlocks(codes)).toEqual(blocks);
  });

  test.each([
    [0x8000, "checkpoint_unsupported"],
    [0xbc00, "checkpoint_unsupported"],
    [0x8001, "checkpoint_unsupported"],
    [0x7c00, "numbers_not_finite"],
    [0xfc00, "numbers_not_finite"],
    [0x7e00, "numbers_not_finite"],
    [0xffff, "numbers_not_finite"],
  ])("with the scale bits %p are refused", (bits, code) => {
    const blocks = randomBlocks(2, 5);
    new DataView(blocks.buffer).setUint16(42 + 40, bits, true);
    const shown = `the f16 bits 0x${bits.toString(16)}`;
    const [expected, next_step] =
      code === "numbers_not_finite"
        ? ["a finite number", "The file is damaged; get it again"]
        : [
            "a number that is not negative",
            "No known encoder writes such a scale; the file is probably damaged",
          ];
    expect(refusal(() => blocksToCodes(blocks, "tensor w, row 7"))).toEqual({
      code,
      message: `tensor w, row 7, block 1: scale of STQ1_0: expected ${expected}, received ${shown}. ${next_step}`,
    });
  });

  test("and codes of the wrong count are refused", () => {
    expect(refusal(() => blocksToCodes(new Uint8Array(41), "tensor w"))).toEqual({
      code: "argument_invalid",
      message: "bytes of STQ1_0 blocks: expected a multiple of 42, received 41",
    });
    expect(refusal(() => codesToBlocks({ codes: new Uint8Array(63), scales: new Uint16Array(1) }))).toEqual({
      code: "argument_invalid",
      message: "codes: expected a multiple of 64, received 63",
    });
    expect(refusal(() => codesToBlocks({ codes: new Uint8Array(64), scales: new Uint16Array(2) }))).toEqual({
      code: "argument_invalid",
      message: "scales of STQ1_0 blocks: expected 1, received 2",
    });
  });
});
