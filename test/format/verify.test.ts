/** Every kind of corruption is found and named, in the tensor it is in. */
import { expect, test } from "bun:test";
import { SherryError } from "../../src/errors.ts";
import { type ByteSource, memorySource } from "../../src/format/byte-source.ts";
import type { TensorEntry } from "../../src/format/directory.ts";
import { readPackedFile } from "../../src/format/reader.ts";
import { type Problem, verifyPackedFile } from "../../src/format/verify.ts";
import { refusal } from "./refusal.ts";
import {
  CONTENTS,
  denseTensor,
  int4Tensor,
  packSample,
  q6kTensor,
  q8Tensor,
  type SampleTensor,
  sampleTensors,
  sherryTensor,
} from "./sample-file.ts";

const BY_CHANNEL = { granularity: "channel", group_columns: 0, element: "f32" } as const;
const BY_GROUP = { granularity: "group", group_columns: 128, element: "f16" } as const;

/** Packs one tensor after `spoil` has changed its bytes: its checksum is right, its contents are not. */
async function problemsOf(
  tensor: SampleTensor,
  spoil: (content: Uint8Array) => void,
): Promise<readonly Problem[]> {
  const before = await packSample([tensor]);
  expect(verifyPackedFile(memorySource(before)).problems).toEqual([]);
  spoil(tensor.content);
  return verifyPackedFile(memorySource(await packSample([tensor]))).problems;
}

test("any bit that flips anywhere in the file is found", async () => {
  const file = await packSample();
  for (let index = 0; index < file.length; index += 61) {
    const spoilt = Uint8Array.from(file);
    spoilt[index] = (spoilt[index] ?? 0) ^ (1 << (index % 8));
    expect(verifyPackedFile(memorySource(spoilt)).problems.length).toBeGreaterThan(0);
  }
});

test("a flipped bit is reported for the tensor it is in", async () => {
  const file = await packSample();
  const { directory } = readPackedFile(memorySource(file));
  for (const tensor of directory.tensors) {
    const spoilt = Uint8Array.from(file);
    // The lowest bit of the first code, value or mantissa: nothing but the checksum can tell.
    spoilt[tensor.offset] = (spoilt[tensor.offset] ?? 0) ^ 1;
    expect(verifyPackedFile(memorySource(spoilt)).problems).toEqual([
      {
        code: "checksum_mismatch",
        tensor: tensor.name,
        message: "its bytes are not those that were packed (SHA-256 differs)",
      },
    ]);
  }
});

test("the tokenizer's bytes", async () => {
  const file = await packSample();
  const packed = readPackedFile(memorySource(file));
  const offset = packed.directory.tokenizer?.offset ?? 0;
  file[offset] = 0;
  expect(verifyPackedFile(memorySource(file)).problems).toEqual([
    {
      code: "checksum_mismatch",
      tensor: null,
      message: "the tokenizer's bytes are not those that were packed (SHA-256 differs)",
    },
  ]);
  expect(refusal(() => packed.readTokenizer())).toMatchObject({
    code: "format_invalid",
    message: expect.stringContaining("the tokenizer's checksum"),
  });
});

test("bytes between the parts", async () => {
  const file = await packSample();
  const { directory, directory_offset } = readPackedFile(memorySource(file));
  const end = (part: { offset: number; bytes: number } | null | undefined) =>
    part === null || part === undefined ? 0 : part.offset + part.bytes;
  const last = end(directory.tokenizer);
  expect(last).toBeLessThan(directory_offset);
  const within = end(directory.tensors.find(({ bytes }) => bytes % 64 !== 0));
  file[within] = 1;
  file[directory_offset - 1] = 1;
  const problems = verifyPackedFile(memorySource(file)).problems;
  expect(problems.map(({ code, tensor }) => [code, tensor])).toEqual([
    ["padding_not_zero", null],
    ["padding_not_zero", null],
  ]);
  expect(problems[0]?.message).toStartWith(`byte ${within}, in the padding before `);
  expect(problems[1]?.message).toBe(
    `byte ${directory_offset - 1}, in the padding before the directory, is not zero`,
  );
});

test("codes of rows that do not exist: index and sign, low and high half", async () => {
  // 33 rows: byte 0 of each vector holds row 0 (low) and row 32 (high); byte 1 holds row 1 and row 33, which is padding.
  for (const [index, bits] of [
    [1, 0x10],
    [256 + 32 + 1, 0x80],
    [256 + 32 + 27, 0x01],
  ] as const) {
    const problems = await problemsOf(sherryTensor("t", 33, 32, BY_CHANNEL, 1), (content) => {
      content[index] = (content[index] ?? 0) | bits;
    });
    expect(problems).toEqual([
      {
        code: "padding_not_zero",
        tensor: "t",
        message: "codes past row 33 or column 32 are not zero (tile 0, chunk 0)",
      },
    ]);
  }
});

test("codes of columns that do not exist, in every tile", async () => {
  // 36 columns: block 0 of chunk 1 is used, block 1 (and its sign, bit 6) is not.
  const problems = await problemsOf(sherryTensor("t", 128, 36, BY_CHANNEL, 1), (content) => {
    content[320 + 32] = 1;
    content[3 * 320 + 256] = (content[3 * 320 + 256] ?? 0) | 0x40;
  });
  expect(problems).toEqual([
    {
      code: "padding_not_zero",
      tensor: "t",
      message: "codes past row 128 or column 36 are not zero (tile 0, chunk 1), and 1 more like it",
    },
  ]);
});

test("scales: NaN, infinite, negative, and of rows that do not exist", async () => {
  const put = (offset: number, value: number) => (content: Uint8Array) =>
    new DataView(content.buffer).setFloat32(offset, value, true);
  const by_channel = () => sherryTensor("t", 3, 32, BY_CHANNEL, 1);
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -0.25]) {
    expect(await problemsOf(by_channel(), put(320 + 4, value))).toEqual([
      {
        code: "scale_invalid",
        tensor: "t",
        message: `scale 1 is ${value}; scales are finite and not negative`,
      },
    ]);
  }
  expect(await problemsOf(by_channel(), put(320 + 3 * 4, 1))).toEqual([
    { code: "padding_not_zero", tensor: "t", message: "scale 3, past the last row, is not zero" },
  ]);
  // 66 rows, two groups: the second tile's scales are rows 64, 65 and then padding, once for each group.
  const by_group = sherryTensor("t", 66, 200, BY_GROUP, 1);
  const first_padding = 2 * 7 * 320 + (2 * 64 + 2) * 2;
  const problems = await problemsOf(by_group, (content) => {
    content[first_padding] = 1;
    content[first_padding + 64 * 2] = 1;
    new DataView(content.buffer).setUint16(2 * 7 * 320, 0x7e00, true);
  });
  expect(problems).toEqual([
    { code: "scale_invalid", tensor: "t", message: "scale 0 is NaN; scales are finite and not negative" },
    {
      code: "padding_not_zero",
      tensor: "t",
      message: "scale 130, past the last row, is not zero, and 1 more like it",
    },
  ]);
  const by_tensor = sherryTensor("t", 3, 32, { ...BY_CHANNEL, granularity: "tensor", element: "bf16" }, 1);
  expect((await problemsOf(by_tensor, (content) => content.set([0x80, 0xff], 320)))[0]?.message).toBe(
    "scale 0 is -Infinity; scales are finite and not negative",
  );
});

test("q8: values past the last column, bytes before the scales, scales", async () => {
  const tensor = () => q8Tensor("t", 3, 20, 1);
  const values = await problemsOf(tensor(), (content) => {
    content[32 + 20] = 1;
    content[2 * 32 + 31] = 1;
  });
  expect(values).toEqual([
    {
      code: "padding_not_zero",
      tensor: "t",
      message: "values past column 20 are not zero (row 1), and 1 more like it",
    },
  ]);
  expect(await problemsOf(tensor(), (content) => content.set([1], 127))).toEqual([
    { code: "padding_not_zero", tensor: "t", message: "the padding between values and scales is not zero" },
  ]);
  expect(await problemsOf(tensor(), (content) => content.set([0x00, 0x7c], 128 + 2))).toEqual([
    {
      code: "scale_invalid",
      tensor: "t",
      message: "scale 1 is Infinity; scales are finite and not negative",
    },
  ]);
});

test("q6k: bytes before the scales, scales; a negative scale is one", async () => {
  const tensor = () => q6kTensor("t", 3, 512, 1);
  const scales_offset = 3 * 2 * 192 + 128;
  expect(await problemsOf(tensor(), (content) => content.set([1], 3 * 2 * 192 + 96))).toEqual([
    {
      code: "padding_not_zero",
      tensor: "t",
      message: "the padding between sub-scales and scales is not zero",
    },
  ]);
  expect(await problemsOf(tensor(), (content) => content.set([0x00, 0xfc], scales_offset + 4))).toEqual([
    { code: "scale_invalid", tensor: "t", message: "scale 2 is -Infinity; scales are finite" },
  ]);
  expect(await problemsOf(tensor(), (content) => content.set([0x00, 0xbc], scales_offset))).toEqual([]);
});

test("int4: codes and scales of rows and columns that do not exist, scales", async () => {
  // 9 rows, 44 columns: two tiles of two groups. Row 8 is row 0 of the second tile; group 1 has 12 columns.
  const tensor = () => int4Tensor("t", 9, 44, 1);
  const padding = (tile: number, group: number) => ({
    code: "padding_not_zero" as const,
    tensor: "t",
    message: `codes past row 9 or column 44 are not zero (tile ${tile}, group ${group})`,
  });
  const or = (index: number, bits: number) => (content: Uint8Array) => {
    content[index] = (content[index] ?? 0) | bits;
  };
  // Column 12 of group 1: vector 3, byte 0 of row 0, low nibble; column 16: vector 0, high nibble.
  expect(await problemsOf(tensor(), or(128 + 3 * 32, 0x01))).toEqual([padding(0, 1)]);
  expect(await problemsOf(tensor(), or(128 + 7 * 4, 0x10))).toEqual([padding(0, 1)]);
  expect(await problemsOf(tensor(), or(2 * 128 + 4, 0x80))).toEqual([padding(1, 0)]);
  expect(await problemsOf(tensor(), or(512 + 2 * 16 + 2, 1))).toEqual([
    { code: "padding_not_zero", tensor: "t", message: "scale 17, past the last row, is not zero" },
  ]);
  expect(await problemsOf(tensor(), (content) => content.set([0x01, 0x80], 512 + 2))).toEqual([
    {
      code: "scale_invalid",
      tensor: "t",
      message: `scale 1 is ${-(2 ** -24)}; scales are finite and not negative`,
    },
  ]);
});

test.each([
  ["f32", [0, 0, 0x80, 0x7f], "Infinity"],
  ["f16", [0x01, 0x7c], "NaN"],
  ["bf16", [0x80, 0xff], "-Infinity"],
] as const)("dense %s numbers that are not finite", async (kind, bytes, value) => {
  const problems = await problemsOf(denseTensor("t", [9], kind, 1), (content) =>
    content.set(bytes, bytes.length * 4),
  );
  expect(problems).toEqual([{ code: "value_not_finite", tensor: "t", message: `element 4 is ${value}` }]);
});

test("tensors of several pieces: padding, scales and numbers are found in each", async () => {
  // 1,310,720 bytes a piece: the q8 values take two pieces, the f16 numbers three.
  const large = q8Tensor("q8", 20_000, 70, 1);
  large.content[19_999 * 96 + 80] = 3;
  const dense = denseTensor("f16", [1_400_000], "f16", 1);
  new DataView(dense.content.buffer).setUint16(1_399_999 * 2, 0x7c00, true);
  const file = await packSample([large, dense]);
  let calls = 0;
  let last = 0;
  const verification = verifyPackedFile(memorySource(file), ({ bytes_checked, file_bytes }) => {
    expect(bytes_checked).toBeGreaterThanOrEqual(last);
    expect(file_bytes).toBe(file.length);
    last = bytes_checked;
    calls += 1;
  });
  expect(verification.problems).toEqual([
    { code: "padding_not_zero", tensor: "q8", message: "values past column 70 are not zero (row 19999)" },
    { code: "value_not_finite", tensor: "f16", message: "element 1399999 is Infinity" },
  ]);
  expect(calls).toBeGreaterThan(5);
  expect(last).toBe(file.length);
});

test("a file that cannot be opened is one problem; a source that cannot be read is an error", async () => {
  expect(verifyPackedFile(memorySource(new Uint8Array(10)))).toEqual({
    problems: [
      {
        code: "format_invalid",
        tensor: null,
        message:
          "the file's first bytes: expected the magic of a .sherry file, received a file of 10 bytes. " +
          "Make one with sherry-pack",
      },
    ],
    tensors_checked: 0,
    bytes_checked: 0,
  });
  const broken: ByteSource = {
    bytes: 1000,
    read() {
      throw new SherryError("file_unreadable", "the disk is gone");
    },
  };
  expect(refusal(() => verifyPackedFile(broken))).toEqual({
    code: "file_unreadable",
    message: "the disk is gone",
  });
});

test("a file of every kind has no problems", async () => {
  const file = await packSample(sampleTensors(), { ...CONTENTS, label: null });
  const names: TensorEntry["name"][] = readPackedFile(memorySource(file)).directory.tensors.map(
    ({ name }) => name,
  );
  expect(verifyPackedFile(memorySource(file))).toMatchObject({ problems: [], tensors_checked: names.length });
});
