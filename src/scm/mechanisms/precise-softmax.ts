import * as tf from '@tensorflow/tfjs'

/** A number in two parts: the second is what a float32 of the first leaves over. */
export interface TwoParts {
  /** Multiples of 2^-12: sums and products with few bits are exact. */
  readonly high: tf.Tensor
  /** The rest, below 2^-11. */
  readonly low: tf.Tensor
}

// exp(k / 32) for k from -DEPTH to 0, in two float32 parts. Below, a share is less than 1e-22 and counts as that.
const STEPS = 32
const DEPTH = 50 * STEPS
const powers = Float64Array.from({ length: DEPTH + 1 }, (_, k) => Math.exp((k - DEPTH) / STEPS))
const heads = Float32Array.from(powers)
const tails = Float32Array.from(powers, (power, k) => power - heads[k]!)

/**
 * The softmax over the last axis to about 1e-10, where a float32 one has 1e-7. No gradient: see `withGradientOf`.
 *
 * `exp u = exp(k/32) exp r` with `k` whole, from a table and a short series; the quotient is made in two parts, each
 * remainder exact, as in long division. Call in a tidy.
 *
 * @param u - `[..., n]`, n at most 1000
 */
export function preciseSoftmax(u: tf.Tensor): TwoParts {
  const op = tf.customGrad((x) => {
    const { high, low } = parts(x as tf.Tensor)
    return { value: tf.stack([high, low]), gradFunc: () => tf.zeros(u.shape) }
  })
  const [high, low] = tf.unstack(op(u)) as [tf.Tensor, tf.Tensor]
  return { high, low }
}

function parts(u: tf.Tensor): TwoParts {
  const n = u.shape.at(-1)!
  const whole = u.mul(STEPS).round()
  const r = u.sub(whole.div(STEPS))
  const series = r.mul(r.mul(r.mul(r.div(24).add(1 / 6)).add(0.5)).add(1))
  const index = whole.sub(whole.max(-1, true)).add(DEPTH).relu().cast('int32')
  const head = tf.gather(tf.tensor1d(heads), index.flatten() as tf.Tensor1D).reshape(u.shape)
  const tail = tf.gather(tf.tensor1d(tails), index.flatten() as tf.Tensor1D).reshape(u.shape)
  // Whole multiples of a grain, so that n of them add up without rounding.
  const grain = 2 ** (Math.ceil(Math.log2(n)) - 23)
  const coarse = floorTo(head, grain)
  const fine = head.sub(coarse).add(tail.add(head.mul(series)))
  const [sum, rest] = [coarse.sum(-1, true), fine.sum(-1, true)]
  const total = sum.add(rest)
  const high = floorTo(coarse.add(fine).div(total), 2 ** -12)
  // 12 bits times 12 bits is exact.
  const upper = floorTo(sum, 2 ** (Math.ceil(Math.log2(n)) - 11))
  const left = coarse.sub(high.mul(upper)).sub(high.mul(sum.sub(upper)))
  return { high, low: left.add(fine.sub(high.mul(rest))).div(total) }
}

/** The values of one tensor with the gradient of another of the same shape. */
export function withGradientOf(value: tf.Tensor, like: tf.Tensor): tf.Tensor {
  const op = tf.customGrad((x) => ({
    value: tf.add(value, tf.mul(x as tf.Tensor, 0)),
    gradFunc: (dy: tf.Tensor) => dy.clone(),
  }))
  return op(like) as tf.Tensor
}

const floorTo = (x: tf.Tensor, grain: number): tf.Tensor => x.div(grain).floor().mul(grain)
