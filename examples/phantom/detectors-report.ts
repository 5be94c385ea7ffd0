// Prints what the detectors are worth on held-out phantoms: npx tsx examples/phantom/detectors-report.ts [count]
import { wilson } from 'contrafact/metrics'
import { cardiothoracicRatio } from './anatomy.js'
import { type Attributes, counterfactual, heldOut, type Patient } from './causal-graph.js'
import { DEGRADATION, degrade } from './degrade.js'
import { type Detection, detect, type Sign } from './detectors.js'
import { draw } from './draw.js'

const count = Number(process.argv[2] ?? 1000)
const signs: readonly Sign[] = ['cardiomegaly', 'effusion', 'pacemaker', 'line', 'female']
const patients = Array.from({ length: count }, (_, i) => heldOut(i))

const pictures: Record<string, (each: Patient) => Float32Array> = {
  'as drawn': (each) => draw(each, 64),
  'blur 0.7, noise 0.02': (each) => degrade(draw(each, 64), DEGRADATION, each.seed),
  '128 pixels': (each) => draw(each, 128),
  '256 pixels': (each) => draw(each, 256),
}
console.log(`accuracy on ${count} held-out phantoms, 95 % Wilson interval`)
for (const [name, picture] of Object.entries(pictures)) {
  const seen = patients.map((each) => detect(picture(each)))
  console.log(`\n${name}`)
  for (const sign of signs) {
    const right = seen.filter((each, i) => each[sign] > 0.5 === has(patients[i]!, sign)).length
    console.log(`  ${sign.padEnd(13)} ${share(right)}`)
  }
  const error = (of: (each: Detection, truth: Patient) => number) =>
    seen.reduce((sum, each, i) => sum + Math.abs(of(each, patients[i]!)), 0) / count
  console.log(
    `  age           off by ${error((each, { attributes }) => each.age - attributes.age).toFixed(1)} years`,
  )
  console.log(
    `  cardiothoracic ratio off by ${error((each, truth) => each.cardiothoracicRatio - cardiothoracicRatio(truth)).toFixed(3)}`,
  )
}

// Flip one attribute, leave the rest: the diagonal is what a detector should see, the rest what it should not.
console.log('\nmean absolute change of score when one attribute is flipped (rows), others fixed')
console.log(`${''.padEnd(14)}${signs.map((sign) => sign.padStart(13)).join('')}`)
for (const flipped of signs) {
  const changes = patients.slice(0, 200).map((each) => {
    const before = detect(draw(each, 64))
    const after = detect(draw(counterfactual(each, flip(each, flipped)), 64))
    return signs.map((sign) => Math.abs(after[sign] - before[sign]))
  })
  const means = signs.map((_, i) => changes.reduce((sum, change) => sum + change[i]!, 0) / changes.length)
  console.log(`${flipped.padEnd(14)}${means.map((mean) => mean.toFixed(3).padStart(13)).join('')}`)
}

// Where the sign is absent, its score must say nothing about the others.
console.log('\ncorrelation of a score with another attribute among patients without the sign')
for (const [sign, other] of [
  ['pacemaker', 'cardiomegaly'],
  ['pacemaker', 'line'],
  ['line', 'cardiomegaly'],
  ['line', 'pacemaker'],
] as const) {
  const without = patients.filter((each) => !has(each, sign))
  const scores = without.map((each) => detect(draw(each, 64))[sign])
  console.log(
    `  ${sign} score with ${other}: ${correlation(
      scores,
      without.map((each) => Number(has(each, other))),
    ).toFixed(3)}, highest score ${Math.max(...scores).toFixed(3)}`,
  )
}

function has({ attributes }: Patient, sign: Sign): boolean {
  return sign === 'female' ? attributes.sex === 'female' : attributes[sign]
}

function flip(each: Patient, sign: Sign): Partial<Attributes> {
  if (sign === 'female') return { sex: has(each, sign) ? 'male' : 'female' }
  return { [sign]: !has(each, sign) }
}

function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`.padStart(7)
}

function share(right: number): string {
  const { share, interval } = wilson(right, count)
  const [low, high] = [interval.low, interval.high].map((bound) => (100 * bound).toFixed(1))
  return `${percent(share)} [${low}, ${high}]`
}

function correlation(xs: readonly number[], ys: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const [mx, my] = [mean(xs), mean(ys)]
  const covariance = mean(xs.map((x, i) => (x - mx) * (ys[i]! - my)))
  return covariance / Math.sqrt(mean(xs.map((x) => (x - mx) ** 2)) * mean(ys.map((y) => (y - my) ** 2)))
}
