/**
 * Weight matrices of every kind with pseudo-random contents, one copy in cache or many to stream from.
 *
 * Legend: R rows (out_features), K columns (in_features).
 */
import {
  q8Layout,
  type ScaleDescription,
  sherryLayout,
  type TensorDescription,
  tensorBytes,
} from "../format/layout.ts";
import { fillRange } from "../native/bench-library.ts";
import type { LinearWeight, NativeRange } from "../native/weight.ts";
import type { Residence } from "./bench-case.ts";
import type { Workspace } from "./workspace.ts";

export type WeightDescription = TensorDescription & {
  readonly kind: PlainKind | "sherry";
  readonly shape: readonly [rows: number, columns: number];
};

/** Kinds of matrices beside the ternary one. */
export type PlainKind = "q8" | "q6k" | "int4" | "f16" | "bf16" | "f32";

export function sherryDescription(rows: number, columns: number, scale: ScaleDescription): WeightDescription {
  return { kind: "sherry", shape: [rows, columns], scale, column_order: "natural" };
}

export function plainDescription(kind: PlainKind, rows: number, columns: number): WeightDescription {
  return { kind, shape: [rows, columns], scale: null, column_order: null };
}

/** The copies that a case of that residence rotates over. @throws SherryError out_of_memory */
export function weightCopies(
  workspace: Workspace,
  description: WeightDescription,
  residence: Residence,
): LinearWeight[] {
  const bytes = tensorBytes(description);
  const ranges =
    residence === "stream"
      ? workspace.streamCopies(bytes)
      : [
          workspace.filled(`weight ${JSON.stringify(description)}`, bytes, (range) =>
            fillWeight(range, description),
          ),
        ];
  return ranges.map((range) => weightAt(range, description));
}

function weightAt(range: NativeRange, description: WeightDescription): LinearWeight {
  const { kind, scale } = description;
  const [rows, columns] = description.shape;
  if (kind === "sherry" && scale !== null) {
    const { granularity, group_columns, element } = scale;
    return { kind, range, rows, columns, granularity, group_columns, scale_element: element };
  }
  if (kind === "sherry") throw new RangeError("a sherry weight needs a scale");
  return { kind, range, rows, columns };
}

/** Codes and values may be any bytes; scales and floats must be finite and of a sane size. */
function fillWeight(range: NativeRange, { kind, shape, scale }: WeightDescription): void {
  const [rows, columns] = shape;
  fillRange(range, rows * 7 + columns, "every_kernel");
  const codes_bytes =
    kind === "sherry" && scale !== null
      ? sherryLayout({ rows, columns, ...scale }).scales_offset
      : kind === "q8"
        ? q8Layout({ rows, columns }).scales_offset
        : 0;
  if (codes_bytes > 0) fillRange({ address: range.address, bytes: codes_bytes }, rows + columns, "any");
}
