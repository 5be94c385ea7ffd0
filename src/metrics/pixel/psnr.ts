import { ArgumentError } from '../../core/index.js'
import { pixelRange, type RangeOption, readPairs } from '../images.js'
import { average, type PairMetric, pairMetric } from '../result.js'
import { perPicture } from './per-picture.js'

/** How PSNR joins pictures. */
export interface PsnrOptions extends RangeOption {
  /** `'per-image'`: the mean of each pair's decibels. `'pooled'`: the decibels of the mean MSE. `'per-image'`. */
  readonly dialect?: 'per-image' | 'pooled'
}

/**
 * Peak signal-to-noise ratio in decibels: `PSNR = 10 log₁₀(L² / MSE)`, `L = high − low`.
 *
 * The two dialects differ on every batch of more than one pair (the mean of logarithms is not the logarithm of the
 * mean): scikit-image in a loop is `'per-image'`, torchmetrics' default reduction is `'pooled'`. Equal pictures
 * have infinite PSNR; one such pair makes the per-image mean infinite, with a warning.
 *
 * @param options - dialect and range
 * @returns a metric of pairs, with each pair's own decibels in `perImage` in both dialects
 * @throws ArgumentError on another dialect
 *
 * @example
 * ```ts
 * const { value } = await psnr({ dialect: 'pooled' })(edited, originals)
 * ```
 */
export function psnr(options: PsnrOptions = {}): PairMetric {
  const { dialect = 'per-image' } = options
  const range = pixelRange(options, 'psnr')
  if (dialect !== 'per-image' && dialect !== 'pooled') {
    throw new ArgumentError({
      rule: "psnr needs dialect to be 'per-image' or 'pooled'",
      got: JSON.stringify(dialect),
      mend: "torchmetrics' default is 'pooled'.",
    })
  }
  const identity = Number.POSITIVE_INFINITY
  const traits = { metric: 'psnr', dialect, range, identity, symmetric: true, better: 'higher' } as const
  return pairMetric(traits, async (images, references) => {
    const [x, y] = await readPairs(images, references, range, 'psnr')
    const errors = perPicture(x, y, (a, b) => (a - b) ** 2)
    const decibels = (error: number) => 10 * Math.log10((range[1] - range[0]) ** 2 / error)
    const perImage = errors.map(decibels)
    const value = dialect === 'pooled' ? decibels(average(errors)) : average(perImage)
    const equal = errors.filter((error) => error === 0).length
    const warnings =
      equal === 0 ? [] : [`${equal} of ${errors.length} pairs are equal: their PSNR is infinite`]
    return { metric: 'psnr', dialect, range, n: perImage.length, value, perImage, warnings }
  })
}
