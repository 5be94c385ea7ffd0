import { ArgumentError, expectNumber } from '../../core/index.js'
import { expectSameLength } from './check.js'
import { norm } from './moments.js'
import { patientMeans } from './patients.js'
import { signSource } from './random.js'
import type { Flag, PatientId } from './types.js'

/** How to flip. */
export interface MaxTOptions {
  /** Whose each row is; absent, every row is a patient of its own. */
  readonly patients?: readonly PatientId[] | undefined
  /** Random flips where there are more than that in all; 9999. */
  readonly resamples?: number | undefined
  /** A whole number; 0. */
  readonly seed?: number | undefined
}

/** The answer of {@link maxT}, one entry per cell in the order given. */
export interface MaxTResult {
  /** Student's t of the patients' means; infinite where all are equal and not 0, 0 where all are 0. */
  readonly t: readonly number[]
  /** Single-step adjusted, two-sided. */
  readonly adjusted: readonly number[]
  /** Whether every flip was counted. */
  readonly exact: boolean
  /** How many flips were compared. */
  readonly flips: number
  /** What the reader must know of each cell. */
  readonly flags: readonly (readonly Flag[])[]
}

/**
 * Westfall and Young's max-T: one family of tests over the cells of a matrix, with the same patient flipped in
 * every cell at once, so that the dependence between cells is kept.
 *
 * `p̃ⱼ = share of flips with maxₖ |t*ₖ| ≥ |tⱼ|`. With m patients' means d, `u = Σ s d / √Σ d²` orders flips as t
 * does (`t² = (m - 1) u² / (m - u²)`) and needs no variance of its own; the search runs on u.
 *
 * @param cells - one list of differences per cell, rows in one order, finite
 * @param options - patients and flips; all 2^patients are listed where they are no more than `resamples`
 * @throws ArgumentError on no cells, cells of different lengths, or values that are not finite
 * @see Westfall & Young 1993.
 */
export function maxT(cells: readonly (readonly number[])[], options: MaxTOptions = {}): MaxTResult {
  const { resamples = 9999, seed = 0 } = options
  expectNumber(resamples, { min: 1, integer: true }, 'maxT', 'resamples')
  if (cells.length === 0) {
    throw new ArgumentError({ rule: 'maxT needs cells', got: 'none', mend: 'Pass one list per comparison.' })
  }
  for (const cell of cells) expectSameLength(cell, cells[0]!, 'maxT', 'the rows of cells')
  const means = cells.map((cell) => patientMeans(cell, options.patients, 'maxT'))
  const patients = means[0]!.length
  const lengths = means.map((d) => norm(d))
  const size = (cell: number, signs: ArrayLike<number>) =>
    lengths[cell] === 0
      ? 0
      : Math.abs(means[cell]!.reduce((sum, d, i) => sum + d * signs[i]!, 0)) / lengths[cell]!

  const observed = means.map((_, cell) => size(cell, new Int8Array(patients).fill(1)))
  const exact = 2 ** patients <= resamples + 1
  const flips = exact ? 2 ** patients : resamples + 1
  const draw = exact ? everyFlip() : signSource(seed, 'maxT')
  // Random flips are compared beside the data themselves, the 1 + of the Monte Carlo p-value.
  const counts = observed.map(() => (exact ? 0 : 1))
  const signs = new Int8Array(patients)
  for (let flip = exact ? 0 : 1; flip < flips; flip++) {
    draw(signs)
    const most = means.reduce((most, _, cell) => Math.max(most, size(cell, signs)), 0)
    for (const [cell, u] of observed.entries()) if (most >= u - 1e-12) counts[cell]!++
  }
  return {
    t: observed.map((u, cell) => studentT(u, patients) * Math.sign(means[cell]!.reduce((a, b) => a + b, 0))),
    adjusted: counts.map((count) => count / flips),
    exact,
    flips,
    flags: lengths.map((length): Flag[] => [
      ...(patients === 1 ? (['one-patient'] as const) : []),
      ...(length === 0 ? (['all-zero'] as const) : []),
    ]),
  }
}

function studentT(u: number, patients: number): number {
  const rest = patients - u ** 2
  if (rest <= 1e-12 * patients) return Number.POSITIVE_INFINITY
  return u * Math.sqrt((patients - 1) / rest)
}

function everyFlip(): (signs: Int8Array) => void {
  let flip = 0
  return (signs) => {
    for (let i = 0; i < signs.length; i++) signs[i] = (flip >> i) & 1 ? -1 : 1
    flip++
  }
}
