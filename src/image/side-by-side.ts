import type { Tensor4D } from '@tensorflow/tfjs'
import { ArgumentError, expectNumber, expectShape } from '../core/index.js'
import {
  canvasToTensor,
  createCanvas,
  type Drawable,
  drawPixels,
  drawText,
  legibleScale,
  textScale,
  textWidth,
} from './canvas.js'
import { glyphHeight } from './glyphs.js'

/** How {@link sideBySide} lays out. */
export interface SideBySideOptions {
  /** One line above each picture. */
  readonly labels?: readonly string[]
  /** Pictures in a row; all of them by default. */
  readonly columns?: number
  /** Pixels between pictures; 12 by default. */
  readonly gap?: number
  /** Enlargement of the tallest picture; by default what brings it to 256 pixels. */
  readonly scale?: number
}

/**
 * Lays pictures out on white for a report, in rows, with a line of text above each. Smaller pictures are enlarged by
 * whole factors (nearest) towards the tallest, so a 64×64 picture and its difference map come out equally high.
 *
 * @param images - each `[1, height, width, 1 or 3]` in [0, 1]; borrowed
 * @param options - labels, columns, gap, enlargement
 * @returns `[1, height, width, 3]`, owned by the caller
 * @throws `ArgumentError` without pictures, or when there are not as many labels
 */
export async function sideBySide(
  images: readonly Tensor4D[],
  options: SideBySideOptions = {},
): Promise<Tensor4D> {
  const where = 'sideBySide'
  const { labels = [], columns = Math.max(1, images.length), gap = 12 } = options
  if (images.length === 0 || ![0, images.length].includes(labels.length)) {
    throw new ArgumentError({
      rule: 'sideBySide needs at least one picture, and a label for each or none',
      got: `${images.length} pictures and ${labels.length} labels`,
      mend: 'Pass "" for a picture without a label.',
    })
  }
  for (const image of images)
    expectShape(image, [1, null, null, image.shape[3] === 1 ? 1 : 3], where, 'each image')
  const tallest = images.reduce((a, b) => (b.shape[1] > a.shape[1] ? b : a))
  const { scale = legibleScale(tallest.shape[1], tallest.shape[2]) } = options
  expectNumber(scale, { min: 1, max: 256, integer: true }, where, 'scale')
  expectNumber(gap, { min: 0, max: 1000, integer: true }, where, 'gap')
  expectNumber(columns, { min: 1, integer: true }, where, 'columns')

  const cellHeight = tallest.shape[1] * scale
  const dot = textScale(cellHeight)
  const labelHeight = labels.length > 0 ? (glyphHeight + 2) * dot : 0
  const cells = await Promise.all(images.map((image) => toDrawable(image)))
  const factors = cells.map(({ height }) => Math.floor(cellHeight / height))
  const widths = cells.map((cell, i) => {
    const label = labels[i] ? textWidth(labels[i], dot) + 3 * dot : 0
    return Math.max(cell.width * factors[i]!, label)
  })
  const columnWidths = Array.from({ length: Math.min(columns, cells.length) }, (_, column) =>
    Math.max(...widths.filter((_, i) => i % columns === column)),
  )
  const rows = Math.ceil(cells.length / columns)
  const rowHeight = labelHeight + cellHeight + gap
  const width = columnWidths.reduce((sum, w) => sum + w + gap, gap)
  const canvas = createCanvas(gap + rows * rowHeight, width, [1, 1, 1])
  for (const [i, cell] of cells.entries()) {
    const column = i % columns
    const left = columnWidths.slice(0, column).reduce((sum, w) => sum + w + gap, gap)
    const top = gap + Math.floor(i / columns) * rowHeight
    drawText(canvas, labels[i] ?? '', top, left, dot, [0.13, 0.13, 0.15])
    drawPixels(canvas, cell, top + labelHeight, left, factors[i]!)
  }
  return canvasToTensor(canvas)
}

async function toDrawable(image: Tensor4D): Promise<Drawable> {
  const [, height, width, channels] = image.shape
  return { data: await image.data(), height, width, channels }
}
