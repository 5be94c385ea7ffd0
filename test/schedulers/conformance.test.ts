import * as tf from '@tensorflow/tfjs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ArgumentError, latentNoise, ShapeError, valueAndGradients } from '../../src/core/index.js'
import { type History, isInvertible, type Scheduler, type StepOutput } from '../../src/schedulers/index.js'
import { members } from './members.js'

const shape = [2, 3, 2, 4] as const
const draw = (seed: number) => latentNoise(seed)([...shape])

/** Signal and noise of the latents before a step, read off addNoise. */
function levelBefore(scheduler: Scheduler, index: number): { signal: number; noise: number } {
  return tf.tidy(() => {
    const [zero, one] = [tf.zeros([1, 1, 1, 1]) as tf.Tensor4D, tf.ones([1, 1, 1, 1]) as tf.Tensor4D]
    const signal = scheduler.addNoise(one, zero, index).dataSync()[0]!
    return { signal, noise: scheduler.addNoise(zero, one, index).dataSync()[0]! }
  })
}

/** What a perfect network predicts before a step for known clean latents and noise. */
function perfect(scheduler: Scheduler, clean: tf.Tensor4D, z: tf.Tensor4D, index: number): tf.Tensor4D {
  if (scheduler.prediction === 'epsilon') return z.clone()
  if (scheduler.prediction === 'sample') return clean.clone()
  const { signal, noise } = levelBefore(scheduler, index)
  const size = Math.hypot(signal, noise)
  return tf.tidy(() => z.mul(signal / size).sub(clean.mul(noise / size)))
}

function distance(a: tf.Tensor4D, b: tf.Tensor4D): number {
  return tf.tidy(() => a.sub(b).abs().max().dataSync()[0]!)
}

/** Walks up to and including `index` with a perfect network; all tensors of the last step are the caller's. */
function walk(scheduler: Scheduler, clean: tf.Tensor4D, z: tf.Tensor4D, through: number): StepOutput {
  let result: StepOutput = {
    x: scheduler.addNoise(clean, z, 0),
    denoised: tf.scalar(0) as never,
    history: [],
  }
  for (let index = 0; index <= through; index++) {
    const output = perfect(scheduler, clean, z, index)
    const next = scheduler.step({ x: result.x, output, index, history: result.history, noise: z })
    tf.dispose([output, result.x, result.denoised, ...result.history])
    result = next
  }
  return result
}

describe.each(members)('%s', (_, make, predictions = ['epsilon', 'v', 'sample']) => {
  const steps = 8

  it('is a frozen record whose timesteps lie in the table', () => {
    for (const prediction of predictions) {
      const scheduler = make({ steps, prediction })
      expect(Object.isFrozen(scheduler)).toBe(true)
      expect(Object.isFrozen(scheduler.timesteps)).toBe(true)
      expect(scheduler).toMatchObject({ steps, prediction })
      expect(scheduler.alphasCumprod).toHaveLength(1000)
      for (const t of scheduler.timesteps) expect(t >= 0 && t <= 999).toBe(true)
    }
  })

  it('visits timesteps in order, without repeats where no method asks for them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 50 }), (n) => {
        const { timesteps, name } = make({ steps: n })
        const sign = name === 'ddim-inverse' ? 1 : -1
        for (const [i, t] of timesteps.slice(1).entries()) {
          const rise = sign * (t - timesteps[i]!)
          // PNDM repeats on purpose, Karras spacing where two levels round to one timestep.
          if (['pndm', 'dpm-solver++'].includes(name)) expect(rise).toBeGreaterThanOrEqual(-0)
          else expect(rise).toBeGreaterThan(0)
        }
      }),
      { numRuns: 15 },
    )
  })

  it('answers the same input with the same output, and leaves its inputs alone', () => {
    const scheduler = make({ steps })
    const [x, output, noise] = [draw(1), draw(2), draw(3)]
    const before = [x, output, noise].map((tensor) => tensor.dataSync().slice())
    const once = scheduler.step({ x, output, index: 0, noise })
    const twice = scheduler.step({ x, output, index: 0, noise })
    expect(twice.x.dataSync()).toEqual(once.x.dataSync())
    expect(twice.denoised.dataSync()).toEqual(once.denoised.dataSync())
    expect([x, output, noise].map((tensor) => tensor.dataSync())).toEqual(before)
    tf.dispose([
      x,
      output,
      noise,
      once.x,
      once.denoised,
      ...once.history,
      twice.x,
      twice.denoised,
      ...twice.history,
    ])
  })

  it('returns handles of its own: each can be disposed without the others', () => {
    for (const prediction of predictions) {
      const scheduler = make({ steps, prediction })
      const [clean, z] = [draw(4), draw(5)]
      let x = scheduler.addNoise(clean, z, 0)
      let history: History = []
      for (let index = 0; index < scheduler.timesteps.length; index++) {
        const output = perfect(scheduler, clean, z, index)
        const next = scheduler.step({ x, output, index, history, noise: z })
        tf.dispose([output, x, ...history, next.denoised])
        expect(next.x.dataSync().every(Number.isFinite)).toBe(true)
        for (const tensor of next.history) expect(tensor.isDisposed).toBe(false)
        x = next.x
        history = next.history
      }
      const scaled = scheduler.scaleInput(clean, 0)
      clean.dispose()
      expect(scaled.isDisposed).toBe(false)
      tf.dispose([z, x, scaled, ...history])
    }
  })

  it('reads the clean latents off a perfect prediction, at any step that it can start from', () => {
    for (const prediction of predictions) {
      const scheduler = make({ steps, prediction })
      const [clean, z] = [draw(6), draw(7)]
      for (const index of [0, 4, scheduler.timesteps.length - 1]) {
        const x = scheduler.addNoise(clean, z, index)
        const output = perfect(scheduler, clean, z, index)
        const result = scheduler.step({ x, output, index, noise: z })
        expect(distance(result.denoised, clean)).toBeLessThan(
          2e-3 * Math.max(1, levelBefore(scheduler, index).noise / 10),
        )
        tf.dispose([x, output, result.x, result.denoised, ...result.history])
      }
      tf.dispose([clean, z])
    }
  })

  it('ends at the clean latents when the network knows them', () => {
    const scheduler = make({ steps, prediction: predictions.includes('sample') ? 'sample' : 'epsilon' })
    const [clean, z] = [draw(8), draw(9)]
    const { x, denoised, history } = walk(scheduler, clean, z, scheduler.timesteps.length - 1)
    expect(distance(denoised, clean)).toBeLessThan(2e-3)
    // Stable Diffusion's DDIM and PNDM end at the first training timestep, whose noise is 0.03.
    if (scheduler.name !== 'ddim-inverse') expect(distance(x, clean)).toBeLessThan(0.15)
    tf.dispose([clean, z, x, denoised, ...history])
  })

  it('has gradients in x and in the output', () => {
    for (const prediction of predictions) {
      const scheduler = make({ steps, prediction })
      const [x, output, noise, clean] = [draw(10), draw(11), draw(12), draw(13)]
      const before = walk(scheduler, clean, noise, 0)
      // The second call of PNDM does not depend on x: it starts over.
      const { index, history } =
        scheduler.name === 'pndm' ? { index: 0, history: [] } : { index: 1, ...before }
      const loss = (a: tf.Tensor, b: tf.Tensor) => {
        const { x: next } = scheduler.step({
          x: a as tf.Tensor4D,
          output: b as tf.Tensor4D,
          index,
          history,
          noise,
        })
        return next.square().mean().asScalar()
      }
      const { value, gradients } = valueAndGradients(loss as (...inputs: tf.Tensor[]) => tf.Scalar, [
        x,
        output,
      ])
      // A finite difference along the gradient.
      const slope = tf.tidy(() => gradients[1]!.square().sum().dataSync()[0]!)
      const h = 1e-2 / Math.sqrt(slope)
      const moved = tf.tidy(() => {
        const up = loss(x, output.add(gradients[1]!.mul(h))).dataSync()[0]!
        return (up - loss(x, output.sub(gradients[1]!.mul(h))).dataSync()[0]!) / (2 * h)
      })
      expect(Math.abs(moved / slope - 1)).toBeLessThan(2e-2)
      expect(gradients[0]!.dataSync().every(Number.isFinite)).toBe(true)
      tf.dispose([x, output, noise, clean, value, ...gradients])
      tf.dispose([before.x, before.denoised, ...before.history])
    }
  })

  it('refuses what it cannot mean', () => {
    for (const bad of [0, 1.5, -3, Number.NaN, 2000])
      expect(() => make({ steps: bad })).toThrow(ArgumentError)
    expect(() => make({ steps, prediction: 'noise' as never })).toThrow(ArgumentError)
    expect(() => make({ steps, trainSteps: 0.5 })).toThrow(ArgumentError)
    const scheduler = make({ steps })
    const [x, narrow] = [draw(0), tf.zeros([2, 4, 3, 2]) as tf.Tensor4D]
    for (const index of [-1, 0.5, Number.NaN, scheduler.timesteps.length]) {
      expect(() => scheduler.step({ x, output: x, index, noise: x })).toThrow(ArgumentError)
      expect(() => scheduler.scaleInput(x, index)).toThrow(ArgumentError)
      expect(() => scheduler.addNoise(x, x, index)).toThrow(ArgumentError)
    }
    expect(() => scheduler.step({ x, output: narrow, index: 0, noise: x })).toThrow(ShapeError)
    expect(() => scheduler.addNoise(x, narrow, 0)).toThrow(ShapeError)
    if (scheduler.stochastic) {
      expect(() => scheduler.step({ x, output: x, index: 0 })).toThrow(/stochastic/)
      expect(() => scheduler.step({ x, output: x, index: 0, noise: narrow })).toThrow(ShapeError)
    }
    tf.dispose([x, narrow])
  })

  it('inverts its step, where it has an inverse', () => {
    for (const prediction of predictions) {
      const scheduler = make({ steps, prediction })
      if (!isInvertible(scheduler)) continue
      const [x, output] = [draw(14), draw(15)]
      for (let index = 0; index < steps; index++) {
        const { x: next, denoised } = scheduler.step({ x, output, index })
        const back = scheduler.invert({ x: next, output, index })
        expect(distance(back, x)).toBeLessThan(1e-4)
        tf.dispose([next, denoised, back])
      }
      expect(() => scheduler.invert({ x, output, index: steps })).toThrow(ArgumentError)
      tf.dispose([x, output])
    }
  })
})

it('steps finitely at zero terminal SNR with v predictions', () => {
  for (const [name, make, predictions] of members) {
    if (predictions !== undefined) continue
    const scheduler = make({ steps: 8, prediction: 'v', zeroTerminalSnr: true })
    const [x, output] = [draw(1), draw(2)]
    const result = scheduler.step({ x, output, index: 0, noise: output })
    expect(result.x.dataSync().every(Number.isFinite), name).toBe(true)
    tf.dispose([x, output, result.x, result.denoised, ...result.history])
  }
})
