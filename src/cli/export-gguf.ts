/** `sherry-pack FILE.sherry --to-gguf OUT.gguf`: the way back, with the options that belong to it. */
import { SherryError } from "../errors.ts";
import type { PackProgress } from "../packing/pack-options.ts";
import { type ExportSummary, exportGguf } from "../packing/to-gguf/export.ts";
import type { OptionDescription, ParsedCommand } from "./arguments.ts";
import { megabytes, textTable } from "./text-table.ts";

export const EXPORT_OPTIONS: Readonly<Record<string, OptionDescription>> = {
  "to-gguf": {
    type: "string",
    placeholder: "FILE",
    description: "Turn INPUT, a packed file, into a GGUF file",
  },
  "legacy-stq1-id": {
    type: "boolean",
    description: "With --to-gguf: number STQ1_0 tensors 42, as programs from before 2026 read them, not 43",
  },
};

/** What the command says when it has worked. */
export interface Report {
  readonly warnings: readonly string[];
  /** For --json. */
  readonly summary: object;
  readonly text: string;
}

/** Whether the command line asks for a GGUF file. @throws SherryError argument_invalid */
export function wantsGguf({ values }: ParsedCommand): boolean {
  const wants = values.has("to-gguf");
  const belonging = ["to-gguf", "legacy-stq1-id", "json", "help"];
  const wrong = wants
    ? [...values.keys()].find((name) => !belonging.includes(name))
    : [...values.keys()].find((name) => name === "legacy-stq1-id");
  if (wrong === undefined) return wants;
  throw new SherryError("argument_invalid", `--${wrong}`, {
    expected: wants ? "only --legacy-stq1-id and --json beside --to-gguf" : "--to-gguf beside it",
    received: wants ? "another option" : "none",
    next_step: "Run 'sherry-pack --help' for the options",
  });
}

/** @throws what exportGguf throws */
export async function exportFile(
  { values, positionals }: ParsedCommand,
  signal: AbortSignal,
  on_progress: (progress: PackProgress) => void,
): Promise<Report> {
  const summary = await exportGguf({
    input: positionals[0] ?? "",
    output: String(values.get("to-gguf")),
    legacy_stq1_id: values.get("legacy-stq1-id") === true,
    signal,
    on_progress,
  });
  return { warnings: summary.warnings, summary, text: exportText(summary) };
}

function exportText({ output, file_bytes, tensors, seconds }: ExportSummary): string {
  const rows = tensors.map(({ name, type, dimensions }) => [name, type, dimensions.join(" x ")]);
  return `${[
    ...textTable([["tensor", "type", "columns x rows"], ...rows]),
    "",
    `Wrote ${output}: ${megabytes(file_bytes)} in ${seconds.toFixed(2)} s.`,
  ].join("\n")}\n`;
}
