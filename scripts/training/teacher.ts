/**
 * A full-precision teacher for distillation: its logits on the same tokens, which the student's loss is drawn towards
 * (Hinton et al. 2015, arXiv 1503.02531; the Kullback-Leibler term beside cross-entropy).
 *
 * Legend: N tokens of a pass, V vocabulary.
 */
import { SherryError } from "../../src/errors.ts";
import type { ModelConfig } from "../../src/format/directory.ts";
import type { TokenBuffer, TrainingBuffer } from "../../src/native/training-buffer.ts";
import type { TrainingKernels } from "../../src/native/training-kernels.ts";
import { planTensors } from "../../src/packing/tensor-plan.ts";
import { type Activations, allocateActivations } from "./activations.ts";
import type { DistillationConfig } from "./config-schema.ts";
import { forward } from "./forward.ts";
import { describeFolder, loadFolderWeights } from "./model-source.ts";
import { arrangeTensors, type ModelTensors } from "./model-tensors.ts";
import type { PassSizes } from "./pass-shapes.ts";
import type { TrainingMemory } from "./training-memory.ts";

export class Teacher {
  readonly weight: number;
  readonly temperature: number;
  readonly #kernels: TrainingKernels;
  readonly #config: ModelConfig;
  readonly #weights: ModelTensors<TrainingBuffer>;
  readonly #activations: Activations;

  /** @throws SherryError argument_invalid for another vocabulary or a shorter context; from reading the folder */
  constructor(
    kernels: TrainingKernels,
    memory: TrainingMemory,
    { teacher, weight, temperature }: DistillationConfig,
    student: ModelConfig,
    sizes: PassSizes,
  ) {
    const { config } = describeFolder(teacher);
    const refuse = (expected: string, received: number) =>
      new SherryError("argument_invalid", "distillation.teacher", { expected, received: String(received) });
    if (config.vocab_size !== student.vocab_size) {
      throw refuse(`the student's vocabulary of ${student.vocab_size} tokens`, config.vocab_size);
    }
    if (config.max_position_embeddings < sizes.sequence_tokens) {
      throw refuse(`a context of at least ${sizes.sequence_tokens} tokens`, config.max_position_embeddings);
    }
    this.weight = weight;
    this.temperature = temperature;
    this.#kernels = kernels;
    this.#config = config;
    const buffers = new Map(
      planTensors(config).map(({ name, shape: [rows, columns = 1] }) => [
        name,
        memory.buffer(rows * columns),
      ]),
    );
    const named = (name: string): TrainingBuffer => {
      const buffer = buffers.get(name);
      if (buffer !== undefined) return buffer;
      throw new SherryError("internal", "the teacher's tensors", { received: name });
    };
    loadFolderWeights(teacher, (name) => named(name).values);
    this.#weights = arrangeTensors(config, named);
    this.#activations = allocateActivations(memory, config, sizes, false);
  }

  /** [N][V], overwritten by the next call. @param ids [N] */
  logits(ids: TokenBuffer): TrainingBuffer {
    this.#activations.ids.values.set(ids.values);
    forward(this.#kernels, this.#config, this.#weights, this.#activations);
    return this.#activations.logits;
  }
}
