import type { Tensor4D } from '@tensorflow/tfjs'
import type { AxiomResult, Edit } from './distance.js'
import { type RepeatOptions, repeat } from './repeat.js'

/**
 * Reversibility: there and back again must end where it began, `d(pᵐ(x), x)` with
 * `p(x) = f(f(x, pa, pa*), pa*, pa)`.
 *
 * @param images - `[batch, height, width, channels]`; borrowed
 * @param there - f from the pictures' attributes to others; its result is freed here
 * @param back - f from those to the pictures' own
 * @param options - how often, the distance, signal and progress
 * @returns one result per count, ascending
 * @throws ArgumentError, ShapeError and AbortError as `composition`
 * @see Monteiro et al. 2023.
 */
export function reversibility(
  images: Tensor4D,
  there: Edit,
  back: Edit,
  options: RepeatOptions,
): Promise<AxiomResult[]> {
  return repeat('reversibility', images, [there, back], options)
}
