/** Checkpoints: what is written is read again, and what belongs to something else is refused. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CHECKPOINT_PATH, readCheckpoint, writeCheckpoint } from "../../../scripts/training/checkpoint.ts";
import { Parameters } from "../../../scripts/training/parameters.ts";
import { TrainingMemory } from "../../../scripts/training/training-memory.ts";
import { TrainingKernels } from "../../../src/native/training-kernels.ts";
import { parseModelConfig } from "../../../src/packing/checkpoint-config.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const at = temporaryFolder();
const memory = new TrainingMemory();
let kernels: TrainingKernels;
beforeAll(() => {
  kernels = TrainingKernels.create({ cpu_level: "scalar", thread_count: 1 });
});
afterAll(() => {
  memory.free();
  kernels.close();
});

function parametersOf(hidden_size: number): Parameters {
  const json = {
    ...{ model_type: "llama", hidden_size, intermediate_size: 12, num_hidden_layers: 1, vocab_size: 11 },
    ...{ num_attention_heads: 2, num_key_value_heads: 1, head_dim: 4, tie_word_embeddings: true },
  };
  const quantization = { method: "sherry", granularity: "channel", group_columns: 32, arenas: null } as const;
  return new Parameters(kernels, memory, parseModelConfig(json, null, false), quantization);
}

const STATE = {
  step: 7,
  seconds: 1.25,
  log_bytes: 99,
  data: { sequences: 3, next_seed: 5, pending: [1, 2, 9] },
};

describe("a checkpoint", () => {
  test("gives back every number and the state", () => {
    const written = parametersOf(8);
    written.initialize(3, 1);
    for (const [index, { first_moment, second_moment }] of written.all.entries()) {
      first_moment.values.fill(index + 0.5);
      second_moment.values.fill(1 / (index + 1));
    }
    writeCheckpoint(at("run"), written, STATE);
    const read = parametersOf(8);
    expect(readCheckpoint(at("run"), read)).toEqual({ version: 1, ...STATE });
    for (const [index, parameter] of read.all.entries()) {
      for (const part of ["weights", "first_moment", "second_moment"] as const) {
        expect(parameter[part].values).toEqual(written.all[index]?.[part].values ?? new Float32Array());
      }
    }
    expect(readdirSync(dirname(join(at("run"), CHECKPOINT_PATH)))).toEqual(["state.safetensors"]);
  });

  test("is absent at first", () => {
    expect(readCheckpoint(at("nowhere"), parametersOf(8))).toBeNull();
  });

  test("of another model is refused by the tensor", () => {
    expect(() => readCheckpoint(at("run"), parametersOf(4))).toThrow(
      "tensor weights/model.embed_tokens.weight: expected F32 [11, 4], as the configuration says, received F32 [11, 8]. The checkpoint belongs to another configuration",
    );
  });

  test("of another version is refused", () => {
    mkdirSync(dirname(join(at("later"), CHECKPOINT_PATH)), { recursive: true });
    const bytes = readFileSync(join(at("run"), CHECKPOINT_PATH), "latin1");
    const later = bytes.replace('{\\"version\\":1', '{\\"version\\":2');
    expect(later).not.toBe(bytes);
    writeFileSync(join(at("later"), CHECKPOINT_PATH), later, "latin1");
    expect(() => readCheckpoint(at("later"), parametersOf(8))).toThrow(
      "sherry_training: expected the state of a training run, received version: expected 1, this program's version, received 2",
    );
  });

  test("cannot be written where a file stands in the way", () => {
    writeFileSync(at("file"), "");
    expect(() => writeCheckpoint(at("file"), parametersOf(8), STATE)).toThrow(
      "expected a place where the checkpoint can be written",
    );
  });
});
