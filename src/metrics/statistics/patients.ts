import { ArgumentError } from '../../core/index.js'
import { expectFinite, expectSameLength } from './check.js'
import type { PatientId } from './types.js'

/**
 * The rows of each patient, in the order in which patients first appear.
 *
 * @param patients - one id per row; absent, every row is a patient of its own
 * @param count - how many rows there are
 * @param where - the public function, for messages
 * @returns row indices, one list per patient
 * @throws ArgumentError when there are no rows, when the lengths differ, or on an empty id
 */
export function rowsByPatient(
  patients: readonly PatientId[] | undefined,
  count: number,
  where: string,
): number[][] {
  if (count === 0) {
    throw new ArgumentError({
      rule: `${where} needs rows`,
      got: 'none',
      mend: 'An empty set has no statistic.',
    })
  }
  if (patients === undefined) return Array.from({ length: count }, (_, row) => [row])
  expectSameLength(patients, { length: count }, where, 'patients and rows')
  const groups = new Map<PatientId, number[]>()
  for (const [row, patient] of patients.entries()) {
    if (patient === '' || patient == null || Number.isNaN(patient)) throw nameless(where, row)
    const rows = groups.get(patient)
    if (rows) rows.push(row)
    else groups.set(patient, [row])
  }
  return [...groups.values()]
}

/**
 * The mean of each patient's values: one independent number per patient.
 *
 * @param values - finite, one per row
 * @param patients - one id per row; absent, every row is a patient
 * @param where - the public function, for messages
 * @throws ArgumentError as {@link rowsByPatient}, and on values that are not finite
 */
export function patientMeans(
  values: readonly number[],
  patients: readonly PatientId[] | undefined,
  where: string,
): number[] {
  expectFinite(values, where, 'values')
  return rowsByPatient(patients, values.length, where).map(
    (rows) => rows.reduce((sum, row) => sum + values[row]!, 0) / rows.length,
  )
}

function nameless(where: string, row: number): ArgumentError {
  return new ArgumentError({
    rule: `${where} needs an id for every row`,
    got: `none at row ${row}`,
    mend: 'Rows without an id would be taken for one patient; give each the id of its own.',
  })
}
