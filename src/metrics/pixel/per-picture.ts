import type { Pixels } from '../images.js'

/** The mean of `f(x, y)` over the pixels and channels of each pair, summed in double precision. */
export function perPicture(x: Pixels, y: Pixels, f: (a: number, b: number) => number): number[] {
  const [batch] = x.shape
  const size = x.data.length / batch
  return Array.from({ length: batch }, (_, i) => {
    let sum = 0
    for (let k = i * size; k < (i + 1) * size; k++) sum += f(x.data[k]!, y.data[k]!)
    return sum / size
  })
}
