/** Pixels between a file and a tensor: interleaved, row by row, in the file's own units. Internal to this room. */
export interface Raster {
  readonly data: Uint8Array | Uint16Array | Float32Array
  readonly height: number
  readonly width: number
  readonly channels: number
  /** The value of white: 255, 65535, or 1 for floats. */
  readonly peak: number
}

/** Red, green and blue in [0, 1]. */
export type Colour = readonly [number, number, number]

/** Lays pixels with alpha (2 or 4 channels) over a plain colour; others pass unchanged. */
export function composeAlpha(raster: Raster, background: Colour): Raster {
  const { data, channels, peak } = raster
  if (channels === 1 || channels === 3) return raster
  const colours = channels - 1
  const out = emptyLike(data, (data.length / channels) * colours)
  const ground = colours === 3 ? background : [luma(...background)]
  for (let from = 0, to = 0; from < data.length; from += channels) {
    const alpha = data[from + colours]! / peak
    for (let c = 0; c < colours; c++) {
      out[to++] = Math.round(alpha * data[from + c]! + (1 - alpha) * ground[c]! * peak)
    }
  }
  return { ...raster, data: out, channels: colours }
}

/** One channel of luma (ITU-R BT.601, as PIL's mode L, rounded to the file's levels). */
export function toGrey(raster: Raster): Raster {
  const { data, channels } = raster
  if (channels === 1) return raster
  const out = emptyLike(data, data.length / 3)
  for (let i = 0; i < out.length; i++) {
    out[i] = Math.floor(luma(data[3 * i]!, data[3 * i + 1]!, data[3 * i + 2]!) + 0.5)
  }
  return { ...raster, data: out, channels: 1 }
}

/** Stretches `[low, high]` (the file's units) to [0, 1]; what lies outside is clamped. */
export function applyWindow(raster: Raster, window: readonly [number, number] | 'minmax'): Raster {
  const [low, high] = window === 'minmax' ? extremes(raster.data) : window
  const span = high - low
  const data = Float32Array.from(raster.data, (v) =>
    span === 0 ? 0 : Math.min(1, Math.max(0, (v - low) / span)),
  )
  return { ...raster, data, peak: 1 }
}

function extremes(data: Raster['data']): [number, number] {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (const v of data) {
    if (v < low) low = v
    if (v > high) high = v
  }
  return [low, high]
}

// PIL's 16-bit fixed-point weights, so that 8-bit luma agrees to the last level.
function luma(r: number, g: number, b: number): number {
  return (19595 * r + 38470 * g + 7471 * b) / 65536
}

function emptyLike(data: Raster['data'], length: number): Raster['data'] {
  if (data instanceof Uint8Array) return new Uint8Array(length)
  return data instanceof Uint16Array ? new Uint16Array(length) : new Float32Array(length)
}
