import type { PatientId } from '../statistics/index.js'
import type { Report } from './report.js'

/** One value of one method for one picture. */
export interface Observation {
  /** The picture (or the picture and its edit): what pairs methods. Once per method. */
  readonly key: string
  /** Whose picture; the key, where absent. */
  readonly patient?: PatientId | undefined
  /** What was measured. */
  readonly value: number
}

/** One row of the table: one metric of one intervention, for every method. */
export interface ComparisonRow {
  /** `'no cardiomegaly'`, `'age → 40'`. */
  readonly intervention: string
  /** As in {@link Report}. */
  readonly metric: string
  /** As in {@link Report}. */
  readonly dialect: string
  /** As in {@link Report}. */
  readonly range?: Report['range'] | undefined
  /** Which way is better; decides who is. */
  readonly better: 'higher' | 'lower'
  /** Observations per method, over the same keys. */
  readonly methods: Readonly<Record<string, readonly Observation[]>>
}
