/** `sherry make-model`: a model of any shape with random weights, to measure a machine before choosing a model. */
import { LAYER_COUNT_MAX, TENSOR_DIMENSION_MAX } from "../limits.ts";
import { TABLE_KINDS } from "../packing/pack-options.ts";
import { parseScaleReach, SCALE_REACH_TEXTS } from "../packing/scale-option.ts";
import { type MadeModel, type MakeModelOptions, makeModel } from "../packing/synthetic/make-model.ts";
import { chooseShape, SHAPE_NAMES, type ShapeSizes } from "../packing/synthetic/shapes.ts";
import {
  type CommandDescription,
  helpText,
  type OptionDescription,
  type ParsedCommand,
  parseCommand,
} from "./arguments.ts";
import { choiceOf, isOn, numberOf, textOf, withoutAbsent } from "./option-values.ts";
import { errorColumns, progressBar } from "./progress-bar.ts";
import { INTERRUPTED_EXIT_CODE, PROCESS_TERMINAL, type Terminal } from "./terminal.ts";
import { megabytes, textTable } from "./text-table.ts";

const FORMS = ["sherry", "huggingface"] as const;
const SCALE_DEFAULT = "group:128";

function size(description: string, maximum: number = TENSOR_DIMENSION_MAX): OptionDescription {
  return {
    type: "integer",
    description,
    placeholder: "COUNT",
    minimum: 1,
    maximum,
    default_text: "the shape's",
  };
}

/** Options that replace a size of the shape, and config.json's name of it. */
const SIZE_OPTIONS: Readonly<Record<string, { readonly field: keyof ShapeSizes } & OptionDescription>> = {
  layers: { field: "num_hidden_layers", ...size("Decoder layers", LAYER_COUNT_MAX) },
  hidden: { field: "hidden_size", ...size("Width of the residual stream") },
  ffn: { field: "intermediate_size", ...size("Width of the feed-forward layers") },
  heads: { field: "num_attention_heads", ...size("Query heads") },
  "key-value-heads": { field: "num_key_value_heads", ...size("Key-value heads") },
  "head-dim": { field: "head_dim", ...size("Width of a head") },
  vocabulary: { field: "vocab_size", ...size("Tokens") },
  positions: { field: "max_position_embeddings", ...size("Positions") },
};

export const description: CommandDescription = {
  name: "sherry make-model",
  summary: "Make a model of a given shape with random weights: for speed and memory, not for text",
  positionals: [
    { name: "SHAPE", description: `${SHAPE_NAMES.join(", ")}; the last three want all sizes given` },
  ],
  options: {
    output: {
      type: "string",
      placeholder: "PATH",
      description: "The file or folder to write. Also -o",
      default_text: "SHAPE-random.sherry or SHAPE-random in the current folder",
    },
    as: {
      type: "string",
      placeholder: "FORM",
      description: "A packed file, or a Hugging Face folder in bf16 that sherry-pack packs without loss",
      choices: FORMS,
      default_text: "sherry",
    },
    seed: { type: "integer", description: "Same seed, same bytes", minimum: 0, default_text: "0" },
    scale: {
      type: "string",
      placeholder: "REACH",
      description: "How far one scale of a linear layer reaches",
      choices: SCALE_REACH_TEXTS,
      default_text: SCALE_DEFAULT,
    },
    embedding: {
      type: "string",
      placeholder: "KIND",
      description: "How a packed file's embedding is stored",
      choices: TABLE_KINDS,
      default_text: "f16",
    },
    head: {
      type: "string",
      placeholder: "KIND",
      description: "How a packed file's LM head of its own is stored",
      choices: TABLE_KINDS,
      default_text: "as the embedding",
    },
    untied: { type: "boolean", description: "Give the model an LM head of its own beside the embedding" },
    ...SIZE_OPTIONS,
    json: { type: "boolean", description: "Print the result as one JSON object" },
    "dry-run": { type: "boolean", description: "Show what it would take, to the byte; write nothing" },
  },
  examples: [
    "sherry make-model llama-3.2-1b -o 1b.sherry && sherry generate 1b.sherry --prompt Hello --max-tokens 64",
    "sherry make-model bitnet-3b --scale tensor --dry-run",
    "sherry make-model qwen3 --layers 4 --hidden 256 --ffn 768 --heads 4 --vocabulary 1000 --as huggingface",
  ],
};

/** @returns the exit code. @throws SherryError, for the caller to print */
export async function run(
  argv: readonly string[],
  terminal: Terminal = PROCESS_TERMINAL,
  progress_columns: number | null = errorColumns(),
): Promise<number> {
  const parsed = parseCommand(
    description,
    argv.map((argument) => (argument === "-o" ? "--output" : argument)),
  );
  if (parsed.help) {
    terminal.write(helpText(description));
    return 0;
  }
  const interruption = new AbortController();
  const stopWatching = terminal.watchInterrupts(() => interruption.abort());
  const bar = progressBar(terminal, progress_columns);
  let made: MadeModel;
  try {
    made = await makeModel({
      ...optionsOf(parsed),
      signal: interruption.signal,
      on_progress: ({ tensor, weights_done, weights_total, elapsed_ms }) => {
        const speed = (weights_done / 1e3 / Math.max(1, elapsed_ms)).toFixed(0);
        bar.draw(weights_done / weights_total, `${speed} M weights/s  ${tensor}`);
      },
    });
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
    terminal.writeError("interrupted; nothing was written\n");
    return INTERRUPTED_EXIT_CODE;
  } finally {
    bar.clear();
    stopWatching();
  }
  terminal.write(isOn(parsed, "json") ? `${JSON.stringify(made, null, 2)}\n` : textReport(made));
  return 0;
}

function optionsOf(parsed: ParsedCommand): MakeModelOptions {
  const [name = ""] = parsed.positionals;
  const form = choiceOf(parsed, "as", FORMS) ?? "sherry";
  const sizes = Object.entries(SIZE_OPTIONS).map(([option, { field }]) => [field, numberOf(parsed, option)]);
  const given: Partial<ShapeSizes> = withoutAbsent(Object.fromEntries(sizes));
  const default_output = `${name}-random${form === "sherry" ? ".sherry" : ""}`;
  return {
    shape: chooseShape(name, given, !isOn(parsed, "untied")),
    output: isOn(parsed, "dry-run") ? null : (textOf(parsed, "output") ?? default_output),
    form,
    seed: numberOf(parsed, "seed") ?? 0,
    scale: parseScaleReach(textOf(parsed, "scale") ?? SCALE_DEFAULT),
    embedding: choiceOf(parsed, "embedding", TABLE_KINDS) ?? (form === "sherry" ? "f16" : "bf16"),
    head: choiceOf(parsed, "head", TABLE_KINDS) ?? null,
  };
}

function textReport(made: MadeModel): string {
  const rows = Object.entries(made.roles)
    .filter(([, { weights }]) => weights > 0)
    .map(([role, { weights, bytes }]) => [
      role,
      `${(weights / 1e6).toFixed(2)} M`,
      megabytes(bytes),
      ((bytes * 8) / weights).toFixed(4),
    ]);
  const lines = [
    `${made.label}`,
    "",
    ...textTable([["part", "weights", "size", "bits a weight"], ...rows]),
    "",
  ];
  const form = made.form === "sherry" ? "file" : "folder";
  if (made.bytes !== null)
    lines.push(`The ${form}: ${made.bytes.toLocaleString("en-US")} bytes, ${megabytes(made.bytes)}.`);
  if (made.published_file_bytes !== null && made.form === "sherry") {
    lines.push(
      `Published for Sherry at this shape, with an f16 embedding: ${megabytes(made.published_file_bytes)} (arXiv 2601.07892).`,
    );
  }
  lines.push(
    made.output === null
      ? "Dry run: nothing was written."
      : `Wrote ${made.output} in ${made.seconds.toFixed(2)} s.`,
  );
  return `${lines.join("\n")}\n`;
}
