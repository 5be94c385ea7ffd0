import { pixelRange, type RangeOption, readPairs } from '../images.js'
import { average, type PairMetric, pairMetric } from '../result.js'
import { perPicture } from './per-picture.js'

/**
 * Mean absolute difference, in units of the range: `L1 = mean |x − y| / (high − low)`. The counterfactual
 * literature calls it SIP, subject identity preservation; 0 is identity, and an edit always costs some.
 *
 * Report it beside its floor: the L1 of an image and its autoencoder round trip, and of a null edit.
 *
 * @param options - the range; `[0, 1]` by default
 * @returns a metric of pairs; its value is the mean over pairs
 * @see Mothilal et al. 2020 and Kumar et al. 2025 (PRISM) for its use as proximity.
 *
 * @example
 * ```ts
 * const { value, perImage } = await l1()(edited, originals)
 * ```
 */
export function l1(options: RangeOption = {}): PairMetric {
  const range = pixelRange(options, 'l1')
  const traits = { metric: 'l1', dialect: 'mean-absolute', range, identity: 0, symmetric: true } as const
  return pairMetric({ ...traits, better: 'lower' }, async (images, references) => {
    const [x, y] = await readPairs(images, references, range, 'l1')
    const width = range[1] - range[0]
    const perImage = perPicture(x, y, (a, b) => Math.abs(a - b)).map((mean) => mean / width)
    const { metric, dialect } = traits
    return { metric, dialect, range, n: perImage.length, value: average(perImage), perImage, warnings: [] }
  })
}
