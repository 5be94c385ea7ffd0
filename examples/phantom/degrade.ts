import { normals } from './random.js'

/** What an autoencoder does to a picture, roughly: Gaussian blur (in pixels) and noise. */
export interface Degradation {
  readonly blur: number
  readonly noise: number
}

/** The degradation that the detectors are fitted to bear. */
export const DEGRADATION: Degradation = { blur: 0.7, noise: 0.02 }

/** A square grey picture, blurred and with noise added; pixels beyond the border repeat the border's. */
export function degrade(grey: Float32Array, { blur, noise }: Degradation, seed: number): Float32Array {
  const size = Math.sqrt(grey.length)
  const reach = Math.ceil(3 * blur)
  const kernel = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-(((i - reach) / blur) ** 2) / 2))
  const total = kernel.reduce((sum, weight) => sum + weight, 0)
  const clamp = (i: number) => Math.min(Math.max(i, 0), size - 1)

  const along = (from: Float32Array, index: (line: number, place: number) => number) => {
    const to = new Float32Array(from.length)
    for (let line = 0; line < size; line++)
      for (let place = 0; place < size; place++) {
        let sum = 0
        kernel.forEach((weight, i) => {
          sum += weight * from[index(line, clamp(place + i - reach))]!
        })
        to[index(line, place)] = sum / total
      }
    return to
  }
  const blurred = along(
    along(grey, (y, x) => y * size + x),
    (x, y) => y * size + x,
  )
  const normal = normals(seed, 3)
  return blurred.map((value) => Math.min(Math.max(value + noise * normal(), 0), 1))
}
