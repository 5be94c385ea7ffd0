/**
 * The false discovery rate of an audit's matrix: Benjamini-Hochberg at 5 % over sign-flip p-values of dependent cells,
 * and beside it the family-wise error of Holm and max-T.
 *
 *   npx tsx bench/statistics/false-discovery.ts [--trials 500] [--patients 30]
 *
 * The matrix has 6 interventions by 8 measurements. One picture's cells hang together as an audit's do: all edits of
 * a picture start from one reconstruction (a shared term per patient and measurement), measurements of one edit see
 * one change (a shared term per patient and intervention), and neighbouring measurements overlap, some with the
 * opposite sign. One cell in six has a true effect; rates are over the others.
 */
import { parseArgs } from 'node:util'
import {
  benjaminiHochberg,
  benjaminiYekutieli,
  holm,
  maxT,
  signFlipTest,
} from '../../src/metrics/statistics/index.js'
import { drawsOf } from './random.js'

const { values } = parseArgs({
  options: {
    trials: { type: 'string', default: '500' },
    patients: { type: 'string', default: '30' },
    effect: { type: 'string', default: '0.6' },
  },
})
const [trials, patients, effect] = [+values.trials, +values.patients, +values.effect]
const [interventions, measurements, resamples] = [6, 8, 999]
const hasEffect = (cell: number) => cell % 6 === 0

const methods = ['bh', 'by', 'holm', 'maxT'] as const
const tally = Object.fromEntries(methods.map((m) => [m, { fdp: 0, any: 0, found: 0, squares: 0 }]))
for (let trial = 0; trial < trials; trial++) {
  const { normal } = drawsOf(1 + trial)
  const cells: number[][] = Array.from({ length: interventions * measurements }, () => [])
  for (let patient = 0; patient < patients; patient++) {
    const reconstruction = Array.from({ length: measurements }, normal)
    for (let i = 0; i < interventions; i++) {
      const change = normal()
      let neighbour = normal()
      for (let j = 0; j < measurements; j++) {
        neighbour = 0.7 * neighbour + Math.sqrt(1 - 0.49) * normal()
        const noise = 0.6 * reconstruction[j]! + (j % 3 === 2 ? -0.5 : 0.5) * change + 0.62 * neighbour
        const cell = i * measurements + j
        cells[cell]!.push(noise + (hasEffect(cell) ? effect : 0))
      }
    }
  }
  const p = cells.map((cell, i) => signFlipTest(cell, { resamples, seed: trial * 100 + i }).p)
  const adjusted = {
    bh: benjaminiHochberg(p),
    by: benjaminiYekutieli(p),
    holm: holm(p),
    maxT: maxT(cells, { resamples, seed: trial }).adjusted,
  }
  for (const method of methods) {
    const claims = adjusted[method].flatMap((q, cell) => (q <= 0.05 ? [cell] : []))
    const wrong = claims.filter((cell) => !hasEffect(cell)).length
    const fdp = claims.length === 0 ? 0 : wrong / claims.length
    const sums = tally[method]!
    sums.fdp += fdp / trials
    sums.squares += fdp ** 2 / trials
    sums.any += Number(wrong > 0) / trials
    sums.found += (claims.length - wrong) / cells.filter((_, cell) => hasEffect(cell)).length / trials
  }
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`.padEnd(10)
console.log(
  `${trials} audits of ${patients} patients, ${interventions} × ${measurements} cells, claims at 5 %`,
)
console.log('method  false discovery rate (± standard error)   any false claim   true effects found')
for (const method of methods) {
  const { fdp, squares, any, found } = tally[method]!
  const error = Math.sqrt((squares - fdp ** 2) / trials)
  console.log(
    `${method.padEnd(8)}${percent(fdp)}± ${percent(error)}                     ${percent(any)}        ${percent(found)}`,
  )
}
