/** GGUF files through the packer: every source type, what is kept without loss, what is said, and what is refused. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { openFileSource } from "../../src/format/byte-source.ts";
import { readPackedFile } from "../../src/format/reader.ts";
import { verifyPackedFile } from "../../src/format/verify.ts";
import { openCheckpoint } from "../../src/packing/checkpoint.ts";
import { openGgufModel } from "../../src/packing/gguf/model.ts";
import type { GgufArchitecture } from "../../src/packing/gguf/tensor-names.ts";
import type { GgufTensorType } from "../../src/packing/gguf/tensor-types.ts";
import { type GgufContents, writeGguf } from "../../src/packing/gguf/writer.ts";
import type { PackOptions } from "../../src/packing/pack-options.ts";
import { packCheckpoint } from "../../src/packing/packer.ts";
import { asyncRefusal } from "../format/refusal.ts";
import { TemporaryFolder, tinyTensors, unpackFile, writeFolder } from "./checkpoint-folder.ts";
import { type BlockModel, type BlockModelOptions, blockModel, weightsOf } from "./gguf/block-model.ts";

const OPTIONS = { linear: "sherry", embedding: null, head: null, scale: "auto", label: null } as const;

async function packed(model: BlockModel, options: Partial<PackOptions> = {}) {
  using place = new TemporaryFolder();
  const input = place.at("model.gguf");
  const output = place.at("out.sherry");
  await writeGguf(input, model.contents);
  const summary = await packCheckpoint({ ...OPTIONS, input, output, ...options });
  expect(readdirSync(place.path).toSorted()).toEqual(["model.gguf", "out.sherry"]);
  const source = openFileSource(output);
  try {
    expect(verifyPackedFile(source).problems).toEqual([]);
    const { directory } = readPackedFile(source);
    const kinds = new Map(directory.tensors.map((tensor) => [tensor.name, tensor.kind]));
    return { summary, directory, kinds, unpacked: unpackFile(output) };
  } finally {
    source.close();
  }
}

/** Every tensor whose kind loses nothing has exactly the weights that its blocks stand for. */
function expectSameWeights(model: BlockModel, unpacked: ReadonlyMap<string, Float32Array>): void {
  expect([...unpacked.keys()]).toEqual([...model.tensors.keys()]);
  for (const [name, tensor] of model.tensors) {
    const expected = weightsOf(tensor);
    const found = unpacked.get(name)?.findIndex((weight, index) => weight !== expected[index]);
    if (found !== -1) throw new Error(`${name} differs at ${found}`);
  }
}

describe.each(["llama", "qwen3", "hunyuan-dense"] as const)("%s", (architecture: GgufArchitecture) => {
  test.each([true, false])(
    "with tied head %p: STQ1_0, Q6_K and F32 are kept without loss, and the summary says so",
    async (tied) => {
      const model = blockModel(architecture, { tied });
      const { summary, directory, unpacked } = await packed(model);
      expectSameWeights(model, unpacked);
      expect(directory.config).toEqual(model.config);
      for (const { name, kind, scale, column_order } of directory.tensors) {
        const role = model.tensors.get(name)?.role;
        if (role !== "linear") expect(kind).toBe(role === "norm" ? "f32" : "q6k");
        else {
          expect({ kind, scale, column_order }).toEqual({
            ...{ kind: "sherry", column_order: "strided" },
            scale: { granularity: "group", group_columns: 256, element: "f16" },
          });
        }
      }
      expect(directory.provenance).toMatchObject({ linear: "sherry", embedding: "auto", scale: "auto" });
      expect(directory.chat_template).toBe("{{ messages }}");
      expect(summary.sentences).toEqual([
        "14 of 14 linear tensors were packed without loss from STQ1_0.",
        "The embedding comes as Q6_K and is stored as q6k without loss.",
        ...(tied ? [] : ["The head comes as Q6_K and is stored as q6k without loss."]),
      ]);
      expect(summary).toMatchObject({ linear_tensors: 14, on_grid_tensors: 14, projected_tensors: 0 });
      expect(summary.checkpoint_bytes).toBe(
        [...model.tensors.values()].reduce((sum, { blocks }) => sum + blocks.length, 0),
      );
      const linear = summary.tensors.filter(({ role }) => role === "linear");
      expect(linear.every((tensor) => tensor.keeps_blocks && tensor.source_type === "STQ1_0")).toBe(true);
      expect(linear.every((tensor) => tensor.relative_rms_error === 0)).toBe(true);
    },
  );
});

describe("the embedding", () => {
  test.each([
    ["F32", "f32"],
    ["F16", "f16"],
    ["BF16", "bf16"],
    ["Q8_0", "q8"],
    ["Q4_0", "q8"],
    ["Q6_K", "q6k"],
    ["STQ1_0", "q8"],
    ["TQ1_0", "q8"],
    ["TQ2_0", "q8"],
  ] as const)("of %s is %s by default, without loss", async (type: GgufTensorType, kind) => {
    const model = blockModel("qwen3", { embedding: type });
    const { summary, kinds, unpacked } = await packed(model);
    expect(kinds.get("model.embed_tokens.weight")).toBe(kind);
    expectSameWeights(model, unpacked);
    const sentence = `The embedding comes as ${type} and is stored as ${kind} without loss.`;
    // Floats are what they were, of which there is nothing to say.
    expect(summary.sentences.includes(sentence)).toBe(!["f32", "f16", "bf16"].includes(kind));
  });

  test("and the head have kinds of their own", async () => {
    const model = blockModel("llama", { tied: false, embedding: "F16", head: "Q6_K" });
    expect((await packed(model)).kinds.get("lm_head.weight")).toBe("q6k");
    const chosen = await packed(model, { embedding: "q8", head: "f16" });
    expect(chosen.kinds.get("model.embed_tokens.weight")).toBe("q8");
    expect(chosen.kinds.get("lm_head.weight")).toBe("f16");
    expect(chosen.directory.provenance.embedding).toBe("q8");
  });
});

test.each([
  ["F32", "f32"],
  ["F16", "f16"],
  ["BF16", "bf16"],
] as const)("a folder's embedding of %s is %s with auto, and f16 without", async (dtype, kind) => {
  using place = new TemporaryFolder();
  const input = writeFolder(place.at("folder"), { tensors: tinyTensors(dtype) });
  for (const [embedding, expected] of [
    ["auto", kind],
    [null, "f16"],
  ] as const) {
    const { tensors } = await packCheckpoint({ ...OPTIONS, input, output: null, embedding });
    expect(tensors[0]).toMatchObject({ kind: expected, source_type: null, keeps_blocks: false });
  }
});

describe("linear layers", () => {
  const linearTypes = (options: BlockModelOptions) => blockModel("llama", { ...options, embedding: "F16" });

  test.each(["STQ1_0", "Q8_0", "Q4_0", "TQ1_0", "TQ2_0"] as const)(
    "of %s become q8 without loss",
    async (type) => {
      const model = linearTypes({ linear: type });
      const { kinds, unpacked } = await packed(model, { linear: "q8" });
      expect(kinds.get("model.layers.0.mlp.up_proj.weight")).toBe("q8");
      expectSameWeights(model, unpacked);
    },
  );

  test.each([
    ["F16", "f16"],
    ["BF16", "bf16"],
    ["F32", "f32"],
    ["Q6_K", "f32"],
  ] as const)("of %s become %s without loss, llama's rows in order", async (type, kind) => {
    const model = linearTypes({ linear: type });
    expectSameWeights(model, (await packed(model, { linear: kind })).unpacked);
  });

  test("of Q6_K are projected, and it is said", async () => {
    const { summary } = await packed(linearTypes({ linear: "Q6_K" }));
    expect(summary).toMatchObject({ on_grid_tensors: 0, projected_tensors: 14 });
    expect(summary.sentences[1]).toStartWith("14 tensors were projected after training");
  });

  test.each(["TQ1_0", "TQ2_0"] as const)("of %s lack the 3:4 rule, and it is said plainly", async (type) => {
    const model = linearTypes({ linear: type });
    const lead = `14 linear tensors come as ${type}, which is ternary without Sherry's 3:4 rule: `;
    const { summary } = await packed(model);
    expect(summary.sentences).toEqual([
      "0 of 14 linear tensors were on the 3:4 grid already and were packed without loss.",
      "14 tensors were projected after training (post-training projection): expect poor text; quality needs Sherry training.",
      `${lead}14 of them were projected and lost weights; --linear q8 keeps them all.`,
    ]);
    const kept = await packed(model, { linear: "q8" });
    expect(kept.summary.sentences).toEqual([
      "The 14 linear tensors are stored as q8.",
      `${lead}they are stored as q8.`,
    ]);
  });

  test("of several types are counted apart", async () => {
    const exceptions = new Map([["model.layers.0.mlp.up_proj.weight", "F16"]] as const);
    const { summary } = await packed(blockModel("llama", { exceptions }));
    expect(summary).toMatchObject({ on_grid_tensors: 13, projected_tensors: 1 });
    expect(summary.sentences.slice(0, 2)).toEqual([
      "13 of 14 linear tensors were packed without loss from STQ1_0.",
      "0 of 14 linear tensors were on the 3:4 grid already and were packed without loss.",
    ]);
  });

  test("of STQ1_0 keep their scales: group:256 may be asked for, others not", async () => {
    const model = blockModel("qwen3");
    await packed(model, { scale: { granularity: "group", group_columns: 256 } });
    using place = new TemporaryFolder();
    const input = place.at("model.gguf");
    await writeGguf(input, model.contents);
    const scale = { granularity: "channel", group_columns: 0 } as const;
    const output = place.at("out.sherry");
    expect(await asyncRefusal(() => packCheckpoint({ ...OPTIONS, input, output, scale }))).toEqual({
      code: "argument_invalid",
      message:
        "scale of the STQ1_0 tensor model.layers.0.self_attn.q_proj.weight: " +
        "expected auto or group:256, the scales that it has, received channel. Leave --scale out",
    });
    expect(readdirSync(place.path)).toEqual(["model.gguf"]);
  });
});

test("ids 42 and 43, one file and several, give the same packed file", async () => {
  using place = new TemporaryFolder();
  const { contents } = blockModel("llama");
  await writeGguf(place.at("new.gguf"), contents);
  await writeGguf(place.at("old.gguf"), { ...contents, legacy_stq1_id: true });
  await writeSplit((number) => place.at(`m-0000${number}-of-00003.gguf`), contents, 3);
  expect(readFileSync(place.at("new.gguf")).equals(readFileSync(place.at("old.gguf")))).toBe(false);
  const outputs = await Promise.all(
    ["new.gguf", "old.gguf", "m-00001-of-00003.gguf"].map(async (name) => {
      const output = place.at(`${name}.sherry`);
      await packCheckpoint({ ...OPTIONS, input: place.at(name), output });
      return readFileSync(output);
    }),
  );
  expect(outputs[1]?.equals(outputs[0] ?? Buffer.alloc(0))).toBe(true);
  expect(outputs[2]?.equals(outputs[0] ?? Buffer.alloc(0))).toBe(true);
});

/** The metadata in the first part, the tensors dealt out in turn. */
async function writeSplit(
  pathOf: (number: number) => string,
  contents: GgufContents,
  count: number,
): Promise<void> {
  for (let part = 0; part < count; part += 1) {
    const metadata = new Map(part === 0 ? contents.metadata : []);
    metadata.set("split.no", { type: "uint16", value: part });
    metadata.set("split.count", { type: "uint16", value: count });
    metadata.set("split.tensors.count", { type: "int32", value: contents.tensors.length });
    const tensors = contents.tensors.filter((_, index) => index % count === part);
    await writeGguf(pathOf(part + 1), { metadata, tensors });
  }
}

describe("a checkpoint that is refused", () => {
  const refusedBy = async (contents: GgufContents, options: Partial<PackOptions> = {}) => {
    using place = new TemporaryFolder();
    const input = place.at("m.gguf");
    await writeGguf(input, contents);
    const refused = await asyncRefusal(() =>
      packCheckpoint({ ...OPTIONS, input, output: place.at("out.sherry"), ...options }),
    );
    expect(readdirSync(place.path)).toEqual(["m.gguf"]);
    return refused;
  };
  const { contents } = blockModel("llama");
  const without = (name: string) => contents.tensors.filter((tensor) => tensor.name !== name);

  test("a tensor that is missing, or of another shape", async () => {
    expect(await refusedBy({ ...contents, tensors: without("blk.1.ffn_up.weight") })).toEqual({
      code: "checkpoint_invalid",
      message:
        "tensor model.layers.1.mlp.up_proj.weight: expected [512, 256], as the metadata says, " +
        "received no such tensor in the checkpoint. The checkpoint is incomplete or of another architecture",
    });
    const other = {
      ...{ name: "output_norm.weight", type: "F32" as const, dimensions: [255] },
      write: (sink: (bytes: Uint8Array) => void) => sink(new Uint8Array(1020)),
    };
    expect(
      await refusedBy({ ...contents, tensors: [...without("output_norm.weight"), other] }),
    ).toMatchObject({
      code: "checkpoint_invalid",
      message: "the shape of tensor model.norm.weight: expected [256], as the metadata says, received [255]",
    });
  });

  test("a layer that the metadata does not count is left out with a warning", async () => {
    using place = new TemporaryFolder();
    const metadata = new Map(contents.metadata).set("llama.block_count", { type: "uint32", value: 1 });
    const input = place.at("m.gguf");
    await writeGguf(input, { ...contents, metadata });
    const checkpoint = openCheckpoint(input);
    checkpoint.close();
    expect(checkpoint.warnings).toHaveLength(1);
    expect(checkpoint.warnings[0]).toStartWith(
      "Tensors that a llama model does not have are not packed: model.layers.1.input_layernorm.weight, ",
    );
  });

  test("an embedding with a weight that is not finite, by its place", async () => {
    const model = blockModel("llama", { embedding: "Q4_0" });
    const embedding = model.tensors.get("model.embed_tokens.weight");
    if (embedding === undefined) throw new Error("no embedding");
    new DataView(embedding.blocks.buffer).setUint16(3 * 8 * 18, 0x7c00, true);
    expect(await refusedBy(model.contents, { embedding: "f16" })).toEqual({
      code: "numbers_not_finite",
      message:
        "tensor model.embed_tokens.weight, row 3, column 0: expected a finite number, received an infinity or a NaN. " +
        "The checkpoint is damaged, or its training diverged",
    });
  });

  test("a chat template that is too long", async () => {
    const value = "x".repeat(1_048_577);
    const metadata = new Map(contents.metadata).set("tokenizer.chat_template", { type: "string", value });
    expect(await refusedBy({ ...contents, metadata })).toEqual({
      code: "checkpoint_invalid",
      message: "tokenizer.chat_template: expected at most 1048576 characters, received 1048577",
    });
  });

  test("files that are no GGUF files, by what they are", async () => {
    using place = new TemporaryFolder();
    const refusalOf = async (bytes: Uint8Array) => {
      writeFileSync(place.at("file"), bytes);
      return await asyncRefusal(async () => openCheckpoint(place.at("file")));
    };
    const expected = `${place.at("file")}: expected a Hugging Face folder (config.json, model.safetensors, tokenizer.json) or a GGUF file`;
    expect(await refusalOf(Uint8Array.of(0x89, 0x53, 0x48, 0x45, 0x52))).toEqual({
      code: "checkpoint_unsupported",
      message: `${expected}, received a packed file. To turn it into a GGUF file, add --to-gguf`,
    });
    expect(await refusalOf(new Uint8Array(0))).toEqual({
      code: "checkpoint_unsupported",
      message: `${expected}, received another file. Name the folder that holds the checkpoint`,
    });
  });
});

test("an interrupted run leaves nothing, and the files are closed", async () => {
  using place = new TemporaryFolder();
  const input = place.at("m.gguf");
  await writeGguf(input, blockModel("hunyuan-dense").contents);
  const controller = new AbortController();
  const reason = new Error("enough");
  controller.abort(reason);
  const output = place.at("out.sherry");
  const packing = packCheckpoint({ ...OPTIONS, input, output, signal: controller.signal });
  expect(await packing.catch((error) => error)).toBe(reason);
  expect(readdirSync(place.path)).toEqual(["m.gguf"]);
});

test("what the packer reads is what the model's own decoder gives", async () => {
  using place = new TemporaryFolder();
  const input = place.at("m.gguf");
  const model = blockModel("llama", { linear: "Q6_K" });
  await writeGguf(input, model.contents);
  const gguf = openGgufModel(input);
  try {
    for (const [name, tensor] of model.tensors) {
      const decoded = new Float32Array(tensor.rows * tensor.columns);
      expect(gguf.tensors.get(name)?.decode(0, decoded)).toBeNull();
      expect(decoded).toEqual(weightsOf(tensor));
    }
  } finally {
    gguf.close();
  }
});
