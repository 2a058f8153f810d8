/** The smallest configuration that trains in about a second, for the tests of the trainer. */
import { parseTrainingConfig } from "../../../scripts/training/config.ts";
import type { TrainingConfig } from "../../../scripts/training/config-schema.ts";
import { trainingLibrary } from "../../../src/native/training-library.ts";

// Built here where it is missing, so that no test's own time limit has to hold a build.
trainingLibrary();

/** As a configuration file has it. */
export function tinyConfig(output: string) {
  return {
    name: "tiny",
    output,
    seed: 1,
    threads: 2,
    model: {
      shape: {
        hidden_size: 32,
        intermediate_size: 64,
        num_hidden_layers: 2,
        num_attention_heads: 4,
        num_key_value_heads: 2,
        head_dim: 8,
        max_position_embeddings: 64,
      },
    },
    quantization: {
      method: "sherry",
      granularity: "group",
      group_columns: 32,
      arenas: { schedule: "cosine" },
    },
    data: { corpus: {} },
    tokenizer: { vocab_size: 300, documents: 40 },
    batch: { sequence_tokens: 32, sequences: 4 },
    steps: 40,
    learning_rate: { peak: 0.004, warmup_steps: 4 },
    evaluation: { interval_steps: 20, tokens: 1_000 },
    diagnostics: { interval_steps: 20, tokens: 16, histogram_bins: 8 },
    checkpoint: { interval_steps: 10 },
  };
}

/** With the given top-level settings in place of its own, checked. */
export function tinyRun(output: string, settings: Readonly<Record<string, unknown>> = {}): TrainingConfig {
  return parseTrainingConfig({ ...tinyConfig(output), ...settings });
}
