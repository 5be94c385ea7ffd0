import { expectFinite, expectSameLength } from './check.js'
import { normalTwoSided } from './distributions.js'
import { linearResiduals } from './least-squares.js'
import { isConstant, norm } from './moments.js'
import { rowsByPatient } from './patients.js'
import type { Flag, PatientId } from './types.js'

/** What remains of `target` once `z` has been used: any regression, flexible ones included. */
export type Residuals = (target: readonly number[], z: readonly (readonly number[])[]) => readonly number[]

/** How to test. */
export interface GeneralisedCovarianceOptions {
  /** The regression of x and of y on z; least squares. */
  readonly residuals?: Residuals | undefined
  /** Whose each row is; absent, rows are independent. */
  readonly patients?: readonly PatientId[] | undefined
}

/** The answer of {@link generalisedCovariance}. */
export interface GeneralisedCovarianceResult {
  /** Standard normal under independence given z, when both regressions are good. */
  readonly statistic: number
  /** Two-sided. */
  readonly p: number
  /** The mean product of residuals: the covariance that z does not explain. */
  readonly covariance: number
  /** Rows. */
  readonly n: number
  /** Patients, the independent units. */
  readonly patients: number
  /** What the reader must know. */
  readonly flags: readonly Flag[]
}

/**
 * The generalised covariance measure: are x and y independent given z?
 *
 * With residuals of both and `R = (x - f̂(z)) (y - ĝ(z))`:
 *
 * `T = √n mean R / √(mean R² - (mean R)²) ~ N(0, 1)`.
 *
 * With patients, R is each one's sum: rows of one patient need not be independent.
 *
 * @param x - finite
 * @param y - parallel to x
 * @param z - one list per conditioning variable, each parallel to x; none tests the plain covariance
 * @param options - the regression and the patients
 * @returns where a residual is zero or R does not vary, T and p are NaN and flagged
 * @throws ArgumentError on lists of different lengths or values that are not finite
 * @see Shah & Peters 2020, "The hardness of conditional independence testing", equation 6.
 */
export function generalisedCovariance(
  x: readonly number[],
  y: readonly number[],
  z: readonly (readonly number[])[],
  options: GeneralisedCovarianceOptions = {},
): GeneralisedCovarianceResult {
  const where = 'generalisedCovariance'
  const { residuals = linearResiduals } = options
  for (const [what, values] of [['x', x], ['y', y], ...z.map((v, i) => [`z[${i}]`, v] as const)] as const) {
    expectFinite(values, where, what)
    expectSameLength(values, x, where, `${what} and x`)
  }
  const [rx, ry] = [residuals(x, z), residuals(y, z)]
  expectFinite(rx, where, 'the residuals of x')
  expectFinite(ry, where, 'the residuals of y')
  expectSameLength(rx, x, where, 'residuals and x')
  expectSameLength(ry, x, where, 'residuals and y')

  const groups = rowsByPatient(options.patients, x.length, where)
  const R = groups.map((rows) => rows.reduce((sum, i) => sum + rx[i]! * ry[i]!, 0))
  const n = R.length
  const mean = R.reduce((sum, r) => sum + r, 0) / n
  const meanSquare = R.reduce((sum, r) => sum + r ** 2, 0) / n
  const common = { covariance: (mean * n) / x.length, n: x.length, patients: n }
  const undefinedFor = (flag: Flag) => ({ ...common, statistic: Number.NaN, p: Number.NaN, flags: [flag] })
  if (n === 1) return undefinedFor('one-patient')
  if (vanishes(rx, x) || vanishes(ry, y)) return undefinedFor('collinear')
  if (isConstant(R)) return undefinedFor('zero-variance')
  const statistic = (Math.sqrt(n) * mean) / Math.sqrt(meanSquare - mean ** 2)
  return { ...common, statistic, p: normalTwoSided(statistic), flags: [] }
}

// What rounding leaves of a regression that explains everything.
function vanishes(residual: readonly number[], original: readonly number[]): boolean {
  return norm(residual) <= 1e-10 * norm(original)
}
