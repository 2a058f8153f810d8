/** What packing a checkpoint came to: as data for `--json`, and the plain sentences that go with it. */
import type { ScaleDescription, TensorKind, TensorShape } from "../format/directory.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { GgufTensorType } from "./gguf/tensor-types.ts";
import type { PackOptions } from "./pack-options.ts";
import type { TensorRole } from "./tensor-plan.ts";

export interface PackedTensorSummary {
  readonly name: string;
  readonly role: TensorRole;
  readonly kind: TensorKind;
  readonly shape: TensorShape;
  readonly scale: ScaleDescription | null;
  /** Whether a `sherry` tensor was on the 3:4 grid already; null for other kinds. */
  readonly on_grid: boolean | null;
  /** The type that a GGUF file stores it as; null for a folder's tensors. */
  readonly source_type: GgufTensorType | null;
  /** Whether the numbers of a GGUF file's blocks were taken over as they are. */
  readonly keeps_blocks: boolean;
  readonly weights: number;
  readonly bytes: number;
  /** Scales and padding included. */
  readonly bits_a_weight: number;
  /** Square root of (squared errors / squared weights). */
  readonly relative_rms_error: number;
  readonly error_max: number;
}

export interface PackSummary {
  readonly input: string;
  /** Null after a dry run. */
  readonly output: string | null;
  readonly file_bytes: number | null;
  readonly tensors_bytes: number;
  readonly checkpoint_bytes: number;
  readonly weights: number;
  /** The linear layers: how many, how many of them were on the grid, how many were projected onto it. */
  readonly linear_tensors: number;
  readonly on_grid_tensors: number;
  readonly projected_tensors: number;
  readonly linear_bits_a_weight: number;
  readonly seconds: number;
  readonly sentences: readonly string[];
  readonly warnings: readonly string[];
  readonly tensors: readonly PackedTensorSummary[];
}

export function summarize(packed: {
  readonly options: PackOptions;
  readonly checkpoint: Checkpoint;
  readonly tensors: readonly PackedTensorSummary[];
  readonly file_bytes: number | null;
  readonly seconds: number;
}): PackSummary {
  const { options, checkpoint, tensors, file_bytes, seconds } = packed;
  const linear = tensors.filter((tensor) => tensor.role === "linear");
  const on_grid_tensors = linear.filter((tensor) => tensor.on_grid === true).length;
  const projected_tensors = linear.filter((tensor) => tensor.on_grid === false).length;
  return {
    input: options.input,
    output: options.output,
    file_bytes,
    tensors_bytes: sum(tensors, "bytes"),
    checkpoint_bytes: checkpoint.tensors.reduce(
      (total, { bytes, blocks }) => total + (blocks?.bytes ?? bytes),
      0,
    ),
    weights: sum(tensors, "weights"),
    linear_tensors: linear.length,
    on_grid_tensors,
    projected_tensors,
    linear_bits_a_weight: (sum(linear, "bytes") * 8) / sum(linear, "weights"),
    seconds,
    sentences: [...linearSentences(options, linear), ...ternarySentences(linear), ...tableSentences(tensors)],
    warnings: checkpoint.warnings,
    tensors,
  };
}

function linearSentences(options: PackOptions, linear: readonly PackedTensorSummary[]): string[] {
  if (options.linear !== "sherry")
    return [`The ${linear.length} linear tensors are stored as ${options.linear}.`];
  const sentences: string[] = [];
  const kept = linear.filter((tensor) => tensor.keeps_blocks).length;
  const on_grid = linear.filter((tensor) => tensor.on_grid === true).length - kept;
  const projected = linear.filter((tensor) => tensor.on_grid === false).length;
  if (kept > 0) {
    sentences.push(`${kept} of ${linear.length} linear tensors were packed without loss from STQ1_0.`);
  }
  if (kept < linear.length) {
    sentences.push(
      `${on_grid} of ${linear.length} linear tensors were on the 3:4 grid already and were packed without loss.`,
    );
  }
  if (projected > 0) {
    sentences.push(
      `${projected} tensors were projected after training (post-training projection): expect poor text; quality needs Sherry training.`,
    );
  }
  return sentences;
}

/** Other ternary types look like what this format is for, but keep no zero in every four weights. */
function ternarySentences(linear: readonly PackedTensorSummary[]): string[] {
  return (["TQ1_0", "TQ2_0"] as const).flatMap((type) => {
    const of_type = linear.filter((tensor) => tensor.source_type === type);
    if (of_type.length === 0) return [];
    const projected = of_type.filter((tensor) => tensor.on_grid === false).length;
    const outcome =
      projected === 0
        ? `they are stored as ${of_type[0]?.kind}.`
        : `${projected} of them were projected and lost weights; --linear q8 keeps them all.`;
    return [
      `${of_type.length} linear tensors come as ${type}, which is ternary without Sherry's 3:4 rule: ${outcome}`,
    ];
  });
}

/** How a GGUF file's embedding and head were kept. */
function tableSentences(tensors: readonly PackedTensorSummary[]): string[] {
  return tensors.flatMap(({ role, kind, source_type, keeps_blocks }) => {
    if ((role !== "embedding" && role !== "head") || !keeps_blocks) return [];
    return [`The ${role} comes as ${source_type} and is stored as ${kind} without loss.`];
  });
}

function sum(tensors: readonly PackedTensorSummary[], field: "bytes" | "weights"): number {
  return tensors.reduce((total, tensor) => total + tensor[field], 0);
}
