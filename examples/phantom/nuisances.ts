import { uniforms } from './random.js'

/**
 * What varies from picture to picture and says nothing about any attribute. Lengths are in picture widths,
 * angles in radians. Device and effusion entries are kept for patients without them too, so that an
 * intervention can add one.
 */
export interface Nuisances {
  /** Shift of the body in the frame. */
  readonly shift: readonly [x: number, y: number]
  readonly scale: number
  readonly rotation: number
  readonly exposure: number
  readonly gamma: number
  readonly noiseSeed: number
  /** Phase of the ribs, as a part of their spacing. */
  readonly ribPhase: number
  /** Amplitude and side of the spine's curve, -1 to 1. */
  readonly spineBend: number
  /** Place of the heart's size within its class, -1 (smallest) to 1. */
  readonly heartSize: number
  /** Part of the heart's width that lies to the left of the midline in the picture. */
  readonly heartBalance: number
  readonly effusionSide: 'left' | 'right' | 'both'
  readonly effusionLevel: number
  readonly generator: { readonly shift: readonly [x: number, y: number]; readonly tilt: number }
  readonly leadBend: number
  readonly lineBend: number
  readonly lineDepth: number
}

/** The nuisances of a seed, drawn from their own stream: no attribute is their cause or their effect. */
export function drawNuisances(seed: number): Nuisances {
  const uniform = uniforms(seed, 1)
  const within = (reach: number, middle = 0) => middle + reach * (2 * uniform() - 1)
  const side = uniform()
  return {
    shift: [within(0.02), within(0.015)],
    scale: within(0.03, 1),
    rotation: within(0.04),
    exposure: within(0.06, 1),
    gamma: within(0.08, 1),
    noiseSeed: Math.floor(uniform() * 2 ** 32),
    ribPhase: uniform(),
    spineBend: within(1),
    heartSize: within(1),
    heartBalance: within(0.04, 0.33),
    effusionSide: side < 0.3 ? 'left' : side < 0.6 ? 'right' : 'both',
    effusionLevel: within(0.02),
    generator: { shift: [within(0.02), within(0.015)], tilt: within(0.25) },
    leadBend: within(0.02),
    lineBend: within(0.015),
    lineDepth: within(0.04, 0.5),
  }
}
