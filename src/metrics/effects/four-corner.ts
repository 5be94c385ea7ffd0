import type { PatientId } from '../statistics/index.js'
import { type EffectEstimate, type EffectOptions, estimateMean } from './estimate.js'

/** One measurement of the four edits of one picture: attribute a or a', mediator m or m'. */
export interface CornerRow {
  /** Whose picture. */
  readonly patient: PatientId
  /** Y(a, m): the reconstruction, or an edit that changes nothing. */
  readonly neither: number
  /** Y(a', m): the attribute alone is edited. */
  readonly attribute: number
  /** Y(a, m'): the mediator alone is edited. */
  readonly mediator: number
  /** Y(a', m'): both are edited. */
  readonly both: number
}

/** The contrasts of {@link fourCorner}. */
export interface FourCorner {
  /** TE = Y(a', m') - Y(a, m). */
  readonly total: EffectEstimate
  /** NDE = Y(a', m) - Y(a, m). */
  readonly direct: EffectEstimate
  /** Pure NIE = Y(a, m') - Y(a, m). */
  readonly pureIndirect: EffectEstimate
  /** Total NIE = Y(a', m') - Y(a', m), so that TE = NDE + total NIE. */
  readonly totalIndirect: EffectEstimate
  /** Y(a', m') - Y(a', m) - Y(a, m') + Y(a, m) = total NIE - pure NIE. */
  readonly interaction: EffectEstimate
  /** Whom the numbers are about; goes into every report. */
  readonly scope: 'of the generator and the measurement, not of patients'
}

/**
 * Direct, indirect, total and interaction effects from edits of an attribute and a mediator, alone and together.
 *
 * The four corners are generated, so this says what the generator lets the attribute do by itself and through the
 * mediator: no statement about patients follows from it.
 *
 * @param rows - finite measurements, one row per picture
 * @param options - resamples, seed, level
 * @throws ArgumentError on no rows or values that are not finite
 * @see Pearl 2001, "Direct and indirect effects"; VanderWeele 2015, chapter 2.
 */
export function fourCorner(rows: readonly CornerRow[], options: EffectOptions = {}): FourCorner {
  const patients = rows.map((row) => row.patient)
  const of = (contrast: (row: CornerRow) => number) => estimateMean(rows.map(contrast), patients, options)
  return {
    total: of((y) => y.both - y.neither),
    direct: of((y) => y.attribute - y.neither),
    pureIndirect: of((y) => y.mediator - y.neither),
    totalIndirect: of((y) => y.both - y.attribute),
    interaction: of((y) => y.both - y.attribute - y.mediator + y.neither),
    scope: 'of the generator and the measurement, not of patients',
  }
}
