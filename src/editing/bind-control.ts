import { ArgumentError, defaultSelfResolution, expectNumber, type Tokenizer } from '../core/index.js'
import {
  type AttentionRule,
  blendByToken,
  composeRules,
  refineAttention,
  replaceAttention,
  replaceSelfAttention,
  reweightAttention,
} from '../guidance/index.js'
import {
  crossReplaceSchedule,
  refineMapper,
  replaceMapper,
  reweightVector,
  type StepWindow,
} from '../text/index.js'
import type { ControlOptions, CrossWindows, PromptControl } from './prompt-control.js'

/** The two prompts and the run that a control is made for. */
export interface ControlSetting {
  /** Of the model. */
  readonly tokenizer: Tokenizer
  /** The prompt that describes the image. */
  readonly source: string
  /** The prompt that describes the edit. */
  readonly target: string
  /** Number of sampling steps. */
  readonly steps: number
  /** Height and width of the latents. */
  readonly latentSize: readonly [height: number, width: number]
}

/** What a control does at one step; a member is missing where its window is closed. */
export interface StepRules {
  /** Rewrites cross-attention. */
  readonly cross?: AttentionRule
  /** Rewrites self-attention. */
  readonly self?: AttentionRule
  /** The longest side of a feature map whose self-attention `self` rewrites. */
  readonly maxSelfResolution: number
}

/**
 * Makes a control act on two prompts: rule, then weights, then the schedule, as published.
 *
 * @param control - the description
 * @param setting - prompts, tokenizer, steps and sizes
 * @returns the rules of each step, by index
 * @throws ArgumentError when a word is not in its prompt, a window is outside [0, 1], or `replace` gets prompts
 *   of different lengths
 */
export function bindControl(control: PromptControl, setting: ControlSetting): (step: number) => StepRules {
  const { tokenizer, target, steps, latentSize } = setting
  const { maxSelfResolution = defaultSelfResolution(latentSize), reweight } = control
  expectNumber(maxSelfResolution, { min: 1 }, 'promptToPrompt', 'control.maxSelfResolution')
  const windows = crossWindows(control.crossReplace)
  const shares = crossReplaceSchedule({ steps, ...windows }, tokenizer, target)
  const matched = matchingRule(control, setting)
  const rule = reweight
    ? composeRules(matched, reweightAttention(reweightVector(tokenizer, target, reweight)))
    : matched
  const self = replaceSelfAttention(maxSelfResolution)
  const [from, to] = selfWindow(control.selfReplace, steps)
  return (step) => ({
    ...(shares[step]!.some((share) => share > 0) && { cross: blendByToken(rule, shares[step]!) }),
    ...(step >= from && step < to && { self }),
    maxSelfResolution,
  })
}

function matchingRule(
  { kind, dialect }: PromptControl,
  { tokenizer, source, target }: ControlSetting,
): AttentionRule {
  if (kind === 'replace') return replaceAttention(replaceMapper(tokenizer, source, target, { dialect }))
  return refineAttention(refineMapper(tokenizer.encode(source), tokenizer.encode(target), { dialect }))
}

function crossWindows(crossReplace: ControlOptions['crossReplace'] = 0.8): CrossWindows {
  const single = typeof crossReplace === 'number' || Array.isArray(crossReplace)
  return single ? { default: crossReplace as StepWindow } : (crossReplace as CrossWindows)
}

function selfWindow(window: StepWindow = 0.4, steps: number): readonly [number, number] {
  const [from, to] = typeof window === 'number' ? [0, window] : window
  for (const bound of [from, to])
    expectNumber(bound, { min: 0, max: 1 }, 'promptToPrompt', 'control.selfReplace')
  if (from <= to) return [Math.floor(from * steps), Math.floor(to * steps)]
  throw new ArgumentError({
    rule: 'promptToPrompt needs control.selfReplace to start before it ends',
    got: `[${from}, ${to}]`,
    mend: 'Give the earlier fraction first.',
  })
}
