import { jobArguments, partsOf, runAll } from './pool'
import { Job } from './jobs'

/*
 * Products of matrices, and convolutions as products: a tile of the result is four pixels by eight channels, which with what
 * is multiplied fills the sixteen registers of a processor. The right matrix is packed beforehand, eight columns after eight
 * columns, each strip row by row, so that the tile reads it in order.
 */

/** Columns of a tile. */
export const strip: usize = 8
/** Columns that are made of some pixels before the next pixels' turn. */
export const together: usize = 4 * strip

/** Bytes of a packed matrix. */
export function packedBytes(depth: usize, columns: usize): usize {
  return partsOf(columns, strip) * strip * depth << 2
}

/**
 * Where the pixels of a left matrix lie. A pixel's numbers are `segments` runs of `run` bytes, `segmentStep` apart: for a
 * convolution the rows of its window, for a product a single one.
 */
@unmanaged
export class Pixels {
  at: usize = 0
  /** Pixels of a line, and bytes from one to the next and from line to line. */
  width: usize = 0
  pixelStep: usize = 0
  lineStep: usize = 0
  segments: usize = 0
  segmentStep: usize = 0
  run: usize = 0
}

/** Room for {@link Pixels}, with which a thread's scratch begins. */
export const pixelsBytes: usize = 64

/** No distance between two places of numbers. */
export const nothing: usize = 1

/**
 * `c[p, j] = Σ a[p, k] b[k, j] + bias[j] + d[p, j]` of some pixels and columns.
 *
 * @param a - pixels of the left matrix
 * @param count - of pixels
 * @param b - strips of the right matrix, packed
 * @param stripBytes - of a whole strip, with what is not multiplied here
 * @param columns - of the result
 * @param bias - one number per column; at 0 there is none
 * @param c - of the first pixel
 * @param cStep - bytes from pixel to pixel
 * @param plus - bytes from `c` to `d`, which lies as `c` does; {@link nothing} where there is none
 */
export function multiply(
  a: Pixels,
  count: usize,
  b: usize,
  stripBytes: usize,
  columns: usize,
  bias: usize,
  c: usize,
  cStep: usize,
  plus: usize,
): void {
  const last = count - 1
  const width = a.width
  const pixelStep = a.pixelStep
  const nextLine = a.lineStep - width * pixelStep
  // Strips side by side are lines of the cache of the result, which are written while they are there.
  for (let column: usize = 0; column < columns; column += together) {
    const some = min(columns - column, together)
    let x: usize = 0
    let at = a.at
    for (let p: usize = 0; p < count; p += 4) {
      // A tile beyond the last pixel makes that one again.
      const a0 = at
      if (p < last) { at += pixelStep; if (++x == width) { x = 0; at += nextLine } }
      const a1 = at
      if (p + 1 < last) { at += pixelStep; if (++x == width) { x = 0; at += nextLine } }
      const a2 = at
      if (p + 2 < last) { at += pixelStep; if (++x == width) { x = 0; at += nextLine } }
      const a3 = at
      if (p + 3 < last) { at += pixelStep; if (++x == width) { x = 0; at += nextLine } }
      const c0 = c + p * cStep
      const c1 = p < last ? c0 + cStep : c0
      const c2 = p + 1 < last ? c1 + cStep : c1
      const c3 = p + 2 < last ? c2 + cStep : c2
      for (let j: usize = 0, skip: usize = 0, strips = b; j < some; j += strip, skip += strip << 2, strips += stripBytes)
        tile(
          a0, a1, a2, a3, a.segments, a.segmentStep, a.run, strips, some - j, bias ? bias + skip : 0,
          c0 + skip, c1 + skip, c2 + skip, c3 + skip, plus,
        )
    }
    b += together / strip * stripBytes
    c += together << 2
    if (bias) bias += together << 2
  }
}

function tile(
  a0: usize, a1: usize, a2: usize, a3: usize,
  segments: usize, segmentStep: usize, run: usize,
  b: usize, columns: usize, bias: usize,
  c0: usize, c1: usize, c2: usize, c3: usize,
  plus: usize,
): void {
  let s00 = f32x4.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00
  if (bias) {
    s00 = loadSome(bias, columns); s01 = loadSome(bias + 16, columns - 4)
    s10 = s00; s11 = s01; s20 = s00; s21 = s01; s30 = s00; s31 = s01
  }
  if (plus != nothing) {
    s00 = addSome(s00, c0 + plus, columns); s01 = addSome(s01, c0 + plus + 16, columns - 4)
    s10 = addSome(s10, c1 + plus, columns); s11 = addSome(s11, c1 + plus + 16, columns - 4)
    s20 = addSome(s20, c2 + plus, columns); s21 = addSome(s21, c2 + plus + 16, columns - 4)
    s30 = addSome(s30, c3 + plus, columns); s31 = addSome(s31, c3 + plus + 16, columns - 4)
  }
  for (; segments > 0; segments--) {
    const end = a0 + run
    while (a0 < end) {
      const b0 = v128.load(b), b1 = v128.load(b, 16)
      let x = v128.load32_splat(a0)
      s00 = f32x4.add(s00, f32x4.mul(x, b0)); s01 = f32x4.add(s01, f32x4.mul(x, b1))
      x = v128.load32_splat(a1)
      s10 = f32x4.add(s10, f32x4.mul(x, b0)); s11 = f32x4.add(s11, f32x4.mul(x, b1))
      x = v128.load32_splat(a2)
      s20 = f32x4.add(s20, f32x4.mul(x, b0)); s21 = f32x4.add(s21, f32x4.mul(x, b1))
      x = v128.load32_splat(a3)
      s30 = f32x4.add(s30, f32x4.mul(x, b0)); s31 = f32x4.add(s31, f32x4.mul(x, b1))
      a0 += 4; a1 += 4; a2 += 4; a3 += 4
      b += 32
    }
    const skip = segmentStep - run
    a0 += skip; a1 += skip; a2 += skip; a3 += skip
  }
  storeSome(c0, s00, columns); storeSome(c0 + 16, s01, columns - 4)
  storeSome(c1, s10, columns); storeSome(c1 + 16, s11, columns - 4)
  storeSome(c2, s20, columns); storeSome(c2 + 16, s21, columns - 4)
  storeSome(c3, s30, columns); storeSome(c3 + 16, s31, columns - 4)
}

@inline function addSome(to: v128, at: usize, count: usize): v128 { return f32x4.add(to, loadSome(at, count)) }

/** The first of up to four numbers; none of fewer than one. */
@inline function loadSome(at: usize, count: usize): v128 {
  return <isize>count >= 4 ? v128.load(at) : loadFew(at, <isize>count)
}

function loadFew(at: usize, count: isize): v128 {
  let some = f32x4.splat(0)
  if (count > 0) some = v128.load32_zero(at)
  if (count > 1) some = f32x4.replace_lane(some, 1, load<f32>(at, 4))
  if (count > 2) some = f32x4.replace_lane(some, 2, load<f32>(at, 8))
  return some
}

@inline function storeSome(at: usize, some: v128, count: usize): void {
  if (<isize>count >= 4) v128.store(at, some)
  else storeFew(at, some, <isize>count)
}

function storeFew(at: usize, some: v128, count: isize): void {
  if (count > 0) store<f32>(at, f32x4.extract_lane(some, 0))
  if (count > 1) store<f32>(at, f32x4.extract_lane(some, 1), 4)
  if (count > 2) store<f32>(at, f32x4.extract_lane(some, 2), 8)
}

/**
 * Packs a matrix `[depth, columns]`.
 *
 * @param depthStep - bytes from row to row
 * @param columnStep - bytes from column to column; one of the two is 4
 */
export function packMatrix(
  b: usize, depth: usize, columns: usize, depthStep: usize, columnStep: usize, to: usize,
): void {
  for (let column: usize = 0; column < columns; column += strip) {
    const here = b + column * columnStep
    const some = min(columns - column, strip)
    if (columnStep == 4) packRows(here, depth, some, depthStep, to)
    else packColumns(here, depth, some, columnStep, to)
    to += depth * strip << 2
  }
}

function packRows(b: usize, depth: usize, columns: usize, depthStep: usize, to: usize): void {
  for (let k: usize = 0; k < depth; k++) {
    v128.store(to, loadSome(b, columns))
    v128.store(to, loadSome(b + 16, columns - 4), 16)
    b += depthStep
    to += strip << 2
  }
}

// Columns that lie in one piece are turned, four by four.
function packColumns(b: usize, depth: usize, columns: usize, columnStep: usize, to: usize): void {
  if (columns < strip) memory.fill(to, 0, depth * strip << 2)
  const squares = depth & ~3
  for (let column: usize = 0; column < columns; ) {
    const from = b + column * columnStep
    const end = to + (column << 2)
    let k: usize = 0
    if (columns - column >= 4) {
      for (; k < squares; k += 4) turnSquare(from + (k << 2), columnStep, end + (k * strip << 2), strip << 2)
      for (; k < depth; k++)
        for (let j: usize = 0; j < 4; j++)
          store<f32>(end + (k * strip + j << 2), load<f32>(from + j * columnStep + (k << 2)))
      column += 4
    } else {
      for (; k < depth; k++) store<f32>(end + (k * strip << 2), load<f32>(from + (k << 2)))
      column++
    }
  }
}

/** The transpose of four rows of four numbers. */
@inline function turnSquare(from: usize, fromStep: usize, to: usize, toStep: usize): void {
  const r0 = v128.load(from), r1 = v128.load(from + fromStep)
  const r2 = v128.load(from + 2 * fromStep), r3 = v128.load(from + 3 * fromStep)
  const low01 = i32x4.shuffle(r0, r1, 0, 4, 1, 5), low23 = i32x4.shuffle(r2, r3, 0, 4, 1, 5)
  const high01 = i32x4.shuffle(r0, r1, 2, 6, 3, 7), high23 = i32x4.shuffle(r2, r3, 2, 6, 3, 7)
  v128.store(to, i32x4.shuffle(low01, low23, 0, 1, 4, 5))
  v128.store(to + toStep, i32x4.shuffle(low01, low23, 2, 3, 6, 7))
  v128.store(to + 2 * toStep, i32x4.shuffle(high01, high23, 0, 1, 4, 5))
  v128.store(to + 3 * toStep, i32x4.shuffle(high01, high23, 2, 3, 6, 7))
}

/** The transpose of a matrix, rows and columns as they lie. */
export function turn(from: usize, rows: usize, columns: usize, to: usize): void {
  const fromStep = columns << 2, toStep = rows << 2
  const squareRows = rows & ~3, squareColumns = columns & ~3
  for (let i: usize = 0; i < squareRows; i += 4) {
    for (let j: usize = 0; j < squareColumns; j += 4)
      turnSquare(from + i * fromStep + (j << 2), fromStep, to + j * toStep + (i << 2), toStep)
  }
  for (let i: usize = 0; i < rows; i++) {
    for (let j = i < squareRows ? squareColumns : 0; j < columns; j++)
      store<f32>(to + j * toStep + (i << 2), load<f32>(from + i * fromStep + (j << 2)))
  }
}

@unmanaged
class Packing {
  b: usize = 0
  bSample: usize = 0
  depth: usize = 0
  columns: usize = 0
  turned: bool = false
  to: usize = 0
}

/**
 * Packs matrices that lie one after the other.
 *
 * @param turned - whether they are stored as `[columns, depth]`
 */
export function pack(b: usize, matrices: i32, depth: usize, columns: usize, turned: bool, to: usize): void {
  const all = changetype<Packing>(jobArguments())
  all.b = b
  all.bSample = depth * columns << 2
  all.depth = depth
  all.columns = columns
  all.turned = turned
  all.to = to
  runAll(Job.pack, matrices * <i32>partsOf(columns, strip))
}

export function packChunk(chunk: i32): void {
  const all = changetype<Packing>(jobArguments())
  const depth = all.depth, columns = all.columns
  const strips = partsOf(columns, strip)
  const matrix = <usize>chunk / strips, column = <usize>chunk % strips * strip
  const from = all.b + matrix * all.bSample
  const to = all.to + (matrix * strips * strip + column) * (depth << 2)
  const some = min(columns - column, strip)
  if (all.turned) packMatrix(from + column * (depth << 2), depth, some, 4, depth << 2, to)
  else packMatrix(from + (column << 2), depth, some, columns << 2, 4, to)
}
