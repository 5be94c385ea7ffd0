import type { Tensor3D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import type { AttentionRule } from './attention-rule.js'
import { wrongTokens } from './replace-attention.js'

/** Which source token each token of the edited prompt came from. */
export interface TokenAlignment {
  /** Source position for each target position; negative where there is none. */
  readonly mapper: readonly number[]
  /** 1 where the target token has a source, 0 where it is new. */
  readonly alphas: readonly number[]
}

/**
 * Prompt refinement: tokens common to both prompts attend where the source did; new tokens keep their own maps.
 *
 * `edited[h, p, n] = alphas[n] · source[h, p, mapper[n]] + (1 − alphas[n]) · target[h, p, n]`
 *
 * Rows do not sum to one afterwards, as published.
 *
 * @param alignment - see `refineMapper` in `contrafact/text`
 * @returns a rule for cross-attention
 * @throws ShapeError (when applied) if the maps have another number of tokens
 * @see Hertz et al. 2022, "Prompt-to-Prompt", section 3.2, adding a new phrase.
 */
export function refineAttention({ mapper, alphas }: TokenAlignment): AttentionRule {
  return (source, target, site) => {
    if (site.kind === 'self') return target
    const keys = source.shape[2]
    if (keys !== mapper.length) throw wrongTokens('refineAttention', mapper.length, keys)
    return tf.tidy(() => {
      // A token without a source reads column 0, and counts nothing.
      const moved = source.gather(
        tf.tensor1d(
          mapper.map((index) => Math.max(index, 0)),
          'int32',
        ),
        2,
      )
      const share = tf.tensor1d([...alphas])
      return moved.mul(share).add(target.mul(tf.sub(1, share))) as Tensor3D
    })
  }
}
