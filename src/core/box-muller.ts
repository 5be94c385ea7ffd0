/** Steps of a uniform number from 0 to 1, as float32 draws them. */
const steps = 0x1000000

/** Low bits of a step that an entry of a table leaves over: 1024 entries are small enough to stay in the cache. */
const lowBits = 14
const low = 0x3fff
const entries = 0x400
const stepAngle = (2 * Math.PI) / steps

interface Tables {
  /** `log c` and `1 / c` of `c = 1 + i / entries` */
  readonly log: Float64Array
  readonly inverse: Float64Array
  /** of the angle `2π i / entries` */
  readonly sine: Float64Array
  readonly cosine: Float64Array
}

let made: Tables | undefined

function makeTables(): Tables {
  const of = (f: (part: number) => number) => Float64Array.from({ length: entries }, (_, i) => f(i / entries))
  return {
    log: of(Math.log1p),
    inverse: of((part) => 1 / (1 + part)),
    sine: of((part) => Math.sin(2 * Math.PI * part)),
    cosine: of((part) => Math.cos(2 * Math.PI * part)),
  }
}

/**
 * Sixteen uniform numbers in `[0, 1)`, eight pairs `(u_j, u_{j+8})`, become as many normal ones, in place:
 * `√(−2 log(1 − u_j))` times the cosine and the sine of `2π u_{j+8}` (Box and Muller 1958), in torch's order.
 *
 * A uniform number has 24 bits. Its high bits choose an entry of a table and its low ones a Taylor series from there, exact
 * to 1e-13 and five times as fast as `Math.log`, `Math.cos` and `Math.sin`: an image model draws millions of them.
 *
 * @param values - whole multiples of 2⁻²⁴
 * @param start - where the sixteen begin
 */
export function boxMuller16(values: Float32Array, start: number): void {
  made ??= makeTables()
  const { log, inverse, sine, cosine } = made
  for (let j = start; j < start + 8; j++) {
    // 1 − u = 2^-halvings (1 + fraction), so that its logarithm is that of an entry, of what lies above it, and of the power.
    const rest = steps - values[j]! * steps
    const halvings = Math.clz32(rest) - 7
    const mantissa = rest << halvings
    const nearest = (mantissa - steps) >> lowBits
    const r = (mantissa / steps) * inverse[nearest]! - 1
    const above = r * (1 - r * (1 / 2 - r * (1 / 3 - r * (1 / 4))))
    const radius = Math.sqrt(2 * (halvings * Math.LN2 - log[nearest]! - above))
    const turn = values[j + 8]! * steps
    const entry = turn >> lowBits
    const b = (turn & low) * stepAngle
    const square = b * b
    const sinB = b * (1 - square * (1 / 6 - square * (1 / 120)))
    const cosB = 1 - square * (1 / 2 - square * (1 / 24))
    values[j] = radius * (cosine[entry]! * cosB - sine[entry]! * sinB)
    values[j + 8] = radius * (sine[entry]! * cosB + cosine[entry]! * sinB)
  }
}
