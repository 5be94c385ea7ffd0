/** A grey picture of 64 by 64 pixels: the raster on which everything is measured. */
export interface Raster {
  readonly pixels: Float32Array
  readonly lung: number
  readonly heart: number
}

const SIZE = 64

/** Place of body coordinates (x from the midline, y from the top, in picture widths) on the raster. */
const column = (x: number) => Math.round((x + 0.5) * SIZE - 0.5)
const row = (y: number) => Math.round(y * SIZE - 0.5)

/**
 * Averages a picture down to the raster and reads the two levels that other brightnesses are compared with.
 * @param grey brightness [size, size] in [0, 1]
 * @throws RangeError when the size is no multiple of 64
 */
export function raster(grey: Float32Array): Raster {
  const size = Math.sqrt(grey.length)
  const factor = size / SIZE
  if (!Number.isInteger(factor) || factor < 1)
    throw new RangeError(
      `detectors need a square grey picture whose side is a multiple of 64 and got ${grey.length} values`,
    )
  const pixels = new Float32Array(SIZE * SIZE)
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++)
      pixels[Math.floor(y / factor) * SIZE + Math.floor(x / factor)]! += grey[y * size + x]! / factor ** 2
  const lung = quantile(patch(pixels, [-0.3, -0.14], [0.24, 0.46]), 0.5)
  const heart = quantile(patch(pixels, [-0.03, 0.1], [0.55, 0.64]), 0.5)
  // A picture without any heart still needs a scale.
  return { pixels, lung, heart: Math.max(heart, lung + 0.1) }
}

/**
 * Distance between the two borders of the heart, in picture widths: in each row from the midline outwards to
 * where brightness falls below halfway from heart to lung, averaged over rows above any effusion.
 */
export function heartWidth({ pixels, lung, heart }: Raster): number {
  const threshold = lung + 0.6 * (heart - lung)
  const border = (y: number, step: 1 | -1) => {
    const start = column(0.01)
    for (let x = start; Math.abs(x - start) < 0.34 * SIZE; x += step) {
      const inside = pixels[y * SIZE + x]!
      const outside = pixels[y * SIZE + x + step]!
      if (outside < threshold)
        return Math.abs(x - start) + Math.min(Math.max((inside - threshold) / (inside - outside), 0), 1)
    }
    return 0.34 * SIZE
  }
  const mean = (from: number, to: number, step: 1 | -1) =>
    average(rows(from, to).map((y) => border(y, step))) / SIZE
  return mean(0.53, 0.6, -1) + mean(0.53, 0.58, 1)
}

/** How much brighter than dry lung the darkest pixels above the outer angles of the diaphragm are, on the brighter side. */
export function angleFilling({ pixels, lung, heart }: Raster): number {
  const filling = (side: 1 | -1) => {
    const darkest = rows(0.59, 0.67).map((y) => {
      const [a, b] = [column(side * 0.27), column(side * 0.335)].sort((p, q) => p - q) as [number, number]
      return Math.min(...pixels.subarray(y * SIZE + a, y * SIZE + b + 1))
    })
    return (average(darkest) - lung) / (heart - lung)
  }
  return Math.max(filling(-1), filling(1))
}

/** Contrast of the brightest solid box of a generator's size, near the generator's usual place, with the brightest of its four sides. */
export function generatorContrast({ pixels }: Raster): number {
  let best = Number.NEGATIVE_INFINITY
  for (let y = row(0.225) - 4; y <= row(0.225) + 4; y++)
    for (let x = column(0.27) - 4; x <= column(0.27) + 4; x++) {
      // Medians outside: the lead, which leaves on one side, is thin. A low quartile inside: ribs are no box.
      const around = [
        [-6, 0, 1, 2],
        [6, 0, 1, 2],
        [0, -5, 3, 1],
        [0, 5, 3, 1],
      ].map(([dx, dy, reachX, reachY]) => quantile(box(pixels, x + dx!, y + dy!, reachX!, reachY!), 0.5))
      best = Math.max(best, quantile(box(pixels, x, y, 3, 2), 0.25) - Math.max(...around))
    }
  return best
}

/** Average places of the central line: x at y, linear between. */
const LINE_PATH: readonly (readonly [y: number, x: number])[] = [
  [0, -0.145],
  [0.13, -0.115],
  [0.24, -0.075],
  [0.37, -0.06],
  [0.46, -0.055],
]

/**
 * Mean height of the brightest ridge two pixels wide along the usual course of a central line, over both sides.
 * An edge (body and air, middle and lung) is not a ridge: each row counts its higher neighbour.
 */
export function lineRidge({ pixels }: Raster): number {
  const heights = rows(0.02, 0.46).map((y) => {
    const middle = column(pathAt((y + 0.5) / SIZE))
    let best = 0
    for (let x = middle - 4; x <= middle + 3; x++) {
      const at = (dx: number) => pixels[y * SIZE + x + dx]!
      const ridge = (at(0) + at(1)) / 2 - Math.max((at(-2) + at(-3)) / 2, (at(3) + at(4)) / 2)
      best = Math.max(best, ridge)
    }
    return best
  })
  return average(heights)
}

/** Width of the body at the height of the lungs, in picture widths. */
export function bodyWidth({ pixels }: Raster): number {
  const EDGE = 0.2
  const widths = rows(0.28, 0.6).map((y) => {
    const reach = (from: number, step: 1 | -1) => {
      for (let x = from; Math.abs(x - from) < SIZE / 2; x += step) {
        const here = pixels[y * SIZE + x]!
        const before = x === from ? 0 : pixels[y * SIZE + x - step]!
        if (here >= EDGE) return Math.abs(x - from) - (x === from ? 0 : (here - EDGE) / (here - before))
      }
      return SIZE / 2
    }
    return SIZE - reach(0, 1) - reach(SIZE - 1, -1)
  })
  return average(widths) / SIZE
}

/** Mean unevenness of the lungs from row to row: the contrast of the ribs, against that of heart and lung. */
export function ribContrast({ pixels, lung, heart }: Raster): number {
  const steps: number[] = []
  for (const [from, to] of [
    [-0.3, -0.17],
    [0.17, 0.3],
  ] as const)
    for (let x = column(from); x <= column(to); x++)
      for (const y of rows(0.33, 0.48)) {
        const at = (dy: number) => Math.min(pixels[(y + dy) * SIZE + x]!, heart)
        steps.push((at(0) - (at(-3) + at(3)) / 2) ** 2)
      }
  return Math.sqrt(average(steps)) / (heart - lung)
}

/** Fillings of the lung beside the aortic knob and below it, 0 to 1: their difference is the knob. */
export function aorticKnob({ pixels, lung, heart }: Raster): readonly [beside: number, below: number] {
  // Brightness beyond the heart's is a pacemaker's lead.
  const filling = (top: number, bottom: number) =>
    average(
      patch(pixels, [0.05, 0.15], [top, bottom]).map(
        (value) => (Math.min(value, heart) - lung) / (heart - lung),
      ),
    )
  return [filling(0.22, 0.33), filling(0.36, 0.42)]
}

const pathAt = (y: number) => {
  const next = Math.max(
    1,
    LINE_PATH.findIndex(([below]) => below >= y),
  )
  const [y0, x0] = LINE_PATH[next - 1]!
  const [y1, x1] = LINE_PATH[next]!
  return x0 + ((x1 - x0) * (y - y0)) / (y1 - y0)
}

const rows = (from: number, to: number) =>
  Array.from({ length: row(to) - row(from) + 1 }, (_, i) => row(from) + i)
const average = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

function patch(
  pixels: Float32Array,
  [left, right]: readonly [number, number],
  [top, bottom]: readonly [number, number],
) {
  return rows(top, bottom).flatMap((y) => [
    ...pixels.subarray(y * SIZE + column(left), y * SIZE + column(right) + 1),
  ])
}

function quantile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(part * values.length)]!
}

/** The pixels of a box around a place, as far as they are in the picture. */
function box(pixels: Float32Array, x: number, y: number, reachX: number, reachY: number): number[] {
  return Array.from({ length: 2 * reachY + 1 }, (_, i) => (y - reachY + i) * SIZE).flatMap((start) => [
    ...pixels.subarray(start + x - reachX, start + Math.min(x + reachX + 1, SIZE)),
  ])
}
