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
 * This library's kernel `LayerNorm` as oneDNN's, one pass over memory where tfjs's operations make eight: `x [rows, 1,
 * channels]` to `y`; no statistics.
 */
export function layerNorm(
  backend: TensorflowBackend,
  { x, weight, bias }: NormInputs,
  epsilon: number,
): tf.Tensor[] {
  const attributes = [float(backend), real(backend, 'epsilon', epsilon), plain(backend)]
  return [backend.executeSingleOutput('_MklLayerNorm', attributes, [x, weight, bias])]
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
 */
export function groupNorm(backend: TensorflowBackend, { inputs, attrs }: Call): tf.Tensor[] {
  const { x, weight, bias } = inputs as unknown as NormInputs
  const { groups, epsilon } = attrs as unknown as { groups: number; epsilon: number }
  const [batch, pixels, channels] = x.shape
  const perGroup = (t: tf.Tensor): tf.Tensor3D =>
    tf.mean(tf.reshape(t, [batch, 1, groups, channels / groups]), 3)
  const perChannel = (t: tf.Tensor): tf.Tensor2D =>
    tf.reshape(tf.tile(tf.reshape(t, [batch, groups, 1]), [1, 1, channels / groups]), [batch, channels])
  const norm = (training: boolean, ...operands: tf.Tensor[]) => {
    const attributes = [
      ...[float(backend), { ...float(backend), name: 'U' }, real(backend, 'epsilon', epsilon)],
      ...[text(backend, 'data_format', 'NHWC'), flag(backend, 'is_training', training)],
    ]
    return backend.executeMultipleOutputs('FusedBatchNormV3', attributes, operands, 6)
  }
  return tf.tidy(() => {
    const samples = tf.split(x, batch).map((sample) => tf.reshape(sample, [1, pixels, 1, channels]))
    const unknown = tf.tensor1d([])
    const statistics = samples.map((sample) => norm(true, sample, weight, bias, unknown, unknown))
    const channelMean = tf.stack(statistics.map(([, mean]) => mean!))
    const unbiased = tf.stack(statistics.map(([, , variance]) => variance!))
    const mean = perGroup(channelMean)
    const centre = perChannel(mean)
    const between = tf.squaredDifference(channelMean, centre)
    const variance = perGroup(tf.add(tf.mul(unbiased, (pixels - 1) / pixels), between))
    const [centres, variances] = [tf.unstack(centre), tf.unstack(perChannel(variance))]
    const normal = samples.map((x, n) => norm(false, x, weight, bias, centres[n]!, variances[n]!)[0]!)
    const y = normal.length === 1 ? normal[0]! : tf.concat(normal)
    return [tf.reshape(y, x.shape), mean, tf.rsqrt(tf.add(variance, epsilon))]
  })
}
