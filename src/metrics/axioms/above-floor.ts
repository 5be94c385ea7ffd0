import { ArgumentError } from '../../core/index.js'
import { type BootstrapOptions, type BootstrapResult, bootstrap, mean } from '../statistics/index.js'
import type { AxiomResult } from './distance.js'

/**
 * How much farther than the noise floor, picture by picture: `mean [dᵢ - floorᵢ]` with its clustered interval.
 *
 * @param result - of an axiom
 * @param floor - of the noise floor, over the same pictures in the same order by the same distance
 * @param options - the patients, and how to resample
 * @throws ArgumentError when the two are not of the same pictures or distance
 */
export function aboveFloor(
  result: AxiomResult,
  floor: AxiomResult,
  options: Omit<BootstrapOptions<number>, 'rows' | 'statistic'> = {},
): BootstrapResult {
  const nameOf = ({ metric, dialect, n }: AxiomResult) => `${metric} (${dialect}) of ${n} pictures`
  if (nameOf(result) !== nameOf(floor)) {
    throw new ArgumentError({
      rule: 'aboveFloor needs one distance over the same pictures',
      got: `${nameOf(result)} and ${nameOf(floor)}`,
      mend: 'Measure both with one distance on one batch.',
    })
  }
  const rows = result.perImage.map((value, i) => value - floor.perImage[i]!)
  return bootstrap({ ...options, rows, statistic: mean })
}
