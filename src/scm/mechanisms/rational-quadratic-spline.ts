import type { Tensor } from '@tensorflow/tfjs'
import type { Mechanism } from '../mechanism.js'
import { type FlowOptions, flow, type Transform } from './flow.js'
import {
  type Bin,
  findBin,
  identityOutside,
  type SplineOptions,
  splineHeads,
  splineOptions,
} from './spline-bins.js'

/**
 * The monotone rational-quadratic spline (Durkan et al. 2019, eqs. 4 to 8). In a bin with left corner (x_k, y_k),
 * width w, height h, slope s = h / w and derivatives d_k, d_k+1 at its ends, with θ = (x - x_k) / w:
 *
 * ```text
 * y     = y_k + h (s θ² + d_k θ(1-θ)) / (s + (d_k+1 + d_k - 2s) θ(1-θ))
 * dy/dx = s² (d_k+1 θ² + 2s θ(1-θ) + d_k (1-θ)²) / (s + (d_k+1 + d_k - 2s) θ(1-θ))²
 * ```
 *
 * The inverse solves a θ² + b θ + c = 0. Outside the bounds it is the identity.
 *
 * @param options - bins and bound
 * @returns a transform for {@link flow}
 * @throws ArgumentError on fewer than 2 bins, or a bound that is not positive
 */
export function rationalQuadraticSplineTransform(options: SplineOptions = {}): Transform {
  const { bins, bound } = splineOptions(options, 'rationalQuadraticSpline')
  const transform: Transform<ReturnType<typeof splineHeads>> = {
    name: 'rational-quadratic spline',
    heads: (size) => splineHeads(size, bins),

    forward: (heads, e) =>
      identityOutside(e, bound, (x) => {
        const bin = findBin(heads, x, bound, 'x')
        const θ = bin.x.to(x).div(bin.width)
        const { s, denominator, derivative } = shapeAt(θ, bin)
        const numerator = s.mul(θ.square()).add(bin.left.mul(θ.mul(θ.neg().add(1))))
        return {
          value: bin.y.plus(bin.height.mul(numerator).div(denominator)),
          logDerivative: derivative.log(),
        }
      }),

    inverse: (heads, value) =>
      identityOutside(value, bound, (y) => {
        const bin = findBin(heads, y, bound, 'y')
        const rise = bin.y.to(y)
        const s = bin.height.div(bin.width)
        const bend = bin.left.add(bin.right).sub(s.mul(2))
        const a = rise.mul(bend).add(bin.height.mul(s.sub(bin.left)))
        const b = bin.height.mul(bin.left).sub(rise.mul(bend))
        const c = s.mul(rise).neg()
        // The discriminant is never negative; rounding may make it so by a hair.
        const root = b.square().sub(a.mul(c).mul(4)).relu().sqrt()
        const θ = c.mul(2).div(b.neg().sub(root))
        const { derivative } = shapeAt(θ, bin)
        return { value: bin.x.plus(θ.mul(bin.width)), logDerivative: derivative.log().neg() }
      }),
  }
  return transform
}

function shapeAt(θ: Tensor, { width, height, left, right }: Bin) {
  const s = height.div(width)
  const mixed = θ.mul(θ.neg().add(1))
  const denominator = s.add(left.add(right).sub(s.mul(2)).mul(mixed))
  const derivative = s
    .square()
    .mul(
      right
        .mul(θ.square())
        .add(s.mul(2).mul(mixed))
        .add(left.mul(θ.neg().add(1).square())),
    )
    .div(denominator.square())
  return { s, denominator, derivative }
}

/**
 * Standard normal noise through one rational-quadratic spline, its shape constant or a network of the parents.
 *
 * A value is `[batch, size]`; weights `widths`, `heights` `[size, bins]` and `derivatives` `[size, bins - 1]`, or
 * `net.*` with parents; equal to Pyro's `Spline` and `ConditionalSpline` of order `'quadratic'`.
 *
 * ```ts
 * const thickness = rationalQuadraticSpline({ bins: 8, bound: 3 })
 * ```
 *
 * @param options - bins and bound, size, and how the shape depends on the parents
 * @throws ArgumentError on fewer than 2 bins, or a bound that is not positive
 */
export const rationalQuadraticSpline = (options: FlowOptions & SplineOptions = {}): Mechanism =>
  flow([rationalQuadraticSplineTransform(options)], options)
