import * as tf from '@tensorflow/tfjs'
import { flag, float, real, type TensorflowBackend, text } from './operations.js'

type Call = Parameters<tf.KernelFunc>[0]
/** What both norms take. */
export interface NormInputs {
  readonly x: tf.Tensor3D
  readonly weight: tf.Tensor1D
  readonly bias: tf.Tensor1D
}

/**
 * This library's kernel `LayerNorm` as oneDNN's, one pass over memory where tfjs's operations make eight: `x [...,
 * channels]` to `y`; no statistics.
 */
export function layerNorm(
  backend: TensorflowBackend,
  { x, weight, bias }: NormInputs,
  epsilon: number,
): tf.Tensor {
  const attributes = [float(backend), real(backend, 'epsilon', epsilon), plain(backend)]
  return backend.executeSingleOutput('_MklLayerNorm', attributes, [x, weight, bias])
}

/** This library's kernel `Swish`, `x sigmoid(x)`, as oneDNN's. */
export const swish = (backend: TensorflowBackend, x: tf.TensorInfo): tf.Tensor =>
  backend.executeSingleOutput('_MklSwish', [float(backend), plain(backend)], [x])

// TensorFlow's rewriter names a kernel that these two do not have.
const plain = (backend: TensorflowBackend) => text(backend, '_kernel', '')

/**
 * This library's kernel `GroupNorm` by TensorFlow's batch norm, which takes the mean and the variance of a channel in the
 * time of tfjs's mean, and scales and shifts in one pass. The statistics of a group follow from its channels',
 * `σ² = mean(σ_c² + (μ_c − μ)²)`, without the cancellation of `mean(x²) − μ²`.
 *
 * Numbers per channel are worked on here: an operation on so few of them costs TensorFlow more than JavaScript.
 */
export function groupNorm(backend: TensorflowBackend, { inputs, attrs }: Call): tf.Tensor[] {
  const { x, weight, bias } = inputs as unknown as NormInputs
  const { groups, epsilon } = attrs as unknown as { groups: number; epsilon: number }
  const [batch, pixels, channels] = x.shape
  const width = channels / groups
  const means = new Float32Array(batch * groups)
  const inverses = new Float32Array(batch * groups)
  const factors = new Float32Array(batch * channels)
  const terms = new Float32Array(batch * channels)
  const [scales, shifts] = [weight.dataSync(), bias.dataSync()]
  return tf.tidy(() => {
    const unknown = tf.tensor1d([])
    for (const [n, sample] of samplesOf(x).entries()) {
      const [, mean, variance] = batchNorm(backend, true, epsilon, sample, weight, bias, unknown, unknown)
      const [channelMeans, unbiased] = [mean!.dataSync(), variance!.dataSync()]
      for (let g = 0; g < groups; g++) {
        const [first, end] = [g * width, (g + 1) * width]
        let [sum, square] = [0, 0]
        for (let c = first; c < end; c++) sum += channelMeans[c]!
        const centre = sum / width
        for (let c = first; c < end; c++) {
          square += (unbiased[c]! * (pixels - 1)) / pixels + (channelMeans[c]! - centre) ** 2
        }
        const inverse = 1 / Math.sqrt(square / width + epsilon)
        means[n * groups + g] = centre
        inverses[n * groups + g] = inverse
        for (let c = first; c < end; c++) {
          const factor = scales[c]! * inverse
          factors[n * channels + c] = factor
          terms[n * channels + c] = shifts[c]! - centre * factor
        }
      }
    }
    const statistics = [means, inverses].map((values) => tf.tensor3d(values, [batch, 1, groups]))
    return [line(backend, x, factors, terms), ...statistics]
  })
}

// `a x + b` with a pair per sample and channel: of one sample in a single pass.
function line(backend: TensorflowBackend, x: tf.Tensor3D, a: Float32Array, b: Float32Array): tf.Tensor {
  const [batch, , channels] = x.shape
  if (batch > 1) {
    const [factor, term] = [a, b].map((values) => tf.tensor3d(values, [batch, 1, channels]))
    return tf.add(tf.mul(x, factor!), term!)
  }
  const operands = [tf.tensor1d(a), tf.tensor1d(b), tf.zeros([channels]), tf.ones([channels])]
  return tf.reshape(batchNorm(backend, false, 0, samplesOf(x)[0]!, ...operands)[0]!, x.shape)
}

/**
 * This library's kernel `GroupNormGrad`: with `n` the normalised pixels and `⟨·⟩` the mean over a group, the gradient by the
 * input `dx = (w dy − ⟨w dy⟩ − n ⟨w dy n⟩) / σ`, and the sums of `dy n` and of `dy` over the pixels of a channel. The gradient
 * of a batch norm with fixed statistics is the first term of `dx`, and both sums.
 *
 * Inputs `dy` and `x [batch, pixels, channels]`, `weight [channels]`, the kernel's own `mean` and `inverse [batch, 1,
 * groups]`; the sums are `[batch, 1, channels]`.
 */
export function groupNormGrad(backend: TensorflowBackend, { inputs, attrs }: Call): tf.Tensor[] {
  const { dy, x, weight, mean, inverse } = inputs as unknown as GradInputs
  const { groups } = attrs as unknown as { groups: number }
  const [batch, pixels, channels] = x.shape
  const width = channels / groups
  const [scales, means, inverses] = [weight.dataSync(), mean.dataSync(), inverse.dataSync()]
  return tf.tidy(() => {
    const along = new Float32Array(batch * channels)
    const constant = new Float32Array(batch * channels)
    const gradients = samplesOf(dy)
    const samples = samplesOf(x).map((sample, n) => {
      const perChannel = (of: (group: number) => number) =>
        tf.tensor1d(Float32Array.from({ length: channels }, (_, c) => of(n * groups + Math.floor(c / width))))
      const statistics = [perChannel((i) => means[i]!), perChannel((i) => inverses[i]! ** -2)]
      const [own, byScale, byShift] = fixedBatchNormGrad(
        backend,
        gradients[n]!,
        sample,
        weight,
        ...statistics,
      )
      const [products, sums] = [byScale!.dataSync(), byShift!.dataSync()]
      for (let g = 0; g < groups; g++) {
        const [first, end] = [g * width, (g + 1) * width]
        let [product, sum] = [0, 0]
        for (let c = first; c < end; c++) {
          product += (scales[c]! * products[c]!) / (pixels * width)
          sum += (scales[c]! * sums[c]!) / (pixels * width)
        }
        const [centre, factor] = [means[n * groups + g]!, inverses[n * groups + g]!]
        const at = n * channels
        along.fill(-factor * factor * product, at + first, at + end)
        constant.fill(factor * (factor * centre * product - sum), at + first, at + end)
      }
      return { own: own!, products: byScale!, sums: byShift! }
    })
    const together = (sums: tf.Tensor[]) => tf.reshape(tf.concat(sums), [batch, 1, channels])
    const own = joined(
      samples.map(({ own }) => own),
      x.shape,
    )
    return [
      tf.add(own, line(backend, x, along, constant)),
      together(samples.map(({ products }) => products)),
      together(samples.map(({ sums }) => sums)),
    ]
  })
}

interface GradInputs {
  readonly dy: tf.Tensor3D
  readonly x: tf.Tensor3D
  readonly weight: tf.Tensor1D
  readonly mean: tf.Tensor3D
  readonly inverse: tf.Tensor3D
}

const samplesOf = (x: tf.Tensor3D): tf.Tensor[] => {
  const [batch, pixels, channels] = x.shape
  const shape = [1, pixels, 1, channels]
  return batch === 1 ? [tf.reshape(x, shape)] : tf.split(x, batch).map((sample) => tf.reshape(sample, shape))
}

const joined = (samples: tf.Tensor[], shape: number[]): tf.Tensor =>
  tf.reshape(samples.length === 1 ? samples[0]! : tf.concat(samples), shape)

const normAttributes = (backend: TensorflowBackend, training: boolean, epsilon: number) => [
  ...[float(backend), { ...float(backend), name: 'U' }, real(backend, 'epsilon', epsilon)],
  ...[text(backend, 'data_format', 'NHWC'), flag(backend, 'is_training', training)],
]

// Inputs x, scale, shift, mean, variance; results y, mean, (unbiased) variance and what only its gradient needs.
const batchNorm = (backend: TensorflowBackend, training: boolean, epsilon: number, ...inputs: tf.Tensor[]) =>
  backend.executeMultipleOutputs('FusedBatchNormV3', normAttributes(backend, training, epsilon), inputs, 6)

// Inputs dy, x, scale, mean, variance; results by x, by the scale and by the shift.
const fixedBatchNormGrad = (backend: TensorflowBackend, ...inputs: tf.Tensor[]) =>
  backend.executeMultipleOutputs(
    'FusedBatchNormGradV3',
    normAttributes(backend, false, 0),
    [...inputs, inputs.at(-1)!],
    5,
  )
