/**
 * Text samples during training, with the model as it is at that step: the training code's own forward pass over a short
 * sequence, once for each token. Attention looks back only, so what stands behind the last token does not matter.
 *
 * Legend: T tokens of the sequence, V vocabulary.
 */
import type { ModelConfig } from "../../src/format/directory.ts";
import type { TrainingBuffer } from "../../src/native/training-buffer.ts";
import type { TrainingKernels } from "../../src/native/training-kernels.ts";
import { createSampler } from "../../src/sampling/sampler.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { type Activations, allocateActivations } from "./activations.ts";
import type { TrainingConfig } from "./config-schema.ts";
import { forward } from "./forward.ts";
import type { ModelTensors } from "./model-tensors.ts";
import type { TrainingMemory } from "./training-memory.ts";

export class SampleWriter {
  readonly #kernels: TrainingKernels;
  readonly #config: ModelConfig;
  readonly #tokenizer: Tokenizer;
  readonly #settings: TrainingConfig["samples"];
  readonly #activations: Activations;
  readonly #seed: number;

  constructor(
    kernels: TrainingKernels,
    memory: TrainingMemory,
    config: ModelConfig,
    tokenizer: Tokenizer,
    settings: TrainingConfig["samples"],
    seed: number,
  ) {
    this.#kernels = kernels;
    this.#config = config;
    this.#tokenizer = tokenizer;
    this.#settings = settings;
    this.#seed = seed;
    const prompt_tokens = settings.prompts.map((prompt) => this.#encode(prompt).length);
    const longest = Math.max(1, ...prompt_tokens) + settings.max_tokens;
    const sequence_tokens = Math.min(config.max_position_embeddings, longest);
    this.#activations = allocateActivations(memory, config, { sequences: 1, sequence_tokens }, false);
  }

  /** What the model writes after each prompt. */
  *write(
    weights: ModelTensors<TrainingBuffer>,
  ): Generator<{ readonly prompt: string; readonly text: string }> {
    for (const prompt of this.#settings.prompts) {
      const ids = this.#encode(prompt);
      const begin = ids.length;
      this.#continue(weights, ids);
      yield { prompt, text: this.#tokenizer.decode(ids.slice(begin), { skip_special_tokens: true }) };
    }
  }

  #encode(prompt: string): number[] {
    return this.#tokenizer.encode(prompt, { add_special_tokens: true });
  }

  #continue(weights: ModelTensors<TrainingBuffer>, ids: number[]): void {
    const { max_tokens, temperature } = this.#settings;
    const { sequence_tokens, logits } = this.#activations;
    const { vocab_size, eos_token_ids } = this.#config;
    const sampler = createSampler({ temperature, seed: this.#seed });
    const end = Math.min(sequence_tokens, ids.length + max_tokens);
    const inputs = this.#activations.ids.values;
    inputs.fill(0);
    inputs.set(ids.slice(0, sequence_tokens));
    while (ids.length < end) {
      const last = ids.length - 1;
      forward(this.#kernels, this.#config, weights, this.#activations);
      const token = sampler.sample(logits.values.subarray(last * vocab_size, (last + 1) * vocab_size));
      if (eos_token_ids.includes(token)) return;
      inputs[ids.length] = token;
      ids.push(token);
    }
  }
}
