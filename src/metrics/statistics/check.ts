import { ArgumentError, expectNumber } from '../../core/index.js'

/**
 * Asserts that every value is a finite number, and that there is one at all.
 *
 * @throws ArgumentError with the index of the first value that is not
 * @internal
 */
export function expectFinite(values: ArrayLike<number>, where: string, what: string, least = 1): void {
  if (values.length < least) {
    throw new ArgumentError({
      rule: `${where} needs at least ${least} of ${what}`,
      got: String(values.length),
      mend: 'An empty set has no statistic.',
    })
  }
  // A plain loop: this runs once per bootstrap resample.
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) throw notFinite(where, `${what}[${i}]`, values[i]!)
  }
}

function notFinite(where: string, what: string, value: number): ArgumentError {
  return new ArgumentError({
    rule: `${where} needs finite numbers`,
    got: `${what} = ${value}`,
    mend: 'Leave undefined measurements out by name, and report how many: they are never skipped in silence.',
  })
}

/** Asserts that two parallel lists are of one length. @throws ArgumentError with both lengths @internal */
export function expectSameLength(
  a: { readonly length: number },
  b: { readonly length: number },
  where: string,
  what: string,
): void {
  if (a.length === b.length) return
  throw new ArgumentError({
    rule: `${where} needs ${what} to be parallel`,
    got: `${a.length} and ${b.length}`,
    mend: 'Pass one entry per picture in every list, in one order.',
  })
}

/** Asserts p-values in [0, 1]. @throws ArgumentError with the index of the first that is not @internal */
export function expectProbabilities(values: readonly number[], where: string, what: string): void {
  expectFinite(values, where, what)
  for (const [index, value] of values.entries()) {
    expectNumber(value, { min: 0, max: 1 }, where, `${what}[${index}]`)
  }
}

/** Asserts a confidence level strictly between 0 and 1. @throws ArgumentError @internal */
export function expectLevel(level: number, where: string): void {
  if (level > 0 && level < 1) return
  throw new ArgumentError({
    rule: `${where} needs a level strictly between 0 and 1`,
    got: String(level),
    mend: 'Pass 0.95 for a 95 % interval.',
  })
}
