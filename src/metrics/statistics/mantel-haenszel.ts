import { ArgumentError, expectNumber } from '../../core/index.js'
import { expectLevel, expectSameLength } from './check.js'
import { normalQuantile, normalTwoSided } from './distributions.js'
import type { Flag, Interval } from './types.js'

/**
 * A 2 × 2 table `[a, b, c, d]`: exposed with and without the outcome, then unexposed with and without.
 */
export type TwoByTwo = readonly [a: number, b: number, c: number, d: number]

/** How to pool. */
export interface MantelHaenszelOptions {
  /** Add 0.5 to every cell of a stratum `'where-zero'`, of all strata `'always'`, or of none `'never'`; where zero. */
  readonly haldane?: 'where-zero' | 'always' | 'never' | undefined
  /** The continuity correction of the test; false. */
  readonly continuity?: boolean | undefined
  /** Of the interval; 0.95. */
  readonly level?: number | undefined
}

/** The answer of {@link mantelHaenszel}. */
export interface MantelHaenszelResult {
  /** The pooled odds ratio. */
  readonly oddsRatio: number
  /** The standard error of its logarithm (Robins, Breslow & Greenland). */
  readonly logStandardError: number
  /** Of the odds ratio. */
  readonly interval: Interval
  /** Mantel and Haenszel's χ² with one degree of freedom, of the counts as they came. */
  readonly chiSquare: number
  /** Of no association in any stratum. */
  readonly p: number
  /** Strata that were used. */
  readonly strata: number
  /** Counted cases. */
  readonly n: number
  /** What the reader must know. */
  readonly flags: readonly Flag[]
}

/**
 * The association of an exposure with an outcome within strata, pooled (is the leak already in the labels?).
 *
 * Over strata with n = a + b + c + d:
 *
 * ```text
 * OR     = Σ (a d / n) / Σ (b c / n) = R / S
 * var ln OR = Σ P R / 2R² + Σ (P S + Q R) / 2RS + Σ Q S / 2S²     P = (a + d) / n,  Q = (b + c) / n
 * χ²     = (|Σ a - Σ (a + b)(a + c) / n| - ½)² / Σ (a + b)(c + d)(a + c)(b + d) / (n² (n - 1))
 * ```
 *
 * the ½ only with `continuity`. Haldane's 0.5 goes into the ratio and its error, never into the test.
 *
 * @param tables - one per stratum, whole counts
 * @param options - corrections and the level
 * @returns strata with an empty margin are left out and flagged; where none is left all is NaN
 * @throws ArgumentError on no strata, or cells that are negative or not finite
 * @see Mantel & Haenszel 1959; Robins, Breslow & Greenland 1986.
 */
export function mantelHaenszel(
  tables: readonly TwoByTwo[],
  options: MantelHaenszelOptions = {},
): MantelHaenszelResult {
  const { haldane = 'where-zero', continuity = false, level = 0.95 } = options
  expectLevel(level, 'mantelHaenszel')
  expectTables(tables)
  const useful = tables.filter(([a, b, c, d]) => a + b > 0 && c + d > 0 && a + c > 0 && b + d > 0)
  const corrects = (table: TwoByTwo) =>
    haldane === 'always' || (haldane === 'where-zero' && table.some((cell) => cell === 0))
  const corrected = useful.map((table) =>
    corrects(table) ? (table.map((cell) => cell + 0.5) as [number, number, number, number]) : table,
  )
  const { oddsRatio, logVariance } = pooledOdds(corrected)
  const logStandardError = Math.sqrt(logVariance)
  const reach = Math.exp(normalQuantile((1 + level) / 2) * logStandardError)
  const chiSquare = associationTest(useful, continuity ? 0.5 : 0)
  const flags: Flag[] = []
  if (useful.length < tables.length) flags.push('empty-strata')
  if (useful.some(corrects)) flags.push('zero-cells')
  return {
    oddsRatio,
    logStandardError,
    interval: { low: oddsRatio / reach, high: oddsRatio * reach, level, method: 'wald' },
    chiSquare,
    p: normalTwoSided(Math.sqrt(chiSquare)), // χ² with one degree of freedom is a squared normal
    strata: useful.length,
    n: useful.reduce((sum, table) => sum + table.reduce((a, b) => a + b), 0),
    flags,
  }
}

/**
 * One 2 × 2 table per stratum from parallel lists.
 *
 * @param exposed - the exposure of each case
 * @param outcome - its outcome
 * @param strata - its stratum: an age band, a sex, or both joined; absent, all are one
 * @throws ArgumentError on lists of different lengths
 */
export function stratify(
  exposed: readonly boolean[],
  outcome: readonly boolean[],
  strata?: readonly (string | number)[],
): TwoByTwo[] {
  expectSameLength(exposed, outcome, 'stratify', 'exposed and outcome')
  if (strata) expectSameLength(exposed, strata, 'stratify', 'exposed and strata')
  const tables = new Map<string | number, [number, number, number, number]>()
  for (const [i, isExposed] of exposed.entries()) {
    const stratum = strata?.[i] ?? ''
    const table = tables.get(stratum) ?? [0, 0, 0, 0]
    table[(isExposed ? 0 : 2) + (outcome[i] ? 0 : 1)]!++
    tables.set(stratum, table)
  }
  return [...tables.values()]
}

function pooledOdds(tables: readonly TwoByTwo[]): { oddsRatio: number; logVariance: number } {
  let [R, S, PR, PSQR, QS] = [0, 0, 0, 0, 0]
  for (const [a, b, c, d] of tables) {
    const n = a + b + c + d
    const [r, s, P, Q] = [(a * d) / n, (b * c) / n, (a + d) / n, (b + c) / n]
    R += r
    S += s
    PR += P * r
    PSQR += P * s + Q * r
    QS += Q * s
  }
  return { oddsRatio: R / S, logVariance: PR / (2 * R ** 2) + PSQR / (2 * R * S) + QS / (2 * S ** 2) }
}

function associationTest(tables: readonly TwoByTwo[], continuity: number): number {
  let [excess, variance] = [0, 0]
  for (const [a, b, c, d] of tables) {
    const n = a + b + c + d
    excess += a - ((a + b) * (a + c)) / n
    variance += ((a + b) * (c + d) * (a + c) * (b + d)) / (n ** 2 * (n - 1))
  }
  return Math.max(0, Math.abs(excess) - continuity) ** 2 / variance
}

function expectTables(tables: readonly TwoByTwo[]): void {
  if (tables.length === 0) {
    throw new ArgumentError({
      rule: 'mantelHaenszel needs strata',
      got: 'none',
      mend: 'Pass one table at least.',
    })
  }
  for (const [i, table] of tables.entries()) {
    if (table.length !== 4) {
      const mend = 'Pass [a, b, c, d].'
      throw new ArgumentError({ rule: 'mantelHaenszel needs four cells', got: `${table.length}`, mend })
    }
    for (const cell of table) expectNumber(cell, { min: 0 }, 'mantelHaenszel', `every cell of stratum ${i}`)
  }
}
