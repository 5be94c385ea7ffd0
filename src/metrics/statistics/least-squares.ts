import { Matrix, solve } from 'ml-matrix'
import { expectFinite, expectSameLength } from './check.js'
import { norm } from './moments.js'

/**
 * What is left of y after the best linear prediction from z and a constant: `y - X (XᵀX)⁺ Xᵀ y`.
 *
 * @param y - finite
 * @param z - one list per predictor, each parallel to `y`; none leaves `y - ȳ`
 * @returns residuals; collinear predictors count once
 * @throws ArgumentError on lists of different lengths or values that are not finite
 */
export function linearResiduals(y: readonly number[], z: readonly (readonly number[])[]): number[] {
  expectFinite(y, 'linearResiduals', 'y')
  const centred = z.map((column, i) => {
    expectFinite(column, 'linearResiduals', `z[${i}]`)
    expectSameLength(column, y, 'linearResiduals', `z[${i}] and y`)
    return centre(column)
  })
  const target = centre(y)
  if (centred.length === 0) return target
  // Unit columns: one of age in days and one of 0 and 1 are equally worth keeping to the pseudo-inverse.
  const X = new Matrix(centred.map(unit)).transpose()
  const fitted = X.mmul(solve(X, Matrix.columnVector(target), true)).to1DArray()
  return target.map((value, i) => value - fitted[i]!)
}

function centre(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return values.map((value) => value - mean)
}

function unit(values: readonly number[]): number[] {
  const length = norm(values)
  return length === 0 ? [...values] : values.map((value) => value / length)
}
