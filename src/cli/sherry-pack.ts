#!/usr/bin/env bun
/**
 * `sherry-pack`: a Hugging Face checkpoint to a packed file. The machine-readable summary goes to stdout, and nothing
 * else with --json; progress, warnings and errors go to stderr.
 */
import { basename, resolve } from "node:path";
import { SherryError } from "../errors.ts";
import type { LinearKind, PackOptions, PackProgress, TableKind } from "../packing/pack-options.ts";
import { packCheckpoint } from "../packing/packer.ts";
import { parseScaleOption, SCALE_OPTION_TEXTS, scaleOptionText } from "../packing/scale-option.ts";
import type { PackedTensorSummary, PackSummary } from "../packing/summary.ts";
import { type CommandDescription, helpText, type ParsedCommand, parseCommand } from "./arguments.ts";
import { INTERRUPTED_EXIT_CODE, PROCESS_TERMINAL, type Terminal } from "./terminal.ts";

const LINEAR_KINDS: readonly LinearKind[] = ["sherry", "q8", "f16", "f32", "bf16"];
const TABLE_KINDS: readonly TableKind[] = ["f16", "q8", "f32", "bf16"];

export const description: CommandDescription = {
  name: "sherry-pack",
  summary: "Pack a Hugging Face checkpoint into one .sherry file",
  positionals: [{ name: "INPUT", description: "A folder with config.json, safetensors and tokenizer.json" }],
  options: {
    output: {
      type: "string",
      placeholder: "FILE",
      description: "The file to write; an older one is replaced when the new one is whole. Also -o",
      default_text: "the folder's name + .sherry, in the current folder",
    },
    linear: {
      type: "string",
      placeholder: "KIND",
      description: "How the linear layers are stored",
      choices: LINEAR_KINDS,
      default_text: "sherry",
    },
    embedding: {
      type: "string",
      placeholder: "KIND",
      description: "How the token embedding is stored",
      choices: TABLE_KINDS,
      default_text: "f16",
    },
    head: {
      type: "string",
      placeholder: "KIND",
      description: "How an LM head of its own is stored",
      choices: TABLE_KINDS,
      default_text: "as the embedding",
    },
    scale: {
      type: "string",
      placeholder: "REACH",
      description: "How far one scale of a sherry tensor reaches",
      choices: SCALE_OPTION_TEXTS,
      default_text: "auto: what the weights have, else group:128",
    },
    label: {
      type: "string",
      placeholder: "TEXT",
      description: "A warning to show wherever the model is served",
    },
    json: { type: "boolean", description: "Print the summary as one JSON object" },
    "dry-run": {
      type: "boolean",
      description: "Show what would be written and what it would lose; write nothing",
    },
  },
  examples: [
    "sherry-pack ./Llama-3.2-1B-Sherry",
    "sherry-pack ./Llama-3.2-1B --linear q8 --embedding q8 -o llama-q8.sherry",
  ],
};

/**
 * @param progress_columns how wide the terminal behind standard error is; null when there is none to draw a bar on
 * @returns the exit code. @throws SherryError, for the caller to print
 */
export async function run(
  argv: readonly string[],
  terminal: Terminal = PROCESS_TERMINAL,
  progress_columns: number | null = process.stderr.isTTY ? process.stderr.columns : null,
): Promise<number> {
  // The short form that every tool of this sort has.
  const command = parseCommand(
    description,
    argv.map((argument) => (argument === "-o" ? "--output" : argument)),
  );
  if (command.help) {
    terminal.write(helpText(description));
    return 0;
  }
  const interruption = new AbortController();
  const stopWatching = terminal.watchInterrupts(() => interruption.abort());
  const options = { ...packOptions(command), signal: interruption.signal };
  const bar = progress_columns === null ? null : new ProgressBar(terminal, progress_columns);
  let summary: PackSummary;
  try {
    summary = await packCheckpoint({ ...options, on_progress: (progress) => bar?.draw(progress) });
  } catch (error) {
    bar?.clear();
    if (!interruption.signal.aborted) throw error;
    terminal.writeError("interrupted; nothing was written\n");
    return INTERRUPTED_EXIT_CODE;
  } finally {
    stopWatching();
  }
  bar?.clear();
  for (const warning of summary.warnings) terminal.writeError(`warning: ${warning}\n`);
  const json = command.values.get("json") === true;
  terminal.write(json ? `${JSON.stringify(summary, null, 2)}\n` : textSummary(summary));
  return 0;
}

function packOptions(command: ParsedCommand): PackOptions {
  const { values, positionals } = command;
  const [input = ""] = positionals;
  const output = String(values.get("output") ?? `${basename(resolve(input))}.sherry`);
  const label = values.get("label");
  return {
    input,
    output: values.get("dry-run") === true ? null : output,
    linear: chosen(LINEAR_KINDS, values.get("linear"), "sherry"),
    embedding: chosen(TABLE_KINDS, values.get("embedding"), "f16"),
    head: values.has("head") ? chosen(TABLE_KINDS, values.get("head"), "f16") : null,
    scale: parseScaleOption(String(values.get("scale") ?? "auto")),
    label: label === undefined ? null : String(label),
  };
}

/** The choice as its type; parseCommand has refused everything that is not one. */
function chosen<Kind extends string>(kinds: readonly Kind[], value: unknown, otherwise: Kind): Kind {
  return kinds.find((kind) => kind === value) ?? otherwise;
}

/** One line, redrawn in place: share done, weights a second, what is being packed. */
class ProgressBar {
  readonly #terminal: Terminal;
  readonly #columns: number;

  constructor(terminal: Terminal, columns: number) {
    this.#terminal = terminal;
    this.#columns = columns;
  }

  draw({ tensor, weights_done, weights_total, elapsed_ms }: PackProgress): void {
    const share = weights_done / weights_total;
    const width = 24;
    const full = Math.round(share * width);
    const bar = "#".repeat(full) + "-".repeat(width - full);
    const speed = `${(weights_done / 1e3 / Math.max(1, elapsed_ms)).toFixed(0)} M weights/s`;
    const line = `[${bar}] ${(share * 100).toFixed(0).padStart(3)} %  ${speed}  ${tensor}`;
    this.#terminal.writeError(`\r\x1b[K${line.slice(0, this.#columns - 1)}`);
  }

  clear(): void {
    this.#terminal.writeError("\r\x1b[K");
  }
}

function textSummary(summary: PackSummary): string {
  const rows = summary.tensors.map(tensorRow);
  const total = ["linear layers together", "", "", summary.linear_bits_a_weight.toFixed(4), ""];
  const written =
    summary.file_bytes === null
      ? `Dry run: nothing was written; the tensors would take ${megabytes(summary.tensors_bytes)}.`
      : `Wrote ${summary.output}: ${megabytes(summary.file_bytes)} from ${megabytes(summary.checkpoint_bytes)}.`;
  const speed = `${(summary.weights / 1e6).toFixed(1)} M weights in ${summary.seconds.toFixed(2)} s: ${throughput(summary)}.`;
  return `${[
    ...table([["tensor", "kind", "shape", "bits a weight", "relative error"], ...rows, total]),
    "",
    ...summary.sentences,
    written,
    speed,
  ].join("\n")}\n`;
}

function tensorRow(tensor: PackedTensorSummary): string[] {
  const { scale } = tensor;
  const kind = scale === null ? tensor.kind : `${tensor.kind} ${scaleOptionText(scale)} ${scale.element}`;
  const error = tensor.relative_rms_error === 0 ? "0 (exact)" : tensor.relative_rms_error.toPrecision(3);
  const mark = tensor.on_grid === true ? ", on the grid" : tensor.on_grid === false ? ", projected" : "";
  return [tensor.name, kind, tensor.shape.join(" x "), tensor.bits_a_weight.toFixed(4), `${error}${mark}`];
}

function throughput(summary: PackSummary): string {
  const seconds = Math.max(summary.seconds, 1e-9);
  const weights = (summary.weights / 1e6 / seconds).toFixed(0);
  return `${weights} M weights/s, ${(summary.checkpoint_bytes / 1e6 / seconds).toFixed(0)} MB/s of checkpoint`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}

function table(rows: readonly string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** 2 for a wrong command line, 1 for every other failure, as `sherry` has it. */
function reportError(error: unknown, terminal: Terminal): number {
  if (error instanceof SherryError) {
    terminal.writeError(`error: ${error.message} (${error.code})\n`);
    return error.code === "argument_invalid" ? 2 : 1;
  }
  // Unforeseen, so that where it came from is worth its lines.
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
  terminal.writeError(`error: ${trace} (internal)\n`);
  return 1;
}

if (import.meta.main) {
  // A reader that has seen enough (`| head`) is no failure of the command.
  process.stdout.on("error", () => {});
  process.exitCode = await run(process.argv.slice(2)).catch((error) => reportError(error, PROCESS_TERMINAL));
}
