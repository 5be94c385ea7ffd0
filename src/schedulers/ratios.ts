import { expectInTable, rawTimesteps, type SpacingOptions } from './spacing.js'

/** What a solver that counts in noise-to-signal ratios walks along. */
export interface RatioPath {
  /** Timesteps to call the network with. */
  readonly timesteps: readonly number[]
  /** The ratio before each step, and after the last: one more than `timesteps`; float32 values. */
  readonly ratios: readonly number[]
}

/** Where the last step ends: no noise at all, or that of the first training timestep. */
export type FinalSigma = 'zero' | 'sigma_min'

/**
 * `sqrt((1 - a) / a)` for every cumulative alpha, with torch's roundings. a = 0 counts as 2^-24, as in diffusers:
 * these solvers need a finite start.
 */
export function ratioTable(alphas: Float32Array): Float32Array {
  const positive = alphas.map((a) => a || 2 ** -24)
  return positive.map((a) => Math.fround(1 - a) / a).map(Math.sqrt)
}

/** The ratio at a timestep that may lie between two entries. */
export function interpolate(table: Float32Array, timestep: number): number {
  const below = Math.floor(timestep)
  const [low, high] = [table[below]!, table[below + 1] ?? table[below]!]
  return low + (high - low) * (timestep - below)
}

/** Appends the ratio after the last step and rounds to float32. */
export function withFinal(
  ratios: readonly number[],
  finalSigma: FinalSigma,
  table: Float32Array,
): readonly number[] {
  return [...ratios, finalSigma === 'zero' ? 0 : table[0]!].map(Math.fround)
}

/** `count` ratios from `max` to `min`, evenly spaced in their seventh roots (Karras et al. 2022, Eq. 5). */
export function karrasRatios(max: number, min: number, count: number): readonly number[] {
  const [high, low] = [max ** (1 / 7), min ** (1 / 7)]
  return Array.from(
    { length: count },
    (_, i) => (high + (count === 1 ? 0 : i / (count - 1)) * (low - high)) ** 7,
  )
}

/** The timestep, between table entries, whose log ratio is that of `ratio`. */
export function timestepOf(ratio: number, table: Float32Array): number {
  const wanted = Math.log(Math.max(ratio, 1e-10))
  const logs = table.map(Math.log)
  const above = logs.findIndex((log) => log > wanted)
  const low = Math.min(Math.max((above === -1 ? logs.length : above) - 1, 0), logs.length - 2)
  const share = (logs[low]! - wanted) / (logs[low]! - logs[low + 1]!)
  return low + Math.min(Math.max(share, 0), 1)
}

/** Euler's timesteps: linspace keeps its fractions, rounded to float32. */
export function eulerTimesteps(
  trainSteps: number,
  options: SpacingOptions,
  where: string,
): readonly number[] {
  const { spacing = 'linspace', steps, stepsOffset = 1 } = options
  const timesteps = rawTimesteps(spacing, trainSteps, steps, stepsOffset, where).map(Math.fround)
  return expectInTable(timesteps, trainSteps, where)
}
