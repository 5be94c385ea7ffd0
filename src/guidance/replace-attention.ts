import type { Tensor3D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import { ShapeError } from '../core/index.js'
import type { AttentionRule } from './attention-rule.js'

/**
 * Word swap: the edited prompt attends where the source did, each new word in its old word's place.
 *
 * `edited[h, p, n] = Σ_w source[h, p, w] · mapper[w, n]`
 *
 * Rows keep summing to one when every row of `mapper` does.
 *
 * @param mapper - `tokens × tokens`, row-major: row is the source token, column the target token
 * @returns a rule for cross-attention
 * @throws ShapeError (when applied) if the maps have another number of tokens
 * @see Hertz et al. 2022, "Prompt-to-Prompt", section 3.2, word swap.
 */
export function replaceAttention(mapper: Float32Array): AttentionRule {
  const tokens = Math.sqrt(mapper.length)
  return (source, target, site) => {
    if (site.kind === 'self') return target
    const [heads, queries, keys] = source.shape
    if (keys !== tokens) throw wrongTokens('replaceAttention', tokens, keys)
    return tf.tidy(() => {
      // One plain 2-D product: the batched form has no fast path on wasm.
      const rows = source.reshape<tf.Tensor2D>([heads * queries, keys])
      return rows.matMul(tf.tensor2d(mapper, [tokens, tokens])).reshape<Tensor3D>(source.shape)
    })
  }
}

/** The maps and the tables of a rule disagree on the number of prompt tokens. */
export function wrongTokens(rule: string, expected: number, got: number): ShapeError {
  return new ShapeError({
    rule: `${rule} needs cross-attention over the ${expected} tokens it was built for`,
    got: `${got} tokens`,
    mend: 'Build the rule from the tokenizer of the same model.',
  })
}
