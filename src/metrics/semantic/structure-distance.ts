import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs'
import { ArgumentError, formatShape, ShapeError } from '../../core/index.js'
import { dot } from '../distribution/factor.js'
import { expectPairs, pixelRange, readPairs } from '../images.js'
import { average, type PairMetric, pairMetric } from '../result.js'
import { unit } from './embedder.js'

/** Pictures (borrowed) to one vector per patch, `[batch, patches, width]`, owned by the caller. */
export type PatchFunction = (images: Tensor4D) => Tensor3D | Promise<Tensor3D>

/** What the patches are described by. */
export interface StructureDistanceOptions {
  /** For the report: `'dino-vitb8/keys-11'`; `'patches'` by default. */
  readonly features?: string
}

/**
 * Structure distance (Tumanyan et al. 2022, "Splicing ViT features"): the mean squared difference of the pictures'
 * self-similarities, `S_ij = cos(k_i, k_j)` among patches. Colours and textures may change freely; what is where may
 * not.
 *
 * PIE-Bench takes the keys of DINO ViT-B/8's last layer at 224 pixels, the class token among them. Any patch
 * features will do: name them, and compare only values of the same ones.
 *
 * @param patches - any patch function; borrowed
 * @param options - its name
 * @returns a metric of pairs of pictures in [0, 1]; published tables give it times 1000
 *
 * @example
 * ```ts
 * const { value } = await structureDistance(keys, { features: 'dino-vitb8/keys-11' })(edited, originals)
 * ```
 */
export function structureDistance(
  patches: PatchFunction,
  { features = 'patches' }: StructureDistanceOptions = {},
): PairMetric {
  const where = 'structureDistance'
  const range = pixelRange({}, where)
  const metric = 'structure-distance'
  const traits = { metric, dialect: features, range, identity: 0, symmetric: true, better: 'lower' } as const
  return pairMetric(traits, async (images, references) => {
    expectPairs(images, references, where)
    await readPairs(images, references, range, where)
    const n = images.shape[0]
    const a = await patchRows(patches(images), n, where)
    const b = await patchRows(patches(references), n, where)
    const perImage = a.map((rows, i) => selfDifference(rows, b[i]!))
    const value = average(perImage)
    return { metric, dialect: features, range, n, value, perImage, warnings: [] }
  })
}

function selfDifference(a: readonly Float64Array[], b: readonly Float64Array[]): number {
  if (a.length !== b.length) {
    throw new ShapeError({
      rule: 'structureDistance needs equally many patches of both pictures',
      got: `${a.length} and ${b.length}`,
      mend: 'The patch function must resize to one size first.',
    })
  }
  let sum = 0
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j < a.length; j++) sum += (dot(a[i]!, a[j]!) - dot(b[i]!, b[j]!)) ** 2
  }
  return sum / a.length ** 2
}

async function patchRows(
  patches: Tensor3D | Promise<Tensor3D>,
  n: number,
  where: string,
): Promise<Float64Array[][]> {
  const tensor = await patches
  try {
    const [batch, count, width] = tensor.shape
    if (tensor.rank !== 3 || batch !== n || tensor.size === 0) {
      throw new ShapeError({
        rule: `${where} needs patch features of shape [${n}, patches, width]`,
        got: formatShape(tensor.shape),
        mend: 'Keep the patches: no pooling.',
      })
    }
    const data = Float64Array.from(await tensor.data())
    if (!data.every(Number.isFinite)) {
      throw new ArgumentError({
        rule: `${where} needs patch features that are finite everywhere`,
        got: 'NaN or infinity',
        mend: 'Check the pictures and the weights of the network.',
      })
    }
    const row = (b: number, p: number) =>
      unit(data.subarray((b * count + p) * width, (b * count + p + 1) * width))
    return Array.from({ length: n }, (_, b) => Array.from({ length: count }, (_, p) => row(b, p)))
  } finally {
    tensor.dispose()
  }
}
