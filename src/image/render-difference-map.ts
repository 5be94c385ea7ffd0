import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs'
import { expectNumber, expectShape, NumericError } from '../core/index.js'
import {
  type Canvas,
  canvasToTensor,
  createCanvas,
  drawText,
  fillRect,
  legibleScale,
  textScale,
  textWidth,
} from './canvas.js'
import { divergingColour } from './diverging-scale.js'
import { gaussianBlur } from './gaussian-blur.js'
import { glyphHeight } from './glyphs.js'
import type { Colour } from './raster.js'

/** How {@link renderDifferenceMap} draws. */
export interface RenderDifferenceMapOptions {
  /**
   * The change that gets the full colour, the same for both signs. `'auto'` (default): the largest change of this
   * map, rounded up to two digits and at least 1/255. Give a number to compare maps with each other.
   */
  readonly range?: number | 'auto'
  /** Deviation in pixels of a Gaussian that smooths the map before it is measured and drawn; 0 by default. */
  readonly blur?: number
  /** A picture `[1, height, width, 1 or 3]` whose shading shows through the colours; borrowed. */
  readonly overlay?: Tensor4D
  /** Pixels of the drawing for each pixel of the map; by default as many as bring the shorter side to 256. */
  readonly scale?: number
}

const ink: Colour = [0.13, 0.13, 0.15]
const faint: Colour = [0.45, 0.45, 0.48]
const frame: Colour = [0.72, 0.72, 0.74]
const paper: Colour = [1, 1, 1]

/**
 * Draws a {@link differenceMap}: red where the edit made the picture brighter, blue where darker, white where it
 * left it alone, and beside it a colour bar that prints its range. A printed `≥` or `≤` says that changes beyond
 * the range were cut off.
 *
 * ```ts
 * const map = differenceMap(original, edited)
 * await writeImage('difference.png', await renderDifferenceMap(map, { range: 0.3 }))
 * ```
 *
 * @param map - `[height, width]`; borrowed
 * @param options - range, smoothing, overlay, enlargement
 * @returns `[1, height · scale, wider, 3]` in [0, 1], the map at its top left; taller only where the bar needs it;
 * owned by the caller
 * @throws `NumericError` when the map is not finite, `ArgumentError` for an option outside its domain
 */
export async function renderDifferenceMap(
  map: Tensor2D,
  options: RenderDifferenceMapOptions = {},
): Promise<Tensor4D> {
  const where = 'renderDifferenceMap'
  expectShape(map, [null, null], where, 'map')
  const [height, width] = map.shape
  const { range: wanted = 'auto', blur = 0, overlay, scale = legibleScale(height, width) } = options
  expectNumber(blur, { min: 0, max: 1000 }, where, 'blur')
  expectNumber(scale, { min: 1, max: 256, integer: true }, where, 'scale')
  if (overlay) expectShape(overlay, [1, height, width, overlay.shape[3] === 1 ? 1 : 3], where, 'overlay')

  const shading = overlay ? await readShading(overlay) : undefined
  const values = gaussianBlur((await map.data()) as Float32Array, height, width, blur)
  const [low, high] = extremes(values)
  const range = wanted === 'auto' ? roundUp(Math.max(-low, high)) : wanted
  expectNumber(range, { min: Number.MIN_VALUE }, where, 'range')

  const cutOff = (change: number) => change > range * (1 + 1e-5)
  const labels = [
    [`${cutOff(high) ? '≥' : '+'}${format(range)}`, 'brighter'],
    ['0'],
    ['darker', `${cutOff(-low) ? '≤' : ''}−${format(range)}`],
  ]
  const dot = textScale(Math.min(height, width) * scale)
  const barWidth = 8 * dot
  const left = width * scale + 6 * dot
  const textLeft = left + barWidth + 4 * dot
  const total = textLeft + Math.max(...labels.flat().map((line) => textWidth(line, dot))) + 3 * dot
  const canvas = createCanvas(Math.max(height * scale, 64 * dot), total, paper)

  for (let i = 0; i < values.length; i++) {
    const [r, g, b] = divergingColour(values[i]! / range)
    const shade = shading?.[i] ?? 1
    const colour: Colour = [r * shade, g * shade, b * shade]
    fillRect(canvas, Math.floor(i / width) * scale, (i % width) * scale, scale, scale, colour)
  }
  drawBar(canvas, left, barWidth)
  drawLabels(canvas, labels, textLeft, dot)
  return canvasToTensor(canvas)
}

function drawBar(canvas: Canvas, left: number, width: number): void {
  const { height } = canvas
  fillRect(canvas, 0, left, height, width, frame)
  for (let y = 1; y < height - 1; y++) {
    fillRect(canvas, y, left + 1, 1, width - 2, divergingColour(1 - (2 * (y - 1)) / (height - 3)))
  }
}

/** Lines of text at the top, the middle and the bottom; numbers in ink, words fainter. */
function drawLabels(canvas: Canvas, groups: readonly (readonly string[])[], left: number, dot: number): void {
  const line = (glyphHeight + 2) * dot
  const last = canvas.height - 8 * dot
  for (const [g, lines] of groups.entries()) {
    const top = [dot, Math.round(last / 2), last - (lines.length - 1) * line][g]!
    for (const [i, text] of lines.entries()) {
      drawText(canvas, text, top + i * line, left, dot, /\d/.test(text) ? ink : faint)
    }
  }
}

/** The overlay's mean over channels, lifted so that colours stay visible where it is black. */
async function readShading(overlay: Tensor4D): Promise<Float32Array> {
  const channels = overlay.shape[3]
  const data = await overlay.data()
  return Float32Array.from({ length: data.length / channels }, (_, i) => {
    let mean = 0
    for (let c = 0; c < channels; c++) mean += data[i * channels + c]! / channels
    return 0.4 + 0.6 * Math.min(1, Math.max(0, mean))
  })
}

function extremes(values: Float32Array): [number, number] {
  let low = 0
  let high = 0
  for (const v of values) {
    if (!Number.isFinite(v)) {
      throw new NumericError({
        rule: 'renderDifferenceMap needs a finite map',
        got: `${values.filter((x) => !Number.isFinite(x)).length} of ${values.length} values that are NaN or infinite`,
        mend: 'Look at the edited picture: its network diverged.',
      })
    }
    low = Math.min(low, v)
    high = Math.max(high, v)
  }
  return [low, high]
}

// Two significant digits (float32's 0.3 is 0.30, not 0.31), never below one level of an 8-bit picture: a null edit shall look white, not noisy.
function roundUp(change: number): number {
  const unit = 10 ** (Math.floor(Math.log10(Math.max(change, 1 / 255))) - 1)
  return Number((Math.ceil(Math.max(change, 1 / 255) / unit - 1e-4) * unit).toPrecision(2))
}

function format(range: number): string {
  return String(Number(range.toPrecision(3)))
}
