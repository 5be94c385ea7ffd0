import type { Tensor4D } from '@tensorflow/tfjs'
import { ArgumentError } from '../../core/index.js'

/** A change of pictures. It may be the identity; what it returns is freed by the caller. */
export type Edit = (images: Tensor4D) => Tensor4D | Promise<Tensor4D>

/** What a {@link Distance} must tell: every pair metric of this room does. */
export interface Distances {
  /** Its name, for reports. */
  readonly metric: string
  /** Whose definition. */
  readonly dialect: string
  /** One value per pair. */
  readonly perImage: readonly number[] | null
}

/** How far pictures are from references, pair by pair: `l1()`, `lpips()`, or three lines of your own. */
export type Distance = (images: Tensor4D, references: Tensor4D) => Promise<Distances>

/** An axiom's distance over a batch. */
export interface AxiomResult {
  /** `'composition'`, `'reversibility'`, `'noise floor: vae'`, … */
  readonly axiom: string
  /** How often the edit was applied. */
  readonly times: number
  /** The distance's name. */
  readonly metric: string
  /** The distance's definition. */
  readonly dialect: string
  /** Pictures. */
  readonly n: number
  /** The mean. */
  readonly value: number
  /** One value per picture. */
  readonly perImage: readonly number[]
}

/** Measures, and says so in the axiom's words. @internal */
export async function measure(
  axiom: string,
  times: number,
  distance: Distance,
  images: Tensor4D,
  references: Tensor4D,
): Promise<AxiomResult> {
  const { metric, dialect, perImage } = await distance(images, references)
  const n = images.shape[0]
  if (perImage?.length !== n) {
    throw new ArgumentError({
      rule: `${axiom} needs a distance with one value per picture`,
      got: perImage
        ? `${perImage.length} values for ${n} pictures`
        : `${metric}, which has one for the whole set`,
      mend: 'Pass a pair metric such as l1() or lpips().',
    })
  }
  const value = perImage.reduce((sum, one) => sum + one, 0) / n
  return { axiom, times, metric, dialect, n, value, perImage }
}
