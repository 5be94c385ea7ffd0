import * as tf from '@tensorflow/tfjs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ArgumentError, latentNoise, valueAndGradients } from '../../src/core/index.js'
import {
  cumulativeAlphas,
  ddim,
  ddimInverse,
  ddpm,
  dpmSolverPlusPlus,
  euler,
  lcm,
  pndm,
} from '../../src/schedulers/index.js'

describe('the noise schedule', () => {
  it('falls from timestep to timestep, for any betas', () => {
    fc.assert(
      fc.property(
        fc.record({
          betaStart: fc.double({ min: 1e-5, max: 0.01, noNaN: true }),
          betaEnd: fc.double({ min: 0.01, max: 0.03, noNaN: true }),
          betaSchedule: fc.constantFrom('linear', 'scaled_linear', 'squaredcos_cap_v2'),
          trainSteps: fc.integer({ min: 10, max: 1200 }),
          zeroTerminalSnr: fc.boolean(),
        }),
        (options) => {
          const alphas = cumulativeAlphas(options as Parameters<typeof cumulativeAlphas>[0])
          expect(alphas).toHaveLength(options.trainSteps)
          for (let i = 1; i < alphas.length; i++) expect(alphas[i]!).toBeLessThan(alphas[i - 1]!)
          expect(alphas[0]!).toBeLessThan(1)
          if (options.zeroTerminalSnr) expect(alphas.at(-1)).toBe(0)
          else expect(alphas.at(-1)!).toBeGreaterThan(0)
        },
      ),
      { numRuns: 25 },
    )
  })

  it('refuses betas out of range, lists of the wrong length, and names it does not know', () => {
    for (const options of [
      { betaStart: -0.1 },
      { betaEnd: 1.5 },
      { betaEnd: Number.NaN },
      { trainSteps: 0 },
      { trainSteps: 10, trainedBetas: [0.1, 0.2] },
      { trainedBetas: [0.1, Number.NaN] },
      { betaSchedule: 'cosine' as never },
    ]) {
      expect(() => cumulativeAlphas(options)).toThrow(ArgumentError)
    }
  })
})

describe('options that make no sense', () => {
  it('are refused, each with a way out', () => {
    expect(() => ddim({ steps: 1000 })).toThrow(/timestep 1000.*stepsOffset/s)
    expect(ddim({ steps: 1000, stepsOffset: 0 }).timesteps[0]).toBe(999)
    for (const eta of [-0.1, 1.1, Number.NaN]) expect(() => ddim({ steps: 10, eta })).toThrow(/eta/)
    expect(() => ddim({ steps: 10, clipSample: 0 })).toThrow(/clipSample/)
    expect(() => ddim({ steps: 10, thresholding: { quantile: 2 } })).toThrow(/quantile/)
    expect(() => ddim({ steps: 10, spacing: 'even' as never })).toThrow(/leading/)
    expect(() => dpmSolverPlusPlus({ steps: 10, spacing: 'even' as never })).toThrow(/leading/)
    expect(() => ddim({ steps: 10, stepsOffset: 0.5 })).toThrow(/stepsOffset/)
    expect(() => ddimInverse({ steps: 10, spacing: 'linspace' })).toThrow(ArgumentError)
    expect(() => pndm({ steps: 3, skipPrk: false })).toThrow(/skipPrk/)
    expect(() => pndm({ steps: 10, prediction: 'sample' })).toThrow(/'epsilon', 'v'/)
    expect(() => dpmSolverPlusPlus({ steps: 1000 })).toThrow(/fewer steps/)
    expect(() => dpmSolverPlusPlus({ steps: 10, order: 3 as never })).toThrow(/order/)
    expect(() => lcm({ steps: 51 })).toThrow(/at most 50/)
  })

  it('include zero terminal SNR with epsilon, wherever the last timestep is visited', () => {
    const zero = { steps: 10, zeroTerminalSnr: true } as const
    expect(() => ddim({ ...zero, spacing: 'trailing' })).toThrow(/zero terminal SNR/i)
    expect(() => lcm(zero)).toThrow(ArgumentError)
    expect(ddim(zero).timesteps[0]).toBe(901)
    expect(ddim({ ...zero, spacing: 'trailing', prediction: 'v' }).timesteps[0]).toBe(999)
    expect(euler(zero).initialNoiseScale).toBeCloseTo(4096, 3) // 2^-24 stands for 0
  })
})

describe('steps of other lengths than the list', () => {
  it('may begin inside a Runge-Kutta step only with its history', () => {
    const scheduler = pndm({ steps: 10, skipPrk: false })
    const x = latentNoise(0)([1, 2, 2, 4])
    expect(() => scheduler.step({ x, output: x, index: 2 })).toThrow(/history/)
    x.dispose()
  })

  it('need no noise where none is added: timestep 0 of DDPM, the last of LCM', () => {
    const x = latentNoise(0)([1, 2, 2, 4])
    for (const scheduler of [ddpm({ steps: 5, stepsOffset: 0 }), lcm({ steps: 5 })]) {
      const { x: last, denoised } = scheduler.step({ x, output: x, index: 4 })
      tf.dispose([last, denoised])
    }
    x.dispose()
  })

  it('cannot be inverted where the step forgets x', () => {
    const scheduler = ddim({ steps: 5, prediction: 'sample', setAlphaToOne: true })
    const x = latentNoise(0)([1, 2, 2, 4])
    expect(() => scheduler.invert({ x, output: x, index: 4 })).toThrow(/setAlphaToOne/)
    x.dispose()
  })
})

it.each([{ clipSample: 0.7 }, { thresholding: { quantile: 0.5, max: 3 } }])(
  '%o bounds x0, and lets gradients through inside',
  (bound) => {
    const scheduler = ddim({ steps: 10, prediction: 'sample', ...bound })
    expect(scheduler).not.toHaveProperty('invert')
    const [x, output] = [tf.zeros([1, 1, 1, 4]) as tf.Tensor4D, tf.tensor4d([0.2, -1, 2, 9], [1, 1, 1, 4])]
    const { x: next, denoised } = scheduler.step({ x, output, index: 3 })
    // torch.quantile of [0.2, 1, 2, 9] at one half is 1.5.
    const [expected, slopes] =
      'clipSample' in bound
        ? [
            [0.2, -0.7, 0.7, 0.7],
            [1, 0, 0, 0],
          ]
        : [
            [0.2 / 1.5, -1 / 1.5, 1, 1],
            [1 / 1.5, 1 / 1.5, 0, 0],
          ]
    for (const [i, value] of denoised.dataSync().entries()) expect(value).toBeCloseTo(expected[i]!, 6)
    const loss = (o: tf.Tensor) =>
      scheduler
        .step({ x, output: o as tf.Tensor4D, index: 3 })
        .denoised.sum()
        .asScalar()
    const { value, gradients } = valueAndGradients(loss as (...inputs: tf.Tensor[]) => tf.Scalar, [output])
    for (const [i, slope] of gradients[0]!.dataSync().entries()) expect(slope).toBeCloseTo(slopes[i]!, 6)
    tf.dispose([x, output, next, denoised, value, ...gradients])
  },
)
