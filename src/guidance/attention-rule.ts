import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import { type AttentionControl, type AttentionSite, ShapeError } from '../core/index.js'

/**
 * Rewrites the attention map of an edited prompt, given the source prompt's map at the same site.
 * Pure and tidy; rules know nothing of batches, prompts or steps.
 *
 * @param source - the source prompt's probabilities `[heads, queries, keys]`; borrowed
 * @param target - the edited prompt's probabilities, of the same shape; borrowed
 * @param site - where in the network
 * @returns `target` itself where the rule does not apply, else a new tensor of its shape
 */
export type AttentionRule = (source: Tensor3D, target: Tensor3D, site: AttentionSite) => Tensor3D

/**
 * Applies rules one after the other: each sees the result of the one before as its target.
 *
 * @param rules - in order of application
 */
export function composeRules(...rules: readonly AttentionRule[]): AttentionRule {
  return (source, target, site) =>
    tf.tidy(() => rules.reduce((edited, rule) => rule(source, edited, site), target))
}

/**
 * Lets a rule act on some prompt tokens more than on others: `share · edited + (1 − share) · target`, column
 * by column. With shares of 0 and 1 this is prompt-to-prompt's schedule at one step.
 *
 * @param rule - the rule to weigh; its self-attention edits pass through whole
 * @param shares - one in [0, 1] per token of the edited prompt
 */
export function blendByToken(rule: AttentionRule, shares: readonly number[]): AttentionRule {
  return (source, target, site) =>
    tf.tidy(() => {
      const edited = rule(source, target, site)
      if (edited === target || site.kind === 'self') return edited
      const share = tf.tensor1d([...shares])
      return edited.mul(share).add(target.mul(tf.sub(1, share))) as Tensor3D
    })
}

/** The source prompt's maps of one call of the network, for further calls that edit the same source at that step. */
export interface SourceMaps {
  /** Which sites are worth keeping; the others answer as if no rule applied there. */
  readonly wants: (site: AttentionSite) => boolean
  /** `[heads, queries, keys]` in the order in which the network met its sites. Kept out of tidies: the holder frees them. */
  readonly maps: (Tensor3D | undefined)[]
}

/**
 * Lifts rules to a control of a whole batch. The last `1 + rules.length` rows are the conditional ones: the
 * source prompt, then one edited prompt per rule. Rows before them (the unconditional half) and the source are
 * never touched.
 *
 * @param rules - one per edited prompt, in the order of the rows
 * @param keep - takes the source's maps for {@link followingControl}
 * @returns a control for one call of a denoiser, see {@link AttentionControl}
 * @throws ShapeError when called with a batch of fewer rows
 */
export function pairwiseControl(rules: readonly AttentionRule[], keep?: SourceMaps): AttentionControl {
  return (probabilities, site) =>
    tf.tidy(() => {
      const first = probabilities.shape[0] - rules.length - 1
      if (first < 0) throw tooFewRows(rules.length + 1, probabilities.shape[0])
      const source = rowAt(probabilities, first)
      if (keep) keep.maps.push(keep.wants(site) ? tf.keep(source) : undefined)
      return rewriteLast(probabilities, rules, source, site)
    })
}

/**
 * The same for a batch without the source, whose maps an earlier call of the same network kept: the last
 * `rules.length` rows are edited prompts.
 *
 * @param rules - one per edited prompt, in the order of the rows
 * @param kept - filled by {@link pairwiseControl}; borrowed
 * @returns a control for one call of a denoiser
 * @throws ShapeError when called with a batch of fewer rows
 */
export function followingControl(rules: readonly AttentionRule[], kept: SourceMaps): AttentionControl {
  let met = 0
  return (probabilities, site) => {
    const source = kept.maps[met++]
    if (probabilities.shape[0] < rules.length) throw tooFewRows(rules.length, probabilities.shape[0])
    return source ? tf.tidy(() => rewriteLast(probabilities, rules, source, site)) : probabilities
  }
}

function rewriteLast(
  probabilities: Tensor4D,
  rules: readonly AttentionRule[],
  source: Tensor3D,
  site: AttentionSite,
): Tensor4D {
  const first = probabilities.shape[0] - rules.length
  const targets = rules.map((_, edit) => rowAt(probabilities, first + edit))
  const edited = rules.map((rule, edit) => rule(source, targets[edit]!, site))
  if (edited.every((map, edit) => map === targets[edit])) return probabilities
  return tf.concat([probabilities.slice(0, first), tf.stack(edited) as Tensor4D])
}

const rowAt = (probabilities: Tensor4D, index: number) => probabilities.slice(index, 1).squeeze<Tensor3D>([0])

function tooFewRows(needed: number, rows: number): ShapeError {
  return new ShapeError({
    rule: `an attention control of this batch needs attention of at least ${needed} rows`,
    got: `${rows}`,
    mend: 'Call the denoiser with the source prompt (if it is in this batch) and every edited prompt as the last rows.',
  })
}
