/**
 * Which column of the original matrix a column of a `sherry` tensor holds. A block's four weights are neighbours in the
 * packed tensor; in "strided" order they are those that a group of GGUF's STQ1_0 codes together, which lie 16 columns apart
 * in the original (llama.cpp pull request 22836). zig/format.zig, ColumnOrder.
 */

export const COLUMN_ORDERS = ["natural", "strided"] as const;
export type ColumnOrder = (typeof COLUMN_ORDERS)[number];

/** Columns among which "strided" permutes: four rows of sixteen, transposed. K is a multiple of it. */
export const STRIDE_COLUMNS = 64;
const LANES = 4;

/** The original column that column `column` of a packed tensor holds. */
export function originalColumn(order: ColumnOrder, column: number): number {
  if (order === "natural") return column;
  const within = column % STRIDE_COLUMNS;
  return column - within + Math.floor(within / LANES) + (STRIDE_COLUMNS / LANES) * (within % LANES);
}
