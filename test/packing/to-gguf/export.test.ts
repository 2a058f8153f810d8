/** GGUF to a packed file and to GGUF again: tensors byte for byte, the model's settings, and what cannot go back. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { openGguf } from "../../../src/packing/gguf/reader.ts";
import type { GgufArchitecture } from "../../../src/packing/gguf/tensor-names.ts";
import type { GgufTensorType } from "../../../src/packing/gguf/tensor-types.ts";
import { type GgufContents, writeGguf } from "../../../src/packing/gguf/writer.ts";
import type { PackOptions } from "../../../src/packing/pack-options.ts";
import { packCheckpoint } from "../../../src/packing/packer.ts";
import { type ExportOptions, exportGguf } from "../../../src/packing/to-gguf/export.ts";
import { asyncRefusal } from "../../format/refusal.ts";
import { TemporaryFolder, tinyTensors, writeFolder } from "../checkpoint-folder.ts";
import { type BlockModelOptions, blockModel } from "../gguf/block-model.ts";

const OPTIONS = { linear: "sherry", embedding: null, head: null, scale: "auto", label: null } as const;

interface StoredTensor {
  readonly type: GgufTensorType;
  readonly dimensions: readonly number[];
  readonly bytes: string;
}

/** The tensors of a GGUF file by name, their bytes as text, which fails readably. */
function tensorsOf(path: string): Map<string, StoredTensor> {
  const file = openGguf(path);
  const tensors = new Map<string, StoredTensor>();
  for (const { name, type, dimensions, source, offset, bytes } of file.tensors.values()) {
    tensors.set(name, {
      type,
      dimensions,
      bytes: Buffer.from(source.read(offset, bytes)).toString("base64"),
    });
  }
  file.close();
  return tensors;
}

class RoundTrip {
  readonly place = new TemporaryFolder();
  readonly source = this.place.at("source.gguf");
  readonly packed = this.place.at("model.sherry");
  readonly back = this.place.at("back.gguf");

  async run(contents: GgufContents, pack: Partial<PackOptions> = {}, turn: Partial<ExportOptions> = {}) {
    await writeGguf(this.source, contents);
    await packCheckpoint({ ...OPTIONS, input: this.source, output: this.packed, ...pack });
    return exportGguf({ input: this.packed, output: this.back, legacy_stq1_id: false, ...turn });
  }

  [Symbol.dispose](): void {
    this.place[Symbol.dispose]();
  }
}

describe.each(["llama", "qwen3", "hunyuan-dense"] as const)("%s", (architecture: GgufArchitecture) => {
  test.each([true, false])("comes back byte for byte, with tied head %p", async (tied) => {
    using trip = new RoundTrip();
    const summary = await trip.run(blockModel(architecture, { tied }).contents);
    const expected = tensorsOf(trip.source);
    expect(tensorsOf(trip.back)).toEqual(expected);
    expect([...expected.values()].filter(({ type }) => type === "STQ1_0")).toHaveLength(14);
    expect(summary).toMatchObject({
      input: trip.packed,
      output: trip.back,
      file_bytes: readFileSync(trip.back).length,
      warnings: [],
    });
    expect(summary.tensors).toHaveLength(expected.size);
    // Packed again it is the same model: settings, tokenizer and template came back, too.
    const again = trip.place.at("again.sherry");
    await packCheckpoint({ ...OPTIONS, input: trip.back, output: again });
    expect(readFileSync(again).equals(readFileSync(trip.packed))).toBe(true);
  });
});

describe("types", () => {
  const roundTrip = async (options: BlockModelOptions, pack: Partial<PackOptions>) => {
    using trip = new RoundTrip();
    await trip.run(blockModel("llama", options).contents, pack);
    expect(tensorsOf(trip.back)).toEqual(tensorsOf(trip.source));
  };

  test.each(["F32", "F16", "BF16", "Q8_0", "Q6_K"] as const)("an embedding of %s comes back", (embedding) =>
    roundTrip({ embedding }, {}),
  );

  test.each([
    ["F32", "f32"],
    ["F16", "f16"],
    ["BF16", "bf16"],
    ["Q8_0", "q8"],
  ] as const)("linear layers of %s come back, q and k permuted", (linear, kind) =>
    roundTrip({ linear }, { linear: kind }),
  );

  test("norms come back as F32, which is what they are computed in", async () => {
    using trip = new RoundTrip();
    await trip.run(blockModel("qwen3", { norm: "F16" }).contents);
    expect(tensorsOf(trip.back).get("output_norm.weight")?.type).toBe("F32");
  });
});

test("--legacy-stq1-id numbers STQ1_0 as 42, and nothing else changes", async () => {
  using trip = new RoundTrip();
  await trip.run(blockModel("llama").contents, {}, { legacy_stq1_id: true });
  const other = trip.place.at("new-id.gguf");
  await exportGguf({ input: trip.packed, output: other, legacy_stq1_id: false });
  expect(tensorsOf(trip.back)).toEqual(tensorsOf(other));
  const [legacy, usual] = [readFileSync(trip.back), readFileSync(other)];
  const changed = [...legacy.keys()].filter((index) => legacy[index] !== usual[index]);
  expect(changed).toHaveLength(14);
  expect(changed.every((index) => legacy[index] === 42 && usual[index] === 43)).toBe(true);
});

describe("what cannot go back", () => {
  const advice =
    "Only models that were packed from STQ1_0 can become STQ1_0 again; pack this one as q8 or f16";

  test("sherry tensors with neighbouring columns, before anything is written", async () => {
    using trip = new RoundTrip();
    await writeGguf(trip.source, blockModel("llama", { linear: "F16" }).contents);
    await packCheckpoint({ ...OPTIONS, input: trip.source, output: trip.packed });
    const refused = await asyncRefusal(() =>
      exportGguf({ input: trip.packed, output: trip.back, legacy_stq1_id: false }),
    );
    expect(refused).toEqual({
      code: "checkpoint_unsupported",
      message:
        "tensor model.layers.0.self_attn.q_proj.weight: expected sherry with strided columns: STQ1_0 groups weights that " +
        "lie 16 apart, received groups of four neighbours, which would be other weights after regrouping. " +
        advice,
    });
    expect(readdirSync(trip.place.path).toSorted()).toEqual(["model.sherry", "source.gguf"]);
  });

  test("q8 whose rows are no whole blocks, and a model without tokenizer", async () => {
    using place = new TemporaryFolder();
    const packed = place.at("m.sherry");
    const convert = () => exportGguf({ input: packed, output: place.at("m.gguf"), legacy_stq1_id: false });
    const pack = (files: Readonly<Record<string, unknown>>) =>
      packCheckpoint({
        ...{ ...OPTIONS, linear: "q8", embedding: "q8" },
        input: writeFolder(place.at("folder"), { tensors: tinyTensors(), files }),
        output: packed,
      });
    await pack({});
    expect(await asyncRefusal(convert)).toEqual({
      code: "checkpoint_unsupported",
      message: "the tokenizer: expected one, received none. Pack the model again with its tokenizer.json",
    });
    await pack({
      "tokenizer.json": {
        model: { type: "BPE", vocab: { a: 0, "</s>": 1, b: 2 }, merges: [] },
        pre_tokenizer: { type: "ByteLevel", add_prefix_space: false },
        decoder: { type: "ByteLevel" },
        added_tokens: [],
      },
    });
    expect(await asyncRefusal(convert)).toEqual({
      code: "checkpoint_unsupported",
      message:
        "tensor model.embed_tokens.weight: expected a multiple of 32 columns, received q8 with 16 columns. " +
        "Pack the model again with this tensor as f16",
    });
    expect(readdirSync(place.path).toSorted()).toEqual(["folder", "m.sherry"]);
  });

  test("a file that is no packed file", async () => {
    using place = new TemporaryFolder();
    writeFileSync(place.at("m.sherry"), "GGUF");
    const refused = await asyncRefusal(() =>
      exportGguf({ input: place.at("m.sherry"), output: place.at("m.gguf"), legacy_stq1_id: false }),
    );
    expect(refused.code).toBe("format_invalid");
    expect(readdirSync(place.path)).toEqual(["m.sherry"]);
  });
});

test("an interrupted run leaves nothing, not even in place of an older file", async () => {
  using trip = new RoundTrip();
  await trip.run(blockModel("llama").contents);
  writeFileSync(trip.back, "an older file");
  const controller = new AbortController();
  const reason = new Error("enough");
  controller.abort(reason);
  const { signal } = controller;
  const turning = exportGguf({ input: trip.packed, output: trip.back, legacy_stq1_id: false, signal });
  expect(await turning.catch((error) => error)).toBe(reason);
  expect(readFileSync(trip.back, "utf8")).toBe("an older file");
  expect(readdirSync(trip.place.path).toSorted()).toEqual(["back.gguf", "model.sherry", "source.gguf"]);
});
