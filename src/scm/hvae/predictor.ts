import * as tf from '@tensorflow/tfjs'
import { ArgumentError } from '../../core/index.js'
import { conv2d, linear, type NamedParameters, parameterTree, relu } from '../../nn/index.js'
import type { Values } from '../graph-variable.js'
import { joinParents } from '../mechanism.js'

/** One attribute that is read off a picture. */
export interface PredictorHead {
  /** `'binary'` 0 or 1; `'categorical'` one-hot; `'normal'` a number with its own deviation. */
  readonly kind: 'binary' | 'categorical' | 'normal'
  /** Numbers of one value: 1, or the classes. */
  readonly width: number
  /** Attributes that the reading may use beside the picture: its effects among the picture's other causes. */
  readonly given?: readonly string[]
}

/** A network that reads a picture's causes off it, `q(pa | x)`. */
export interface PredictorConfig {
  /** Channels of the stages; each but the first halves the size. */
  readonly widths: readonly number[]
  /** 1 or 3. */
  readonly channels: number
  /** By attribute. */
  readonly heads: Readonly<Record<string, PredictorHead>>
}

interface PredictorParameters {
  readonly convs: readonly { weight: tf.Tensor4D; bias: tf.Tensor1D }[]
  readonly heads: Readonly<Record<string, { weight: tf.Tensor2D; bias: tf.Tensor1D }>>
}

/** Names and PyTorch shapes of a predictor's weights. */
export function predictorShapes({
  widths,
  channels,
  heads,
}: PredictorConfig): ReadonlyMap<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>()
  widths.forEach((width, i) => {
    shapes.set(`convs.${i}.weight`, [width, i === 0 ? channels : widths[i - 1]!, 3, 3])
    shapes.set(`convs.${i}.bias`, [width])
  })
  for (const [name, { kind, width, given = [] }] of Object.entries(heads)) {
    const beside = given.reduce((sum, other) => sum + headOf(heads, other, name).width, 0)
    const out = kind === 'normal' ? 2 * width : width
    shapes.set(`heads.${name}.weight`, [out, 2 * widths.at(-1)! + beside])
    shapes.set(`heads.${name}.bias`, [out])
  }
  return shapes
}

/**
 * What the predictor makes of pictures, by attribute: logits, or means and log-deviations side by side.
 *
 * Strided 3 × 3 convolutions with ReLU; each channel's mean and maximum over the picture; one linear head for each
 * attribute.
 *
 * @param x - `[batch, height, width, channels]` in [0, 1], borrowed
 * @param values - the attributes that heads are given; borrowed
 * @returns owned by the caller, or by the tidy around the call
 */
export function readAttributes(
  named: NamedParameters,
  { heads }: PredictorConfig,
  x: tf.Tensor4D,
  values: Values,
): Record<string, tf.Tensor2D> {
  const { convs, heads: layers } = parameterTree<PredictorParameters>(named)
  let h = tf.sub<tf.Tensor4D>(tf.mul(x, 2), 1)
  for (const [i, conv] of convs.entries())
    h = relu(i === 0 ? conv2d(conv, h) : conv2d(conv, h, { stride: 2, padding: [1, 1] }))
  const pooled = tf.concat2d([tf.mean<tf.Tensor2D>(h, [1, 2]), tf.max<tf.Tensor2D>(h, [1, 2])], 1)
  return Object.fromEntries(
    Object.entries(heads).map(([name, { given = [] }]) => {
      const beside = Object.fromEntries(given.map((other) => [other, values[other]!]))
      const seen = given.length === 0 ? pooled : tf.concat2d([pooled, joinParents(beside)], 1)
      return [name, linear(layers[name]!, seen)]
    }),
  )
}

/**
 * `−log q(pa | x)` summed over attributes and averaged over the batch, in nats: Bernoulli, categorical, or normal.
 *
 * @param values - `[batch, width]` by attribute, borrowed
 * @returns a scalar, differentiable in the weights and in `x`
 */
export function predictorNll(
  named: NamedParameters,
  config: PredictorConfig,
  x: tf.Tensor4D,
  values: Values,
): tf.Scalar {
  return tf.tidy(() => {
    const read = readAttributes(named, config, x, values)
    const terms = Object.entries(config.heads).map(([name, { kind, width }]) => {
      const [out, y] = [read[name]!, values[name] as tf.Tensor2D]
      if (kind === 'binary') return tf.mean(tf.sum(tf.sub(tf.softplus(out), tf.mul(out, y)), 1))
      if (kind === 'categorical') return tf.mean(tf.neg(tf.sum(tf.mul(tf.logSoftmax(out), y), 1)))
      const [mean, logscale] = tf.split(out, [width, width], 1) as [tf.Tensor2D, tf.Tensor2D]
      const bounded = tf.clipByValue(logscale, -7, 7)
      const z = tf.mul(tf.sub(y, mean), tf.exp(tf.neg(bounded)))
      const density = tf.add(tf.add(tf.mul(tf.square(z), 0.5), bounded), 0.5 * Math.log(2 * Math.PI))
      return tf.mean(tf.sum(density, 1))
    })
    return tf.addN(terms) as tf.Scalar
  })
}

function headOf(heads: PredictorConfig['heads'], name: string, reader: string): PredictorHead {
  const head = heads[name]
  if (head) return head
  throw new ArgumentError({
    rule: 'a predictor is given attributes that it also has heads for',
    got: `${reader} given ${name}`,
    mend: `Give one of ${Object.keys(heads).join(', ')}.`,
  })
}
