import type { Tensor4D } from '@tensorflow/tfjs'
import type { AxiomResult, Edit } from './distance.js'
import { type RepeatOptions, repeat } from './repeat.js'

/**
 * Composition: changing nothing must change nothing, `d(fᵐ(x, pa, pa), x)` for m null interventions in a row.
 *
 * ```ts
 * await composition(images, (x) => edit(x, sameCaption), { times: [1, 10], distance: l1() })
 * ```
 *
 * @param images - `[batch, height, width, channels]`; borrowed
 * @param nullEdit - f with the pictures' own attributes; its result is freed here
 * @param options - how often, the distance, signal and progress
 * @returns one result per count, ascending
 * @throws ArgumentError on no counts, or a distance without a value per picture
 * @throws ShapeError when the edit returns another shape
 * @throws AbortError when `signal` is aborted
 * @see Monteiro et al. 2023, "Measuring axiomatic soundness of counterfactual image models".
 */
export function composition(
  images: Tensor4D,
  nullEdit: Edit,
  options: RepeatOptions,
): Promise<AxiomResult[]> {
  return repeat('composition', images, [nullEdit], options)
}
