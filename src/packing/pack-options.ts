/** What a caller of the packer can choose, and what it hears while the work goes on. */
import type { TensorKind } from "../format/directory.ts";
import type { ScaleOption } from "./scale-option.ts";

/** How linear layers can be stored, the usual way first. */
export const LINEAR_KINDS = [
  "sherry",
  "q8",
  "int4",
  "f16",
  "f32",
  "bf16",
] as const satisfies readonly TensorKind[];
/** How the embedding and an LM head of its own can be stored, the usual way first. */
export const TABLE_KINDS = [
  "f16",
  "q8",
  "split8",
  "q6k",
  "int4",
  "f32",
  "bf16",
] as const satisfies readonly TensorKind[];

/** Of the embedding and the head: as the checkpoint has them, where there is a kind for that. */
export const AUTO_TABLE = "auto";
export const TABLE_OPTIONS = [AUTO_TABLE, ...TABLE_KINDS] as const;

export type LinearKind = (typeof LINEAR_KINDS)[number];
export type TableKind = (typeof TABLE_KINDS)[number];
export type TableOption = (typeof TABLE_OPTIONS)[number];

/** Part of the provenance, so it changes the bytes of every file: raised when the packer's output changes. */
export const PACKER_VERSION = "1";

export interface PackOptions {
  /** A Hugging Face folder, or a GGUF file (of a split model the first one). */
  readonly input: string;
  /** The file to write; null packs without writing, to see what would come out. */
  readonly output: string | null;
  /** The seven linear layers of each block. */
  readonly linear: LinearKind;
  /** Null: f16 for a folder; "auto" for a GGUF file, whose tables are often quantized already. */
  readonly embedding: TableOption | null;
  /** The LM head; null: as the embedding. Only for a model whose head is not tied to the embedding. */
  readonly head: TableOption | null;
  /** Only for `linear` sherry; "auto" otherwise. */
  readonly scale: ScaleOption;
  /** A warning to show wherever the model is served. */
  readonly label: string | null;
  readonly on_progress?: (progress: PackProgress) => void;
  /** Stops the work within a fraction of a second; the signal's reason is thrown and nothing is left behind. */
  readonly signal?: AbortSignal;
}

export interface PackProgress {
  readonly tensor: string;
  readonly weights_done: number;
  readonly weights_total: number;
  readonly elapsed_ms: number;
}
