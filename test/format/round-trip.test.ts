/** What goes into a packed file comes out of it: writer, reader and unpack together, for every kind and granularity. */
import { expect, test } from "bun:test";
import { memorySource } from "../../src/format/byte-source.ts";
import type { FloatElement, ScaleDescription } from "../../src/format/directory.ts";
import { readPackedFile } from "../../src/format/reader.ts";
import { unpackTensor } from "../../src/format/unpack.ts";
import { verifyPackedFile } from "../../src/format/verify.ts";
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
  TOKENIZER,
} from "./sample-file.ts";

async function expectRoundTrip(tensors: readonly SampleTensor[]): Promise<void> {
  const bytes = await packSample(tensors);
  const source = memorySource(bytes);
  const file = readPackedFile(source);
  expect(file.directory.tensors.map(({ name }) => name)).toEqual(tensors.map(({ name }) => name));
  for (const tensor of tensors) {
    const entry = file.tensor(tensor.name);
    if (entry === undefined) throw new Error(`${tensor.name} is not in the file`);
    expect(entry).toMatchObject({
      kind: tensor.kind,
      shape: tensor.shape,
      scale: tensor.scale,
      column_order: tensor.column_order,
    });
    const content = source.read(entry.offset, entry.bytes);
    expect(content).toEqual(tensor.content);
    expect(unpackTensor(entry, content)).toEqual(tensor.weights);
  }
  expect(verifyPackedFile(source)).toEqual({
    problems: [],
    tensors_checked: tensors.length,
    bytes_checked: bytes.length,
  });
}

const ELEMENTS: readonly FloatElement[] = ["f32", "f16", "bf16"];
const REACHES: readonly Pick<ScaleDescription, "granularity" | "group_columns">[] = [
  { granularity: "tensor", group_columns: 0 },
  { granularity: "channel", group_columns: 0 },
  { granularity: "group", group_columns: 32 },
  { granularity: "group", group_columns: 64 },
  { granularity: "group", group_columns: 128 },
  { granularity: "group", group_columns: 256 },
];
// Whole tiles, padded rows, padded columns, short last groups, the smallest of all.
const SHAPES = [
  [64, 256],
  [1, 4],
  [65, 36],
  [63, 172],
  [130, 300],
] as const;

for (const reach of REACHES) {
  test(`sherry with scales by ${reach.granularity} ${reach.group_columns}, every element, order and shape`, async () => {
    const tensors = ELEMENTS.flatMap((element, index) => [
      ...SHAPES.map(([rows, columns]) =>
        sherryTensor(`${element}.${rows}`, rows, columns, { ...reach, element }, index + 1),
      ),
      sherryTensor(`${element}.strided`, 65, 320, { ...reach, element }, index + 1, "strided"),
    ]);
    await expectRoundTrip(tensors);
  });
}

test("q8, q6k, int4 and dense kinds, vectors and matrices", async () => {
  await expectRoundTrip([
    q8Tensor("q8.small", 1, 1, 1),
    q8Tensor("q8.padded", 35, 44, 2),
    q8Tensor("q8.whole", 64, 64, 3),
    q6kTensor("q6k.one", 1, 256, 1),
    q6kTensor("q6k.more", 5, 768, 2),
    int4Tensor("int4.small", 1, 1, 1),
    int4Tensor("int4.padded", 11, 77, 2),
    int4Tensor("int4.whole", 64, 64, 3),
    ...ELEMENTS.map((element) => denseTensor(`${element}.vector`, [67], element, 4)),
    ...ELEMENTS.map((element) => denseTensor(`${element}.matrix`, [5, 9], element, 5)),
  ]);
});

test("large tensors start on a page, all others at a multiple of 64, and the rest of the file is as documented", async () => {
  const tensors = [
    ...sampleTensors(),
    denseTensor("large", [128, 128], "f32", 9),
    denseTensor("z", [1], "f16", 9),
  ];
  const bytes = await packSample(tensors);
  const file = readPackedFile(memorySource(bytes));
  const { directory } = file;
  expect(file.tensor("large")).toMatchObject({ bytes: 65_536 });
  expect((file.tensor("large")?.offset ?? 1) % 4096).toBe(0);
  for (const { offset } of directory.tensors) expect(offset % 64).toBe(0);
  expect(directory).toMatchObject({
    label: CONTENTS.label,
    config: CONTENTS.config,
    generation: CONTENTS.generation,
    tokenizer_config: CONTENTS.tokenizer_config,
    chat_template: CONTENTS.chat_template,
    provenance: CONTENTS.provenance,
  });
  expect(file.readTokenizer()).toEqual(TOKENIZER);
  expect(file.file_bytes).toBe(bytes.length);
  expect(file.tensor("nothing of that name")).toBeUndefined();
});

test("a file without tokenizer, template, label and tensors", async () => {
  const bytes = await packSample([], {
    ...CONTENTS,
    label: null,
    tokenizer: null,
    chat_template: null,
    tokenizer_config: {},
  });
  const file = readPackedFile(memorySource(bytes));
  expect(file.readTokenizer()).toBeNull();
  expect(file.directory_offset).toBe(128);
  expect(verifyPackedFile(memorySource(bytes)).problems).toEqual([]);
});

test("same input, same bytes, however the objects' keys are ordered", async () => {
  const first = await packSample();
  expect(await packSample()).toEqual(first);
  const reversed = Object.fromEntries(Object.entries(CONTENTS.config).reverse()) as typeof CONTENTS.config;
  const provenance = Object.fromEntries(
    Object.entries(CONTENTS.provenance).reverse(),
  ) as typeof CONTENTS.provenance;
  expect(await packSample(sampleTensors(), { ...CONTENTS, config: reversed, provenance })).toEqual(first);
});

test("the worked example of docs/format.md", () => {
  const description = {
    kind: "sherry",
    shape: [64, 64],
    scale: { granularity: "tensor", group_columns: 0, element: "f32" },
    column_order: "natural",
  } as const;
  const bytes = new Uint8Array(644);
  bytes[433] = 0xb0;
  new DataView(bytes.buffer).setFloat32(640, 0.5, true);
  const positive = unpackTensor(description, bytes);
  expect([...positive.subarray(37 * 64 + 44, 37 * 64 + 48)]).toEqual([0.5, -0.5, 0, -0.5]);
  bytes[625] = 0x10;
  const negative = unpackTensor(description, bytes);
  expect([...negative.subarray(37 * 64 + 44, 37 * 64 + 48)]).toEqual([-0.5, 0.5, 0, 0.5]);
  expect(Object.is(negative[37 * 64 + 46], 0)).toBe(true);
});

test("unpackTensor refuses bytes that are too few or too many", () => {
  const tensor = denseTensor("a", [4], "f32", 1);
  expect(refusal(() => unpackTensor(tensor, tensor.content.subarray(1)))).toEqual({
    code: "argument_invalid",
    message: "the bytes of the f32 tensor [4]: expected 16, received 15",
  });
});
