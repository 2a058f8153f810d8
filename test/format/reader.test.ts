/**
 * Hostile files: cut, flipped, and forged with every checksum put right. Each must end in a SherryError of code
 * format_invalid or format_unsupported, without one read past the file and without memory that the file's size does not
 * explain.
 */
import { describe, expect, test } from "bun:test";
import { type ByteSource, memorySource } from "../../src/format/byte-source.ts";
import { readPackedFile } from "../../src/format/reader.ts";
import { expectRefusal, FILE, flipped, forgeTensor, withHeader } from "./hostile-file.ts";
import { refusal } from "./refusal.ts";
import { directoryOffset, sampleTensors, withDirectory } from "./sample-file.ts";

const DAMAGED = "The file is damaged; get it again or pack it anew";

test("the file that the others are made from is read, also after an edit that changes nothing", () => {
  expect(readPackedFile(memorySource(FILE)).directory.tensors.length).toBe(sampleTensors().length);
  expect(withDirectory(FILE, () => undefined)).toEqual(FILE);
  expect(withHeader(() => undefined)).toEqual(FILE);
});

describe("damage", () => {
  test("cut at each of the first 256 bytes, at every 97th, and one byte before the end", () => {
    let cuts = 0;
    for (let length = 0; length < FILE.length; length += length < 256 ? 1 : 97) {
      expectRefusal(FILE.subarray(0, length));
      cuts += 1;
    }
    expectRefusal(FILE.subarray(0, FILE.length - 1));
    expect(cuts).toBeGreaterThan(350);
  });

  test("bytes after the end", () => {
    const longer = new Uint8Array(FILE.length + 1);
    longer.set(FILE);
    expect(expectRefusal(longer)).toEqual({
      code: "format_invalid",
      message: `the file's size: expected ${FILE.length} bytes, received ${FILE.length + 1} bytes. ${DAMAGED}`,
    });
  });

  test("each bit of the header flipped", () => {
    for (let index = 0; index < 128; index += 1) {
      for (let bit = 0; bit < 8; bit += 1) expectRefusal(flipped(index, 1 << bit));
    }
  });

  test("each byte of the directory flipped, three ways", () => {
    for (let index = directoryOffset(FILE); index < FILE.length; index += 1) {
      for (const bits of [0x01, 0x80, 0xff]) {
        expect(expectRefusal(flipped(index, bits)).message).toStartWith(
          "the directory's checksum: expected ",
        );
      }
    }
  });

  test("the messages of a wrong magic, a checksum, an empty file", () => {
    expect(expectRefusal(flipped(0, 1))).toEqual({
      code: "format_invalid",
      message:
        "the file's first bytes: expected the magic of a .sherry file, received other bytes. Make one with sherry-pack",
    });
    expect(expectRefusal(new Uint8Array(0)).message).toContain("received a file of 0 bytes");
    expect(expectRefusal(flipped(20, 1)).message).toStartWith("the header's checksum: expected ");
  });
});

describe("forged headers, signed again", () => {
  const set64 = (offset: number, value: bigint) =>
    withHeader((view) => view.setBigUint64(offset, value, true));
  const directory_bytes = BigInt(FILE.length - directoryOffset(FILE));

  test.each([0, 2, 0x0100, 0xffff_ffff])("version %d", (version) => {
    expect(expectRefusal(withHeader((view) => view.setUint32(8, version, true)))).toEqual({
      code: "format_unsupported",
      message: `the format version: expected 1, received ${version}. A newer version of this package may read the file`,
    });
  });

  test("flags and reserved bytes", () => {
    expect(expectRefusal(withHeader((view) => view.setUint32(12, 1, true)))).toEqual({
      code: "format_unsupported",
      message:
        "the header's flags: expected 0, received 1. A newer version of this package may read the file",
    });
    for (let index = 40; index < 64; index += 1) {
      expect(expectRefusal(withHeader((view) => view.setUint8(index, 1))).message).toStartWith(
        "bytes 40 to 63 of the header: expected zero, received others",
      );
    }
  });

  test.each([
    [16, 0n, "the file's size: expected 0 bytes"],
    [
      16,
      2n ** 53n,
      "the size at byte 16 of the header: expected at most 2^53 - 1, received 9007199254740992",
    ],
    [24, 2n ** 64n - 1n, "the size at byte 24 of the header: expected at most 2^53 - 1"],
    [24, 2n ** 53n - 64n, "the directory's range: expected to end with the file"],
    [24, 0n, "the directory's offset: expected a multiple of 64, at least 128, received 0"],
    [24, 64n, "the directory's offset: expected a multiple of 64, at least 128, received 64"],
    [24, BigInt(directoryOffset(FILE)) + 1n, "the directory's offset: expected a multiple of 64"],
    [24, BigInt(directoryOffset(FILE)) - 64n, "the directory's range: expected to end with the file"],
    [32, 2n ** 63n, "the size at byte 32 of the header: expected at most 2^53 - 1"],
    [32, 2n ** 40n, "the directory's size: expected at most 67108864 bytes, received 1099511627776 bytes"],
    [32, 0n, "the directory's range: expected to end with the file"],
    [32, directory_bytes - 1n, "the directory's range: expected to end with the file"],
    [32, directory_bytes + 1n, "the directory's range: expected to end with the file"],
  ] as const)("the size at byte %d set to %d", (offset, value, message) => {
    const refused = expectRefusal(set64(offset, value));
    expect(refused.code).toBe("format_invalid");
    expect(refused.message).toStartWith(message);
  });

  test("a file that claims to be enormous costs 128 bytes", () => {
    const file = withHeader((view) => {
      view.setBigUint64(16, 2n ** 52n, true);
      view.setBigUint64(24, 128n, true);
      view.setBigUint64(32, 2n ** 52n - 128n, true);
    });
    let bytes_read = 0;
    const source: ByteSource = {
      bytes: 2 ** 52,
      read(offset, length) {
        bytes_read += length;
        return file.slice(offset, offset + length);
      },
    };
    expect(refusal(() => readPackedFile(source)).message).toStartWith("the directory's size: ");
    expect(bytes_read).toBe(128);
  });
});

describe("forged ranges, signed again", () => {
  const { directory, directory_offset } = readPackedFile(memorySource(FILE));
  const [first, second] = directory.tensors;
  if (first === undefined || second === undefined) throw new Error("the sample has too few tensors");
  const names = { first: first.name, second: second.name };
  const last = directory.tensors.length - 1;

  test.each([
    ["inside the header", 0, { offset: 64 }, "to start after the header, at 128, received 64"],
    ["at nothing", 0, { offset: 0 }, "to start after the header, at 128, received 0"],
    ["into the one before", 1, { offset: first.offset }, `to start after ${names.first}, at `],
    ["into the directory", last, { offset: directory_offset }, "to end before the directory, at "],
    ["past the end", last, { offset: 2 ** 40 }, "to end before the directory, at "],
    ["to the end of numbers", last, { offset: 2 ** 53 - 64 }, "to end before the directory, at "],
    ["by one", 1, { offset: second.offset + 1 }, "a multiple of 64, received "],
    ["by 32", 1, { offset: second.offset + 32 }, "a multiple of 64, received "],
    ["behind the next", 0, { offset: second.offset + 64 }, "rising offsets, received "],
  ] as const)("a tensor moved %s", (_, position, change, message) => {
    const refused = expectRefusal(forgeTensor(position, change));
    expect(refused.code).toBe("format_invalid");
    expect(refused.message).toContain(message);
  });

  test("a tensor of 65,536 bytes that is not on a page", () => {
    const large = { shape: [128, 128], bytes: 65_536 };
    expect(expectRefusal(forgeTensor(1, large)).message).toContain("a multiple of 4096, received ");
  });

  test.each([
    [{ bytes: second.bytes - 1 }, "256 bytes for f32 [64], received 255"],
    [{ bytes: 0 }, "256 bytes for f32 [64], received 0"],
    [{ bytes: Number.MAX_SAFE_INTEGER }, "256 bytes for f32 [64], received 9007199254740991"],
    [{ shape: [65] }, "260 bytes for f32 [65], received 256"],
    [
      { shape: [16_777_216, 16_777_216] },
      "1125899906842624 bytes for f32 [16777216, 16777216], received 256",
    ],
    [{ kind: "f16" }, "128 bytes for f16 [64], received 256"],
    [{ kind: "q8" }, "the shape of the q8 tensor: expected [rows, columns], received [64]"],
    [
      { kind: "sherry" },
      "the scale of the sherry tensor: expected a description of its scales, received null",
    ],
    [{ kind: "q6k" }, "the shape of the q6k tensor: expected [rows, columns], received [64]"],
    [{ kind: "q6k", shape: [1, 64] }, "columns of a q6k tensor: expected a multiple of 256, received 64"],
    [{ kind: "int4", shape: [8, 32] }, "144 bytes for int4 [8, 32], received 256"],
    [{ column_order: "natural" }, "the column order of the f32 tensor: expected null, received natural"],
    [
      { scale: { granularity: "tensor", group_columns: 0, element: "f32" } },
      "the scale of the f32 tensor: expected null, received a description of scales",
    ],
  ])("a tensor whose bytes do not fit: %p", (change, message) => {
    const refused = expectRefusal(forgeTensor(1, change));
    expect(refused.code).toBe("format_invalid");
    expect(refused.message).toContain(message);
  });

  test.each([
    [{ shape: [64, 66] }, "columns of a sherry tensor: expected a multiple of 4, received 66"],
    [
      { shape: [64, 96], column_order: "strided" },
      "columns in strided order: expected a multiple of 64, received 96",
    ],
    [
      { column_order: null },
      "the column order of the sherry tensor: expected natural or strided, received null",
    ],
    [
      { scale: { granularity: "channel", group_columns: 128, element: "f32" } },
      "group_columns of scales by channel: expected 0, received 128",
    ],
    [
      { scale: { granularity: "group", group_columns: 0, element: "f32" } },
      "group_columns of scales by group: expected 32, 64, 128 or 256, received 0",
    ],
  ])("a sherry tensor that cannot be: %p", (change, message) => {
    expect(expectRefusal(forgeTensor(2, change)).message).toBe(
      `tensor model.layers.0.self_attn.q_proj.weight: ${message}`,
    );
  });

  test("the same name twice", () => {
    expect(expectRefusal(forgeTensor(1, { name: names.first })).message).toStartWith(
      `tensor names: expected each name once, received ${names.first} twice`,
    );
  });

  test.each([
    ["over the header", { offset: 0 }],
    ["over a tensor", { offset: first.offset }],
    ["over the directory", { offset: directory_offset }],
    ["far away", { offset: 2 ** 53 - 64 }],
    ["by one", { offset: 129 }],
    ["longer than the file", { bytes: 200 * 1024 * 1024 }],
  ])("a tokenizer %s", (_, change) => {
    const file = withDirectory(FILE, (forgery) => {
      forgery.tokenizer = { ...(directory.tokenizer ?? { offset: 0, bytes: 1, sha256: "" }), ...change };
    });
    expect(expectRefusal(file).message).toMatch(/^the (range|offset) of the tokenizer/);
  });
});
