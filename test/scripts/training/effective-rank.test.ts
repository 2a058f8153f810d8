/** Eigenvalues against matrices whose spectrum is known, and the effective rank against its definition. */
import { describe, expect, test } from "bun:test";
import { effectiveRank } from "../../../scripts/training/effective-rank.ts";
import { symmetricEigenvalues } from "../../../scripts/training/symmetric-eigenvalues.ts";
import { Random } from "../../../src/sampling/random.ts";

const at = (numbers: ArrayLike<number>, index: number) => numbers[index] ?? Number.NaN;
const sorted = (values: Float64Array) => [...values].sort((left, right) => left - right);

/** Q D Q^T for the reflections Q of a few random vectors. */
function matrixOf(spectrum: readonly number[], random: Random): Float64Array {
  const n = spectrum.length;
  let matrix = new Float64Array(n * n);
  for (const [index, value] of spectrum.entries()) matrix[index * n + index] = value;
  for (let turn = 0; turn < 4; turn += 1) {
    const v = Float64Array.from({ length: n }, () => random.nextUniform() - 0.5);
    const squares = v.reduce((sum, value) => sum + value * value, 0);
    const reflect = (source: Float64Array) => {
      const result = new Float64Array(n * n);
      for (let row = 0; row < n; row += 1) {
        let dot = 0;
        for (let column = 0; column < n; column += 1) dot += at(source, row * n + column) * at(v, column);
        for (let column = 0; column < n; column += 1) {
          // Transposed as it is written, so that two calls reflect both sides.
          result[column * n + row] = at(source, row * n + column) - (2 * dot * at(v, column)) / squares;
        }
      }
      return result;
    };
    matrix = reflect(reflect(matrix));
  }
  return matrix;
}

describe("eigenvalues", () => {
  test.each([1, 2, 3, 8, 33, 64])("of a matrix with a known spectrum, %i x %i", (n) => {
    const random = Random.fromSeed(n);
    const spectrum = Array.from({ length: n }, (_, index) =>
      index % 5 === 4 ? 1 : random.nextUniform() * 10 - 3,
    );
    const found = sorted(symmetricEigenvalues(matrixOf(spectrum, random), n));
    for (const [index, value] of [...spectrum].sort((left, right) => left - right).entries()) {
      expect(at(found, index)).toBeCloseTo(value, 10);
    }
  });

  test("of diagonal, zero and rank-one matrices", () => {
    expect(sorted(symmetricEigenvalues(Float64Array.of(3, 0, 0, 0, 1, 0, 0, 0, 2), 3))).toEqual([1, 2, 3]);
    expect(sorted(symmetricEigenvalues(new Float64Array(16), 4))).toEqual([0, 0, 0, 0]);
    const ones = sorted(symmetricEigenvalues(new Float64Array(25).fill(1), 5));
    expect(at(ones, 4)).toBeCloseTo(5, 12);
    for (const value of ones.slice(0, 4)) expect(value).toBeCloseTo(0, 12);
  });

  test("of matrices of low rank, whose small eigenvalues are rounding", () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const random = Random.fromSeed(seed);
      const vectors = Array.from({ length: 3 }, () =>
        Float64Array.from({ length: 64 }, () => random.nextUniform() * 10 ** -(seed % 7)),
      );
      const matrix = Float64Array.from({ length: 64 * 64 }, (_, index) =>
        vectors.reduce((sum, v) => sum + at(v, Math.floor(index / 64)) * at(v, index % 64), 0),
      );
      const trace = Array.from({ length: 64 }, (_, index) => at(matrix, index * 65)).reduce(
        (a, b) => a + b,
        0,
      );
      const found = sorted(symmetricEigenvalues(matrix, 64));
      expect(found.reduce((sum, value) => sum + value, 0) / trace).toBeCloseTo(1, 10);
      expect(Math.abs(at(found, 60)) / trace).toBeLessThan(1e-13);
      expect(at(found, 61) / trace).toBeGreaterThan(1e-6);
    }
  });

  test("refuses a matrix of another size", () => {
    expect(() => symmetricEigenvalues(new Float64Array(5), 2)).toThrow(
      "a symmetric matrix: expected 2 x 2 elements, received 5",
    );
  });
});

describe("effective rank", () => {
  const diagonal = (values: readonly number[], rows: number, columns: number) => {
    const matrix = new Float32Array(rows * columns);
    for (const [index, value] of values.entries()) matrix[index * columns + index] = value;
    return matrix;
  };

  test("counts equal directions", () => {
    expect(effectiveRank(diagonal([2, 2, 2], 3, 3), 3, 3)).toBeCloseTo(3, 10);
    expect(effectiveRank(diagonal([2, 2, 2], 3, 7), 3, 7)).toBeCloseTo(3, 10);
    expect(effectiveRank(diagonal([2, 2, 2], 9, 3), 9, 3)).toBeCloseTo(3, 10);
  });

  test("is exp of the entropy of the singular values", () => {
    const shares = [0.5, 0.25, 0.125, 0.125];
    const entropy = -shares.reduce((sum, share) => sum + share * Math.log(share), 0);
    expect(
      effectiveRank(
        diagonal(
          shares.map((share) => 8 * share),
          4,
          6,
        ),
        4,
        6,
      ),
    ).toBeCloseTo(Math.exp(entropy), 10);
  });

  test("is no number where the matrix has one that is not finite", () => {
    expect(effectiveRank(Float32Array.of(1, 2, Number.NaN, 4), 2, 2)).toBeNaN();
    expect(effectiveRank(Float32Array.of(1, 2, Number.POSITIVE_INFINITY, 4), 2, 2)).toBeNaN();
  });

  test("is 1 for one direction and 0 for none", () => {
    expect(effectiveRank(new Float32Array(12).fill(3), 3, 4)).toBeCloseTo(1, 6);
    expect(effectiveRank(new Float32Array(12), 3, 4)).toBe(0);
  });
});
