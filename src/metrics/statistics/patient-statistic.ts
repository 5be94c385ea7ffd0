import { mean } from './moments.js'

/** A statistic as a function of which patients are drawn, each with all of its rows. @internal */
export interface PatientStatistic {
  /** Of the patients drawn, repeats included. */
  readonly of: (drawn: readonly number[]) => number
  /** Without each of the patients drawn in turn, one copy at a time; parallel to `drawn`. */
  readonly leaveOneOut: (drawn: readonly number[]) => readonly number[]
}

/**
 * Any statistic of rows by gathering them; a plain mean by each patient's sum and count, which is all it needs.
 *
 * @internal
 */
export function patientStatistic<Row>(
  rows: readonly Row[],
  groups: readonly (readonly number[])[],
  statistic: (rows: readonly Row[]) => number,
): PatientStatistic {
  return (statistic as unknown) === mean
    ? pooledMean(rows as unknown as readonly number[], groups)
    : gathered(rows, groups, statistic)
}

function gathered<Row>(
  rows: readonly Row[],
  groups: readonly (readonly number[])[],
  statistic: (rows: readonly Row[]) => number,
): PatientStatistic {
  const rowsOf = groups.map((group) => group.map((row) => rows[row]!))
  const of = (drawn: readonly number[]) => {
    const some: Row[] = []
    for (const patient of drawn) for (const row of rowsOf[patient]!) some.push(row)
    return statistic(some)
  }
  const leaveOneOut = (drawn: readonly number[]) => {
    // Copies of one patient leave the same rows behind: asked once.
    const known = new Map<number, number>()
    return drawn.map((patient, left) => {
      const seen = known.get(patient)
      if (seen !== undefined) return seen
      const value = of(drawn.filter((_, place) => place !== left))
      known.set(patient, value)
      return value
    })
  }
  return { of, leaveOneOut }
}

function pooledMean(rows: readonly number[], groups: readonly (readonly number[])[]): PatientStatistic {
  const counts = Float64Array.from(groups, (group) => group.length)
  const sums = Float64Array.from(groups, (group) => group.reduce((sum, row) => sum + rows[row]!, 0))
  const totals = (drawn: readonly number[]) => {
    let [sum, count] = [0, 0]
    for (const patient of drawn) {
      sum += sums[patient]!
      count += counts[patient]!
    }
    return [sum, count] as const
  }
  return {
    of: (drawn) => {
      const [sum, count] = totals(drawn)
      return sum / count
    },
    leaveOneOut: (drawn) => {
      const [sum, count] = totals(drawn)
      return drawn.map((patient) => (sum - sums[patient]!) / (count - counts[patient]!))
    },
  }
}
