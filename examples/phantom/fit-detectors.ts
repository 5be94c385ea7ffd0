// Fits the detectors' constants and writes detectors.json: npx tsx examples/phantom/fit-detectors.ts
import { writeFileSync } from 'node:fs'
import { cardiothoracicRatio } from './anatomy.js'
import { type Patient, patient, seedOf } from './causal-graph.js'
import { DEGRADATION, degrade } from './degrade.js'
import { ageFeatures, type Calibration, SIGNS, type Sign } from './detectors.js'
import { draw } from './draw.js'
import { heartWidth, type Raster, raster } from './measurements.js'

const COUNT = 2000

const patients = Array.from({ length: COUNT }, (_, i) => patient(seedOf('detectors', i)))
// Every other picture is blurred, so that sharp pictures and an autoencoder's count the same.
const rasters = patients.map((each, i) => {
  const drawn = draw(each, 64)
  return raster(i % 2 ? degrade(drawn, DEGRADATION, each.seed) : drawn)
})

const calibration: Calibration = {
  signs: {
    cardiomegaly: classMeans('cardiomegaly', ({ attributes }) => attributes.cardiomegaly),
    effusion: classMeans('effusion', ({ attributes }) => attributes.effusion),
    pacemaker: classMeans('pacemaker', ({ attributes }) => attributes.pacemaker),
    line: classMeans('line', ({ attributes }) => attributes.line),
    female: classMeans('female', ({ attributes }) => attributes.sex === 'female'),
  },
  age: leastSquares(
    rasters.map(ageFeatures),
    patients.map(({ attributes }) => attributes.age),
  ),
  cardiothoracicRatio: leastSquares(
    rasters.map((each) => [heartWidth(each)]),
    patients.map(cardiothoracicRatio),
  ),
}
const rounded = JSON.stringify(
  calibration,
  (_, value) => (typeof value === 'number' ? Number(value.toPrecision(6)) : value),
  2,
)
writeFileSync(new URL('./detectors.json', import.meta.url), `${rounded}\n`)
console.log(rounded)

function classMeans(sign: Sign, isPresent: (each: Patient) => boolean) {
  const mean = (wanted: boolean) => {
    const members = rasters.filter((_, i) => isPresent(patients[i]!) === wanted)
    return members.reduce((sum, each: Raster) => sum + SIGNS[sign](each), 0) / members.length
  }
  return { absent: mean(false), present: mean(true) }
}

/** Weights of a constant and of each feature, by the normal equations and elimination with pivots. */
function leastSquares(features: readonly number[][], targets: readonly number[]): number[] {
  const inputs = features.map((each) => [1, ...each])
  const width = inputs[0]!.length
  const system = Array.from({ length: width }, (_, i) => [
    ...Array.from({ length: width }, (_, j) => inputs.reduce((sum, x) => sum + x[i]! * x[j]!, 0)),
    inputs.reduce((sum, x, n) => sum + x[i]! * targets[n]!, 0),
  ])
  for (let i = 0; i < width; i++) {
    const pivot = system
      .slice(i)
      .reduce((best, each) => (Math.abs(each[i]!) > Math.abs(best[i]!) ? each : best))
    system.splice(system.indexOf(pivot), 1)
    system.splice(i, 0, pivot)
    for (const other of system) {
      if (other === pivot) continue
      const factor = other[i]! / pivot[i]!
      pivot.forEach((value, j) => {
        other[j]! -= factor * value
      })
    }
  }
  return system.map((equation, i) => equation[width]! / equation[i]!)
}
