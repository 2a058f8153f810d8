/** What packing a checkpoint came to: as data for `--json`, and the plain sentences that go with it. */
import type { ScaleDescription, TensorKind, TensorShape } from "../format/directory.ts";
import type { Checkpoint } from "./checkpoint.ts";
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
    checkpoint_bytes: checkpoint.tensors.reduce((total, tensor) => total + tensor.bytes, 0),
    weights: sum(tensors, "weights"),
    linear_tensors: linear.length,
    on_grid_tensors,
    projected_tensors,
    linear_bits_a_weight: (sum(linear, "bytes") * 8) / sum(linear, "weights"),
    seconds,
    sentences: sentencesOf(options, linear.length, on_grid_tensors, projected_tensors),
    warnings: checkpoint.warnings,
    tensors,
  };
}

function sentencesOf(options: PackOptions, linear: number, on_grid: number, projected: number): string[] {
  if (options.linear !== "sherry") return [`The ${linear} linear tensors are stored as ${options.linear}.`];
  const sentences = [
    `${on_grid} of ${linear} linear tensors were on the 3:4 grid already and were packed without loss.`,
  ];
  if (projected > 0) {
    sentences.push(
      `${projected} tensors were projected after training (post-training projection): expect poor text; quality needs Sherry training.`,
    );
  }
  return sentences;
}

function sum(tensors: readonly PackedTensorSummary[], field: "bytes" | "weights"): number {
  return tensors.reduce((total, tensor) => total + tensor[field], 0);
}
