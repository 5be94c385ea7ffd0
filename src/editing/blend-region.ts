import type { Tensor4D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import { AttentionError, expectNumber, type Tokenizer } from '../core/index.js'
import {
  blendMask,
  defaultBlendResolution,
  localBlend,
  type Resolution,
  WordMaps,
} from '../guidance/index.js'
import { tokensOfWord } from '../text/index.js'
import type { ControlSetting } from './bind-control.js'
import type { BlendWords, LocalBlendOptions } from './prompt-control.js'

/** A running local blend: its options, and the word maps it has collected. */
export interface BlendRegion {
  /** Maps of the words whose region may change. */
  readonly words: WordMaps
  /** Maps of the words whose region must not. */
  readonly except?: WordMaps
  /** The first step that blends. */
  readonly from: number
  /** See {@link LocalBlendOptions.threshold}. */
  readonly threshold: number
  /** The resolution that was asked for, if any. */
  readonly resolution?: number
}

/**
 * Starts a local blend.
 *
 * @param options - words, start and threshold
 * @param setting - prompts, tokenizer and steps
 * @returns a region whose {@link WordMaps} the caller disposes
 * @throws ArgumentError when a word is not in its prompt or a number is out of range
 */
export function startBlend(options: LocalBlendOptions, setting: ControlSetting): BlendRegion {
  const { start = 0.2, threshold = 0.3, resolution, except } = options
  expectNumber(start, { min: 0, max: 1 }, 'promptToPrompt', 'control.localBlend.start')
  expectNumber(threshold, { min: 0, max: 1 }, 'promptToPrompt', 'control.localBlend.threshold')
  return {
    words: wordMaps(options, setting),
    ...(except && { except: wordMaps(except, setting) }),
    from: Math.floor(start * setting.steps),
    threshold,
    ...(resolution !== undefined && { resolution }),
  }
}

/**
 * Applies the region collected so far to a step's result.
 *
 * @param region - of this edit
 * @param source - latents of the source, `[1, height, width, channels]`; borrowed
 * @param target - latents of the edit, of the same shape; borrowed
 * @returns blended latents, owned by the caller
 * @throws AttentionError when no cross-attention map of the resolution was seen
 */
export function applyBlend(region: BlendRegion, source: Tensor4D, target: Tensor4D): Tensor4D {
  const size: Resolution = [source.shape[1], source.shape[2]]
  const { words, except, threshold } = region
  const wanted = wantedResolution(region, size)
  return tf.tidy(() => {
    const inside = blendMask(words.nearest(wanted), { size, threshold, widen: true })
    if (!except) return localBlend(source, target, inside)
    const outside = blendMask(except.nearest(wanted), { size, threshold, widen: false })
    return localBlend(source, target, inside.mul(tf.sub(1, outside)))
  })
}

function wantedResolution({ words, resolution }: BlendRegion, size: Resolution): Resolution {
  const seen = words.resolutions
  const exact = resolution === undefined ? undefined : seen.find((side) => Math.max(...side) === resolution)
  if (seen.length > 0 && (resolution === undefined || exact)) return exact ?? defaultBlendResolution(size)
  throw new AttentionError({
    rule: `localBlend needs cross-attention maps${resolution === undefined ? '' : ` with a longer side of ${resolution}`}`,
    got: seen.length === 0 ? 'none' : `maps of ${seen.map((side) => side.join('×')).join(', ')}`,
    mend: 'Leave resolution out to use the best of those that exist.',
  })
}

function wordMaps(words: BlendWords, { tokenizer, source, target }: ControlSetting): WordMaps {
  return new WordMaps([marked(tokenizer, source, words.source), marked(tokenizer, target, words.target)])
}

function marked(tokenizer: Tokenizer, prompt: string, words: readonly string[]): Float32Array {
  const marks = new Float32Array(tokenizer.maxLength)
  for (const word of words) for (const token of tokensOfWord(tokenizer, prompt, word)) marks[token] = 1
  return marks
}
