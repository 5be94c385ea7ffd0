import type { Tensor4D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import { type AttentionControl, AttentionError, type AttentionSite } from '../core/index.js'
import {
  type AttentionRule,
  composeRules,
  followingControl,
  pairwiseControl,
  type SourceMaps,
} from '../guidance/index.js'
import { bindControl, type ControlSetting, type StepRules } from './bind-control.js'
import { type BlendRegion, startBlend } from './blend-region.js'
import type { PromptControl } from './prompt-control.js'

/** One edited prompt in a batch: its rules, its region, and how many maps it has rewritten. */
export interface EditBranch {
  /** What its control does at each step. */
  readonly rulesAt: (step: number) => StepRules
  /** Its local blend, if it has one. */
  readonly region?: BlendRegion
  /** Attention maps rewritten so far, by kind. */
  readonly rewritten: { cross: number; self: number }
}

/** Starts a branch; end it with {@link endBranch}. */
export function startBranch(control: PromptControl, setting: ControlSetting): EditBranch {
  const rulesAt = bindControl(control, setting)
  const region = control.localBlend && startBlend(control.localBlend, setting)
  return { rulesAt, rewritten: { cross: 0, self: 0 }, ...(region && { region }) }
}

/** Frees what a branch has collected. Idempotent. */
export function endBranch({ region }: EditBranch): void {
  region?.words.dispose()
  region?.except?.dispose()
}

/** The attention control of one step, in one call of the network or several, and the check that it found its sites. */
export interface StepControl {
  /**
   * The control of the call that holds some of the rows: row 0 is the source, row `n` the n-th edit. The call with
   * the source comes first. Missing when its rows have nothing to do, so that the network may take its fast path.
   */
  readonly attentionOf: (rows: RowRange) => AttentionControl | undefined
  /** Throws AttentionError if a branch's open window met no attention map. */
  readonly verify: () => void
  /** Frees the source's maps. */
  readonly end: () => void
}

/** Rows of a batch that one call of the network takes: `from` up to, not including, `to`. */
export interface RowRange {
  /** The first row. */
  readonly from: number
  /** The row after the last. */
  readonly to: number
}

/**
 * Unites the rules of all branches at one step.
 *
 * @param branches - in the order of the batch's rows, after the source
 * @param step - index of the sampling step
 */
export function controlOfStep(branches: readonly EditBranch[], step: number): StepControl {
  const seen = new Map<number, AttentionSite>()
  const atWork = branches.map((branch) => {
    const { cross, self, maxSelfResolution } = branch.rulesAt(step)
    const rule = composeRules(...[cross, self].filter((one) => one !== undefined))
    const idle = { cross: cross !== undefined, self: self !== undefined }
    const busy = idle.cross || idle.self || branch.region !== undefined
    return { branch, rule, idle, busy, selfUpTo: self ? maxSelfResolution : 0 }
  })
  const rules = atWork.map(
    ({ branch, rule, idle }): AttentionRule =>
      (source, target, site) => {
        const edited = rule(source, target, site)
        if (edited !== target) {
          branch.rewritten[site.kind]++
          idle[site.kind] = false
        }
        branch.region?.words.add([source, edited], site)
        branch.region?.except?.add([source, edited], site)
        return edited
      },
  )
  const selfUpTo = Math.max(...atWork.map((one) => one.selfUpTo))
  const crosses = atWork.some(({ idle, branch }) => idle.cross || branch.region)
  const kept: SourceMaps = {
    wants: ({ kind, height, width }) => (kind === 'cross' ? crosses : Math.max(height, width) <= selfUpTo),
    maps: [],
  }
  const attentionOf = ({ from, to }: RowRange): AttentionControl | undefined => {
    const last = to === rules.length + 1
    // The source's call also serves the edits of the calls that follow.
    const served = from === 0 ? atWork : atWork.slice(from - 1, to - 1)
    if (served.every(({ busy }) => !busy)) return undefined
    const own = rules.slice(Math.max(0, from - 1), to - 1)
    const rewrite = from === 0 ? pairwiseControl(own, last ? undefined : kept) : followingControl(own, kept)
    const control = (probabilities: Tensor4D, site: AttentionSite) => {
      seen.set(site.layer, site)
      return rewrite(probabilities, site)
    }
    const wants = (site: AttentionSite) => {
      seen.set(site.layer, site)
      return kept.wants(site)
    }
    return Object.assign(control, { wants })
  }
  const verify = () => {
    for (const { idle } of atWork)
      if (idle.cross || idle.self) throw nothingMatched(idle, step, [...seen.values()])
  }
  const end = () => tf.dispose(kept.maps.filter((map) => map !== undefined))
  return { attentionOf, verify, end }
}

function nothingMatched(
  idle: { readonly cross: boolean; readonly self: boolean },
  step: number,
  seen: readonly AttentionSite[],
): AttentionError {
  const kind = idle.cross ? 'cross' : 'self'
  return new AttentionError({
    rule: `an attention control must match at least one ${kind}-attention map at every step of its window`,
    got: `none at step ${step}, where the network showed ${describe(seen)}`,
    mend:
      seen.length === 0
        ? 'The denoiser ignores its attention argument; pass one that honours it.'
        : kind === 'self'
          ? 'Raise maxSelfResolution to a side that exists, or set selfReplace to 0.'
          : 'Set crossReplace to 0 for a network without cross-attention.',
  })
}

function describe(seen: readonly AttentionSite[]): string {
  const counts = new Map<string, number>()
  for (const { kind, height, width } of seen) {
    const name = `${kind} ${height}×${width}`
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return [...counts].map(([name, count]) => `${count} of ${name}`).join(', ') || 'no attention map at all'
}
