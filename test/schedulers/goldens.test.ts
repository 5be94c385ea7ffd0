import * as tf from '@tensorflow/tfjs'
import { describe, expect, it } from 'vitest'
import {
  cumulativeAlphas,
  ddim,
  ddimInverse,
  ddpm,
  dpmSolverPlusPlus,
  euler,
  eulerAncestral,
  lcm,
  pndm,
  type Scheduler,
} from '../../src/schedulers/index.js'
import { channelsFirst, channelsLast, type FakeModel, sample, sampleRamp } from './sample.js'

describe('published tables', () => {
  it('has the cumulative alphas of Stable Diffusion to the last bit', () => {
    const alphas = cumulativeAlphas()
    const published: [number, number][] = [
      [0, 0.9991499781608582],
      [1, 0.9982960224151611],
      [21, 0.980380654335022],
      [481, 0.302295446395874],
      [500, 0.27633246779441833],
      [981, 0.005775495897978544],
      [999, 0.00466009508818388],
    ]
    for (const [i, value] of published) expect(alphas[i]).toBe(Math.fround(value))
    expect(euler({ steps: 20 }).initialNoiseScale).toBe(Math.fround(14.614646911621094))
    expect(cumulativeAlphas({ zeroTerminalSnr: true })[999]).toBe(0)
    expect(cumulativeAlphas({ zeroTerminalSnr: true })[500]).toBeCloseTo(0.2410186, 6)
  })

  it('visits the published timesteps for 20 steps', () => {
    const down = (from: number, to: number, by: number) =>
      Array.from({ length: (from - to) / by + 1 }, (_, i) => from - i * by)
    const even = down(951, 1, 50)
    expect(ddim({ steps: 20 }).timesteps).toEqual(even)
    expect(ddpm({ steps: 20 }).timesteps).toEqual(even)
    expect(ddimInverse({ steps: 20 }).timesteps).toEqual(even.toReversed())
    expect(pndm({ steps: 20 }).timesteps).toEqual([951, 901, ...even.slice(1)])
    expect(lcm({ steps: 20 }).timesteps.slice(0, 4)).toEqual([999, 959, 899, 859])
    expect(lcm({ steps: 20 }).timesteps.at(-1)).toBe(59)
    expect(lcm({ steps: 4 }).timesteps).toEqual([999, 759, 499, 259])
    const solver = dpmSolverPlusPlus({ steps: 20 }).timesteps
    expect([...solver.slice(0, 3), ...solver.slice(-2)]).toEqual([999, 949, 899, 100, 50])
    for (const { timesteps } of [euler({ steps: 20 }), eulerAncestral({ steps: 20 })]) {
      ;[999, 946.42108, 893.8421].forEach((t, i) => {
        expect(timesteps[i]).toBeCloseTo(t, 4)
      })
      expect(timesteps.at(-2)).toBeCloseTo(52.57895, 4)
      expect(timesteps.at(-1)).toBe(0)
    }
    expect(dpmSolverPlusPlus({ steps: 10, karras: true }).timesteps).toEqual([
      999, 916, 815, 687, 523, 327, 146, 41, 7, 0,
    ])
  })
})

describe('sampling with the sine model, 10 steps', () => {
  const steps = 10
  const old = { betaSchedule: 'scaled_linear', stepsOffset: 1 } as const
  const runs: [string, Scheduler, number[], number, number?][] = [
    ['DDIM', ddim({ steps }), [-14.67128, -11.740271, -0.209804, -0.028495, 13.580434], -8.742198],
    [
      'DDIM, set_alpha_to_one',
      ddim({ steps, setAlphaToOne: true }),
      [-14.654969, -11.764801, -0.204372, -0.027754, 13.563871],
      -8.749602,
    ],
    [
      'DDIM v',
      ddim({ steps, prediction: 'v' }),
      [-0.708558, -0.543042, -0.05179, 0.005205, 0.629093],
      -0.451746,
    ],
    ['DDIM inverse', ddimInverse({ steps }), [-1.005871, -0.977119, -0.058007, 0.312737, 1.164256], 1.553492],
    ['DDPM', ddpm({ steps }), [-23.719584, -19.030975, -0.046346, -0.504054, 0.485033], -6.151373, 0],
    ['PNDM', pndm({ steps }), [-15.511839, -12.366621, -0.181025, 0.002111, 14.389833], -7.839568],
    [
      'DPM++ 2M',
      dpmSolverPlusPlus({ steps }),
      [-27.237, -20.979292, -0.221488, -0.033948, 24.041756],
      -15.736278,
    ],
    [
      'DPM++ 2M, 20 steps',
      dpmSolverPlusPlus({ steps: 20 }),
      [-27.337669, -21.265087, -0.224539, -0.03302, 25.201965],
      -14.240389,
    ],
    [
      'DPM++ 2M leading, sigma_min',
      dpmSolverPlusPlus({ steps, spacing: 'leading', finalSigma: 'sigma_min' }),
      [-15.130701, -12.485842, -0.18424, -0.003501, 14.065416],
      -8.550187,
    ],
    [
      'DPM++ 2M SDE',
      dpmSolverPlusPlus({ steps, sde: true }),
      [-47.619804, -37.343987, -0.150972, -0.63599, 0.338102],
      -9.316381,
      0,
    ],
    ['Euler', euler({ steps, ...old }), [-25.91329, -19.893124, -0.269875, -0.07392, 22.432755], -17.88468],
    [
      'Euler leading',
      euler({ steps, spacing: 'leading' }),
      [-14.65497, -11.764801, -0.204372, -0.027754, 13.56387],
      -8.749604,
    ],
    [
      'Euler v',
      euler({ steps, prediction: 'v' }),
      [-0.641973, -0.490152, -0.049171, 0.001419, 0.560166],
      -0.463238,
    ],
    [
      'Euler ancestral',
      eulerAncestral({ steps }),
      [-40.224926, -29.866802, -0.114336, -0.594864, 1.388709],
      -14.138529,
      0,
    ],
  ]
  it.each(runs)('%s', (_, scheduler, expected, sum, seed) => {
    const values = sampleRamp(scheduler, { seed: seed ?? null })
    ;[0, 1, 7, 8, 15].forEach((place, i) => {
      expect(Math.abs(values[place]! - expected[i]!)).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected[i]!)))
    })
    expect(Math.abs(values.reduce((a, b) => a + b) - sum)).toBeLessThan(1e-4)
  })
})

describe("the sums of diffusers' own scheduler tests", () => {
  const old = { betaSchedule: 'linear', betaStart: 0.0001, betaEnd: 0.02, stepsOffset: 0 } as const
  const clip = { clipSample: 1, setAlphaToOne: true } as const
  const hot = { ...old, betaStart: 0.01, clipSample: 1 } as const
  const first = Array.from({ length: 768 }, (_, i) => i / 768)
  const model: FakeModel = (x, t) => tf.tidy(() => x.mul(t / (t + 1)))

  // [3, 8, 8, 4] permuted to the channels-first [4, 3, 8, 8].
  const start = () => tf.tidy(() => tf.tensor4d(first, [3, 8, 8, 4]).transpose<tf.Tensor4D>([3, 1, 2, 0]))
  const total = (
    scheduler: Scheduler,
    seed: number | null,
    before?: (x: tf.Tensor4D, index: number) => tf.Tensor4D,
  ) => {
    const x = tf.tidy(() => start().mul<tf.Tensor4D>(scheduler.initialNoiseScale))
    const values = channelsFirst(sample(scheduler, x, { model, seed, ...(before && { before }) }))
    x.dispose()
    return values.reduce((sum, value) => sum + Math.abs(value), 0)
  }

  const steps = 10
  const runs: [string, Scheduler, number, number?][] = [
    ['DDIM', ddim({ steps, ...old, ...clip }), 172.0067],
    ['DDIM v', ddim({ steps, ...old, ...clip, prediction: 'v' }), 52.5302],
    ['DDIM beta 0.01, alpha to one', ddim({ steps, ...hot, setAlphaToOne: true }), 149.8295],
    ['DDIM beta 0.01', ddim({ steps, ...hot }), 149.0784],
    ['DDIM inverse', ddimInverse({ steps, ...old, ...clip }), 671.6816],
    ['DDIM inverse v', ddimInverse({ steps, ...old, ...clip, prediction: 'v' }), 1394.2185],
    ['DDIM inverse beta 0.01, alpha to one', ddimInverse({ steps, ...hot, setAlphaToOne: true }), 539.9622],
    ['DDIM inverse beta 0.01', ddimInverse({ steps, ...hot }), 542.6722],
    ['PNDM, Runge-Kutta', pndm({ steps, ...old, skipPrk: false }), 198.1318],
    ['PNDM, Runge-Kutta, v', pndm({ steps, ...old, skipPrk: false, prediction: 'v' }), 67.3986],
    ['PNDM', pndm({ steps, ...old }), 197.7155],
    ['PNDM v', pndm({ steps, ...old, prediction: 'v' }), 67.3553],
    ['LCM, one step', lcm({ steps: 1 }), 18.7097, 0],
    ['LCM', lcm({ steps }), 197.7616, 0],
    [
      'DPM++ 2M',
      dpmSolverPlusPlus({ steps, ...old, finalSigma: 'sigma_min', lowerOrderFinal: false }),
      253.5514,
    ],
    [
      'DPM++ 2M v',
      dpmSolverPlusPlus({ steps, ...old, finalSigma: 'sigma_min', lowerOrderFinal: false, prediction: 'v' }),
      172.874,
    ],
    ['Euler', euler({ steps, ...old, trainSteps: 1100 }), 168.0516],
    ['Euler, Karras', euler({ steps, ...old, trainSteps: 1100, karras: true }), 156.6845],
    ['Euler ancestral', eulerAncestral({ steps, ...old, trainSteps: 1100 }), 233.2862, 0],
    ['DDPM, every step', ddpm({ steps: 1000, ...old, clipSample: 1 }), 258.9606, 0],
    ['DDPM, every step, v', ddpm({ steps: 1000, ...old, clipSample: 1, prediction: 'v' }), 202.0296, 0],
  ]
  it.each(runs)('%s', (_, scheduler, sum, seed) => {
    expect(Math.abs(total(scheduler, seed ?? null) - sum)).toBeLessThan(1e-2)
  })

  it('Euler, where the test steps from the scaled input', () => {
    const common = { steps, ...old, trainSteps: 1100 } as const
    const sums: [Scheduler, number, number | null][] = [
      [euler(common), 10.0807, null],
      [euler({ ...common, karras: true }), 124.523, null],
      [eulerAncestral(common), 152.3192, 0],
    ]
    for (const [scheduler, sum, seed] of sums) {
      const x = tf.tidy(() => start().mul<tf.Tensor4D>(scheduler.initialNoiseScale))
      // The state itself is replaced by the scaled input, and the model sees that.
      const unscaled: Scheduler = { ...scheduler, scaleInput: (state) => state.clone() }
      const before = (state: tf.Tensor4D, index: number) => scheduler.scaleInput(state, index)
      const values = channelsFirst(sample(unscaled, x, { model, seed, before }))
      x.dispose()
      expect(Math.abs(values.reduce((a, b) => a + Math.abs(b), 0) - sum)).toBeLessThan(1e-2)
    }
  })
})

describe('the coefficients of the DDIM step', () => {
  const scheduler = ddim({ steps: 50 })
  const coefficient = (index: number, x: number, output: number, direction: 'step' | 'invert') =>
    tf.tidy(() => {
      const input = {
        x: channelsLast([x], [1, 1, 1, 1]),
        output: channelsLast([output], [1, 1, 1, 1]),
        index,
      }
      return direction === 'step'
        ? scheduler.step(input).x.dataSync()[0]!
        : scheduler.invert(input).dataSync()[0]!
    })
  it.each([
    [0, 1.122851701, -0.1232520063, 0.8905895579, 0.1097669498],
    [24, 1.0484563315, -0.0574419924, 0.9537831667, 0.0547872054],
    [49, 1.0004276235, -0.0121420902, 0.9995725593, 0.0121369001],
  ])('step %i', (index, a, b, inverseA, inverseB) => {
    expect(coefficient(index, 1, 0, 'step')).toBeCloseTo(a, 6)
    expect(coefficient(index, 0, 1, 'step')).toBeCloseTo(b, 6)
    expect(coefficient(index, 1, 0, 'invert')).toBeCloseTo(inverseA, 6)
    expect(coefficient(index, 0, 1, 'invert')).toBeCloseTo(inverseB, 6)
  })

  it.each([
    [0, 0.206536865973],
    [24, 0.086897925187],
    [48, 0.001558634563],
    [49, 0.000426353126],
  ])('adds the posterior variance at eta 1, step %i', (index, variance) => {
    const noisy = ddim({ steps: 50, eta: 1 })
    const added = tf.tidy(() => {
      const [zero, one] = [tf.zeros([1, 1, 1, 1]) as tf.Tensor4D, tf.ones([1, 1, 1, 1]) as tf.Tensor4D]
      return noisy.step({ x: zero, output: zero, index, noise: one }).x.dataSync()[0]!
    })
    expect(added ** 2).toBeCloseTo(variance, 6)
  })
})

describe('the inversion toy', () => {
  // e(x, t, c) = 0.6 tanh(x + c) + 0.05 x (1 - a_t) from linspace(-2, 2, 9), 50 steps.
  const scheduler = ddim({ steps: 50 })
  const image = () =>
    tf.tensor4d(
      Array.from({ length: 9 }, (_, i) => -2 + i / 2),
      [1, 3, 3, 1],
    )
  const network = (x: tf.Tensor4D, index: number, guidance: number) => {
    const a = scheduler.alphasCumprod[scheduler.timesteps[index]!]!
    const at = (c: number) =>
      x
        .add(c)
        .tanh()
        .mul(0.6)
        .add<tf.Tensor4D>(x.mul(0.05 * (1 - a)))
    return at(0).add<tf.Tensor4D>(at(0.3).sub(at(0)).mul(guidance))
  }
  const roundTrip = (guidance: number, iterations: number) =>
    tf.tidy(() => {
      let x = image()
      for (let index = 49; index >= 0; index--) {
        let guess = x
        for (let i = 0; i <= iterations; i++) {
          guess = scheduler.invert({ x, output: network(guess, index, 1), index })
        }
        x = guess
      }
      for (let index = 0; index < 50; index++) {
        x = scheduler.step({ x, output: network(x, index, guidance), index }).x
      }
      return x.sub(image()).abs().max().dataSync()[0]!
    })
  it('ends as far from the image as first-order inversion must', () => {
    expect(roundTrip(1, 0)).toBeCloseTo(0.13838757, 4)
    expect(roundTrip(7.5, 0)).toBeCloseTo(4.07295915, 4)
  })
  it('reproduces it when each step is inverted to a fixed point', () => {
    expect(roundTrip(1, 30)).toBeLessThan(1e-5)
  })
})

it.each([
  [10, 0.414],
  [50, 0.174],
  [200, 0.0474],
])('comes back from %i inverse steps with the error of a first-order method', (steps, error) => {
  const [up, down] = [ddimInverse({ steps }), ddim({ steps })]
  const start = channelsLast(
    Array.from({ length: 16 }, (_, i) => -2 + (4 * i) / 15),
    [1, 2, 2, 4],
  )
  const noisy = sample(up, start)
  const back = sample(down, noisy)
  const distance = tf.tidy(() => back.sub(start).abs().max().dataSync()[0]!)
  tf.dispose([start, noisy, back])
  expect(Math.abs(distance - error)).toBeLessThan(6e-4)
})
