import type { Tensor4D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import { expectNumber, expectShape } from '../core/index.js'

/**
 * Undoes part of the over-exposure of strong guidance: gives the guided prediction back the deviation of the
 * conditional one.
 *
 * `factor · guided · std(conditional) / std(guided) + (1 − factor) · guided`, with the deviation over
 * each row (by n or n − 1: the ratio is the same).
 *
 * @param guided - the guided prediction `[batch, height, width, channels]`; borrowed
 * @param conditional - the conditional prediction it came from, of the same shape; borrowed
 * @param factor - 0 leaves the guided prediction alone, 1 rescales it fully; 0.7 in the paper
 * @returns a new tensor of the same shape, owned by the caller
 * @throws ArgumentError when `factor` is outside [0, 1]
 * @throws ShapeError when the shapes differ
 * @see Lin et al. 2024, "Common Diffusion Noise Schedules and Sample Steps are Flawed", section 3.4.
 */
export function rescaleGuidance(guided: Tensor4D, conditional: Tensor4D, factor: number): Tensor4D {
  expectNumber(factor, { min: 0, max: 1 }, 'rescaleGuidance', 'factor')
  expectShape(conditional, guided.shape, 'rescaleGuidance', 'conditional')
  return tf.tidy(() => {
    const rescaled = guided.mul(deviation(conditional).div(deviation(guided))) as Tensor4D
    return rescaled.mul(factor).add(guided.mul(1 - factor)) as Tensor4D
  })
}

function deviation(x: Tensor4D): Tensor4D {
  return tf.moments(x, [1, 2, 3], true).variance.sqrt() as Tensor4D
}
