import * as tf from '@tensorflow/tfjs'
import { useBackend } from 'contrafact'
import { valueAndGradients } from 'contrafact/core'
import { loadStableDiffusion } from 'contrafact/models'
import { ddim } from 'contrafact/schedulers'
import { peakBytes } from '../peak.js'
import { type AloneOptions, type AloneResult, largestDifference, shippedModel, spreadOf } from './alone.js'

/**
 * Tensors after 50 steps of the shipped model, every tenth with a backward pass to the prompt's embedding. `maxAbsDifference`
 * is of the first evaluation, made again after all of them.
 */
export async function leaks({ backend }: AloneOptions): Promise<AloneResult> {
  const chosen = await useBackend(backend as 'wasm')
  const model = await loadStableDiffusion(shippedModel)
  const scheduler = ddim({ steps: 50 })
  const context = model.encodePrompts(['chest x-ray'])
  const noise = () => tf.randomNormal<tf.Rank.R4>([1, 16, 16, 4], 0, 1, 'float32', 1)
  const start = noise()
  const evaluation = async (): Promise<Float32Array> => {
    const y = model.denoise(start, scheduler.timesteps[0]!, context)
    const values = (await y.data()) as Float32Array
    y.dispose()
    return values.slice()
  }
  const first = await evaluation()
  let x = noise()
  const before = tf.memory()
  const counts: number[] = []
  for (const [index, timestep] of scheduler.timesteps.entries()) {
    if (index % 10 === 0) {
      const loss = (c: tf.Tensor) =>
        model
          .denoise(x, timestep, c as tf.Tensor3D)
          .square()
          .mean() as tf.Scalar
      const { value, gradients } = valueAndGradients(loss, [context])
      await value.data()
      tf.dispose([value, gradients])
    }
    const next = tf.tidy(() => {
      return scheduler.step({ x, output: model.denoise(x, timestep, context), index }).x
    })
    x.dispose()
    x = next
    counts.push(tf.memory().numTensors - before.numTensors)
  }
  // A device that is still at work does not outlive its process: software Vulkan ends it with a fault.
  await x.data()
  const after = tf.memory()
  const maxAbsDifference = largestDifference(first, await evaluation())
  tf.dispose([start, x, context])
  model.dispose()
  const leakedTensors = after.numTensors - before.numTensors
  const leakedBuffers = after.numDataBuffers - before.numDataBuffers
  return {
    name: 'leaks',
    backend: chosen.backend,
    shape: '50 steps, 5 of them with a backward pass',
    measure: 'tensors more than before',
    leakedTensors,
    leakedBuffers,
    leftByDispose: tf.memory().numTensors,
    ratio: leakedTensors,
    spread: spreadOf(counts),
    peakBytes: peakBytes(),
    maxAbsDifference,
    must: '0',
    met: counts.every((count) => count === 0) && leakedBuffers === 0,
  }
}
