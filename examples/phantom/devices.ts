import type { Patient } from './causal-graph.js'
import { cover, curveThrough, distanceTo, mix, roundedBox } from './shapes.js'

/** Paints one device over what is there: brightness at a point, given the brightness behind. */
export type Paint = (x: number, y: number, behind: number) => number

// The lead and the catheter keep to their own halves of the picture: no part of one is ever near the other.
const LEAD_HALF_WIDTH = 0.008
const LINE_HALF_WIDTH = 0.0155

/**
 * A pacemaker: its generator below the collar bone on the right of the picture, and a lead down to the heart.
 * The lead's end does not follow the heart's size.
 */
export function pacemaker({ nuisances }: Patient, soft: number): Paint {
  const { generator, leadBend } = nuisances
  const x0 = 0.27 + generator.shift[0]
  const y0 = 0.225 + generator.shift[1]
  const [cos, sin] = [Math.cos(generator.tilt), Math.sin(generator.tilt)]
  const lead = distanceTo(
    curveThrough([
      [x0 - 0.03, y0 - 0.05],
      [0.17, 0.13 + leadBend],
      [0.075, 0.19],
      [0.05 + leadBend, 0.36],
      [0.05, 0.52],
      [0.11, 0.62 + leadBend],
    ]),
    LEAD_HALF_WIDTH + soft,
  )
  return (x, y, behind) => {
    const [dx, dy] = [cos * (x - x0) + sin * (y - y0), cos * (y - y0) - sin * (x - x0)]
    const wired = mix(behind, 0.93, cover(lead(x, y) - LEAD_HALF_WIDTH, soft))
    const cased = mix(wired, 0.97, cover(roundedBox(dx, dy, 0.062, 0.052, 0.022), soft))
    return mix(cased, 0.88, cover(roundedBox(dx, dy - 0.016, 0.042, 0.022, 0.008), soft))
  }
}

/** A central line: a catheter from the neck on the left of the picture down to the vein before the heart. */
export function line({ nuisances }: Patient, soft: number): Paint {
  const { lineBend, lineDepth } = nuisances
  const catheter = distanceTo(
    curveThrough([
      [-0.15, -0.06],
      [-0.14, 0.03],
      [-0.115 - lineBend, 0.13],
      [-0.075, 0.24],
      [-0.06 + lineBend, 0.37],
      [-0.055, lineDepth],
    ]),
    LINE_HALF_WIDTH + soft,
  )
  return (x, y, behind) => mix(behind, 0.96, cover(catheter(x, y) - LINE_HALF_WIDTH, soft))
}
