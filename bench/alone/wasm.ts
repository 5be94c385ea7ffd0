import * as tf from '@tensorflow/tfjs'
import { useBackend } from 'contrafact'
import { loadStableDiffusion } from 'contrafact/models'
import { aroundKernels } from '../ours/profile.js'
import { peakBytes } from '../peak.js'
import {
  type AloneOptions,
  type AloneResult,
  largestDifference,
  median,
  secondsOf,
  shippedModel,
  spreadOf,
} from './alone.js'

/**
 * The shipped checkpoint's UNet on wasm, one thread, beside the time that its arithmetic would take at the best rate of
 * a convolution and of a matrix product measured in the same run. `maxAbsDifference` is that of kernels for whole blocks from
 * those for layers. `wasm-threads.ts` puts threads beside one.
 */
export async function wasm({ runs }: AloneOptions): Promise<AloneResult> {
  const chosen = await useBackend('wasm', { threads: 1 })
  const model = await loadStableDiffusion(shippedModel)
  const x = tf.randomNormal<tf.Rank.R4>([2, 16, 16, 4], 0, 1, 'float32', 1)
  const context = model.encodePrompts(['', 'chest x-ray'])
  const network = async (): Promise<Float32Array> => {
    const y = model.denoise(x, 501, context)
    const values = (await y.data()) as Float32Array
    y.dispose()
    return values
  }
  const [apart, work] = await layerByLayer(async () => [
    (await network()).slice(),
    await arithmeticOf(network),
  ])
  const maxAbsDifference = largestDifference(apart, await network())
  if (!(maxAbsDifference <= 1e-4)) throw new Error(`whole blocks compute something else: ${maxAbsDifference}`)
  // V8 compiles the hot paths over the first evaluations; an edit takes 140 of them.
  for (let i = 0; i < 40; i++) await network()
  const shares: number[] = []
  const seconds: number[] = []
  const rates: { conv: number; product: number }[] = []
  // Short turns, for the machine's speed is another one in the next second.
  for (let i = 0; i < 4 * runs; i++) {
    const burst = work.conv + work.product
    const [conv, product] = [await bestRate(convolutions, burst), await bestRate(products, burst)]
    // The best of as many tries as a rate has.
    const times: number[] = []
    for (let j = 0; j < 4 * tries; j++) times.push(await secondsOf(network))
    const taken = Math.min(...times)
    rates.push({ conv, product })
    seconds.push(taken)
    shares.push((work.conv / conv + work.product / product) / taken)
  }
  tf.dispose([x, context])
  model.dispose()
  return {
    name: 'wasm',
    backend: chosen.backend,
    shape: 'shipped UNet, batch 2, latents 16×16, one thread',
    measure: 'ideal time over the time taken',
    seconds: median(seconds),
    gigaflop: { conv: work.conv / 1e9, product: work.product / 1e9 },
    bestGigaflopPerSecond: {
      conv: median(rates.map(({ conv }) => conv)) / 1e9,
      product: median(rates.map(({ product }) => product)) / 1e9,
    },
    ratio: median(shares),
    spread: spreadOf(shares),
    peakBytes: peakBytes(),
    maxAbsDifference,
    must: 'at least 0.8',
    met: median(shares) >= 0.8,
  }
}

const tries = 3

// Kernels of whole blocks do the same arithmetic where it cannot be seen.
async function layerByLayer<T>(run: () => Promise<T>): Promise<T> {
  const blocks = ['ResnetBlock', 'Transformer'].map((name) => tf.getKernel(name, 'wasm'))
  for (const { kernelName } of blocks) tf.unregisterKernel(kernelName, 'wasm')
  try {
    return await run()
  } finally {
    for (const block of blocks) tf.registerKernel(block)
  }
}

// Multiplications and additions of a run, two per pair, by the kernel that does them.
async function arithmeticOf(run: () => Promise<unknown>): Promise<{ conv: number; product: number }> {
  const total = { conv: 0, product: 0 }
  const size = (shape: readonly number[]) => shape.reduce((all, n) => all * n, 1)
  await aroundKernels(run, (kernelName, call, result) => {
    const { inputs, attrs } = call
    if (/Conv2D$|^Convolve$/.test(kernelName)) {
      const [height, width, channels] = (inputs.filter as tf.TensorInfo).shape as [number, number, number]
      total.conv += 2 * size((result as tf.TensorInfo).shape) * height * width * channels
    } else if (/^Linear(Plus)?$/.test(kernelName)) {
      total.product +=
        2 * size((inputs.x as tf.TensorInfo).shape) * (inputs.weight as tf.TensorInfo).shape[1]!
    } else if (kernelName === 'Attention') {
      // Scores, and what they mix.
      total.product += 4 * size((inputs.q as tf.TensorInfo).shape) * (inputs.k as tf.TensorInfo).shape[1]!
    } else if (/MatMul$/.test(kernelName)) {
      const depth = (inputs.a as tf.TensorInfo).shape.at(
        (attrs as { transposeA?: boolean }).transposeA ? -2 : -1,
      )!
      total.product += 2 * size((result as tf.TensorInfo).shape) * depth
    }
  })
  return total
}

interface Trial {
  readonly flop: number
  readonly run: () => tf.Tensor
  readonly inputs: readonly tf.Tensor[]
}

// From the network's own sizes to ones that leave nothing to wish for.
const convolutions = (): Trial[] =>
  [
    [16, 64],
    [16, 128],
    [32, 64],
    [32, 128],
  ].map(([side, channels]) => {
    const [n, c] = [side!, channels!]
    const x = tf.randomNormal<tf.Rank.R4>([1, n, n, c])
    const filter = tf.randomNormal<tf.Rank.R4>([3, 3, c, c])
    return { flop: 18 * n * n * c * c, run: () => tf.conv2d(x, filter, 1, 'same'), inputs: [x, filter] }
  })

const products = (): Trial[] =>
  [
    [512, 96, 96],
    [128, 128, 1024],
    [512, 512, 512],
  ].map(([rows, depth, columns]) => {
    const [m, k, n] = [rows!, depth!, columns!]
    const [a, b] = [tf.randomNormal<tf.Rank.R2>([m, k]), tf.randomNormal<tf.Rank.R2>([k, n])]
    return { flop: 2 * m * k * n, run: () => tf.matMul(a, b), inputs: [a, b] }
  })

// A try is as long as an evaluation, so that neither is the more likely to meet a quiet moment of the machine.
async function bestRate(trials: () => Trial[], burst: number): Promise<number> {
  let best = 0
  for (const { flop, run, inputs } of trials()) {
    const repeats = Math.ceil(burst / flop)
    for (let i = 0; i < tries; i++) {
      const seconds = await secondsOf(() => {
        for (let repeat = 0; repeat < repeats; repeat++) run().dispose()
      })
      best = Math.max(best, (repeats * flop) / seconds)
    }
    tf.dispose([...inputs])
  }
  return best
}
