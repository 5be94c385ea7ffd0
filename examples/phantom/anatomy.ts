import type { Patient } from './causal-graph.js'
import { cover, ellipse, mix, roundedMax, smooth } from './shapes.js'

/** Half of the inner width of the chest, which the cardiothoracic ratio divides by (twice). */
const CHEST = 0.36

/** Brightness of each tissue before exposure: what stops X-rays is bright. */
const TISSUE = {
  air: 0.03,
  soft: 0.45,
  lung: 0.15,
  middle: 0.57,
  belly: 0.55,
  heart: 0.66,
  fluid: 0.63,
} as const

/**
 * Width of the heart over the inner width of the chest: 0.405 to 0.475 without cardiomegaly, 0.58 to 0.66 with
 * it. The patient's place within the class is a nuisance, so the ratio is known exactly.
 */
export function cardiothoracicRatio({ attributes, nuisances }: Patient): number {
  return attributes.cardiomegaly ? 0.62 + 0.04 * nuisances.heartSize : 0.44 + 0.035 * nuisances.heartSize
}

/**
 * The body without devices as a function of place.
 * @param soft half-width of every edge, in picture widths
 * @returns brightness at a point of the body's frame
 */
export function anatomy(patient: Patient, soft: number): (x: number, y: number) => number {
  const { attributes, nuisances } = patient
  const years = (attributes.age - 20) / 70
  const bone = mix(1.25, 0.45, years)
  const female = attributes.sex === 'female'
  const flank = female ? 0.425 : 0.475
  const spineSway = nuisances.spineBend * mix(0.002, 0.022, years)
  const knob = mix(0.018, 0.05, years)

  const heartWidth = 2 * CHEST * cardiothoracicRatio(patient)
  const heartX = heartWidth * (0.5 - nuisances.heartBalance)
  const heartHeight = 0.125 + 0.2 * (heartWidth - 0.3)

  const side = (x: number) => (x < 0 ? 'left' : 'right')
  const wet = (x: number) =>
    attributes.effusion && (nuisances.effusionSide === 'both' || nuisances.effusionSide === side(x))

  return (x, y) => {
    const across = Math.abs(x)
    const sway = x - spineSway * Math.sin(2 * Math.PI * (y - 0.1))

    const shoulder = mix(0.12, flank, smooth((y - 0.015) / 0.17))
    const body = cover(across - shoulder, 1.5 * soft)
    if (body === 0) return TISSUE.air
    const cage = (Math.cbrt((across / CHEST) ** 3 + (Math.abs(y - 0.48) / 0.39) ** 3) - 1) * CHEST
    const dome = (x < 0 ? 0.69 : 0.71) + 0.12 * ((across - 0.15) / 0.2) ** 2
    const medial = mix(0.065, 0.085, smooth((y - 0.25) / 0.3))
    const chestSpace = roundedMax(cage, medial - across, 0.04)
    const lung = cover(roundedMax(chestSpace, y - dome, 0.02), soft)

    let value =
      across < medial + 0.03
        ? mix(TISSUE.soft, TISSUE.middle, smooth((medial + 0.03 - across) / 0.03))
        : TISSUE.soft
    value = mix(value, TISSUE.belly, cover(dome - y, 0.02))
    value -= 0.14 * cover(ellipse(sway, y - 0.1, 0.02, 0.17), 0.012)
    value +=
      0.07 * bone * cover(Math.abs(sway) - 0.035, 0.012) * (0.7 + 0.3 * Math.cos((2 * Math.PI * y) / 0.06))
    value = mix(value, TISSUE.lung, lung)
    value += 0.12 * lung * cover(ellipse(across - 0.1, y - 0.42, 0.05, 0.1), 0.04)
    value += rib(x, y, nuisances.ribPhase) * bone * cover(cage - 0.015, 0.01) * (y < dome ? 0.11 : 0.04)
    value += 0.13 * bone * clavicle(across, y)
    if (female)
      value += 0.1 * cover(ellipse(across - 0.2, y - 0.6, 0.15, 0.13), 0.02 + 0.12 * smooth((0.66 - y) / 0.2))
    value = mix(value, TISSUE.heart, cover(ellipse(x - 0.062, y - 0.27, knob, 1.3 * knob), 1.5 * soft))
    if (wet(x)) {
      const level = 0.64 + nuisances.effusionLevel - 0.13 * smooth((across - 0.17) / (CHEST - 0.17))
      const pool = roundedMax(chestSpace, level - y, 0.01)
      value = mix(value, TISSUE.fluid, cover(pool, 1.5 * soft) * cover(y - dome - 0.02, 0.03))
    }
    value = mix(
      value,
      TISSUE.heart,
      cover(ellipse(x - heartX, y - 0.6 - 0.2 * (x - heartX), heartWidth / 2, heartHeight), 1.5 * soft),
    )
    return mix(TISSUE.air, value, body)
  }
}

/** Brightness of the ribs, 0 to 1: equal bands that fall to the sides, higher at 64 pixels than one pixel. */
function rib(x: number, y: number, phase: number): number {
  const band = Math.cos(2 * Math.PI * ((y - 0.9 * x * x) / 0.085 + phase))
  return band <= 0 ? 0 : band * Math.sqrt(band)
}

/** The collar bones: two bars from the breast bone up to the shoulders. */
function clavicle(across: number, y: number): number {
  const middle = 0.185 - 0.22 * (across - 0.04)
  return cover(Math.abs(y - middle) - 0.014, 0.008) * cover(Math.abs(across - 0.19) - 0.15, 0.02)
}
