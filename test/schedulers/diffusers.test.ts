import { describe, expect, it } from 'vitest'
import { torchRandn } from '../../src/core/index.js'
import {
  cumulativeAlphas,
  ddim,
  dpmSolverPlusPlus,
  type NoiseScheduleOptions,
  pndm,
  type Scheduler,
  schedulerFromConfig,
  spacedTimesteps,
} from '../../src/schedulers/index.js'
import fixture from '../fixtures/schedulers.json' with { type: 'json' }
import { channelsFirst, channelsLast, ramp, sample, sampleRamp } from './sample.js'

type Run = Omit<(typeof fixture.runs)[number], 'step' | 'config'> & {
  step: { eta?: number }
  config: Record<string, unknown>
}

function build(name: string, steps: number, config: object, patch = false): Scheduler {
  return schedulerFromConfig({ _class_name: name, ...config }, { steps, patch }).scheduler
}

function expectClose(values: Float32Array, expected: readonly number[], tolerance = 1e-5): void {
  const scale = Math.max(1, ...expected.map(Math.abs))
  const worst = Math.max(...expected.map((value, i) => Math.abs(values[i]! - value)))
  expect(worst / scale).toBeLessThan(tolerance)
}

describe('tables', () => {
  it.each(fixture.tables)('$config', ({ config, alphas }) => {
    const options = schemaless(config)
    const bytes = Buffer.from(alphas, 'base64')
    const expected = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
    // Equal in every bit, but for the rescaled table: torch's float32 square root differs between processors.
    if (!options.zeroTerminalSnr) expect(cumulativeAlphas(options)).toEqual(expected)
    else
      for (const [i, a] of cumulativeAlphas(options).entries())
        expect(Math.abs(a - expected[i]!)).toBeLessThan(5e-7)
  })
})

function schemaless(config: Record<string, unknown>): NoiseScheduleOptions {
  const names = {
    num_train_timesteps: 'trainSteps',
    beta_schedule: 'betaSchedule',
    beta_start: 'betaStart',
    beta_end: 'betaEnd',
    trained_betas: 'trainedBetas',
    rescale_betas_zero_snr: 'zeroTerminalSnr',
  }
  return Object.fromEntries(
    Object.entries(names).flatMap(([key, name]) => (key in config ? [[name, config[key]]] : [])),
  )
}

describe('timesteps of every number of steps', () => {
  const digest = (timesteps: readonly number[]) => timesteps.reduce((value, t) => (value * 31 + t) % 65521, 0)
  const all = Array.from({ length: 999 }, (_, i) => i + 1)
  it.each(['leading', 'trailing', 'linspace'] as const)('DDIM %s', (spacing) => {
    expect(all.map((steps) => digest(spacedTimesteps(spacing, 1000, steps, 0, 'test')))).toEqual(
      fixture.digests[`DDIMScheduler ${spacing}`],
    )
  })
  it('PNDM leading', () => {
    const digests = [...all.filter((n) => n % 7 === 1)].map((steps) =>
      digest(pndm({ steps, stepsOffset: 0 }).timesteps),
    )
    expect(digests).toEqual(fixture.digests['PNDMScheduler leading'].filter((_, i) => i % 7 === 0))
  })
  it.each(['leading', 'trailing', 'linspace'] as const)('DPM++ %s', (spacing) => {
    const digests = all
      .filter((n) => n % 7 === 1)
      .map((steps) => digest(dpmSolverPlusPlus({ steps, spacing, stepsOffset: 0 }).timesteps))
    expect(digests).toEqual(
      fixture.digests[`DPMSolverMultistepScheduler ${spacing}`].filter((_, i) => i % 7 === 0),
    )
  })
})

describe('sampling runs', () => {
  it.each(fixture.runs as Run[])('$name $steps steps $config $step seed $seed', (run) => {
    const { name, steps, seed, config, step, timesteps, initial, final } = run
    const scheduler =
      step.eta === undefined
        ? build(name, steps, config)
        : ddim({
            steps,
            eta: step.eta,
            prediction: config.prediction_type === 'v_prediction' ? 'v' : 'epsilon',
          })
    expect(scheduler.timesteps).toHaveLength(timesteps.length)
    for (const [i, t] of timesteps.entries()) {
      // Whole timesteps are exact; fractions come from float32 logarithms, which differ between processors.
      expect(Math.abs(scheduler.timesteps[i]! - t)).toBeLessThanOrEqual(
        Number.isInteger(t) ? 0 : 1e-6 * t + 1e-4,
      )
    }
    expect(Math.abs(scheduler.initialNoiseScale / initial - 1)).toBeLessThan(2e-7)
    // Euler's sigma of 4096 costs torch itself 1.2e-5 against float64.
    expectClose(sampleRamp(scheduler, { seed }), final, initial > 4000 ? 2e-5 : 1e-5)
  })
})

describe('noise added for image-to-image', () => {
  const noise = () => channelsLast(torchRandn(3).normal(16), [1, 2, 2, 4])
  it.each(fixture.noised)('$name before step $index $config', ({ name, steps, index, config, values }) => {
    const [clean, z] = [ramp(), noise()]
    expectClose(channelsFirst(build(name, steps, config).addNoise(clean, z, index)), values)
    clean.dispose()
    z.dispose()
  })
  it.each(fixture.image_to_image)(
    '$name from step $start of $steps',
    ({ name, steps, start, config, final }) => {
      const scheduler = build(name, steps, config)
      const [clean, z] = [ramp(), noise()]
      const noisy = scheduler.addNoise(clean, z, start)
      expectClose(channelsFirst(sample(scheduler, noisy, { start })), final)
      for (const tensor of [clean, z, noisy]) tensor.dispose()
    },
  )
})
