import { ArgumentError } from '../../core/index.js'

/** Asserts that lists have one length of at least 1. */
export function expectCounts(counts: Readonly<Record<string, number>>, where: string): void {
  const values = Object.values(counts)
  if (values.every((n) => n === values[0] && n > 0)) return
  throw new ArgumentError({
    rule: `${where} needs equally many ${Object.keys(counts).join(' and ')}, at least one`,
    got: Object.entries(counts)
      .map(([name, n]) => `${n} ${name}`)
      .join(', '),
    mend: 'They are compared one by one, in order.',
  })
}
