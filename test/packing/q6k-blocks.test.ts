/** Q6_K blocks to a q6k tensor and back: byte for byte, with the weights that the blocks have, and what is refused. */
import { describe, expect, test } from "bun:test";
import { q6kLayout } from "../../src/format/q6k-layout.ts";
import { unpackTensor } from "../../src/format/unpack.ts";
import { decodeRows } from "../../src/packing/gguf/decode.ts";
import {
  decodeQ6k,
  emptyQ6kParts,
  encodeQ6k,
  joinQ6kBlocks,
  Q6K_BYTES,
  splitQ6kBlocks,
} from "../../src/packing/q6k-blocks.ts";
import { refusal } from "../format/refusal.ts";
import { randomNumbers } from "../format/sample-tensors.ts";

/** Any bytes, but for scales that are infinite or NaN. */
function randomBlocks(count: number, seed: number): Uint8Array<ArrayBuffer> {
  const random = randomNumbers(seed);
  const blocks = Uint8Array.from({ length: count * Q6K_BYTES }, () => Math.floor(random() * 256));
  for (let block = 0; block < count; block += 1) {
    const at = block * Q6K_BYTES + 209;
    if (((blocks[at] ?? 0) & 0x7c) === 0x7c) blocks[at] = (blocks[at] ?? 0) ^ 0x40;
  }
  return blocks;
}

describe.each([
  [1, 256],
  [3, 512],
  [5, 1280],
])("%d x %d", (rows, columns) => {
  const blocks = randomBlocks((rows * columns) / 256, rows);
  const bytes = encodeQ6k(rows, columns, blocks);

  test("the blocks come back byte for byte, from any address", () => {
    expect(decodeQ6k(rows, columns, bytes)).toEqual(blocks);
    const moved = new Uint8Array(bytes.length + 1);
    moved.set(bytes, 1);
    expect(decodeQ6k(rows, columns, moved.subarray(1))).toEqual(blocks);
  });

  test("the tensor has the blocks' weights, negative scales among them", () => {
    const expected = new Float32Array(rows * columns);
    expect(decodeRows(blocks, "Q6_K", columns, expected)).toBeNull();
    const description = { kind: "q6k", shape: [rows, columns], scale: null, column_order: null } as const;
    const received = unpackTensor(description, bytes);
    expect(received.findIndex((weight, index) => weight !== expected[index])).toBe(-1);
  });

  test("row by row the parts are those of the tensor", () => {
    const layout = q6kLayout({ rows, columns });
    const row_bytes = layout.blocks * Q6K_BYTES;
    const parts = emptyQ6kParts(layout.blocks);
    for (const part of [parts.codes, parts.sub_scales, parts.scales]) part.fill(0xa5);
    for (let row = 0; row < rows; row += 1) {
      const row_blocks = blocks.subarray(row * row_bytes, (row + 1) * row_bytes);
      expect(splitQ6kBlocks(row_blocks, parts)).toBeNull();
      const codes_at = row * parts.codes.length;
      expect(parts.codes).toEqual(bytes.subarray(codes_at, codes_at + parts.codes.length));
      expect(joinQ6kBlocks(parts)).toEqual(new Uint8Array(row_blocks));
    }
  });
});

describe("refusals", () => {
  const blocks = randomBlocks(2, 9);

  test("a scale that is no number is named by its block, and the tensor refused", () => {
    const spoilt = Uint8Array.from(blocks);
    spoilt.set([0x00, 0xfc], Q6K_BYTES + 208);
    expect(splitQ6kBlocks(spoilt, emptyQ6kParts(2))).toBe(1);
    expect(refusal(() => encodeQ6k(2, 256, spoilt))).toEqual({
      code: "numbers_not_finite",
      message:
        "the scale of Q6_K block 1: expected a finite number, received an infinity or a NaN. " +
        "The file is damaged; get it again",
    });
  });

  test.each([
    [() => encodeQ6k(2, 300, blocks), "columns of a q6k tensor: expected a multiple of 256, received 300"],
    [() => encodeQ6k(3, 256, blocks), "bytes of Q6_K blocks: expected 630, received 420"],
    [() => decodeQ6k(2, 256, blocks), "bytes of the tensor: expected 452, received 420"],
    [
      () => joinQ6kBlocks({ ...emptyQ6kParts(2), codes: new Uint8Array(383) }),
      "codes of Q6_K blocks: expected 384, received 383",
    ],
    [
      () => joinQ6kBlocks({ ...emptyQ6kParts(2), sub_scales: new Uint8Array(33) }),
      "sub-scales of Q6_K blocks: expected 32, received 33",
    ],
  ])("%#", (work, message) => {
    expect(refusal(work)).toEqual({ code: "argument_invalid", message });
  });
});
