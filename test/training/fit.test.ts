import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { NamedParameters } from '../../src/nn/index.js'
import {
  disposeTrainingState,
  type FitOptions,
  fit,
  learningRateAt,
  type Objective,
} from '../../src/training/index.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'contrafact-fit-'))
})
afterAll(() => rm(folder, { recursive: true }))

// y = 3 x - 1 with a little noise; a line has to find it.
const line: Objective<{ x: tf.Tensor2D; y: tf.Tensor2D }> = {
  batch: (_, random) => {
    const x = tf.tensor2d(random.normal(32), [32, 1])
    const y = tf.tidy(() =>
      tf.add<tf.Tensor2D>(tf.sub(tf.mul(x, 3), 1), tf.mul(tf.tensor2d(random.normal(32), [32, 1]), 0.01)),
    )
    return { x, y }
  },
  loss: (named, { x, y }) => {
    const estimate = tf.add(tf.mul(x, named.get('slope')!), named.get('offset')!)
    return tf.mean(tf.square(tf.sub(estimate, y))) as tf.Scalar
  },
}
const options: FitOptions = {
  steps: 300,
  learningRate: 0.05,
  warmup: 10,
  seed: 0,
  ema: 0.9,
  adamW: { weightDecay: 0 },
}

async function withLine<T>(run: (initial: NamedParameters) => Promise<T>): Promise<T> {
  const initial = new Map([
    ['slope', tf.scalar(0)],
    ['offset', tf.scalar(0)],
  ])
  try {
    return await run(initial)
  } finally {
    tf.dispose([...initial.values()])
  }
}

test('finds a line, and the average of the weights with it', () =>
  withLine(async (initial) => {
    const state = await fit(initial, line, options)
    for (const part of [state.parameters, state.average]) {
      expect((await part.get('slope')!.data())[0]).toBeCloseTo(3, 1)
      expect((await part.get('offset')!.data())[0]).toBeCloseTo(-1, 1)
    }
    expect(state.curve).toHaveLength(300)
    expect(state.curve.at(-1)!.loss).toBeLessThan(state.curve[0]!.loss / 100)
    disposeTrainingState(state)
  }))

describe('resumption', () => {
  test.each([1, 7, 20])('a run stopped after step %i goes on to the same curve and weights', (stopAt) =>
    withLine(async (initial) => {
      const path = join(folder, `stop-${stopAt}.safetensors`)
      const short = { ...options, steps: 30, settings: { seed: 0 } }
      const whole = await fit(initial, line, short)
      const controller = new AbortController()
      const interrupted = fit(initial, line, {
        ...short,
        checkpoint: { path, every: 1 },
        signal: controller.signal,
        onProgress: ({ done }) => done === stopAt && controller.abort(),
      })
      await expect(interrupted).rejects.toMatchObject({ code: 'aborted' })
      const resumed = await fit(initial, line, { ...short, checkpoint: { path, every: 10 } })
      expect(resumed.curve).toEqual(whole.curve)
      for (const [name, tensor] of whole.average) {
        expect(await resumed.average.get(name)!.data()).toEqual(await tensor.data())
      }
      expect((await readdir(folder)).filter((file) => file.endsWith('.tmp'))).toEqual([])
      disposeTrainingState(whole)
      disposeTrainingState(resumed)
    }),
  )

  test('is refused for another run or another model, which the error names', () =>
    withLine(async (initial) => {
      const path = join(folder, 'settings.safetensors')
      const once = (settings: Record<string, unknown>, from = initial) =>
        fit(from, line, { ...options, steps: 2, settings, checkpoint: { path, every: 1 } })
      disposeTrainingState(await once({ rate: 1 }))
      await expect(once({ rate: 2 })).rejects.toThrow(/rate: 2, was 1/)
      const wider = new Map([['slope', tf.zeros([2])]])
      await expect(once({ rate: 1 }, wider)).rejects.toThrow(/parameters\/slope.*\[2\]/)
      tf.dispose([...wider.values()])
    }))
})

test('stops at a loss that is not finite, and keeps the last checkpoint', () =>
  withLine(async (initial) => {
    const path = join(folder, 'nan.safetensors')
    const fails: typeof line = {
      ...line,
      loss: (named, batch) => tf.mul(line.loss(named, batch), Number.NaN),
    }
    disposeTrainingState(await fit(initial, line, { ...options, steps: 3, checkpoint: { path, every: 1 } }))
    await expect(
      fit(initial, fails, { ...options, steps: 5, checkpoint: { path, every: 1 } }),
    ).rejects.toMatchObject({
      code: 'numeric',
    })
    const good = await fit(initial, line, { ...options, steps: 3, checkpoint: { path, every: 1 } })
    expect(good.step).toBe(3)
    disposeTrainingState(good)
  }))

test('a loss that throws leaves no tensor behind', () =>
  withLine(async (initial) => {
    const throws = {
      ...line,
      loss: (named: NamedParameters) => {
        tf.square(named.get('slope')!)
        throw new Error('inside')
      },
    }
    await expect(fit(initial, throws, options)).rejects.toThrow('inside')
  }))

test('the learning rate warms up, stays, or falls to zero', () => {
  const rate = (step: number, schedule: 'constant' | 'cosine') =>
    learningRateAt(step, { learningRate: 2, warmup: 4, steps: 104, schedule })
  expect([0, 1, 3, 4, 100].map((step) => rate(step, 'constant'))).toEqual([0.5, 1, 2, 2, 2])
  expect(rate(54, 'cosine')).toBeCloseTo(1)
  expect(rate(104, 'cosine')).toBeCloseTo(0)
})
