/** A model's settings as GGUF metadata, read back by the reader of GGUF files, and what GGUF cannot say. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Directory, ModelConfig, RopeScaling } from "../../../src/format/directory.ts";
import { parseGenerationDefaults, parseModelConfig } from "../../../src/packing/checkpoint-config.ts";
import { openGgufModel } from "../../../src/packing/gguf/model.ts";
import { writeGguf } from "../../../src/packing/gguf/writer.ts";
import { modelMetadata, ropeFactorsTensor } from "../../../src/packing/to-gguf/model-metadata.ts";
import { refusal } from "../../format/refusal.ts";
import { CONTENTS, inTemporaryFolder } from "../../format/sample-file.ts";
import { blockModel } from "../gguf/block-model.ts";

const model = blockModel("llama");

function directoryOf(config: Partial<ModelConfig>, more: Partial<Directory> = {}): Directory {
  const directory = { ...CONTENTS, tokenizer: null, tensors: [] };
  return { ...directory, ...more, config: { ...model.config, ...config } };
}

/** Config and generation defaults of a GGUF file with that directory's metadata. */
async function readBack(directory: Directory) {
  const tokenizer = [...model.contents.metadata].filter(([key]) => key.startsWith("tokenizer."));
  const metadata = new Map([...modelMetadata(directory), ...tokenizer]);
  const factors = ropeFactorsTensor(directory.config);
  const tensors = [...model.contents.tensors, ...(factors === null ? [] : [factors])];
  return inTemporaryFolder(async (folder) => {
    await writeGguf(join(folder, "m.gguf"), { metadata, tensors });
    const { config, generation_config, close } = openGgufModel(join(folder, "m.gguf"));
    close();
    return {
      config: parseModelConfig(config, generation_config, false),
      generation: parseGenerationDefaults(generation_config),
    };
  });
}

describe("the config", () => {
  test.each<[Partial<ModelConfig>]>([
    [{}],
    [{ rms_norm_eps: 1e-6, rope_theta: 500_000, max_position_embeddings: 131_072 }],
    [{ rope_scaling: { type: "linear", factor: 4 } }],
    [
      {
        rope_theta: 500_000,
        rope_scaling: {
          ...{ type: "llama3", factor: 32, low_freq_factor: 1, high_freq_factor: 4 },
          original_max_position_embeddings: 8192,
        },
      },
    ],
  ])("with %j comes back", async (change) => {
    const directory = directoryOf(change);
    expect((await readBack(directory)).config).toEqual(directory.config);
  });

  test("of a Hunyuan has its alpha in the base, in f32", () => {
    const rope_scaling = { type: "dynamic_alpha", alpha: 1000 } as const;
    const metadata = modelMetadata(
      directoryOf({ architecture: "hunyuan_v1_dense", rope_theta: 10_000, head_dim: 128, rope_scaling }),
    );
    expect(metadata.get("hunyuan-dense.rope.freq_base")).toEqual({
      type: "float32",
      value: 10_000 * 1000 ** (128 / 126),
    });
  });

  test("with Llama 3's factors for another family is refused", () => {
    const rope_scaling: RopeScaling = {
      ...{ type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4 },
      original_max_position_embeddings: 8192,
    };
    expect(refusal(() => modelMetadata(directoryOf({ architecture: "qwen3", rope_scaling })))).toEqual({
      code: "checkpoint_unsupported",
      message:
        'rope_scaling: expected none or "linear" for qwen3: GGUF has rotary factors for llama alone, received llama3',
    });
  });
});

describe("generation defaults", () => {
  const none = { temperature: null, top_k: null, top_p: null, min_p: null, repetition_penalty: null };
  test.each([
    [{ do_sample: true, temperature: 0.7, top_k: 20, top_p: 0.8, min_p: 0.05, repetition_penalty: 1.05 }],
    [{ ...none, do_sample: false }],
    [{ ...none, do_sample: false, repetition_penalty: 1.5 }],
  ])("%j come back", async (generation) => {
    expect((await readBack(directoryOf({}, { generation }))).generation).toEqual(generation);
  });

  test("that sample without a temperature sample at 1, as Hugging Face means it", async () => {
    const generation = { ...none, do_sample: true };
    expect((await readBack(directoryOf({}, { generation }))).generation).toEqual({
      ...generation,
      temperature: 1,
    });
  });
});

test("a label becomes the description", () => {
  const metadata = modelMetadata(directoryOf({}, { label: "made for a test" }));
  expect(metadata.get("general.description")).toEqual({ type: "string", value: "made for a test" });
  expect(modelMetadata(directoryOf({}, { label: null })).has("general.description")).toBe(false);
});
