import * as tf from '@tensorflow/tfjs'
import { runOwnKernel } from '../core/index.js'
import type { NamedParameters } from '../nn/index.js'

/**
 * Exponential moving average of the weights: `a ← d a + (1 − d) θ`, where early on `d = (1 + step) / (10 + step)`
 * so that the first weights are soon forgotten (Ho et al. 2020; the warm-up is TensorFlow's).
 *
 * @param averaged - the average so far, borrowed
 * @param parameters - the weights after this step, borrowed
 * @param decay - its final value; 0 makes the average the weights themselves
 * @param step - counts from 0
 * @returns owned by the caller
 */
export function average(
  averaged: NamedParameters,
  parameters: NamedParameters,
  decay: number,
  step: number,
): NamedParameters {
  const d = Math.min(decay, (1 + step) / (10 + step))
  if (decay === 0) return new Map([...parameters].map(([name, theta]) => [name, theta.clone()]))
  const factors = tf.tensor1d([d, 1 - d])
  const names = [...parameters.keys()]
  const [before, after] = [averaged, parameters].map((all) => names.map((name) => all.get(name)!))
  const mixed =
    runOwnKernel('Mix', [...before!, ...after!, factors], { N: names.length }) ??
    before!.map((a, i) => tf.tidy(() => tf.add(tf.mul(a, d), tf.mul(after![i]!, 1 - d))))
  factors.dispose()
  return new Map(names.map((name, i) => [name, mixed[i]!]))
}
