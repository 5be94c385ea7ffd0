import { expectNumber } from '../../core/index.js'

/**
 * TorchXRayVision's recalibration, which moves a label's operating point to 0.5:
 * `p < t → p / 2t`, `p ≥ t → 1 - (1 - p) / 2(1 - t)`, a missing threshold → 0.5.
 *
 * Off by default everywhere: the slope falls at t from 1 / 2t to 1 / 2(1 - t) (for t = 0.197 from 2.54 to 0.62), so
 * one change of probability counts four times as much below t as above it, and effects are distorted. Use it to
 * threshold at 0.5, never before `predictionGain`.
 *
 * @param p - in [0, 1]
 * @param threshold - the operating point, strictly between 0 and 1, or NaN for a label that the model lacks
 * @throws ArgumentError outside those ranges
 */
export function opNorm(p: number, threshold: number): number {
  expectNumber(p, { min: 0, max: 1 }, 'opNorm', 'p')
  if (Number.isNaN(threshold)) return 0.5
  expectNumber(threshold, { min: Number.MIN_VALUE, max: 1 - Number.EPSILON }, 'opNorm', 'threshold')
  return p < threshold ? p / (2 * threshold) : 1 - (1 - p) / (2 * (1 - threshold))
}
