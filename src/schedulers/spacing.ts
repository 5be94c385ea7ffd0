import { ArgumentError, expectNumber } from '../core/index.js'

/** How N sampling timesteps are chosen among the training timesteps (Lin et al. 2023, Table 2). */
export type Spacing = 'leading' | 'trailing' | 'linspace'

/** Which timesteps a scheduler visits. */
export interface SpacingOptions {
  /** Number of sampling steps, from 1 to `trainSteps`. */
  readonly steps: number
  /** How they are spread; see the method for its default. With one step only `'trailing'` starts at the noisy end. */
  readonly spacing?: Spacing
  /** Added to every timestep of `'leading'`; 1 for Stable Diffusion. */
  readonly stepsOffset?: number
}

/**
 * Timesteps in descending order, as diffusers' DDIM, DDPM and PNDM choose them (T training steps, N sampling steps):
 * leading `k * floor(T / N) + offset`, trailing `round(T - k T / N) - 1`, linspace `round(k (T - 1) / (N - 1))`.
 *
 * @param spacing - which of the three
 * @param trainSteps - T
 * @param steps - N
 * @param stepsOffset - for `'leading'` only
 * @param where - the method, named in errors
 * @throws ArgumentError when N is not a whole number from 1 to T, or a timestep falls outside the table
 */
export function spacedTimesteps(
  spacing: Spacing,
  trainSteps: number,
  steps: number,
  stepsOffset: number,
  where: string,
): readonly number[] {
  const timesteps = rawTimesteps(spacing, trainSteps, steps, stepsOffset, where).map(roundHalfEven)
  return expectInTable(timesteps, trainSteps, where)
}

/** {@link spacedTimesteps} before rounding: Euler's linspace is fractional. */
export function rawTimesteps(
  spacing: Spacing,
  trainSteps: number,
  steps: number,
  stepsOffset: number,
  where: string,
): readonly number[] {
  expectNumber(steps, { integer: true, min: 1, max: trainSteps }, where, 'steps')
  expectNumber(stepsOffset, { integer: true, min: 0 }, where, 'stepsOffset')
  switch (spacing) {
    case 'leading':
      return descending(steps, (k) => k * Math.floor(trainSteps / steps) + stepsOffset)
    case 'trailing':
      return trailing(trainSteps, steps)
    case 'linspace':
      return linspace(trainSteps - 1, steps)
    default:
      throw new ArgumentError({
        rule: `${where} needs spacing 'leading', 'trailing' or 'linspace'`,
        got: String(spacing),
        mend: "Stable Diffusion's own samplers use 'leading'.",
      })
  }
}

/** `count` timesteps at equal distances from `last` down to 0, unrounded; with one, 0. */
export function linspace(last: number, count: number): readonly number[] {
  const step = last / (count - 1)
  return descending(count, (k) => (k === 0 ? 0 : k === count - 1 ? last : k * step))
}

/** `steps` timesteps from the last downwards at distances of `trainSteps / steps`, rounded, less one. */
export function trailing(trainSteps: number, steps: number): readonly number[] {
  // The distance as one subtraction leaves it: numpy's rounding decides where a place falls on an exact half.
  // (For some numbers of steps numpy counts one place too many, at -1; here there are always `steps`.)
  const distance = trainSteps - (trainSteps - trainSteps / steps)
  return Array.from({ length: steps }, (_, k) => roundHalfEven(trainSteps - k * distance) - 1)
}

/** Rounds to the nearest whole number and exact halves to the even one, as numpy does. */
export function roundHalfEven(value: number): number {
  const below = Math.floor(value)
  if (value - below !== 0.5) return Math.round(value)
  return below % 2 === 0 ? below : below + 1
}

/**
 * Freezes timesteps that all have an entry in a table of `trainSteps`.
 *
 * @throws ArgumentError with the first that has none
 */
export function expectInTable(
  timesteps: readonly number[],
  trainSteps: number,
  where: string,
): readonly number[] {
  const outside = timesteps.find((t) => t < 0 || t > trainSteps - 1)
  if (outside === undefined) return Object.freeze([...timesteps])
  throw new ArgumentError({
    rule: `${where} needs timesteps from 0 to ${trainSteps - 1}`,
    got: `timestep ${outside} of ${timesteps.length}`,
    mend: "Ask for fewer steps, set stepsOffset to 0, or use spacing 'trailing'.",
  })
}

function descending(count: number, at: (k: number) => number): readonly number[] {
  return Array.from({ length: count }, (_, i) => at(count - 1 - i))
}
