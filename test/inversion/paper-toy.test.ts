import * as tf from '@tensorflow/tfjs'
import { describe, expect, it } from 'vitest'
import type { Denoiser } from '../../src/core/index.js'
import { ddimTrajectory, type Inversion, replay } from '../../src/inversion/index.js'
import { ddim } from '../../src/schedulers/index.js'
import { difference } from './toy-model.js'

// A network in closed form: 0.6 tanh(x + c) + 0.05 x (1 - a_t), conditioned by one number.
const scheduler = ddim({ steps: 50 })
const denoise: Denoiser = (x, timestep, context) =>
  tf.tidy(() => {
    const c = context.reshape([-1, 1, 1, 1])
    const noisy = 1 - scheduler.alphasCumprod[Number(timestep)]!
    return x
      .add(c)
      .tanh()
      .mul(0.6)
      .add<tf.Tensor4D>(x.mul(0.05 * noisy))
  })
const encodePrompts = (prompts: readonly string[]) =>
  tf.tensor3d(prompts.map((prompt) => [[prompt === '' ? 0 : 0.3]]))

async function roundTrip(guidance: number, options: { iterations?: number; pinned?: boolean } = {}) {
  const clean = tf.tensor4d([-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2], [1, 3, 3, 1])
  const condition = encodePrompts(['c'])
  const fixedPoint = { iterations: options.iterations ?? 0 }
  const { latents, evaluations } = await ddimTrajectory(denoise, { clean, condition, scheduler, fixedPoint })
  const steps = latents.slice(1).map((pivot) => (options.pinned ? { pivot } : {}))
  const start = latents[0]!
  const common = { method: 'test', prompt: 'c', truncated: '', size: [3, 3] as const, evaluations }
  const inversion: Inversion = { ...common, scheduler, guidance, clean, start, steps }
  const back = await replay({ denoise, encodePrompts }, inversion)
  const error = difference(back, clean)
  tf.dispose([clean, condition, back, ...latents])
  return { error, evaluations }
}

describe('the toy of closed form', () => {
  it('DDIM inversion returns with the error that first order leaves', async () => {
    expect((await roundTrip(1)).error).toBeCloseTo(0.13838757, 5)
  })

  it('and guidance multiplies it', async () => {
    expect((await roundTrip(7.5)).error).toBeCloseTo(4.07295915, 4)
  })

  it('fixed-point iteration returns exactly', async () => {
    const { error, evaluations } = await roundTrip(1, { iterations: 29 })
    expect(error).toBeLessThan(5e-6)
    expect(evaluations).toBe(50 * 30)
  })

  it('so does pinning, at any guidance and no cost', async () => {
    expect(await roundTrip(7.5, { pinned: true })).toEqual({ error: 0, evaluations: 50 })
  })
})
