import type { NetworkShapes } from '../networks/weights.js'

/** The backbones of LPIPS v0.1. */
export type LpipsNet = 'alex' | 'vgg' | 'squeeze'

/** One step of a backbone; `index` is its place in torchvision's `features`. */
export type LpipsStep =
  | {
      readonly conv: number
      readonly out: number
      readonly kernel: number
      readonly stride?: number
      readonly pad: number
    }
  | { readonly fire: number; readonly squeeze: number; readonly expand: number }
  | { readonly pool: number; readonly ceil?: boolean }
  | 'tap'

/** A backbone as a literal. */
export interface LpipsBackbone {
  /** From pixels to the last tap; a ReLU follows every convolution. */
  readonly steps: readonly LpipsStep[]
  /** The smallest side at which every tap has pixels. */
  readonly smallest: number
}

const vggBlock = (first: number, out: number, count: number): LpipsStep[] => [
  ...Array.from({ length: count }, (_, i) => ({ conv: first + 2 * i, out, kernel: 3, pad: 1 })),
  'tap',
]
const halve: LpipsStep = { pool: 2 }
const shrink: LpipsStep = { pool: 3 }
const shrinkUp: LpipsStep = { pool: 3, ceil: true }

/** AlexNet, VGG-16 and SqueezeNet 1.1, as far as LPIPS looks. */
export const lpipsBackbones: Readonly<Record<LpipsNet, LpipsBackbone>> = {
  alex: {
    smallest: 31,
    steps: [
      { conv: 0, out: 64, kernel: 11, stride: 4, pad: 2 },
      'tap',
      shrink,
      { conv: 3, out: 192, kernel: 5, pad: 2 },
      'tap',
      shrink,
      { conv: 6, out: 384, kernel: 3, pad: 1 },
      'tap',
      { conv: 8, out: 256, kernel: 3, pad: 1 },
      'tap',
      { conv: 10, out: 256, kernel: 3, pad: 1 },
      'tap',
    ],
  },
  vgg: {
    smallest: 16,
    steps: [
      ...vggBlock(0, 64, 2),
      halve,
      ...vggBlock(5, 128, 2),
      halve,
      ...vggBlock(10, 256, 3),
      halve,
      ...vggBlock(17, 512, 3),
      halve,
      ...vggBlock(24, 512, 3),
    ],
  },
  squeeze: {
    smallest: 17,
    steps: [
      { conv: 0, out: 64, kernel: 3, stride: 2, pad: 0 },
      'tap',
      shrinkUp,
      { fire: 3, squeeze: 16, expand: 64 },
      { fire: 4, squeeze: 16, expand: 64 },
      'tap',
      shrinkUp,
      { fire: 6, squeeze: 32, expand: 128 },
      { fire: 7, squeeze: 32, expand: 128 },
      'tap',
      shrinkUp,
      { fire: 9, squeeze: 48, expand: 192 },
      'tap',
      { fire: 10, squeeze: 48, expand: 192 },
      'tap',
      { fire: 11, squeeze: 64, expand: 256 },
      'tap',
      { fire: 12, squeeze: 64, expand: 256 },
      'tap',
    ],
  },
}

/**
 * The tensors of LPIPS with a backbone: torchvision's `features.*`, and the official heads `lin0.model.1.weight` to
 * `lin4` (SqueezeNet: `lin6`).
 *
 * @param net - which backbone
 */
export function lpipsShapes(net: LpipsNet): NetworkShapes {
  const shapes = new Map<string, readonly number[]>()
  const conv = (name: string, inputs: number, out: number, kernel: number) => {
    shapes.set(`features.${name}.weight`, [out, inputs, kernel, kernel])
    shapes.set(`features.${name}.bias`, [out])
  }
  let width = 3
  let taps = 0
  for (const step of lpipsBackbones[net].steps) {
    if (step === 'tap') shapes.set(`lin${taps++}.model.1.weight`, [1, width, 1, 1])
    else if ('conv' in step) {
      conv(`${step.conv}`, width, step.out, step.kernel)
      width = step.out
    } else if ('fire' in step) {
      conv(`${step.fire}.squeeze`, width, step.squeeze, 1)
      conv(`${step.fire}.expand1x1`, step.squeeze, step.expand, 1)
      conv(`${step.fire}.expand3x3`, step.squeeze, step.expand, 3)
      width = 2 * step.expand
    }
  }
  return shapes
}
