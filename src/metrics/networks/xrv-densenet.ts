import * as tf from '@tensorflow/tfjs'
import type { NamedParameters } from '../../nn/index.js'
import { type FeatureNetwork, featureNetwork } from './feature-network.js'
import { foldNorm, type NetworkShapes, normShapes, readWeights, weight } from './weights.js'
import { expectDialect, type XrvOptions, xrvPixels } from './xrv-pixels.js'

const blocks = [6, 12, 24, 16]
const growth = 32

/** TorchXRayVision's 18 findings, in the order of the network's outputs; there is none for support devices. */
export const xrvFindings: readonly string[] = [
  'Atelectasis',
  'Consolidation',
  'Infiltration',
  'Pneumothorax',
  'Edema',
  'Emphysema',
  'Fibrosis',
  'Effusion',
  'Pneumonia',
  'Pleural_Thickening',
  'Cardiomegaly',
  'Nodule',
  'Mass',
  'Hernia',
  'Lung Lesion',
  'Fracture',
  'Lung Opacity',
  'Enlarged Cardiomediastinum',
]

/** DenseNet-121 on chest X-rays: features, and the logits of its findings. */
export interface XrvDenseNet extends FeatureNetwork {
  /** `[batch, h, w, 1 or 3]` in [0, 1] (borrowed) to `[batch, 18]`, before any sigmoid; owned by the caller. */
  readonly logits: (images: tf.Tensor4D) => tf.Tensor2D
}

/**
 * TorchXRayVision's DenseNet-121, pictures to its 1024 pooled features: FID and identity on what matters in a chest
 * X-ray. Takes grey pictures, or colour ones by the mean of their channels; see {@link xrvPixels} for what it sees.
 *
 * @param named - by the names of the PyTorch state_dict, in this library's layout; borrowed, copies are kept
 * @param options - whose resize
 * @returns owned by the caller: `dispose()` it
 * @throws ArgumentError on another dialect or a missing weight
 * @see Cohen et al. 2022, "TorchXRayVision: A library of chest X-ray datasets and models".
 */
export function xrvDenseNet(
  named: NamedParameters,
  { dialect = 'torchxrayvision-1.5' }: XrvOptions = {},
): XrvDenseNet {
  expectDialect(dialect)
  const copies: tf.Tensor[] = []
  const keep = <T extends tf.Tensor>(tensor: T): T => {
    copies.push(tensor)
    return tensor
  }
  const norms = new Map(
    normNames().map(([name]) => {
      const { scale, shift } = foldNorm(named, name, 1e-5)
      return [name, { scale: keep(scale), shift: keep(shift) }]
    }),
  )
  const convs = new Map(
    convNames().map(([name]) => [name, keep(weight<tf.Tensor4D>(named, `${name}.weight`).clone())]),
  )
  const head = {
    weight: keep(weight<tf.Tensor2D>(named, 'classifier.weight').clone()),
    bias: keep(weight<tf.Tensor1D>(named, 'classifier.bias').clone()),
  }

  const active = (x: tf.Tensor4D, name: string): tf.Tensor4D => {
    const { scale, shift } = norms.get(name)!
    return tf.relu(tf.add(tf.mul(x, scale), shift)) as tf.Tensor4D
  }
  const layer = (x: tf.Tensor4D, name: string): tf.Tensor4D =>
    tf.tidy(() => {
      const narrow = tf.conv2d(active(x, `${name}.norm1`), convs.get(`${name}.conv1`)!, 1, 'same')
      return tf.concat(
        [x, tf.conv2d(active(narrow, `${name}.norm2`), convs.get(`${name}.conv2`)!, 1, 'same')],
        3,
      )
    })
  const features = (images: tf.Tensor4D): tf.Tensor2D => {
    return tf.tidy(() => {
      const edge: [number, number][] = [
        [0, 0],
        [1, 1],
        [1, 1],
        [0, 0],
      ]
      const stem = tf.pad(xrvPixels(images, dialect), [
        [0, 0],
        [3, 3],
        [3, 3],
        [0, 0],
      ])
      const first = active(tf.conv2d(stem, convs.get('features.conv0')!, 2, 'valid'), 'features.norm0')
      // After a ReLU zeros are as good as the minus infinity that max-pooling pads with.
      let x = tf.maxPool(tf.pad(first, edge), 3, 2, 'valid')
      blocks.forEach((layers, b) => {
        for (let i = 1; i <= layers; i++) x = layer(x, `features.denseblock${b + 1}.denselayer${i}`)
        if (b === blocks.length - 1) return
        const between = `features.transition${b + 1}`
        x = tf.avgPool(
          tf.conv2d(active(x, `${between}.norm`), convs.get(`${between}.conv`)!, 1, 'same'),
          2,
          2,
          'valid',
        )
      })
      return tf.mean(active(x, 'features.norm5'), [1, 2]) as tf.Tensor2D
    })
  }
  const logits = (images: tf.Tensor4D) =>
    tf.tidy(() => tf.add<tf.Tensor2D>(tf.matMul(features(images), head.weight), head.bias))
  return {
    ...featureNetwork({ name: `xrv-densenet121/${dialect}`, width: 1024, features }, copies),
    logits,
  }
}

/**
 * {@link xrvDenseNet} from a safetensors file; `docs/metrics.md` tells how to convert the published one.
 *
 * @param path - of the file
 * @param options - whose resize
 * @returns owned by the caller: `dispose()` it
 * @throws CheckpointError listing what is missing or mis-shaped
 */
export async function loadXrvDenseNet(path: string, options: XrvOptions = {}): Promise<XrvDenseNet> {
  expectDialect(options.dialect)
  const named = await readWeights([path], xrvDenseNetShapes())
  try {
    return xrvDenseNet(named, options)
  } finally {
    tf.dispose([...named.values()])
  }
}

/** Every tensor of the network. */
export function xrvDenseNetShapes(): NetworkShapes {
  return new Map([
    ...convNames().map(([name, shape]) => [`${name}.weight`, shape] as [string, readonly number[]]),
    ...normNames().flatMap(([name, channels]) => normShapes(name, channels)),
    ['classifier.weight', [xrvFindings.length, 1024]] as [string, readonly number[]],
    ['classifier.bias', [xrvFindings.length]] as [string, readonly number[]],
  ])
}

/** Each block's name, its layers' names, and the channels that go into each. */
function layers(): {
  readonly name: string
  readonly inputs: number
  readonly kind: 'layer' | 'transition'
}[] {
  let width = 64
  return blocks.flatMap((count, b) => {
    const inside = Array.from({ length: count }, (_, i) => {
      width += growth
      return {
        name: `features.denseblock${b + 1}.denselayer${i + 1}`,
        inputs: width - growth,
        kind: 'layer' as const,
      }
    })
    if (b === blocks.length - 1) return inside
    width /= 2
    return [
      ...inside,
      { name: `features.transition${b + 1}`, inputs: width * 2, kind: 'transition' as const },
    ]
  })
}

function convNames(): [string, readonly number[]][] {
  return [
    ['features.conv0', [64, 1, 7, 7]],
    ...layers().flatMap(({ name, inputs, kind }): [string, readonly number[]][] =>
      kind === 'transition'
        ? [[`${name}.conv`, [inputs / 2, inputs, 1, 1]]]
        : [
            [`${name}.conv1`, [4 * growth, inputs, 1, 1]],
            [`${name}.conv2`, [growth, 4 * growth, 3, 3]],
          ],
    ),
  ]
}

function normNames(): [string, number][] {
  return [
    ['features.norm0', 64],
    ...layers().flatMap(({ name, inputs, kind }): [string, number][] =>
      kind === 'transition'
        ? [[`${name}.norm`, inputs]]
        : [
            [`${name}.norm1`, inputs],
            [`${name}.norm2`, 4 * growth],
          ],
    ),
    ['features.norm5', 1024],
  ]
}
