import * as tf from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import { disposeInversion, nullText } from '../../src/inversion/index.js'
import { ddim } from '../../src/schedulers/index.js'
import { torchValues } from '../support/name-hash.js'
import { fixture, type TinySettings, tinyDiffusion } from '../support/tiny-diffusion.js'

const golden = fixture('null-text') as {
  settings: Record<string, Omit<TinySettings, 'source'>>
} & Record<string, { pivots: number[][]; steps: { losses: number[]; embedding: number[] }[] }>

const largest = (a: ArrayLike<number>, b: readonly number[]) => {
  expect(a.length).toBe(b.length)
  return b.reduce((most, value, i) => Math.max(most, Math.abs(a[i]! - value)), 0)
}

test.each(['descent', 'stopping'])(
  'null-text inversion equals PyTorch’s, every loss and embedding: %s',
  async (name) => {
    const model = tinyDiffusion({ ...golden.settings[name]!, source: 't1' })
    const image = tf.zeros<tf.Rank.R4>([1, 128, 128, 3])
    const inversion = await nullText(model, image, {
      prompt: 't1',
      scheduler: ddim({ steps: 5 }),
      guidance: 7.5,
    })
    const wanted = golden[name]!
    expect(largest(await torchValues(inversion.start), wanted.pivots.at(-1)!)).toBeLessThan(1e-5)
    for (const [i, { losses, unconditional }] of inversion.steps.entries()) {
      expect(losses, `updates of step ${i}`).toHaveLength(wanted.steps[i]!.losses.length)
      expect(largest(losses!, wanted.steps[i]!.losses)).toBeLessThan(1e-6)
      // Adam's first update is the sign of the gradient: where that is nearly zero, float32 itself is 3e-5 off.
      expect(largest(await torchValues(unconditional!), wanted.steps[i]!.embedding)).toBeLessThan(2e-4)
    }
    disposeInversion(inversion)
    image.dispose()
    model.dispose()
  },
)
