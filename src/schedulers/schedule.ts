import { ArgumentError, expectNumber } from '../core/index.js'

/** How beta grows over the training timesteps; the names are those of diffusers configs. */
export type BetaSchedule = 'linear' | 'scaled_linear' | 'squaredcos_cap_v2'

/** The noise schedule that the network was trained on. The defaults are those of Stable Diffusion 1 and 2. */
export interface NoiseScheduleOptions {
  /** Number of training timesteps; 1000. */
  readonly trainSteps?: number
  /** `'scaled_linear'`: linear in the root of beta. */
  readonly betaSchedule?: BetaSchedule
  /** First beta; 0.00085. Unused by `'squaredcos_cap_v2'`. */
  readonly betaStart?: number
  /** Last beta; 0.012. Unused by `'squaredcos_cap_v2'`. */
  readonly betaEnd?: number
  /** Every beta, in place of a formula. */
  readonly trainedBetas?: readonly number[]
  /** Rescales the schedule so that the last timestep holds no signal (Lin et al. 2023, Algorithm 1); false. */
  readonly zeroTerminalSnr?: boolean
}

/**
 * The cumulative product of alpha = 1 - beta for every training timestep, equal to diffusers' table in every bit.
 *
 * Bit-equality needs float32 where torch has float32, one rounding per table entry, and a float64 running product.
 *
 * @param options - the schedule
 * @returns `trainSteps` values, falling from near 1 to near 0
 * @throws ArgumentError when a bound or a name is unknown, or betas leave [0, 1]
 */
export function cumulativeAlphas(options: NoiseScheduleOptions = {}): Float32Array {
  const product = runningProduct(betas(options).map((beta) => 1 - beta))
  return options.zeroTerminalSnr ? withZeroTerminalSnr(product) : product
}

function betas(options: NoiseScheduleOptions): Float32Array {
  const { betaSchedule = 'scaled_linear', betaStart = 0.00085, betaEnd = 0.012, trainedBetas } = options
  const { trainSteps = trainedBetas?.length ?? 1000 } = options
  expectNumber(trainSteps, { integer: true, min: 2, max: 1_000_000 }, 'a noise schedule', 'trainSteps')
  expectNumber(betaStart, { min: 0, max: 1 }, 'a noise schedule', 'betaStart')
  expectNumber(betaEnd, { min: 0, max: 1 }, 'a noise schedule', 'betaEnd')
  if (trainedBetas !== undefined) {
    expectNumber(
      trainedBetas.length,
      { min: trainSteps, max: trainSteps },
      'a noise schedule',
      'the number of trainedBetas',
    )
    for (const beta of trainedBetas)
      expectNumber(beta, { min: 0, max: 1 }, 'a noise schedule', 'every trained beta')
    return Float32Array.from(trainedBetas)
  }
  switch (betaSchedule) {
    case 'linear':
      return linspace(betaStart, betaEnd, trainSteps)
    case 'scaled_linear':
      return linspace(Math.sqrt(betaStart), Math.sqrt(betaEnd), trainSteps).map((root) => root * root)
    case 'squaredcos_cap_v2':
      return squaredCosine(trainSteps)
    default:
      throw new ArgumentError({
        rule: "betaSchedule is 'linear', 'scaled_linear' or 'squaredcos_cap_v2'",
        got: String(betaSchedule),
        mend: 'Pass one of these, or the betas themselves as trainedBetas.',
      })
  }
}

// torch.linspace in float32: from the start up to the middle, from the end down to it, one rounding per entry.
function linspace(start: number, end: number, count: number): Float32Array {
  const [a, b] = [Math.fround(start), Math.fround(end)]
  const step = Math.fround(Math.fround(b - a) / (count - 1))
  return Float32Array.from({ length: count }, (_, i) =>
    i < count / 2 ? a + i * step : b - (count - 1 - i) * step,
  )
}

// Nichol & Dhariwal 2021, Eq. 17, with beta capped at 0.999.
function squaredCosine(count: number): Float32Array {
  const alphaBar = (t: number) => Math.cos((((t + 0.008) / 1.008) * Math.PI) / 2) ** 2
  return Float32Array.from({ length: count }, (_, i) =>
    Math.min(1 - alphaBar((i + 1) / count) / alphaBar(i / count), 0.999),
  )
}

function runningProduct(alphas: Float32Array): Float32Array {
  let product = 1
  return alphas.map((alpha) => (product *= alpha))
}

// Lin et al. 2023, Algorithm 1: shift the root until the last entry is 0, scale until the first is unchanged.
function withZeroTerminalSnr(product: Float32Array): Float32Array {
  const roots = product.map(Math.sqrt)
  const [first, last] = [roots[0]!, roots.at(-1)!]
  const scale = Math.fround(first / Math.fround(first - last))
  const shifted = roots.map((root) => Math.fround(root - last) * scale).map((root) => root * root)
  const alphas = shifted.map((value, i) => (i === 0 ? value : value / shifted[i - 1]!))
  // diffusers goes back through betas before it takes the product again: two more roundings.
  return runningProduct(alphas.map((alpha) => 1 - alpha).map((beta) => 1 - beta))
}
