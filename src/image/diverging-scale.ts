import type { Colour } from './raster.js'

/**
 * Blue for −1, near-white for 0, red for +1; beyond is clamped.
 *
 * The scale is drawn in OKLab, where equal steps look equal: lightness falls linearly with `|t|` and alike on both
 * sides, so a change to darker never looks stronger than the same change to brighter.
 *
 * @param t - the signed value over the range of the scale
 * @returns sRGB in [0, 1]
 */
export function divergingColour(t: number): Colour {
  const strength = Math.min(1, Math.abs(t))
  const hue = ((t < 0 ? 258 : 27) * Math.PI) / 180
  const lightness = 0.965 - 0.48 * strength
  const chroma = 0.19 * strength ** 0.85
  return fromOklab(lightness, chroma * Math.cos(hue), chroma * Math.sin(hue))
}

/** OKLab to sRGB (Ottosson 2020), colours outside sRGB clamped. */
function fromOklab(lightness: number, a: number, b: number): Colour {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3
  return [
    encode(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    encode(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    encode(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ]
}

// The sRGB transfer function.
function encode(linear: number): number {
  const v = Math.min(1, Math.max(0, linear))
  return v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055
}
