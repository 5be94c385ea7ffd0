import * as tf from '@tensorflow/tfjs'
import type { HeadValues } from '../conditioner.js'
import type { Mechanism } from '../mechanism.js'
import { type FlowOptions, flow, type Transform } from './flow.js'
import { above } from './numerics.js'
import {
  type Bin,
  findBin,
  identityOutside,
  type SplineOptions,
  splineHeads,
  splineOptions,
} from './spline-bins.js'

// The smallest share of a bin on either side of its division.
const LEAST_SHARE = 0.025

const heads = (size: number, bins: number) =>
  ({ ...splineHeads(size, bins), lambdas: { shape: [size, bins], initial: 0 } }) as const

/**
 * The monotone linear-rational spline (Dolatabadi et al. 2020), Pyro's default. Each bin is divided at a share λ of its
 * width; on both sides of the division the curve is the ratio of two lines. With weights a, b at a side's ends and
 * t from 0 to 1 along it:
 *
 * ```text
 * f(t)  = b t / (a (1-t) + b t)      f'(t) = a b / (a (1-t) + b t)²      f⁻¹: the same with a and b exchanged
 * ```
 *
 * The weights are 1 at the bin's left end, w_b = √(d_k / d_k+1) at its right, and w_c = (λ d_k + (1-λ) w_b d_k+1) / s
 * at the division, whose height is y_k + h λ w_b / (1-λ + λ w_b). Outside the bounds it is the identity.
 *
 * @param options - bins and bound
 * @returns a transform for {@link flow}
 * @throws ArgumentError on fewer than 2 bins, or a bound that is not positive
 */
export function linearRationalSplineTransform(options: SplineOptions = {}): Transform {
  const { bins, bound } = splineOptions(options, 'linearRationalSpline')
  const transform: Transform<ReturnType<typeof heads>> = {
    name: 'linear-rational spline',
    heads: (size) => heads(size, bins),

    forward: (shape, e) =>
      identityOutside(e, bound, (x) => {
        const bin = findBin(shape, x, bound, 'x')
        const run = bin.x.to(x)
        const side = sideOf(bin, shape, (division) => above(run, division.run))
        const t = run.sub(side.run).div(side.width)
        const { value, derivative } = ratio(t, side.a, side.b)
        return {
          value: bin.y.plus(side.rise.add(side.height.mul(value))),
          logDerivative: derivative.mul(side.height).div(side.width).log(),
        }
      }),

    inverse: (shape, value) =>
      identityOutside(value, bound, (y) => {
        const bin = findBin(shape, y, bound, 'y')
        const rise = bin.y.to(y)
        const side = sideOf(bin, shape, (division) => above(rise, division.rise))
        const t = rise.sub(side.rise).div(side.height)
        const { value: along, derivative } = ratio(t, side.b, side.a)
        return {
          value: bin.x.plus(side.run.add(side.width.mul(along))),
          logDerivative: derivative.mul(side.width).div(side.height).log(),
        }
      }),
  }
  return transform
}

/** `f(t)` and `f'(t)`. */
function ratio(t: tf.Tensor, a: tf.Tensor, b: tf.Tensor) {
  const denominator = a.mul(t.neg().add(1)).add(b.mul(t))
  return { value: b.mul(t).div(denominator), derivative: a.mul(b).div(denominator.square()) }
}

// The left or the right part of the bin, measured from its left corner, as `right` says once it is told where the
// division is.
function sideOf(
  bin: Bin,
  { lambdas }: Pick<HeadValues<ReturnType<typeof heads>>, 'lambdas'>,
  right: (division: { run: tf.Tensor; rise: tf.Tensor }) => tf.Tensor,
) {
  const λ = bin.pick(
    lambdas
      .sigmoid()
      .mul(1 - 2 * LEAST_SHARE)
      .add(LEAST_SHARE),
  )
  const rest = λ.neg().add(1)
  const s = bin.height.div(bin.width)
  const wb = bin.left.div(bin.right).sqrt()
  const wc = λ.mul(bin.left).add(rest.mul(wb).mul(bin.right)).div(s)
  const [width, height] = [bin.width.mul(λ), bin.height.mul(λ.mul(wb).div(rest.add(λ.mul(wb))))]
  const isRight = right({ run: width, rise: height })
  const choose = (there: tf.Tensor, here: tf.Tensor) => tf.where(isRight, there, here)
  return {
    run: choose(width, tf.zerosLike(width)),
    rise: choose(height, tf.zerosLike(height)),
    width: choose(bin.width.sub(width), width),
    height: choose(bin.height.sub(height), height),
    a: choose(wc, tf.onesLike(wc)),
    b: choose(wb, wc),
  }
}

/**
 * Standard normal noise through one linear-rational spline, its shape constant or a network of the parents.
 *
 * A value is `[batch, size]`; weights `widths`, `heights`, `lambdas` `[size, bins]` and `derivatives`
 * `[size, bins - 1]`, or `net.*` with parents; equal to Pyro's `Spline` and `ConditionalSpline` of order `'linear'`.
 *
 * ```ts
 * const age = linearRationalSpline({ bins: 8, bound: 3 })
 * ```
 *
 * @param options - bins and bound, size, and how the shape depends on the parents
 * @throws ArgumentError on fewer than 2 bins, or a bound that is not positive
 */
export const linearRationalSpline = (options: FlowOptions & SplineOptions = {}): Mechanism =>
  flow([linearRationalSplineTransform(options)], options)
