import { ArgumentError, ShapeError } from '../../core/index.js'
import { type PixelRange, type Pixels, pixelRange, type RangeOption, readPairs } from '../images.js'
import { average, type PairMetric, pairMetric } from '../result.js'
import { planeOf, reflect } from './planes.js'
import { type StructureOptions, structure } from './structure.js'
import { gaussianWindow, uniformWindow } from './windows.js'

/** Whose SSIM: see the table of {@link ssim}. */
export type SsimDialect = 'wang2004' | 'scikit-image' | 'torchmetrics-1.9'

/** Whose SSIM, on what range. */
export interface SsimOptions extends RangeOption {
  /** `'wang2004'` by default. */
  readonly dialect?: SsimDialect
}

type Recipe = Omit<StructureOptions, 'span'> & { readonly pad: number }

const recipes: Readonly<Record<SsimDialect, Recipe>> = {
  wang2004: { window: gaussianWindow(11, 1.5), covarianceScale: 1, pad: 0 },
  'scikit-image': { window: uniformWindow(7), covarianceScale: 49 / 48, pad: 0 },
  'torchmetrics-1.9': { window: gaussianWindow(11, 1.5), covarianceScale: 1, pad: 5 },
}

/**
 * Structural similarity (Wang et al. 2004), the mean of
 * `(2 μx μy + C1)(2 σxy + C2) / ((μx² + μy² + C1)(σx² + σy² + C2))` over windows, channels apart.
 *
 * | dialect | window | covariance | border |
 * | --- | --- | --- | --- |
 * | `wang2004` | Gaussian 11, σ 1.5 | population | whole windows only |
 * | `scikit-image` (its defaults) | uniform 7 | sample, N / (N − 1) | whole windows only |
 * | `torchmetrics-1.9` | Gaussian 11, σ 1.5 | population | mirrored, whole map averaged |
 *
 * They differ in the second decimal. `L` is the width of the range that you state, never what the batch happens to
 * hold (torchmetrics' own default, under which a value depends on its neighbours in the batch).
 *
 * @param options - dialect and range
 * @returns a metric of pairs, computed in double precision
 * @throws ArgumentError on another dialect
 *
 * @example
 * ```ts
 * const { value, perImage } = await ssim({ dialect: 'scikit-image' })(edited, originals)
 * ```
 */
export function ssim(options: SsimOptions = {}): PairMetric {
  const { dialect = 'wang2004' } = options
  const range = pixelRange(options, 'ssim')
  const recipe = recipes[dialect]
  if (recipe === undefined) {
    throw new ArgumentError({
      rule: `ssim needs dialect to be one of ${Object.keys(recipes).join(', ')}`,
      got: JSON.stringify(dialect),
      mend: 'Name the implementation whose numbers yours will stand beside.',
    })
  }
  const traits = { metric: 'ssim', dialect, range, identity: 1, symmetric: true, better: 'higher' } as const
  return pairMetric(traits, async (images, references) => {
    const [x, y] = await readPairs(images, references, range, 'ssim')
    expectSide(x, recipe.window.length, 'ssim')
    const perImage = Array.from({ length: x.shape[0] }, (_, i) => scoreOne(x, y, i, recipe, range))
    return {
      metric: 'ssim',
      dialect,
      range,
      n: perImage.length,
      value: average(perImage),
      perImage,
      warnings: [],
    }
  })
}

function scoreOne(
  x: Pixels,
  y: Pixels,
  picture: number,
  { pad, ...recipe }: Recipe,
  range: PixelRange,
): number {
  const channels = Array.from({ length: x.shape[3] }, (_, channel) => {
    const planes = [x, y].map((pixels) => reflect(planeOf(pixels, picture, channel), pad))
    return structure(planes[0]!, planes[1]!, { ...recipe, span: range[1] - range[0] }).ssim
  })
  return average(channels)
}

/** Asserts that both sides of the pictures are at least `side`. */
export function expectSide(
  { shape: [, height, width] }: Pick<Pixels, 'shape'>,
  side: number,
  where: string,
): void {
  if (Math.min(height, width) >= side) return
  throw new ShapeError({
    rule: `${where} needs pictures of at least ${side} × ${side} pixels`,
    got: `${height} × ${width}`,
    mend: 'Score the pictures at their own size; enlarging them first changes what is measured.',
  })
}
