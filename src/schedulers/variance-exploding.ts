import type { Tensor4D } from '@tensorflow/tfjs'
import { expectShape } from '../core/index.js'
import { expectIndex } from './common.js'
import { diffuse } from './predictions.js'
import type { Spacing } from './spacing.js'

/**
 * The members of methods whose latents are `x0 + sigma z`: the network sees them scaled to unit variance.
 *
 * @param name - the method, named in errors
 * @param sigmas - the ratio before each step, and after the last
 * @param spacing - `'leading'` starts below the last timestep, where the signal's own variance still counts
 */
export function varianceExploding(name: string, sigmas: readonly number[], spacing: Spacing) {
  const count = sigmas.length - 1
  const max = Math.max(...sigmas)
  return {
    initialNoiseScale: spacing === 'leading' ? Math.sqrt(max ** 2 + 1) : max,
    scaleInput(x: Tensor4D, index: number): Tensor4D {
      expectIndex(name, 'scaleInput', index, count)
      return x.div(Math.sqrt(sigmas[index]! ** 2 + 1))
    },
    addNoise(clean: Tensor4D, noise: Tensor4D, index: number): Tensor4D {
      expectIndex(name, 'addNoise', index, count)
      expectShape(noise, clean.shape, `${name}.addNoise`, 'noise')
      return diffuse(clean, noise, { alpha: 1, sigma: sigmas[index]! })
    },
  }
}
