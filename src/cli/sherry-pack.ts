#!/usr/bin/env bun
/**
 * `sherry-pack`: a Hugging Face checkpoint or a GGUF file, from this machine or from the hub, to a packed file, and a
 * packed file to GGUF again. The machine-readable summary goes to stdout, and nothing else with --json; progress,
 * warnings and errors go to stderr.
 */
import { SherryError } from "../errors.ts";
import { LINEAR_KINDS, type PackOptions, type PackProgress, TABLE_OPTIONS } from "../packing/pack-options.ts";
import { packCheckpoint } from "../packing/packer.ts";
import { parseScaleOption, SCALE_OPTION_TEXTS, scaleOptionText } from "../packing/scale-option.ts";
import type { DownloadProgress } from "../packing/sources/hub-source.ts";
import { openSource } from "../packing/sources/source.ts";
import { parseSource, sourceName } from "../packing/sources/spec.ts";
import type { PackedTensorSummary, PackSummary } from "../packing/summary.ts";
import { type CommandDescription, helpText, type ParsedCommand, parseCommand } from "./arguments.ts";
import { EXPORT_OPTIONS, exportFile, type Report, wantsGguf } from "./export-gguf.ts";
import { textOf } from "./option-values.ts";
import { errorColumns, type ProgressBar, progressBar } from "./progress-bar.ts";
import { measureTableEffect, tableEffectText } from "./table-effect.ts";
import { INTERRUPTED_EXIT_CODE, PROCESS_TERMINAL, type Terminal } from "./terminal.ts";
import { megabytes, textTable } from "./text-table.ts";

export const description: CommandDescription = {
  name: "sherry-pack",
  summary: "Pack a Hugging Face checkpoint or a GGUF file into one .sherry file",
  positionals: [
    {
      name: "INPUT",
      description:
        "A folder with config.json, safetensors and tokenizer.json; a .gguf file (of several the first); or hf:owner/name[/file.gguf][@revision]",
    },
  ],
  options: {
    output: {
      type: "string",
      placeholder: "FILE",
      description: "The file to write; an older one is replaced when the new one is whole. Also -o",
      default_text: "the folder's or repository's name + .sherry, in the current folder",
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
      description: "How the token embedding is stored; auto: as the checkpoint has it",
      choices: TABLE_OPTIONS,
      default_text: "f16; auto for a GGUF file",
    },
    head: {
      type: "string",
      placeholder: "KIND",
      description: "How an LM head of its own is stored",
      choices: TABLE_OPTIONS,
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
    measure: {
      type: "string",
      placeholder: "FILE",
      description:
        "Score the packed file on this text, and the same with embedding and head in f16, to see what their kind costs",
    },
    json: { type: "boolean", description: "Print the summary as one JSON object" },
    "dry-run": {
      type: "boolean",
      description: "Show what would be written and what it would lose; write nothing",
    },
    ...EXPORT_OPTIONS,
  },
  examples: [
    "sherry-pack ./Llama-3.2-1B-Sherry",
    "sherry-pack ./Llama-3.2-1B --linear q8 --embedding q8 -o llama-q8.sherry",
    "HF_TOKEN=hf_... sherry-pack hf:owner/name@main",
    "sherry-pack Hy-MT-1.8B-STQ1_0.gguf && sherry-pack Hy-MT-1.8B-STQ1_0.sherry --to-gguf again.gguf",
  ],
};

/**
 * @param progress_columns how wide the terminal behind standard error is; null when there is none to draw a bar on
 * @returns the exit code. @throws SherryError, for the caller to print
 */
export async function run(
  argv: readonly string[],
  terminal: Terminal = PROCESS_TERMINAL,
  progress_columns: number | null = errorColumns(),
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
  const { signal } = interruption;
  const bar = progressBar(terminal, progress_columns);
  const on_progress = (progress: PackProgress) => drawPacking(bar, progress);
  let report: Report;
  try {
    report = wantsGguf(command)
      ? await exportFile(command, signal, on_progress)
      : await packSource(command, signal, bar, on_progress);
  } catch (error) {
    bar.clear();
    if (!interruption.signal.aborted) throw error;
    terminal.writeError("interrupted; nothing was written\n");
    return INTERRUPTED_EXIT_CODE;
  } finally {
    stopWatching();
  }
  bar.clear();
  for (const warning of report.warnings) terminal.writeError(`warning: ${warning}\n`);
  const json = command.values.get("json") === true;
  terminal.write(json ? `${JSON.stringify(report.summary, null, 2)}\n` : report.text);
  return 0;
}

async function packSource(
  command: ParsedCommand,
  signal: AbortSignal,
  bar: ProgressBar,
  on_progress: (progress: PackProgress) => void,
): Promise<Report> {
  const options = packOptions(command);
  const on_download = (progress: DownloadProgress) => drawDownload(bar, progress);
  const source = await openSource(options.input, { signal, on_progress: on_download });
  const packed = await packCheckpoint({ ...options, input: source.path, signal, on_progress });
  // What was typed says more than where the cache keeps it.
  const summary = { ...packed, input: options.input };
  const text = textSummary(summary);
  const text_path = textOf(command, "measure");
  if (text_path === undefined) return { warnings: summary.warnings, summary, text };
  if (options.output === null) return { warnings: summary.warnings, summary, text };
  try {
    const measured = await measureTableEffect(
      { ...options, input: source.path },
      options.output,
      text_path,
      signal,
      ({ scored_tokens, tokens_total }) => bar.draw(scored_tokens / tokens_total, "perplexity"),
    );
    return {
      warnings: summary.warnings,
      summary: { ...summary, measured },
      text: `${text}${tableEffectText(measured)}\n`,
    };
  } catch (error) {
    // The file is whole and stays; only its measurement is missing.
    if (!signal.aborted) throw error;
    return { warnings: [...summary.warnings, "the measurement was interrupted"], summary, text };
  }
}

function packOptions(command: ParsedCommand): PackOptions {
  const { values, positionals } = command;
  const [input = ""] = positionals;
  const output = String(values.get("output") ?? `${sourceName(parseSource(input))}.sherry`);
  const label = values.get("label");
  if (values.has("measure") && values.get("dry-run") === true) {
    throw new SherryError("argument_invalid", "--measure", {
      expected: "a file that is packed",
      received: "--dry-run, which writes none",
      next_step: "Leave one of the two out",
    });
  }
  return {
    input,
    output: values.get("dry-run") === true ? null : output,
    linear: chosen(LINEAR_KINDS, values.get("linear"), "sherry"),
    embedding: chosen(TABLE_OPTIONS, values.get("embedding"), null),
    head: chosen(TABLE_OPTIONS, values.get("head"), null),
    scale: parseScaleOption(String(values.get("scale") ?? "auto")),
    label: label === undefined ? null : String(label),
  };
}

/** The choice as its type; parseCommand has refused everything that is not one. */
function chosen<Kind extends string, Otherwise>(
  kinds: readonly Kind[],
  value: unknown,
  otherwise: Otherwise,
): Kind | Otherwise {
  return kinds.find((kind) => kind === value) ?? otherwise;
}

function drawDownload(bar: ProgressBar, progress: DownloadProgress): void {
  const { file, bytes_done, bytes_total, elapsed_ms } = progress;
  const speed = (bytes_done / 1e3 / Math.max(1, elapsed_ms)).toFixed(1);
  bar.draw(bytes_done / bytes_total, `${megabytes(bytes_done)}  ${speed} MB/s  ${file}`);
}

function drawPacking(bar: ProgressBar, progress: PackProgress): void {
  const { tensor, weights_done, weights_total, elapsed_ms } = progress;
  const speed = (weights_done / 1e3 / Math.max(1, elapsed_ms)).toFixed(0);
  bar.draw(weights_done / weights_total, `${speed} M weights/s  ${tensor}`);
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
    ...textTable([["tensor", "kind", "shape", "bits a weight", "relative error"], ...rows, total]),
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
