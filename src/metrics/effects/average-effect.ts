import { ArgumentError } from '../../core/index.js'
import { type Interval, type PatientId, type TostResult, tost } from '../statistics/index.js'
import { type EffectEstimate, type EffectOptions, estimateMean } from './estimate.js'

/** One measurement of one picture before and after. */
export interface EffectRow {
  /** Whose picture. */
  readonly patient: PatientId
  /** m(x'): of the edited picture. */
  readonly edited: number
  /** m(r): of the reconstruction, never of the original, so that what the inversion loses is no effect. */
  readonly reconstruction: number
  /** m(x⁰): of a sham edit (a paraphrase, or the same caption); on all rows or on none. */
  readonly sham?: number | undefined
}

/** What an average effect is judged against. */
export interface AverageEffectOptions extends EffectOptions {
  /** The largest effect that does not matter; absent, half the width of the sham's interval, where there is a sham. */
  readonly margin?: number | undefined
}

/** An equivalence test and the margin it was made with. */
export interface EquivalenceToMargin extends TostResult {
  /** The largest effect that does not matter. */
  readonly margin: number
}

/** The answer of {@link averageEffect}. */
export interface AverageEffect {
  /** `mean [m(x') - m(r)]`. */
  readonly effect: EffectEstimate
  /** `mean [m(x⁰) - m(r)]`: what editing does when nothing is asked; `null` without shams. */
  readonly sham: EffectEstimate | null
  /** `mean [m(x') - m(x⁰)]`; `null` without shams. */
  readonly net: EffectEstimate | null
  /** Whether the net effect (without shams, the effect) is inside the margin; `null` without a margin. */
  readonly equivalence: EquivalenceToMargin | null
  /**
   * `'moved'` when p ≤ 1 - level, `'did not move'` when equivalence is shown, `'undecided'` otherwise. A significant
   * effect within the margin is `'moved'`: it is small, and there.
   */
  readonly verdict: 'moved' | 'did not move' | 'undecided'
}

/**
 * The average effect of an intervention on a measurement, relative to the reconstruction and net of a sham edit.
 *
 * `Δ = mean [m(x') - m(r)]`, `Δ₀ = mean [m(x⁰) - m(r)]`, net `Δ - Δ₀`; intervals and tests treat patients, not
 * pictures, as independent.
 *
 * ```ts
 * const { net, verdict } = averageEffect(rows, { seed: 1 })
 * ```
 *
 * @param rows - finite measurements, one row per picture
 * @param options - resamples, seed, level, margin
 * @throws ArgumentError on no rows, values that are not finite, shams on some rows only, or a margin not above 0
 */
export function averageEffect(rows: readonly EffectRow[], options: AverageEffectOptions = {}): AverageEffect {
  const { level = 0.95 } = options
  const shams = rows.filter((row) => row.sham !== undefined).length
  if (shams > 0 && shams < rows.length) throw incomplete(shams, rows.length)
  const patients = rows.map((row) => row.patient)
  const of = (difference: (row: EffectRow) => number) => estimateMean(rows.map(difference), patients, options)

  const effect = of((row) => row.edited - row.reconstruction)
  const sham = shams > 0 ? of((row) => row.sham! - row.reconstruction) : null
  const net = shams > 0 ? of((row) => row.edited - row.sham!) : null
  const margin = options.margin ?? (sham && marginOf(sham.interval))
  const differences = rows.map((row) => row.edited - (row.sham ?? row.reconstruction))
  const equivalence = margin ? { ...tost(differences, { margin, patients, alpha: 1 - level }), margin } : null
  const moved = (net ?? effect).p! <= 1 - level
  const verdict = moved ? 'moved' : equivalence?.equivalent ? 'did not move' : 'undecided'
  return { effect, sham, net, equivalence, verdict }
}

// A sham without spread gives no margin: nothing would ever be inside it.
function marginOf({ low, high }: Interval): number | null {
  return high - low > 0 ? (high - low) / 2 : null
}

function incomplete(shams: number, rows: number): ArgumentError {
  return new ArgumentError({
    rule: 'averageEffect needs a sham on every row or on none',
    got: `${shams} shams in ${rows} rows`,
    mend: 'Leave the rows without a sham out, and report how many.',
  })
}
