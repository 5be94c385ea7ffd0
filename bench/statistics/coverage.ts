/**
 * How often the nominal 95 % interval of a mean over patients covers the truth, on skewed clustered data.
 *
 *   npx tsx bench/statistics/coverage.ts [--trials 2000] [--patients 30] [--resamples 1000] \
 *     [--skewness strong,extreme] [--first 0]
 *
 * Each patient has a level of its own and one to four pictures around it. Skewness is of the patients' levels:
 * moderate 1.0 (a gamma of shape 4), strong 2.0 (exponential), extreme 6.2 (a lognormal of sigma 1). All methods see
 * the same resamples; trials are numbered, and `--first` starts further on. The cost is processor time per interval, without the drawing of resamples.
 */
import { parseArgs } from 'node:util'
import { bootstrap, mean, resampleIndices } from '../../src/metrics/statistics/index.js'
import { drawsOf } from './random.js'

type Draws = ReturnType<typeof drawsOf>
const exponential = ({ uniform }: Draws) => -Math.log1p(-uniform())
const levels: Record<string, { draw: (d: Draws) => number; truth: number }> = {
  symmetric: { draw: (d) => d.normal(), truth: 0 },
  moderate: { draw: (d) => exponential(d) + exponential(d) + exponential(d) + exponential(d), truth: 4 },
  strong: { draw: exponential, truth: 1 },
  extreme: { draw: (d) => Math.exp(d.normal()), truth: Math.exp(0.5) },
}
const methods = ['percentile', 'bca', 'bca-expanded', 'bootstrap-t'] as const

const { values } = parseArgs({
  options: {
    trials: { type: 'string', default: '2000' },
    patients: { type: 'string', default: '30' },
    resamples: { type: 'string', default: '1000' },
    first: { type: 'string', default: '0' },
    skewness: { type: 'string', default: Object.keys(levels).join(',') },
  },
})
const [trials, count, resamples] = [+values.trials, +values.patients, +values.resamples]
const first = +values.first

console.log(`${trials} trials of ${count} patients, ${resamples} resamples, nominal 95 %`)
console.log('skewness    method        covered   misses below / above   mean width   cost')
for (const name of values.skewness.split(',')) {
  const { draw, truth } = levels[name]!
  const tally = methods.map(() => ({ below: 0, above: 0, width: 0, cost: 0 }))
  for (let trial = first; trial < first + trials; trial++) {
    const draws = drawsOf(1 + trial)
    const rows: number[] = []
    const patients: number[] = []
    for (let patient = 0; patient < count; patient++) {
      const level = draw(draws)
      const pictures = 1 + Math.floor(4 * draws.uniform())
      for (let k = 0; k < pictures; k++) {
        rows.push(level + 0.5 * draws.normal())
        patients.push(patient)
      }
    }
    const lists = resampleIndices(count, resamples, trial)
    for (const [i, method] of methods.entries()) {
      const before = process.cpuUsage()
      const { interval } = bootstrap({ rows, patients, statistic: mean, resamples: lists, method })
      const { user, system } = process.cpuUsage(before)
      tally[i]!.cost += (user + system) / 1000 / trials
      if (interval.low > truth) tally[i]!.above++
      if (interval.high < truth) tally[i]!.below++
      tally[i]!.width += (interval.high - interval.low) / trials
    }
  }
  for (const [i, { below, above, width, cost }] of tally.entries()) {
    const covered = (100 * (trials - below - above)) / trials
    console.log(
      `${name.padEnd(12)}${methods[i]!.padEnd(14)}${covered.toFixed(1)} %    ` +
        `${((100 * below) / trials).toFixed(1)} % / ${((100 * above) / trials).toFixed(1)} %          ` +
        `${width.toFixed(3).padEnd(13)}${cost.toFixed(1)} ms`,
    )
  }
}
