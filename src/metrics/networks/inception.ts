import * as tf from '@tensorflow/tfjs'
import { ArgumentError } from '../../core/index.js'
import { type NamedParameters, type SeparableKernel, separableResize } from '../../nn/index.js'
import { expectChannels, type FeatureNetwork, featureNetwork } from './feature-network.js'
import { type Block, type ConvStep, inceptionBlocks, type Step } from './inception-layers.js'
import { foldNorm, type NetworkShapes, normShapes, readWeights, weight } from './weights.js'

/** Whose resize to 299 × 299, and so whose FID. */
export type InceptionDialect = 'pytorch-fid' | 'clean-fid' | 'torch-fidelity'

/** Whose FID the features are for. */
export interface InceptionOptions {
  /**
   * | dialect | resize | scaling |
   * | --- | --- | --- |
   * | `'pytorch-fid'` (default) | bilinear, no antialias | 2x − 1 |
   * | `'clean-fid'` | PIL bicubic with antialias, in float, clipped | (255x − 128) / 128 |
   * | `'torch-fidelity'` | bilinear, TensorFlow 1's corners, of 8-bit pixels | (⌊255x⌋ − 128) / 128 |
   */
  readonly dialect?: InceptionDialect
}

const kernels: Readonly<Record<InceptionDialect, SeparableKernel>> = {
  'pytorch-fid': 'torch-bilinear',
  'clean-fid': 'pil-bicubic',
  'torch-fidelity': 'tf1-bilinear',
}

/**
 * Inception v3 of 2015-12-05, pictures to its 2048 pooled features: what FID and KID are defined on. Weights have the
 * names of `pt_inception-2015-12-05-6726825d.pth`; `docs/metrics.md` tells how to convert that file.
 *
 * @param named - by those names, in this library's layout; borrowed, the network keeps folded copies
 * @param options - whose resize
 * @returns owned by the caller: `dispose()` it
 * @throws ArgumentError on another dialect or a missing weight
 */
export function inception(
  named: NamedParameters,
  { dialect = 'pytorch-fid' }: InceptionOptions = {},
): FeatureNetwork {
  expectDialect(dialect)
  const convs = new Map<string, Folded>()
  for (const [path] of eachConv()) convs.set(path, fold(named, path))
  const tensors = [...convs.values()].flatMap(({ kernel, shift }) => [kernel, shift])
  const features = (images: tf.Tensor4D): tf.Tensor2D => {
    return tf.tidy(() => {
      let x = inceptionPixels(images, dialect)
      for (const block of inceptionBlocks) x = runBlock(convs, block, x)
      return tf.mean(x, [1, 2]) as tf.Tensor2D
    })
  }
  return featureNetwork({ name: `inception-2015-12-05/${dialect}`, width: 2048, features }, tensors)
}

/**
 * {@link inception} from a safetensors file.
 *
 * @param path - of the converted file
 * @param options - whose resize
 * @returns owned by the caller: `dispose()` it
 * @throws CheckpointError listing what is missing or mis-shaped
 *
 * @example
 * ```ts
 * using network = await loadInception('pt_inception-2015-12-05.safetensors')
 * const { value } = await fid(network.features(edited), network.features(originals), { features: network.name })
 * ```
 */
export async function loadInception(path: string, options: InceptionOptions = {}): Promise<FeatureNetwork> {
  expectDialect(options.dialect ?? 'pytorch-fid')
  const named = await readWeights([path], inceptionShapes())
  try {
    return inception(named, options)
  } finally {
    tf.dispose([...named.values()])
  }
}

/**
 * Pictures as Inception sees them under a dialect: resized to 299 × 299 and scaled.
 *
 * @param images - `[n, height, width, 3]` in [0, 1], borrowed
 * @param dialect - whose resize, see {@link InceptionOptions}
 * @returns `[n, 299, 299, 3]` in about [−1, 1], owned by the caller
 * @throws ShapeError without three channels, ArgumentError on another dialect
 */
export function inceptionPixels(images: tf.Tensor4D, dialect: InceptionDialect = 'pytorch-fid'): tf.Tensor4D {
  expectDialect(dialect)
  expectChannels(images, 3, 'inception')
  return tf.tidy(() => {
    // torch-fidelity quantises by truncation; a hair is added so that an exact level stays one.
    const scaled = tf.mul<tf.Tensor4D>(images, 255)
    const pixels = dialect === 'torch-fidelity' ? tf.floor(tf.add<tf.Tensor4D>(scaled, 1e-3)) : scaled
    const sized = separableResize(pixels, [299, 299], kernels[dialect])
    if (dialect === 'pytorch-fid') return tf.sub(tf.div(sized, 127.5), 1)
    const clipped = dialect === 'clean-fid' ? tf.clipByValue(sized, 0, 255) : sized
    return tf.div(tf.sub(clipped, 128), 128)
  })
}

/** The tensors of the feature part of the network; its classifier is not needed. */
export function inceptionShapes(): NetworkShapes {
  return new Map(
    eachConv().flatMap(([path, [, out, height, width], inputs]) => [
      [`${path}.conv.weight`, [out, inputs, height, width]] as [string, readonly number[]],
      ...normShapes(`${path}.bn`, out),
    ]),
  )
}

function expectDialect(dialect: string): void {
  if (dialect in kernels) return
  throw new ArgumentError({
    rule: `inception needs dialect to be one of ${Object.keys(kernels).join(', ')}`,
    got: JSON.stringify(dialect),
    mend: 'Name the implementation whose FID yours will stand beside.',
  })
}

interface Folded {
  readonly kernel: tf.Tensor4D
  readonly shift: tf.Tensor1D
}

function fold(named: NamedParameters, path: string): Folded {
  const { scale, shift } = foldNorm(named, `${path}.bn`, 0.001)
  const kernel = tf.mul<tf.Tensor4D>(weight(named, `${path}.conv.weight`), scale)
  scale.dispose()
  return { kernel, shift }
}

function runBlock(convs: ReadonlyMap<string, Folded>, block: Block, x: tf.Tensor4D): tf.Tensor4D {
  const conv = ([name, , , , move = 'same']: ConvStep, input: tf.Tensor4D) => {
    const { kernel, shift } = convs.get(pathOf(block, name))!
    const out = tf.conv2d(input, kernel, move === 'half' ? 2 : 1, move === 'same' ? 'same' : 'valid')
    return tf.relu(tf.add<tf.Tensor4D>(out, shift))
  }
  const run = (step: Step, input: tf.Tensor4D): tf.Tensor4D => {
    if (step === 'average') return tf.avgPool(input, 3, 1, 'same')
    if (step === 'max') return tf.maxPool(input, 3, 1, 'same')
    if (step === 'shrink') return tf.maxPool(input, 3, 2, 'valid')
    if ('fork' in step)
      return tf.concat(
        step.fork.map((each) => conv(each, input)),
        3,
      )
    return conv(step, input)
  }
  return tf.tidy(() => {
    const outputs = block.branches.map((steps) => steps.reduce((input, step) => run(step, input), x))
    return outputs.length === 1 ? outputs[0]! : tf.concat(outputs, 3)
  })
}

function pathOf(block: Block, name: string): string {
  return block.name === '' ? name : `${block.name}.${name}`
}

/** Every convolution with the path of its weights and its input channels. */
function eachConv(): [path: string, conv: ConvStep, inputs: number][] {
  const found: [string, ConvStep, number][] = []
  let width = 3
  for (const block of inceptionBlocks) {
    const visit = (inputs: number, step: Step): number => {
      if (typeof step === 'string') return inputs
      const convs = 'fork' in step ? step.fork : [step]
      for (const conv of convs) found.push([pathOf(block, conv[0]), conv, inputs])
      return convs.reduce((sum, [, out]) => sum + out, 0)
    }
    const before = width
    width = block.branches.reduce((sum, steps) => sum + steps.reduce(visit, before), 0)
  }
  return found
}
