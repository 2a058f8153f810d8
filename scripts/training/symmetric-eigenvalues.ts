/**
 * Eigenvalues of a symmetric matrix in float64: Householder reduction to tridiagonal form, then QL steps with implicit
 * shifts. Sources: Golub and Van Loan, "Matrix Computations", sections 8.3.1 and 8.3.3; Wilkinson's shift.
 */
import { SherryError } from "../../src/errors.ts";

/** QL steps for one eigenvalue; two or three are usual. */
const STEPS_MAX = 60;

/**
 * Exact to rounding beside the largest eigenvalue.
 * @param matrix f64 [n][n] of finite numbers, row after row; overwritten
 * @returns the n eigenvalues in no order
 */
export function symmetricEigenvalues(matrix: Float64Array, n: number): Float64Array {
  if (matrix.length !== n * n || n < 1) {
    throw new SherryError("internal", "a symmetric matrix", {
      expected: `${n} x ${n} elements`,
      received: String(matrix.length),
    });
  }
  const { diagonal, off_diagonal } = tridiagonal(matrix, n);
  return implicitQl(diagonal, off_diagonal);
}

interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** [n]: element i stands between i and i + 1; the last is 0. */
  readonly off_diagonal: Float64Array;
}

/** A = A - v w^T - w v^T for each column's Householder vector v: the trailing block stays symmetric. */
function tridiagonal(a: Float64Array, n: number): Tridiagonal {
  const diagonal = new Float64Array(n);
  const off_diagonal = new Float64Array(n);
  const v = new Float64Array(n);
  const w = new Float64Array(n);
  for (let column = 0; column < n - 2; column += 1) {
    const first = column + 1;
    let tail = 0;
    for (let row = first + 1; row < n; row += 1) tail += at(a, row * n + column) ** 2;
    const head = at(a, first * n + column);
    if (tail === 0) {
      off_diagonal[column] = head;
      continue;
    }
    const norm = Math.sqrt(head * head + tail);
    const target = head > 0 ? -norm : norm;
    off_diagonal[column] = target;
    for (let row = first; row < n; row += 1) v[row] = at(a, row * n + column);
    v[first] = head - target;
    // beta = 2 / (v^T v); v^T v = 2 norm^2 - 2 head target.
    const beta = 1 / (norm * norm - head * target);
    let product = 0;
    for (let row = first; row < n; row += 1) {
      let sum = 0;
      for (let index = first; index < n; index += 1) sum += at(a, row * n + index) * at(v, index);
      w[row] = beta * sum;
      product += beta * sum * at(v, row);
    }
    const half = (beta * product) / 2;
    for (let row = first; row < n; row += 1) w[row] = at(w, row) - half * at(v, row);
    for (let row = first; row < n; row += 1) {
      const v_row = at(v, row);
      const w_row = at(w, row);
      for (let index = first; index < n; index += 1) {
        a[row * n + index] = at(a, row * n + index) - v_row * at(w, index) - w_row * at(v, index);
      }
    }
  }
  if (n >= 2) off_diagonal[n - 2] = at(a, (n - 1) * n + n - 2);
  for (let index = 0; index < n; index += 1) diagonal[index] = at(a, index * n + index);
  return { diagonal, off_diagonal };
}

/** Deflates the eigenvalues one after the other; `d` ends as the eigenvalues. */
function implicitQl(d: Float64Array, e: Float64Array): Float64Array {
  const n = d.length;
  // Beside the largest row, not beside the neighbours: a matrix of low rank has whole blocks of nothing but rounding.
  const norm = d.reduce((most, value, index) => Math.max(most, Math.abs(value) + Math.abs(at(e, index))), 0);
  const negligible = Number.EPSILON * norm;
  for (let low = 0; low < n; low += 1) {
    for (let step = 0; ; step += 1) {
      const end = splitAfter(e, low, negligible);
      if (end === low) break;
      if (step === STEPS_MAX) {
        throw new SherryError("internal", "the eigenvalues of a gradient's Gram matrix", {
          expected: `convergence within ${STEPS_MAX} steps`,
          received: "none",
        });
      }
      qlStep(d, e, low, end);
    }
  }
  return d;
}

/** The last index of the unreduced block that begins at `low`. */
function splitAfter(e: Float64Array, low: number, negligible: number): number {
  let end = low;
  while (end < e.length - 1 && Math.abs(at(e, end)) > negligible) end += 1;
  return end;
}

function qlStep(d: Float64Array, e: Float64Array, low: number, end: number): void {
  const e_low = at(e, low);
  const ratio = (at(d, low + 1) - at(d, low)) / (2 * e_low);
  const root = Math.hypot(ratio, 1);
  let g = at(d, end) - at(d, low) + e_low / (ratio + (ratio >= 0 ? root : -root));
  let sine = 1;
  let cosine = 1;
  let carried = 0;
  for (let index = end - 1; index >= low; index -= 1) {
    const f = sine * at(e, index);
    const b = cosine * at(e, index);
    const length = Math.hypot(f, g);
    e[index + 1] = length;
    if (length === 0) {
      // The block falls apart here; what was done so far stands, and the next step takes up the parts.
      d[index + 1] = at(d, index + 1) - carried;
      e[end] = 0;
      return;
    }
    sine = f / length;
    cosine = g / length;
    g = at(d, index + 1) - carried;
    const rest = (at(d, index) - g) * sine + 2 * cosine * b;
    carried = sine * rest;
    d[index + 1] = g + carried;
    g = cosine * rest - b;
  }
  d[low] = at(d, low) - carried;
  e[low] = g;
  e[end] = 0;
}

function at(numbers: Float64Array, index: number): number {
  return numbers[index] ?? Number.NaN;
}
