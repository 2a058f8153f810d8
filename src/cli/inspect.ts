/**
 * `sherry inspect`: what a packed file holds and what each weight of it costs. Reads header and directory only, so it
 * answers at once for a file of any size; `sherry verify` reads the rest.
 */
import { isLinear, type TensorCost, tensorCost, totalCost } from "../format/accounting.ts";
import { openFileSource } from "../format/byte-source.ts";
import type { TensorEntry } from "../format/directory.ts";
import { HEADER_BYTES } from "../format/header.ts";
import { type PackedFile, partsOf, readPackedFile } from "../format/reader.ts";
import { type CommandDescription, helpText, parseCommand } from "./arguments.ts";

export const description: CommandDescription = {
  name: "sherry inspect",
  summary: "Show a packed model: configuration, tensors and what each weight costs",
  positionals: [{ name: "FILE", description: "A .sherry file" }],
  options: { json: { type: "boolean", description: "Print one JSON object instead of tables" } },
  examples: ["sherry inspect model.sherry", "sherry inspect model.sherry --json"],
};

/** Bits a weight, each the exact quotient of two integers below 2^53, as a double. */
interface BitsAWeight {
  readonly codes: number;
  readonly codes_and_scales: number;
  /** Padding included. */
  readonly all: number;
}

/** @returns the exit code. @throws SherryError, for the caller to print. */
export async function run(
  argv: readonly string[],
  print: (text: string) => void = (text) => process.stdout.write(text),
): Promise<number> {
  const { help, positionals, values } = parseCommand(description, argv);
  if (help) {
    print(helpText(description));
    return 0;
  }
  const [path = ""] = positionals;
  const source = openFileSource(path);
  try {
    const file = readPackedFile(source);
    const json = values.get("json") === true;
    print(json ? `${JSON.stringify(report(path, file), null, 2)}\n` : textReport(path, file));
  } finally {
    source.close();
  }
  return 0;
}

function report(path: string, file: PackedFile) {
  const { directory } = file;
  const linear = directory.tensors.filter(isLinear);
  const cost = totalCost(linear);
  return {
    path,
    file_bytes: file.file_bytes,
    directory_bytes: file.file_bytes - file.directory_offset,
    between_parts_bytes: bytesBetweenParts(file),
    ...directory,
    tensors: directory.tensors.map((tensor) => ({
      ...tensor,
      bits_a_weight: bitsAWeight(tensorCost(tensor)),
    })),
    linear: { tensors: linear.length, ...cost, bits_a_weight: bitsAWeight(cost) },
  };
}

function textReport(path: string, file: PackedFile): string {
  const { directory } = file;
  const { label, config, generation, provenance, tokenizer, chat_template } = directory;
  const lines = [`${path}: ${count(file.file_bytes)} bytes, format version 1`];
  if (label !== null) lines.push(`Label: ${label}`);
  lines.push("", "Configuration", ...fields(config), "", "Generation defaults", ...fields(generation));
  lines.push("", "Provenance", ...fields(provenance), "", "Sections");
  lines.push(
    ...columns([
      ["  tokenizer", tokenizer === null ? "none" : `${count(tokenizer.bytes)} bytes`],
      ["  chat template", chat_template === null ? "none" : `${count(chat_template.length)} characters`],
      ["  directory", `${count(file.file_bytes - file.directory_offset)} bytes`],
      ["  between parts", `${count(bytesBetweenParts(file))} bytes of zeros`],
    ]),
    "",
    "Tensors",
    ...columns([
      ["  name", "kind", "shape", "scale", "bytes", "bits a weight"],
      ...directory.tensors.map(tensorRow),
    ]),
    "",
    ...linearLines(directory.tensors.filter(isLinear)),
  );
  return `${lines.join("\n")}\n`;
}

function tensorRow(tensor: TensorEntry): string[] {
  const { name, kind, shape, bytes } = tensor;
  const bits = bitsAWeight(tensorCost(tensor));
  return [`  ${name}`, kind, shape.join(" x "), describeScale(tensor), count(bytes), decimals(bits.all)];
}

function linearLines(linear: readonly TensorEntry[]): string[] {
  if (linear.length === 0) return ["Linear tensors: none"];
  const cost = totalCost(linear);
  const bits = bitsAWeight(cost);
  return [
    `Linear tensors: ${linear.length}, of ${count(cost.weights)} weights`,
    ...columns([
      ["  part", "bytes", "bits a weight up to here"],
      ["  codes", count(cost.code_bits / 8), decimals(bits.codes)],
      ["  scales", count(cost.scale_bits / 8), decimals(bits.codes_and_scales)],
      ["  padding", count(cost.padding_bits / 8), decimals(bits.all)],
    ]),
  ];
}

function bitsAWeight(cost: TensorCost): BitsAWeight {
  const { weights, code_bits, scale_bits, padding_bits } = cost;
  // A file without linear tensors has no cost a weight; zero rather than the NaN that JSON cannot hold.
  const quotient = (bits: number) => (weights === 0 ? 0 : bits / weights);
  return {
    codes: quotient(code_bits),
    codes_and_scales: quotient(code_bits + scale_bits),
    all: quotient(code_bits + scale_bits + padding_bits),
  };
}

function bytesBetweenParts({ directory, directory_offset }: PackedFile): number {
  const used = partsOf(directory).reduce((sum, part) => sum + part.bytes, 0);
  return directory_offset - HEADER_BYTES - used;
}

function describeScale({ scale, column_order }: TensorEntry): string {
  if (scale === null) return "-";
  const reach = scale.granularity === "group" ? `group:${scale.group_columns}` : scale.granularity;
  return `${reach} ${scale.element}${column_order === "strided" ? ", strided" : ""}`;
}

function fields(values: object): string[] {
  return columns(
    Object.entries(values).map(([name, value]) => [
      `  ${name}`,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
}

/** Left-aligned columns, two spaces apart. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    rows.reduce((width, row) => Math.max(width, (row[column] ?? "").length), 0),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** Six decimals at most, no zeros at the end. */
function decimals(value: number): string {
  return String(Number(value.toFixed(6)));
}
