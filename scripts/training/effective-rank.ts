/**
 * Effective rank of a matrix: exp(-sum p_i ln p_i) with p_i = sigma_i / sum sigma_j, from 1 (one direction) to the number
 * of its singular values (all alike). The singular values are the square roots of the eigenvalues of the Gram matrix over
 * the shorter side, in float64.
 * Source: Roy and Vetterli, "The effective rank: a measure of effective dimensionality", EUSIPCO 2007.
 */
import { symmetricEigenvalues } from "./symmetric-eigenvalues.ts";

/** @param matrix f32 [rows][columns]. @returns 0 for a matrix of zeros, NaN for one with numbers that are not finite */
export function effectiveRank(matrix: Float32Array, rows: number, columns: number): number {
  const side = Math.min(rows, columns);
  if (!matrix.every(Number.isFinite)) return Number.NaN;
  const eigenvalues = symmetricEigenvalues(gram(matrix, rows, columns), side);
  // Rounding leaves eigenvalues of a singular matrix a little below zero, or above: those count as zero.
  const largest = eigenvalues.reduce((most, value) => Math.max(most, value), 0);
  const floor = largest * side * Number.EPSILON;
  const singular = eigenvalues.map((value) => (value <= floor ? 0 : Math.sqrt(value)));
  const sum = singular.reduce((total, value) => total + value, 0);
  if (sum === 0) return 0;
  const entropy = singular.reduce((total, value) => {
    const share = value / sum;
    return share === 0 ? total : total - share * Math.log(share);
  }, 0);
  return Math.exp(entropy);
}

/** Of the rows when there are fewer rows than columns, else of the columns; f64 [side][side]. */
function gram(matrix: Float32Array, rows: number, columns: number): Float64Array {
  const by_rows = rows <= columns;
  const side = by_rows ? rows : columns;
  const length = by_rows ? columns : rows;
  // Vectors lie one after the other, so that the inner loop runs along memory.
  const vectors = new Float64Array(side * length);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      vectors[by_rows ? row * length + column : column * length + row] = matrix[row * columns + column] ?? 0;
    }
  }
  const result = new Float64Array(side * side);
  for (let left = 0; left < side; left += 1) {
    for (let right = 0; right <= left; right += 1) {
      let sum = 0;
      for (let index = 0; index < length; index += 1) {
        sum += (vectors[left * length + index] ?? 0) * (vectors[right * length + index] ?? 0);
      }
      result[left * side + right] = sum;
      result[right * side + left] = sum;
    }
  }
  return result;
}
