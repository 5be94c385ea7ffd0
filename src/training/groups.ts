import * as tf from '@tensorflow/tfjs'
import type { NamedParameters } from '../nn/index.js'
import { type AdamWOptions, type AdamWState, type AdamWUpdate, adamW } from './adamw.js'

/** How one group of parameters differs from the rest. */
export interface ParameterGroup {
  /** Which parameters. */
  readonly has: (name: string) => boolean
  /** Its own rate, in place of the schedule's. */
  readonly learningRate: number
  /** Its own constants. */
  readonly adamW?: AdamWOptions
  /** Climbs the loss instead of descending. */
  readonly ascend?: boolean
  /** Values are kept at or above this. */
  readonly least?: number
}

/**
 * One AdamW update where some parameters go their own way: other rates, ascent, a lower bound.
 *
 * @param groups - the first that has a name takes it
 * @returns as {@link adamW}, in the order of `parameters`; owned by the caller
 */
export function adamWByGroup(
  parameters: NamedParameters,
  gradients: NamedParameters,
  state: AdamWState,
  learningRate: number,
  options: AdamWOptions | undefined,
  groups: readonly ParameterGroup[],
): AdamWUpdate {
  if (groups.length === 0) return adamW(parameters, gradients, state, learningRate, options)
  const all = [...groups, { has: () => true, learningRate, adamW: options } as ParameterGroup]
  const mine = (group: ParameterGroup, named: NamedParameters): NamedParameters =>
    new Map([...named].filter(([name]) => all.find(({ has }) => has(name)) === group))
  const updates = all.map((group) => {
    const own = mine(group, gradients)
    const signed = group.ascend ? new Map([...own].map(([name, g]) => [name, tf.neg(g)])) : own
    const { mean, square } = state
    const part = { step: state.step, mean: mine(group, mean), square: mine(group, square) }
    const update = adamW(mine(group, parameters), signed, part, group.learningRate, group.adamW)
    if (group.ascend) tf.dispose([...signed.values()])
    return group.least === undefined ? update : bounded(update, group.least)
  })
  const joined = (part: (update: AdamWUpdate) => NamedParameters): NamedParameters => {
    const found = new Map(updates.flatMap((update) => [...part(update)]))
    return new Map([...parameters.keys()].map((name) => [name, found.get(name)!]))
  }
  return {
    parameters: joined((update) => update.parameters),
    state: {
      step: state.step + 1,
      mean: joined((update) => update.state.mean),
      square: joined((update) => update.state.square),
    },
  }
}

function bounded({ parameters, state }: AdamWUpdate, least: number): AdamWUpdate {
  const above = new Map(
    [...parameters].map(([name, tensor]) => [name, tf.maximum(tensor, least) as tf.Tensor]),
  )
  tf.dispose([...parameters.values()])
  return { parameters: above, state }
}
