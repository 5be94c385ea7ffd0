import { ArgumentError } from '../../core/index.js'
import type { PatientId } from '../statistics/index.js'
import type { ComparisonRow, Observation } from './comparison-row.js'

/** Values of every method over one order of keys. */
export interface PairedRow {
  /** One id per key. */
  readonly patients: readonly PatientId[]
  /** Method to values, parallel to `patients`. */
  readonly values: ReadonlyMap<string, readonly number[]>
}

/** Brings the observations of all methods into the baseline's order. @internal */
export function pairRows(row: ComparisonRow, methods: readonly string[], baseline: string): PairedRow {
  const indexed = new Map(methods.map((method) => [method, byKey(row, method)]))
  const order = indexed.get(baseline)
  if (order === undefined) {
    const mend = `Name one of ${methods.join(', ')}.`
    throw refusal(row, 'a baseline among the methods', JSON.stringify(baseline), mend)
  }
  for (const [method, observations] of indexed) {
    const lacking = [...order.keys()].filter((key) => !observations.has(key))
    const extra = [...observations.keys()].filter((key) => !order.has(key))
    if (lacking.length + extra.length > 0) throw unpaired(row, method, baseline, lacking, extra)
    for (const [key, { patient = key }] of observations) {
      const other = order.get(key)!.patient ?? key
      if (patient === other) continue
      const got = `${JSON.stringify(key)} of ${patient} and of ${other}`
      throw refusal(row, 'one patient per picture', got, 'Give the picture the same patient in every method.')
    }
  }
  const keys = [...order.keys()]
  return {
    patients: keys.map((key) => order.get(key)!.patient ?? key),
    values: new Map(
      [...indexed].map(([method, observations]) => [method, keys.map((key) => observations.get(key)!.value)]),
    ),
  }
}

function byKey(row: ComparisonRow, method: string): Map<string, Observation> {
  const observations = new Map<string, Observation>()
  for (const observation of row.methods[method] ?? []) {
    const { key } = observation
    if (observations.has(key)) {
      const mend = 'A picture counts once per method; name repeated edits apart, and give them one patient.'
      throw refusal(row, 'every key once', `${JSON.stringify(key)} twice for ${method}`, mend)
    }
    observations.set(key, observation)
  }
  return observations
}

function unpaired(
  row: ComparisonRow,
  method: string,
  baseline: string,
  lacking: readonly string[],
  extra: readonly string[],
): ArgumentError {
  const some = (keys: readonly string[]) => keys.slice(0, 3).join(', ') + (keys.length > 3 ? ', …' : '')
  const parts = [
    ...(lacking.length ? [`${lacking.length} that ${method} lacks (${some(lacking)})`] : []),
    ...(extra.length ? [`${extra.length} that ${baseline} lacks (${some(extra)})`] : []),
  ]
  const mend = 'Compare on the pictures that all methods have, and report how many were left out.'
  return refusal(row, 'the same pictures for every method', parts.join(' and '), mend)
}

function refusal(row: ComparisonRow, needs: string, got: string, mend: string): ArgumentError {
  return new ArgumentError({ rule: `compareMethods needs ${needs} (row ${row.intervention})`, got, mend })
}
