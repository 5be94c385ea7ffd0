import type { Exogenous, Mechanism, Value } from './mechanism.js'

/** One variable of a graph: what it listens to, and how. */
export interface Variable {
  /** Names of its direct causes, in the order in which the mechanism joins them; none by default. */
  readonly parents?: readonly string[]
  /** Its structural equation. */
  readonly mechanism: Mechanism
}

/** Variables by name. */
export type Variables = Readonly<Record<string, Variable>>

/** Values by variable: `[batch, ...event]` each, all of one batch. */
export type Values = Readonly<Record<string, Value>>

/** Abducted noise by variable. */
export type Noise = Readonly<Record<string, Exogenous>>

/**
 * `do(.)` as data: variables and the values that they are set to. A number or boolean for one value shared by the batch
 * (for a class its index), or a tensor `[batch, ...event]` or `[1, ...event]`.
 */
export type Action = Readonly<Record<string, number | boolean | Value>>
