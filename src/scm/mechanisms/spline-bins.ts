import * as tf from '@tensorflow/tfjs'
import { expectNumber } from '../../core/index.js'
import { above, softplus } from './numerics.js'
import { preciseSoftmax, withGradientOf } from './precise-softmax.js'

/** Options of both splines. */
export interface SplineOptions {
  /** Pieces between the bounds; 8. */
  readonly bins?: number
  /** The spline acts on [-bound, bound] and is the identity outside; 3. */
  readonly bound?: number
}

/** The smallest share of a bin's width and height, and the smallest derivative. */
export const LEAST = 1e-3

/** A knot to more digits than one float32 holds. */
export interface Knot {
  /** `position - knot` */
  to(position: tf.Tensor): tf.Tensor
  /** `knot + distance` */
  plus(distance: tf.Tensor): tf.Tensor
}

/** The bin that each element falls into: left corner, size, and the derivatives at both ends; each `[batch, size]`. */
export interface Bin {
  /** Left knot on the noise's axis. */
  readonly x: Knot
  /** Width. */
  readonly width: tf.Tensor
  /** Left knot on the value's axis. */
  readonly y: Knot
  /** Height. */
  readonly height: tf.Tensor
  /** Derivative at the left knot. */
  readonly left: tf.Tensor
  /** Derivative at the right knot. */
  readonly right: tf.Tensor
  /** Picks the bin's entry from `[…, size, bins]`. */
  pick(perBin: tf.Tensor): tf.Tensor
}

/** Unconstrained shape of a spline, `[batch or 1, size, bins]` (one less for the inner derivatives). */
export interface SplineHeads {
  /** Softmax gives the bins' widths. */
  readonly widths: tf.Tensor
  /** Softmax gives the bins' heights. */
  readonly heights: tf.Tensor
  /** Softplus gives the derivatives at the inner knots. */
  readonly derivatives: tf.Tensor
}

/** The heads that both splines need; they start as the identity. */
export const splineHeads = (size: number, bins: number) =>
  ({
    widths: { shape: [size, bins], initial: 0 },
    heights: { shape: [size, bins], initial: 0 },
    // softplus(0.5404) + 0.001 = 1
    derivatives: { shape: [size, bins - 1], initial: Math.log(Math.expm1(1 - LEAST)) },
  }) as const

/** Checks and defaults of {@link SplineOptions}. */
export function splineOptions({ bins = 8, bound = 3 }: SplineOptions, where: string) {
  expectNumber(bins, { integer: true, min: 2, max: 1 / LEAST }, where, 'bins')
  expectNumber(bound, { min: 1e-3 }, where, 'bound')
  return { bins, bound }
}

/**
 * Finds the bin of every element, with Pyro's floors: widths and heights share what 0.001 per bin leaves over,
 * derivatives are softplus + 0.001, and 0.999 at the two outer knots. Call in a tidy.
 *
 * @param heads - unconstrained shape
 * @param input - `[batch, size]` inside the bounds
 * @param along - which axis `input` lies on: `'x'` for noise, `'y'` for values
 */
export function findBin(
  { widths, heights, derivatives }: SplineHeads,
  input: tf.Tensor,
  bound: number,
  along: 'x' | 'y',
): Bin {
  const bins = widths.shape.at(-1)!
  const xs = knots(widths, bins, bound)
  const ys = knots(heights, bins, bound)
  const outer = tf.fill([...derivatives.shape.slice(0, -1), 1], 1 - LEAST)
  const slopes = tf.concat([outer, softplus(derivatives).add(LEAST), outer], -1)

  // The last knot at or below the input; a hair's shift keeps a knot itself in the bin to its left, as Pyro does.
  const { high, low } = along === 'x' ? xs : ys
  const inner = high.add(low).slice([0, 0, 1], [-1, -1, bins - 1])
  const index = above(input.expandDims(-1), inner.add(1e-6)).cast('float32').sum(-1).cast('int32')
  const mask = tf.oneHot(index as tf.Tensor2D, bins).cast('float32')
  const pick = (perBin: tf.Tensor) => perBin.mul(mask).sum(-1)
  return {
    x: knotOf(pick(xs.high), pick(xs.low)),
    width: pick(xs.lengths),
    y: knotOf(pick(ys.high), pick(ys.low)),
    height: pick(ys.lengths),
    left: pick(slopes.slice([0, 0, 0], [-1, -1, bins])),
    right: pick(slopes.slice([0, 0, 1], [-1, -1, bins])),
    pick,
  }
}

const knotOf = (high: tf.Tensor, low: tf.Tensor): Knot => ({
  to: (position) => position.sub(high).sub(low),
  plus: (distance) => high.add(low.add(distance)),
})

// The bins' left knots in two parts: one float32 near the bound would lose what a steep bin then multiplies. The
// lengths are (share (1 - LEAST bins) + LEAST) 2 bound; the factor's first 11 bits times a share's first 12 are exact,
// and so are their sums.
function knots(unconstrained: tf.Tensor, bins: number, bound: number) {
  const factor = (1 - LEAST * bins) * 2 * bound
  const least = LEAST * 2 * bound
  const grain = 2 ** (Math.ceil(Math.log2(factor)) - 11)
  const first = Math.floor(factor / grain) * grain
  const share = preciseSoftmax(unconstrained)
  const main = share.high.mul(first)
  const rest = share.high.mul(factor - first).add(share.low.mul(factor).add(least))
  const smooth = unconstrained.softmax(-1).mul(factor).add(least)
  return {
    lengths: withGradientOf(main.add(rest), smooth),
    high: sumBefore(main).sub(bound),
    low: withGradientOf(sumBefore(rest), sumBefore(smooth)),
  }
}

// The exclusive running sum; the wasm kernel takes no negative axis.
const sumBefore = (x: tf.Tensor) => x.cumsum(x.rank - 1, true)

/**
 * Applies `inside` between the bounds and the identity outside. Call in a tidy.
 *
 * @param inside - sees inputs clamped to the bounds, so that no branch leaves the finite numbers
 */
export function identityOutside(
  input: tf.Tensor,
  bound: number,
  inside: (clamped: tf.Tensor) => { value: tf.Tensor; logDerivative: tf.Tensor },
) {
  const outside = above(input.abs(), bound)
  const { value, logDerivative } = inside(input.clipByValue(-bound, bound))
  return {
    value: tf.where(outside, input, value),
    logDerivative: tf.where(outside, tf.zerosLike(input), logDerivative),
  }
}
