/**
 * What is known about the scales of a tensor on the 3:4 grid: over which ranges they are equal, and in which element
 * they can be stored exactly. Fed with the scale of every segment of 32 columns, row after row; keeps a few bits only.
 */
import type { FloatElement, ScaleDescription } from "../format/directory.ts";
import type { ScaleReach } from "./scale-option.ts";

export const SEGMENT_COLUMNS = 32;

const COARSER_GROUPS = [64, 128, 256] as const;

export class GridScales {
  #tensor_scale: number | null = null;
  #one_for_tensor = true;
  #one_for_channel = true;
  /** For 64, 128 and 256 columns: whether all segments of a group are equal. */
  readonly #one_for_group = new Map<number, boolean>(COARSER_GROUPS.map((columns) => [columns, true]));
  #exact_f16 = true;
  #exact_bf16 = true;
  /** The scale that the exactness flags saw last: neighbours are mostly equal. */
  #last_scale = 0;

  /** `scales` f32 [rows][ceil(columns / 32)], the next rows of the tensor. */
  add(scales: Float32Array, rows: number): void {
    const segments = scales.length / rows;
    for (let row = 0; row < rows; row += 1)
      this.#addRow(scales.subarray(row * segments, (row + 1) * segments));
  }

  /** Whether one scale is enough for each such range. Groups of 32 always hold. */
  holds(reach: ScaleReach): boolean {
    if (reach.granularity === "tensor") return this.#one_for_tensor;
    if (reach.granularity === "channel") return this.#one_for_channel;
    return this.#one_for_group.get(reach.group_columns) ?? true;
  }

  /** The coarsest granularity that holds. */
  coarsest(): ScaleReach {
    if (this.#one_for_tensor) return { granularity: "tensor", group_columns: 0 };
    if (this.#one_for_channel) return { granularity: "channel", group_columns: 0 };
    const group_columns =
      COARSER_GROUPS.findLast((columns) => this.#one_for_group.get(columns) === true) ?? 32;
    return { granularity: "group", group_columns };
  }

  /** How scales of that granularity are stored: by group in the smallest element that holds them all exactly, else f32. */
  describe(reach: ScaleReach): ScaleDescription {
    const element: FloatElement = this.#exact_f16 ? "f16" : this.#exact_bf16 ? "bf16" : "f32";
    return { ...reach, element: reach.granularity === "group" ? element : "f32" };
  }

  #addRow(scales: Float32Array): void {
    let previous = scales[0] ?? 0;
    this.#tensor_scale ??= previous;
    if (previous !== this.#tensor_scale) this.#one_for_tensor = false;
    for (let segment = 0; segment < scales.length; segment += 1) {
      const scale = scales[segment] ?? 0;
      if (scale !== previous) this.#noteChange(segment);
      if (scale !== this.#last_scale) this.#noteElement(scale);
      previous = scale;
    }
  }

  /** Segment `segment` differs from the one before it in its row: every group that holds both is out. */
  #noteChange(segment: number): void {
    this.#one_for_tensor = false;
    this.#one_for_channel = false;
    for (const columns of COARSER_GROUPS) {
      if (segment % (columns / SEGMENT_COLUMNS) !== 0) this.#one_for_group.set(columns, false);
    }
  }

  #noteElement(scale: number): void {
    this.#last_scale = scale;
    this.#exact_f16 &&= Math.f16round(scale) === scale;
    this.#exact_bf16 &&= isBf16(scale);
  }
}

const bits = new DataView(new ArrayBuffer(4));

/** A bf16 is an f32 whose lower half is zero. */
function isBf16(scale: number): boolean {
  bits.setFloat32(0, scale);
  return bits.getUint16(2) === 0;
}
