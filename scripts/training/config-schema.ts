/**
 * The settings of a training run as a valibot schema: every number bounded, unknown keys refused, defaults filled in. A
 * schema's message is the phrase after "expected". docs/training.md describes every setting.
 */
import * as v from "valibot";
import { LAYER_COUNT_MAX, THREAD_COUNT_MAX } from "../../src/limits.ts";

/** Sizes that one machine can train; whatever is larger belongs to scripts/torch. */
const DIMENSION_MAX = 65_536;
const VOCABULARY_MAX = 262_144;
const STEPS_MAX = 100_000_000;
const TOKENS_A_STEP_MAX = 1_048_576;
const TEXT_LENGTH_MAX = 4_096;
const FILE_COUNT_MAX = 1_000;

/** Of the corpus: held-out seeds begin where training seeds end (scripts/corpus/documents.ts). */
const SEED_MIDDLE = 2 ** 31;
const SEED_MAX = 2 ** 32 - 1;

export const METHODS = ["none", "sherry", "absmean", "twn", "binary"] as const;
export const GRANULARITIES = ["tensor", "channel", "group"] as const;
/** Weights that a new model begins with. */
export const STARTS = ["random", "induction"] as const;
export const LAMBDA_SCHEDULES = ["cosine", "linear", "exponential"] as const;

export function integer(minimum: number, maximum: number) {
  const expected = `an integer from ${minimum} to ${maximum}`;
  const inside = (value: number) => Number.isSafeInteger(value) && value >= minimum && value <= maximum;
  return v.pipe(v.number(expected), v.check(inside, expected));
}

export function number(minimum: number, maximum: number) {
  const expected = `a number from ${minimum} to ${maximum}`;
  return v.pipe(
    v.number(expected),
    v.check((value) => value >= minimum && value <= maximum, expected),
  );
}

export function text(length_max = TEXT_LENGTH_MAX) {
  const expected = `a text of 1 to ${length_max} characters`;
  return v.pipe(
    v.string(expected),
    v.check((value) => value.length >= 1 && value.length <= length_max, expected),
  );
}

export function oneOf<const Choice extends string>(choices: readonly Choice[]) {
  return v.picklist(choices, choices.map((choice) => JSON.stringify(choice)).join(", "));
}

const BOOLEAN = v.boolean("true or false");
const interval = integer(0, STEPS_MAX);

/** Names as in Hugging Face's config.json of a llama; the rest of that file follows from these. */
const SHAPE = v.strictObject(
  {
    hidden_size: integer(4, DIMENSION_MAX),
    intermediate_size: integer(4, DIMENSION_MAX),
    num_hidden_layers: integer(1, LAYER_COUNT_MAX),
    num_attention_heads: integer(1, DIMENSION_MAX),
    num_key_value_heads: integer(1, DIMENSION_MAX),
    head_dim: integer(2, DIMENSION_MAX),
    max_position_embeddings: integer(2, DIMENSION_MAX),
    rms_norm_eps: v.optional(number(0, 1), 1e-5),
    rope_theta: v.optional(number(1, 1e9), 10_000),
    tie_word_embeddings: v.optional(BOOLEAN, true),
  },
  "an object with the sizes of a llama",
);

/** Chosen by what came, so that an issue names the key at fault and not the whole object. */
const MODEL = v.lazy((input) => {
  const from_folder = typeof input === "object" && input !== null && "from" in input;
  return from_folder
    ? v.strictObject({ from: text() })
    : v.strictObject(
        { shape: SHAPE, start: v.optional(oneOf(STARTS), "random") },
        'an object with "shape" or "from"',
      );
});

const ARENAS = v.strictObject(
  {
    schedule: v.optional(oneOf(LAMBDA_SCHEDULES), "cosine"),
    warmup_fraction: v.optional(number(0, 0.5), 0.1),
    final_phase_fraction: v.optional(number(0, 0.5), 0.05),
  },
  "null, or an object with a schedule",
);

export const QUANTIZATION_SCHEMA = v.strictObject(
  {
    method: oneOf(METHODS),
    granularity: v.optional(oneOf(GRANULARITIES), "group"),
    group_columns: v.optional(v.picklist([32, 64, 128], "32, 64 or 128"), 128),
    arenas: v.optional(v.nullable(ARENAS), null),
  },
  "an object with a method",
);

const CORPUS = v.strictObject(
  {
    training_seed_begin: v.optional(integer(0, SEED_MIDDLE - 1), 0),
    held_out_seed_begin: v.optional(integer(SEED_MIDDLE, SEED_MAX), SEED_MIDDLE),
  },
  "an object, {} for the seeds from the beginning",
);

const TEXTS = v.strictObject(
  {
    files: v.pipe(
      v.array(text(), "a list of files"),
      v.minLength(1, "at least one file"),
      v.maxLength(FILE_COUNT_MAX, `at most ${FILE_COUNT_MAX} files`),
    ),
    /** What stands between two documents of a file; null: a file is one document. */
    document_separator: v.optional(v.nullable(text()), null),
    held_out_fraction: v.optional(number(0.001, 0.5), 0.05),
    /** What ends every document, e.g. the tokenizer's end token; "" for nothing. */
    document_end: v.optional(
      v.pipe(
        v.string("a text"),
        v.maxLength(TEXT_LENGTH_MAX, `a text of at most ${TEXT_LENGTH_MAX} characters`),
      ),
      "",
    ),
  },
  'an object with "files"',
);

const DATA = v.lazy((input) => {
  const from_files = typeof input === "object" && input !== null && "texts" in input;
  return from_files
    ? v.strictObject({ texts: TEXTS })
    : v.strictObject({ corpus: CORPUS }, 'an object with "corpus" or "texts"');
});

const TOKENIZER = v.lazy((input) => {
  const from_folder = typeof input === "object" && input !== null && "from" in input;
  return from_folder
    ? v.strictObject({ from: text() })
    : v.strictObject(
        {
          vocab_size: integer(260, VOCABULARY_MAX),
          documents: v.optional(integer(1, 1_000_000), 20_000),
        },
        'an object with "vocab_size" or "from"',
      );
});

const BATCH = v.strictObject(
  {
    sequence_tokens: integer(2, DIMENSION_MAX),
    sequences: integer(1, TOKENS_A_STEP_MAX),
    accumulation: v.optional(integer(1, 65_536), 1),
  },
  "an object with sequence_tokens and sequences",
);

const LEARNING_RATE = v.strictObject(
  {
    peak: number(0, 1),
    warmup_steps: v.optional(interval, 0),
    schedule: v.optional(oneOf(["cosine", "linear", "constant"]), "cosine"),
    final_fraction: v.optional(number(0, 1), 0.1),
  },
  "an object with a peak",
);

const OPTIMIZER = v.strictObject(
  {
    beta1: v.optional(number(0, 0.9999), 0.9),
    beta2: v.optional(number(0, 0.99999), 0.95),
    epsilon: v.optional(number(1e-15, 1e-2), 1e-8),
    weight_decay: v.optional(number(0, 10), 0),
    gradient_norm_max: v.optional(v.nullable(number(1e-6, 1e9)), 1),
  },
  "an object",
);

const EVALUATION = v.strictObject(
  { interval_steps: v.optional(interval, 250), tokens: v.optional(integer(2, 100_000_000), 16_384) },
  "an object",
);

const DIAGNOSTICS = v.strictObject(
  {
    interval_steps: v.optional(interval, 250),
    tokens: v.optional(integer(2, 4_096), 128),
    histogram_bins: v.optional(integer(2, 1_024), 64),
  },
  "an object",
);

const CHECKPOINT = v.strictObject({ interval_steps: v.optional(interval, 250) }, "an object");

const SAMPLES = v.strictObject(
  {
    interval_steps: v.optional(interval, 0),
    prompts: v.optional(
      v.pipe(v.array(text(), "a list of texts"), v.maxLength(64, "at most 64 prompts")),
      [],
    ),
    max_tokens: v.optional(integer(1, 4_096), 100),
    temperature: v.optional(number(0, 100), 0.8),
  },
  "an object",
);

const DISTILLATION = v.strictObject(
  { teacher: text(), weight: number(0, 1), temperature: v.optional(number(0.01, 100), 1) },
  "null, or an object with a teacher",
);

export const TRAINING_SCHEMA = v.strictObject(
  {
    name: text(128),
    output: v.optional(v.nullable(text()), null),
    seed: v.optional(integer(0, SEED_MAX), 1),
    threads: v.optional(v.nullable(integer(1, THREAD_COUNT_MAX)), null),
    model: MODEL,
    quantization: QUANTIZATION_SCHEMA,
    data: DATA,
    tokenizer: v.optional(v.nullable(TOKENIZER), null),
    batch: BATCH,
    steps: integer(1, STEPS_MAX),
    learning_rate: LEARNING_RATE,
    optimizer: v.optional(OPTIMIZER, {}),
    evaluation: v.optional(EVALUATION, {}),
    diagnostics: v.optional(DIAGNOSTICS, {}),
    checkpoint: v.optional(CHECKPOINT, {}),
    samples: v.optional(SAMPLES, {}),
    distillation: v.optional(v.nullable(DISTILLATION), null),
  },
  "an object",
);

/** With every default filled in. */
export type TrainingConfig = v.InferOutput<typeof TRAINING_SCHEMA>;
export type ModelSource = TrainingConfig["model"];
export type ModelSizes = v.InferOutput<typeof SHAPE>;
export type QuantizationConfig = TrainingConfig["quantization"];
export type ArenasConfig = v.InferOutput<typeof ARENAS>;
export type LearningRateConfig = TrainingConfig["learning_rate"];
export type OptimizerConfig = TrainingConfig["optimizer"];
export type TextsConfig = v.InferOutput<typeof TEXTS>;
export type DistillationConfig = v.InferOutput<typeof DISTILLATION>;
export type Method = (typeof METHODS)[number];
