import { average, type MetricResult } from '../result.js'

/** A result whose value is the mean of the defined entries, with a warning for the others. */
export function meanOfDefined(
  about: Pick<MetricResult, 'metric' | 'dialect'>,
  perImage: readonly number[],
  why: string,
): MetricResult {
  const defined = perImage.filter((value) => !Number.isNaN(value))
  const undefinedCount = perImage.length - defined.length
  const warnings = undefinedCount === 0 ? [] : [`${undefinedCount} of ${perImage.length} undefined: ${why}`]
  return { ...about, range: null, n: perImage.length, value: average(defined), perImage, warnings }
}
