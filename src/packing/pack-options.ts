/** What a caller of the packer can choose, and what it hears while the work goes on. */
import type { TensorKind } from "../format/directory.ts";
import type { ScaleOption } from "./scale-option.ts";

/** How linear layers can be stored, the usual way first. */
export const LINEAR_KINDS = ["sherry", "q8", "f16", "f32", "bf16"] as const satisfies readonly TensorKind[];
/** How the embedding and an LM head of its own can be stored, the usual way first. */
export const TABLE_KINDS = ["f16", "q8", "f32", "bf16"] as const satisfies readonly TensorKind[];

export type LinearKind = (typeof LINEAR_KINDS)[number];
export type TableKind = (typeof TABLE_KINDS)[number];

/** Part of the provenance, so it changes the bytes of every file: raised when the packer's output changes. */
export const PACKER_VERSION = "1";

export interface PackOptions {
  /** A Hugging Face folder. */
  readonly input: string;
  /** The file to write; null packs without writing, to see what would come out. */
  readonly output: string | null;
  /** The seven linear layers of each block. */
  readonly linear: LinearKind;
  readonly embedding: TableKind;
  /** The LM head; null: as the embedding. Only for a model whose head is not tied to the embedding. */
  readonly head: TableKind | null;
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
