/** What the writers of each kind share: where bytes go, and what they lost on the way. */
import type { ColumnOrder, ScaleDescription, TensorKind } from "../format/directory.ts";
import type { PackingStatistics } from "../native/packing.ts";
import type { Advance } from "./row-tiles.ts";

/** Takes the next bytes of a tensor; they are overwritten as soon as it returns. */
export type Sink = (bytes: Uint8Array) => void;

/** Writes the tensor's bytes in order. */
export type TensorBody = (sink: Sink, statistics: PackingStatistics, advance: Advance) => Promise<void>;

/** How a tensor is going to be stored, and the work that does it. */
export interface PreparedTensor {
  readonly kind: TensorKind;
  readonly scale: ScaleDescription | null;
  /** Of a `sherry` tensor: natural unless told otherwise. */
  readonly column_order?: ColumnOrder;
  /** Whether a `sherry` tensor was on the 3:4 grid already; null for other kinds. */
  readonly on_grid: boolean | null;
  /** Whether the numbers of a GGUF file's blocks are taken over as they are, without going through floats. */
  readonly keeps_blocks?: true;
  readonly write: TensorBody;
}

/** Elements that are converted at once where a whole array would take too much memory. */
export const PIECE_ELEMENTS = 65_536;
