import type { Tensor3D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import type { AttentionRule } from './attention-rule.js'
import { wrongTokens } from './replace-attention.js'

/**
 * Attention re-weighting: strengthens or weakens the effect of single tokens.
 *
 * `edited[h, p, n] = weights[n] · target[h, p, n]`, not normalised again, as published.
 *
 * @param weights - one per token of the edited prompt: 1 leaves it alone, 2 doubles it, 0 mutes it
 * @returns a rule for cross-attention; compose it after another rule with {@link composeRules}
 * @throws ShapeError (when applied) if the maps have another number of tokens
 * @see Hertz et al. 2022, "Prompt-to-Prompt", section 3.2, attention re-weighting.
 */
export function reweightAttention(weights: Float32Array): AttentionRule {
  return (_, target, site) => {
    if (site.kind === 'self') return target
    const keys = target.shape[2]
    if (keys !== weights.length) throw wrongTokens('reweightAttention', weights.length, keys)
    return tf.tidy(() => target.mul<Tensor3D>(tf.tensor1d(weights)))
  }
}
