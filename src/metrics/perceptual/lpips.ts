import * as tf from '@tensorflow/tfjs'
import { ArgumentError } from '../../core/index.js'
import { conv2d, type NamedParameters } from '../../nn/index.js'
import { pixelRange, type RangeOption, readPairs } from '../images.js'
import { expectChannels } from '../networks/feature-network.js'
import { readWeights, weight } from '../networks/weights.js'
import { average, type PairMetric, pairMetric } from '../result.js'
import { type LpipsNet, type LpipsStep, lpipsBackbones, lpipsShapes } from './lpips-nets.js'
import { expectSide } from './ssim.js'

/** Which LPIPS. */
export interface LpipsOptions extends RangeOption {
  /** `'alex'` (the reference's default), `'vgg'` or `'squeeze'`. */
  readonly net?: LpipsNet
  /** `'lpips-0.1'` normalises by `√Σf² + 1e-10`, `'torchmetrics-1.9'` by `√(Σf² + 1e-8)`. `'lpips-0.1'`. */
  readonly dialect?: 'lpips-0.1' | 'torchmetrics-1.9'
}

/** LPIPS that owns its weights. */
export interface LoadedLpips extends PairMetric {
  /** Frees the weights. Idempotent. */
  readonly dispose: () => void
  /** As `dispose`, for `using`. */
  readonly [Symbol.dispose]: () => void
}

/**
 * Learned perceptual image patch similarity, v0.1: features of both pictures at each tap, brought to unit length over
 * the channels; `Σ_taps mean_pixels Σ_c w_c (f_c − g_c)²`, `w ≥ 0` learned from people's judgements.
 *
 * Pictures are mapped from `range` to [−1, 1] and never resized: the value depends on the resolution, so compare
 * only equals. Pixels in [0, 1] that are fed as if they were in [−1, 1] halve the contrast in silence elsewhere; here
 * the range is part of the metric and checked.
 *
 * @param named - see `lpipsShapes`, in this library's layout; borrowed for as long as the metric is used
 * @param options - backbone, dialect, range
 * @returns a metric of pairs; its `dialect` reads `lpips-0.1/alex`. Three channels: repeat a grey one
 * @throws ArgumentError on another backbone, dialect, or a missing weight
 * @see Zhang et al. 2018, "The unreasonable effectiveness of deep features as a perceptual metric".
 */
export function lpips(named: NamedParameters, options: LpipsOptions = {}): PairMetric {
  const { net = 'alex', dialect = 'lpips-0.1' } = options
  const range = pixelRange(options, 'lpips')
  const backbone = backboneOf(net)
  if (dialect !== 'lpips-0.1' && dialect !== 'torchmetrics-1.9') {
    throw new ArgumentError({
      rule: "lpips needs dialect to be 'lpips-0.1' or 'torchmetrics-1.9'",
      got: JSON.stringify(dialect),
      mend: "They differ in the last digits only; the official package is 'lpips-0.1'.",
    })
  }
  for (const name of lpipsShapes(net).keys()) weight(named, name)
  const label = `${dialect}/${net}`
  const traits = {
    metric: 'lpips',
    dialect: label,
    range,
    identity: 0,
    symmetric: true,
    better: 'lower',
  } as const
  return pairMetric(traits, async (images, references) => {
    expectChannels(images, 3, 'lpips')
    const [{ shape }] = await readPairs(images, references, range, 'lpips')
    expectSide({ shape }, backbone.smallest, 'lpips')
    const perImage: number[] = []
    // In small groups: the features of a large batch would be the largest thing in memory.
    for (let start = 0; start < shape[0]; start += 8) {
      const part = (x: tf.Tensor4D) =>
        tf.slice(x, [start, 0, 0, 0], [Math.min(8, shape[0] - start), -1, -1, -1])
      const distances = tf.tidy(() =>
        distance(named, backbone.steps, dialect, scale(part(images), range), scale(part(references), range)),
      )
      perImage.push(...(await distances.data()))
      distances.dispose()
    }
    const value = average(perImage)
    return { metric: 'lpips', dialect: label, range, n: perImage.length, value, perImage, warnings: [] }
  })
}

/**
 * {@link lpips} with weights from safetensors: the backbone's `features.*` and the official heads, in one file or in
 * two. `docs/metrics.md` has the conversion.
 *
 * @param paths - the file or files
 * @param options - backbone, dialect, range
 * @returns owned by the caller: `dispose()` it
 * @throws CheckpointError listing what is missing or mis-shaped
 *
 * @example
 * ```ts
 * using perceptual = await loadLpips('lpips-alex.safetensors', { net: 'alex' })
 * const { value } = await perceptual(edited, originals)
 * ```
 */
export async function loadLpips(
  paths: string | readonly string[],
  options: LpipsOptions = {},
): Promise<LoadedLpips> {
  const { net = 'alex' } = options
  backboneOf(net)
  const named = await readWeights(typeof paths === 'string' ? [paths] : paths, lpipsShapes(net))
  const metric = lpips(named, options)
  const dispose = () => tf.dispose([...named.values()])
  const score = (x: tf.Tensor4D, y: tf.Tensor4D) => metric(x, y)
  return Object.freeze(Object.assign(score, metric, { dispose, [Symbol.dispose]: dispose }))
}

function backboneOf(net: LpipsNet) {
  const backbone = lpipsBackbones[net]
  if (backbone) return backbone
  throw new ArgumentError({
    rule: "lpips needs net to be 'alex', 'vgg' or 'squeeze'",
    got: JSON.stringify(net),
    mend: "The reference's default is 'alex'.",
  })
}

// The constants of the reference's scaling layer, for pictures in [-1, 1].
function scale(images: tf.Tensor4D, [low, high]: readonly [number, number]): tf.Tensor4D {
  const signed = tf.sub(tf.mul(tf.sub(images, low), 2 / (high - low)), 1)
  return tf.div(tf.sub(signed, [-0.03, -0.088, -0.188]), [0.458, 0.448, 0.45])
}

function distance(
  named: NamedParameters,
  steps: readonly LpipsStep[],
  dialect: string,
  x: tf.Tensor4D,
  y: tf.Tensor4D,
): tf.Tensor1D {
  const unit = (f: tf.Tensor4D): tf.Tensor4D => {
    const squares = tf.sum(tf.square(f), 3, true)
    return tf.div(
      f,
      dialect === 'lpips-0.1' ? tf.add(tf.sqrt(squares), 1e-10) : tf.sqrt(tf.add(squares, 1e-8)),
    )
  }
  let sides: [tf.Tensor4D, tf.Tensor4D] = [x, y]
  let taps = 0
  let total: tf.Tensor = tf.scalar(0)
  for (const step of steps) {
    if (step !== 'tap') {
      sides = [run(named, step, sides[0]), run(named, step, sides[1])]
      continue
    }
    const head = tf.reshape(weight(named, `lin${taps++}.model.1.weight`), [-1])
    const change = tf.squaredDifference(unit(sides[0]), unit(sides[1]))
    total = tf.add(total, tf.sum(tf.mul(tf.mean(change, [1, 2]), head), 1))
  }
  return total as tf.Tensor1D
}

function run(named: NamedParameters, step: Exclude<LpipsStep, 'tap'>, x: tf.Tensor4D): tf.Tensor4D {
  return tf.tidy(() => {
    const conv = (name: string, input: tf.Tensor4D, pad: number, stride = 1) => {
      const of = <T extends tf.Tensor>(part: string) => weight<T>(named, `features.${name}.${part}`)
      const layer = { weight: of<tf.Tensor4D>('weight'), bias: of<tf.Tensor1D>('bias') }
      return tf.relu(conv2d(layer, input, { stride, padding: [pad, pad] }))
    }
    if ('conv' in step) return conv(`${step.conv}`, x, step.pad, step.stride)
    if ('fire' in step) {
      const narrow = conv(`${step.fire}.squeeze`, x, 0)
      return tf.concat(
        [conv(`${step.fire}.expand1x1`, narrow, 0), conv(`${step.fire}.expand3x3`, narrow, 1)],
        3,
      )
    }
    return tf.maxPool(step.ceil ? padToCeil(x) : x, step.pool, 2, 'valid')
  })
}

// PyTorch's ceil_mode lets the last 3-wide window hang over the border; after a ReLU zeros do not change a maximum.
function padToCeil(x: tf.Tensor4D): tf.Tensor4D {
  const [, height, width] = x.shape
  return tf.pad(x, [
    [0, 0],
    [0, 1 - (height % 2)],
    [0, 1 - (width % 2)],
    [0, 0],
  ])
}
