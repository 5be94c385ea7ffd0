/**
 * 3 × 3 convolutions of Stable Diffusion on tensorflow: oneDNN's, as tfjs-node calls it, and as this library has them.
 * `TF_NUM_INTRAOP_THREADS=2 npx tsx bench/convolutions.ts`; milliseconds, the best of five in turn.
 */
import * as tf from '@tensorflow/tfjs'
import { useBackend } from '../src/backend/index.js'
import { largestDifference } from './alone/alone.js'

process.env.TF_NUM_INTRAOP_THREADS ??= '2'
// Before this library replaces them.
await import('@tensorflow/tfjs-node' as string)
const kernel = (name: string) => tf.getKernel(name, 'tensorflow')!.kernelFunc
const [forward, backward] = [kernel('Conv2D'), kernel('Conv2DBackpropInput')]
const { backend } = await useBackend('tensorflow')

const sizes = [
  [1, 64, 320, 320],
  [1, 64, 960, 320],
  [1, 32, 640, 640],
  [1, 64, 512, 512],
  [1, 256, 512, 256],
  [1, 16, 1280, 1280],
  [4, 192, 16, 16],
] as const

const rows = sizes.map(([batch, side, channels, out]) => {
  const x = tf.randomNormal<tf.Rank.R4>([batch, side, side, channels])
  const filter = tf.randomNormal<tf.Rank.R4>([3, 3, channels, out], 0, 0.02)
  const dy = tf.randomNormal<tf.Rank.R4>([batch, side, side, out])
  const attrs = { strides: 1, pad: 'same', dataFormat: 'NHWC', dilations: 1, inputShape: x.shape }
  const run = (of: tf.KernelFunc, inputs: tf.NamedTensorInfoMap) => {
    const started = performance.now()
    const [y] = [of({ inputs, attrs: attrs as never, backend: tf.backend() })].flat()
    const taken = performance.now() - started
    const values = tf.backend().readSync(y!.dataId) as Float32Array
    tf.backend().disposeData(y!.dataId)
    return { taken, values }
  }
  const trials = {
    oneDNN: () => run(forward, { x, filter }),
    here: () => run(kernel('Conv2D'), { x, filter }),
    'gradient, oneDNN': () => run(backward, { dy, filter }),
    'gradient, here': () => run(kernel('Conv2DBackpropInput'), { dy, filter }),
  }
  const names = Object.keys(trials) as (keyof typeof trials)[]
  const best = new Map(names.map((name) => [name, Number.POSITIVE_INFINITY]))
  for (let i = 0; i < 5; i++)
    for (const name of names) best.set(name, Math.min(best.get(name)!, trials[name]().taken))
  const [theirs, ours] = [trials.oneDNN().values, trials.here().values]
  tf.dispose([x, filter, dy])
  return {
    shape: `${side} × ${side}, ${channels} to ${out}, batch ${batch}`,
    ...Object.fromEntries([...best].map(([name, taken]) => [name, Number(taken.toFixed(1))])),
    'largest difference': largestDifference(ours, theirs).toExponential(1),
  }
})
console.log(backend)
console.table(rows)
