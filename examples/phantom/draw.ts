import { anatomy } from './anatomy.js'
import type { Patient } from './causal-graph.js'
import { line, pacemaker } from './devices.js'
import { normals } from './random.js'

/** Standard deviation of the noise of a 64-pixel picture's pixels, and of any other size's. */
const NOISE = 0.01

/**
 * The picture of a patient: brightness [size, size] in [0, 1], row by row from the top left. Every edge is a
 * ramp about one pixel wide, so that the same record gives the same picture at any size.
 * @param size height and width in pixels: 64, 128, 256, ...
 */
export function draw(patient: Patient, size: number): Float32Array {
  const { attributes, nuisances } = patient
  const soft = 0.6 / size
  const body = anatomy(patient, Math.max(soft, 0.006))
  const devices = [
    ...(attributes.pacemaker ? [pacemaker(patient, soft)] : []),
    ...(attributes.line ? [line(patient, soft)] : []),
  ]
  const noise = normals(nuisances.noiseSeed)
  const [cos, sin] = [Math.cos(nuisances.rotation), Math.sin(nuisances.rotation)]

  const picture = new Float32Array(size * size)
  for (let row = 0; row < size; row++)
    for (let column = 0; column < size; column++) {
      const u = ((column + 0.5) / size - 0.5 - nuisances.shift[0]) / nuisances.scale
      const v = ((row + 0.5) / size - 0.5 - nuisances.shift[1]) / nuisances.scale
      const x = cos * u + sin * v
      const y = cos * v - sin * u + 0.5
      let value = nuisances.exposure * body(x, y) ** nuisances.gamma
      for (const paint of devices) value = paint(x, y, value)
      picture[row * size + column] = Math.min(Math.max(value + NOISE * noise(), 0), 1)
    }
  return picture
}
