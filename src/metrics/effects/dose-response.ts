import { expectNumber } from '../../core/index.js'
import { type Flag, isotonic, mean, type PatientId, rowsByPatient, slope } from '../statistics/index.js'
import { type EffectEstimate, type EffectOptions, estimateOf } from './estimate.js'

/** One picture at one dose. */
export interface DoseRow {
  /** Whose picture. */
  readonly patient: PatientId
  /** The weight of the edit, the guidance scale, the position between two embeddings. */
  readonly dose: number
  /** What was measured. */
  readonly response: number
}

/** What to fit. */
export interface DoseResponseOptions extends EffectOptions {
  /** The sense of the monotone fit; `'auto'` takes the slope's. */
  readonly direction?: 'increasing' | 'decreasing' | 'auto' | undefined
  /** The response whose dose is wanted: 0.5 of a probability is where a classifier flips. */
  readonly threshold?: number | undefined
}

/** One point of the monotone fit. */
export interface DosePoint {
  /** The dose. */
  readonly dose: number
  /** The fitted response. */
  readonly response: number
  /** Rows at this dose. */
  readonly n: number
}

/** The answer of {@link doseResponse}. */
export interface DoseResponse {
  /** Least squares, response per unit of dose; NaN where all doses are equal. */
  readonly slope: EffectEstimate
  /** The monotone fit at each dose. */
  readonly curve: readonly DosePoint[]
  /** The sense of the fit. */
  readonly direction: 'increasing' | 'decreasing'
  /** The dose at which the fit crosses the threshold; NaN where it does not, `null` where none was asked for. */
  readonly crossing: EffectEstimate | null
  /** What the reader must know. */
  readonly flags: readonly Flag[]
}

/**
 * How a measurement answers to the strength of an edit: a slope, a monotone curve, and the dose that crosses a
 * threshold.
 *
 * `slope = Σ (d - d̄)(y - ȳ) / Σ (d - d̄)²`; the curve is {@link isotonic} regression of the means at each dose,
 * weighted by their counts, and linear between doses. A slope may come from saturation alone; the curve shows it.
 *
 * @param rows - finite, one per picture and dose
 * @param options - direction, threshold, resamples, seed, level
 * @throws ArgumentError on no rows or values that are not finite
 */
export function doseResponse(rows: readonly DoseRow[], options: DoseResponseOptions = {}): DoseResponse {
  for (const [i, { dose, response }] of rows.entries()) {
    expectNumber(dose, {}, 'doseResponse', `rows[${i}].dose`)
    expectNumber(response, {}, 'doseResponse', `rows[${i}].response`)
  }
  const slopeOf = (sample: readonly DoseRow[]) =>
    slope(
      sample.map((row) => row.dose),
      sample.map((row) => row.response),
    )
  const trend = estimateOf(rows, slopeOf, options)
  const { direction: wanted = 'auto', threshold } = options
  const direction = wanted === 'auto' ? (trend.estimate < 0 ? 'decreasing' : 'increasing') : wanted
  const curve = curveOf(rows, direction)
  const flags: Flag[] = Number.isNaN(trend.estimate) ? ['constant-dose'] : []
  if (threshold === undefined) return { slope: trend, curve, direction, crossing: null, flags }
  expectNumber(threshold, {}, 'doseResponse', 'threshold')
  const crossing = estimateOf(rows, (sample) => crossingOf(curveOf(sample, direction), threshold), options)
  if (Number.isNaN(crossing.estimate)) flags.push('no-crossing')
  return { slope: trend, curve, direction, crossing, flags }
}

function curveOf(rows: readonly DoseRow[], direction: DoseResponse['direction']): readonly DosePoint[] {
  const groups = rowsByPatient(
    rows.map((row) => row.dose), // grouped by dose as patients are by id
    rows.length,
    'doseResponse',
  ).map((indices) => indices.map((i) => rows[i]!))
  const ordered = groups.sort(([a], [b]) => a!.dose - b!.dose)
  const doses = ordered.map(([first]) => first!.dose)
  const sign = direction === 'increasing' ? 1 : -1
  const means = ordered.map((group) => sign * mean(group.map((row) => row.response)))
  const counts = ordered.map((group) => group.length)
  return isotonic(means, counts).map((fit, i) => ({ dose: doses[i]!, response: sign * fit, n: counts[i]! }))
}

// The first dose at which the piecewise linear curve reaches the threshold from its near side.
function crossingOf(curve: readonly DosePoint[], threshold: number): number {
  for (const [i, after] of curve.entries()) {
    const before = curve[i - 1]
    if (!before) continue
    const [from, to] = [before.response - threshold, after.response - threshold]
    if (from !== to && from * to <= 0) return before.dose + ((after.dose - before.dose) * from) / (from - to)
  }
  return Number.NaN
}
