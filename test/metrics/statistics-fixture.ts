import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import type { TwoByTwo } from '../../src/metrics/statistics/index.js'

interface PooledOdds {
  tables: TwoByTwo[]
  oddsRatio: number
  logStandardError: number
  interval: [number, number]
  chiSquare: number
  p: number
  chiSquareContinuity: number
  pContinuity: number
}

// What test/fixtures/metrics-statistics.py writes.
interface Fixture {
  distributions: Record<'z' | 'p' | 'df' | 'x' | 'normalCdf' | 'normalQuantile', number[]> &
    Record<'tCdf' | 'tQuantile' | 'chi2Cdf' | 'chi2Upper' | 'chi2Quantile', number[][]>
  multiplicity: Record<'p' | 'holm' | 'bh' | 'by', number[]>
  bootstrap: {
    patients: number[]
    values: number[]
    second: number[]
    indices: number[][]
    intervals: Record<string, Record<string, [number, number]>>
  }
  flips: { differences: number[][]; exact: number[]; t: number[]; maxT: number[] }
  delong: Record<'label' | 'first' | 'second' | 'auc' | 'variance', number[]> & { z: number; p: number }
  tost: Record<'low' | 'high' | 'p' | 'pLower' | 'pUpper', number> & { values: number[]; interval: number[] }
  mantelHaenszel: Record<string, PooledOdds>
  independence: { x: number[]; y: number[]; z: number[][]; pearsonInterval: number[] } & Record<
    'T' | 'pT' | 'r' | 'fisher' | 'pFisher',
    number
  >
  wilson: { hits: number[]; n: number[]; intervals: Record<string, [number, number][]> }
  isotonic: Record<'values' | 'weights' | 'plain' | 'weighted' | 'dose' | 'response' | 'fit', number[]> & {
    slope: number
  }
  effectiveness: Record<'wanted' | 'score' | 'races' | 'ages' | 'guessed', number[]> & {
    soft: number[][]
  } & Record<'auc' | 'accuracy' | 'f1' | 'macroAuc' | 'raceAccuracy' | 'mae', number>
}

export const statistics: Fixture = JSON.parse(
  readFileSync(`${import.meta.dirname}/../fixtures/statistics.json`, 'utf8'),
)

// Relative to the reference.
export function near(actual: number, wanted: number, tolerance = 1e-9): void {
  expect(Math.abs(actual - wanted), `${actual} for ${wanted}`).toBeLessThanOrEqual(
    tolerance * Math.abs(wanted),
  )
}
