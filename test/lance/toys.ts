import * as tf from '@tensorflow/tfjs'
import type { Embedder, Perturbation, ThresholdGate } from '../../src/lance/index.js'
import { ddim } from '../../src/schedulers/index.js'

/** A perturbation by hand; words as a reader would diff them. */
export function perturbation(
  source: string,
  target: string,
  words: Partial<Perturbation['words']> = {},
  kind = 'finding',
): Perturbation {
  return {
    kind,
    source,
    target,
    words: { deleted: [], inserted: [], replaced: [], ...words },
    provenance: { perturber: 'hand' },
  }
}

export const heartAndLine = 'heart and line'
/** What a perturber might say of {@link heartAndLine}, in the toy tokenizer's words. */
export const perturbations: readonly Perturbation[] = [
  perturbation(heartAndLine, 'no heart and line', { inserted: ['no'] }),
  perturbation(heartAndLine, 'heart and lungs', { replaced: [['line', 'lungs']] }, 'object'),
  perturbation(heartAndLine, 'heart and line a b', { inserted: ['a', 'b'] }, 'adjective'),
]

export const scheduler = ddim({ steps: 10 })

/** Mean colour of the left and the right half; a text is a hash of its letters, in the same six numbers. */
export const toyEmbedder: Embedder = {
  embedImages: (images) =>
    tf.tidy(() => {
      const half = images.shape[2] / 2
      const halves = [0, half].map((left) => images.slice([0, 0, left, 0], [-1, -1, half, -1]).mean([1, 2]))
      return tf.concat(halves, 1).sub(0.5) as tf.Tensor2D
    }),
  embedTexts: (texts) =>
    tf.tensor2d(
      texts.map((text) =>
        Array.from({ length: 6 }, (_, i) =>
          [...text].reduce((sum, c, at) => sum + Math.sin(c.charCodeAt(0) * (i + 1) + at), 0),
        ),
      ),
    ),
}

/** A gate that lets everything pass. */
export const open: ThresholdGate = { gate: 'image-image', min: -1 }
