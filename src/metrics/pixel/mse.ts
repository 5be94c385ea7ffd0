import { pixelRange, type RangeOption, readPairs } from '../images.js'
import { average, type PairMetric, pairMetric } from '../result.js'
import { perPicture } from './per-picture.js'

/**
 * Mean squared difference in the pixels' own units: `MSE = mean (x − y)²`. Divide by `(high − low)²` to compare
 * ranges.
 *
 * @param options - the range; `[0, 1]` by default
 * @returns a metric of pairs; its value is the mean over pairs, which is the MSE of all pixels together
 *
 * @example
 * ```ts
 * const { value } = await mse({ range: [0, 255] })(edited, originals)
 * ```
 */
export function mse(options: RangeOption = {}): PairMetric {
  const range = pixelRange(options, 'mse')
  const traits = { metric: 'mse', dialect: 'mean-squared', range, identity: 0, symmetric: true } as const
  return pairMetric({ ...traits, better: 'lower' }, async (images, references) => {
    const [x, y] = await readPairs(images, references, range, 'mse')
    const perImage = perPicture(x, y, (a, b) => (a - b) ** 2)
    const { metric, dialect } = traits
    return { metric, dialect, range, n: perImage.length, value: average(perImage), perImage, warnings: [] }
  })
}
