import { ArgumentError } from '../../core/index.js'
import { type Pixels, pixelRange, type RangeOption, readPairs } from '../images.js'
import { average, type PairMetric, pairMetric } from '../result.js'
import { halve, type Plane, planeOf, reflect } from './planes.js'
import { expectSide } from './ssim.js'
import { structure } from './structure.js'
import { gaussianWindow } from './windows.js'

/** Whose MS-SSIM, on what range. */
export interface MsSsimOptions extends RangeOption {
  /** `'valid'` (whole windows only, as Wang et al.) by default. */
  readonly dialect?: 'valid' | 'torchmetrics-1.9'
}

const exponents = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]
const window = gaussianWindow(11, 1.5)
const pad = { valid: 0, 'torchmetrics-1.9': 5 } as const

/**
 * Multi-scale structural similarity (Wang, Simoncelli & Bovik 2003): `Π csᵢ^βᵢ · ssim₅^β₅` over five scales, each
 * the 2 × 2 mean of the one before, β = .0448, .2856, .3001, .2363, .1333.
 *
 * `'valid'` averages over whole windows; `'torchmetrics-1.9'` mirrors the border, averages SSIM over the whole map
 * and the contrast over its inside. Negative scales count as 0 in both (a root of a negative number is none), with
 * a warning in the result.
 *
 * @param options - dialect and range
 * @returns a metric of pairs; pictures need 176 pixels a side, so that the coarsest scale holds one window
 * @throws ArgumentError on another dialect
 *
 * @example
 * ```ts
 * const { value } = await msSsim()(edited, originals)
 * ```
 */
export function msSsim(options: MsSsimOptions = {}): PairMetric {
  const { dialect = 'valid' } = options
  const range = pixelRange(options, 'msSsim')
  if (!(dialect in pad)) {
    throw new ArgumentError({
      rule: `msSsim needs dialect to be one of ${Object.keys(pad).join(', ')}`,
      got: JSON.stringify(dialect),
      mend: 'Name the implementation whose numbers yours will stand beside.',
    })
  }
  const traits = {
    metric: 'ms-ssim',
    dialect,
    range,
    identity: 1,
    symmetric: true,
    better: 'higher',
  } as const
  return pairMetric(traits, async (images, references) => {
    const [x, y] = await readPairs(images, references, range, 'msSsim')
    expectSide(x, 16 * window.length, 'msSsim')
    const scales = Array.from({ length: x.shape[0] }, (_, i) =>
      scalesOf(x, y, i, range[1] - range[0], pad[dialect]),
    )
    const perImage = scales.map((values) =>
      values.reduce((product, value, scale) => product * Math.max(0, value) ** exponents[scale]!, 1),
    )
    const negative = scales.filter((values) => values.some((value) => value < 0)).length
    const warnings =
      negative === 0 ? [] : [`${negative} of ${perImage.length} pairs have a negative scale, counted as 0`]
    return {
      metric: 'ms-ssim',
      dialect,
      range,
      n: perImage.length,
      value: average(perImage),
      perImage,
      warnings,
    }
  })
}

/** Contrast-structure at the first four scales, SSIM at the fifth, each averaged over the channels. */
function scalesOf(x: Pixels, y: Pixels, picture: number, span: number, border: number): number[] {
  const sums = exponents.map(() => 0)
  const channels = x.shape[3]
  for (let channel = 0; channel < channels; channel++) {
    let planes: [Plane, Plane] = [planeOf(x, picture, channel), planeOf(y, picture, channel)]
    for (let scale = 0; scale < exponents.length; scale++) {
      const [a, b] = [reflect(planes[0], border), reflect(planes[1], border)]
      const { ssim, contrast } = structure(a, b, { window, covarianceScale: 1, span, inset: border })
      sums[scale]! += (scale === exponents.length - 1 ? ssim : contrast) / channels
      planes = [halve(planes[0]), halve(planes[1])]
    }
  }
  return sums
}
