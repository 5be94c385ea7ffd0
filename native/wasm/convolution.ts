import { copy } from './copy'
import { Job } from './jobs'
import { multiply, nothing, Pixels, pixelsBytes, strip, together } from './product'
import { jobArguments, partsOf, room, runAll, scratchOf, threads } from './pool'

/*
 * A convolution is a product whose left rows are windows of the map: of channels-last maps the rows of a window lie each in one
 * piece, so that no window is written out. A stretch of the map is copied with its border of zeros, where there is one.
 */

@unmanaged
class Convolution {
  x: usize = 0
  height: usize = 0
  width: usize = 0
  channels: usize = 0
  kernelHeight: usize = 0
  kernelWidth: usize = 0
  stride: usize = 0
  top: usize = 0
  left: usize = 0
  padded: bool = false
  outHeight: usize = 0
  outWidth: usize = 0
  outChannels: usize = 0
  filter: usize = 0
  filterSample: usize = 0
  bias: usize = 0
  biasSample: usize = 0
  y: usize = 0
  plus: usize = 0
  // A chunk: so many samples, lines, pixels of a line, and strips of the filter; and how many of them.
  samples: usize = 0
  samplesAtOnce: usize = 0
  linesAtOnce: usize = 0
  pixelsAtOnce: usize = 0
  stripsAtOnce: usize = 0
  lineBlocks: usize = 0
  pixelBlocks: usize = 0
  stripBlocks: usize = 0
  scratch: usize = 0
  /** Of a sample's windows. */
  sampleBytes: usize = 0
}

// What a chunk reads stays in the cache; and it takes much longer than to hand it out.
const pixelsOfChunk: usize = 64
const fewestProducts: usize = 1 << 18

/**
 * `y[n, i, j, o] = Σ x[n, i s − top + u, j s − left + v, c] filter[u, v, c, o] + bias[o]`. A product of matrices is a
 * convolution of a map of one line by a kernel of one pixel.
 *
 * @param filter - packed as a matrix `[kernelHeight · kernelWidth · channels, outChannels]`
 * @param filterSample - bytes from one sample's filter to the next's; 0 if all have the same
 * @param bias - one number per channel of the result; at 0 there is none
 * @param biasSample - bytes from one sample's bias to the next's; 0 if all have the same
 * @param plus - of the result's shape, added to it; at 0 there is none
 */
export function convolve(
  x: usize, batch: usize, height: usize, width: usize, channels: usize,
  kernelHeight: usize, kernelWidth: usize, stride: usize, top: usize, left: usize,
  outHeight: usize, outWidth: usize, outChannels: usize,
  filter: usize, filterSample: usize, bias: usize, biasSample: usize, plus: usize, y: usize,
): void {
  const all = changetype<Convolution>(jobArguments())
  const paddedWidth = (outWidth - 1) * stride + kernelWidth
  all.padded = top > 0 || left > 0 || paddedWidth > width || (outHeight - 1) * stride + kernelHeight > height
  all.x = x
  all.height = height
  all.width = width
  all.channels = channels
  all.kernelHeight = kernelHeight
  all.kernelWidth = kernelWidth
  all.stride = stride
  all.top = top
  all.left = left
  all.outHeight = outHeight
  all.outWidth = outWidth
  all.outChannels = outChannels
  all.filter = filter
  all.filterSample = filterSample
  all.bias = bias
  all.biasSample = biasSample
  all.y = y
  all.plus = plus ? plus - y : nothing

  const pixels = min(outWidth, pixelsOfChunk)
  const lines = min(outHeight, max<usize>(1, pixelsOfChunk / pixels))
  const strips = partsOf(outChannels, strip)
  // Small maps have a strip of the filter in common while it is in the cache.
  const samples = filterSample == 0 ? min(batch, max<usize>(1, pixelsOfChunk / (outHeight * outWidth))) : 1
  all.samples = batch
  all.samplesAtOnce = samples
  all.pixelsAtOnce = pixels
  all.linesAtOnce = lines
  all.lineBlocks = partsOf(outHeight, lines)
  all.pixelBlocks = partsOf(outWidth, pixels)
  const blocks = partsOf(batch, samples) * all.lineBlocks * all.pixelBlocks
  let stripsAtOnce = strips
  if (threads > 1) {
    const parts = max<usize>(1, 4 * threads / blocks)
    const products = kernelHeight * kernelWidth * channels * strip * pixels * lines * samples
    stripsAtOnce = min(strips, max(partsOf(strips, parts), partsOf(fewestProducts, products)))
  }
  all.stripsAtOnce = stripsAtOnce
  all.stripBlocks = partsOf(strips, stripsAtOnce)
  const copied = all.padded
    ? ((lines - 1) * stride + kernelHeight) * ((pixels - 1) * stride + kernelWidth) * channels << 2
    : 0
  all.sampleBytes = pixelsBytes + copied + 63 & ~63
  all.scratch = room(all.sampleBytes * samples * threads)
  runAll(Job.convolve, <i32>(blocks * all.stripBlocks))
}

export function convolveChunk(chunk: i32, thread: i32): void {
  const all = changetype<Convolution>(jobArguments())
  const stripBlock = <usize>chunk % all.stripBlocks
  let rest = <usize>chunk / all.stripBlocks
  const firstPixel = rest % all.pixelBlocks * all.pixelsAtOnce
  rest /= all.pixelBlocks
  const firstLine = rest % all.lineBlocks * all.linesAtOnce
  const firstSample = rest / all.lineBlocks * all.samplesAtOnce
  const samples = min(all.samplesAtOnce, all.samples - firstSample)
  const lines = min(all.linesAtOnce, all.outHeight - firstLine)
  const pixels = min(all.pixelsAtOnce, all.outWidth - firstPixel)
  const scratch = scratchOf(all.scratch, all.sampleBytes * all.samplesAtOnce, thread)
  for (let i: usize = 0; i < samples; i++) {
    const a = changetype<Pixels>(scratch + i * all.sampleBytes)
    windowsOf(all, firstSample + i, firstLine, firstPixel, lines, pixels, a)
  }

  const firstColumn = stripBlock * all.stripsAtOnce * strip
  const depth = all.kernelHeight * all.kernelWidth * all.channels
  const outStep = all.outChannels << 2, sampleStep = all.outHeight * all.outWidth * outStep
  // A chunk of whole lines is one stretch of the result; otherwise it is one line.
  const at = (firstSample * all.outHeight + firstLine) * all.outWidth + firstPixel
  const end = min(all.outChannels, firstColumn + all.stripsAtOnce * strip)
  for (let column = firstColumn; column < end; column += together) {
    const filter = all.filter + firstSample * all.filterSample + column * (depth << 2)
    const y = all.y + at * outStep + (column << 2)
    for (let i: usize = 0; i < samples; i++) {
      const a = changetype<Pixels>(scratch + i * all.sampleBytes)
      const bias = all.bias ? all.bias + (firstSample + i) * all.biasSample + (column << 2) : 0
      multiply(a, lines * pixels, filter, depth * strip << 2, min(end - column, together), bias, y + i * sampleStep, outStep, all.plus)
    }
  }
}

// The windows of some pixels of the result; where there is a border, of a copy behind what is returned.
function windowsOf(
  all: Convolution, sample: usize, firstLine: usize, firstPixel: usize, lines: usize, pixels: usize, a: Pixels,
): void {
  const pixelBytes = all.channels << 2
  const map = all.x + sample * all.height * all.width * pixelBytes
  let mapLine = all.width * pixelBytes
  if (all.padded) {
    a.at = changetype<usize>(a) + pixelsBytes
    mapLine = ((pixels - 1) * all.stride + all.kernelWidth) * pixelBytes
    copyWithBorder(all, map, firstLine, firstPixel, lines, a.at, mapLine)
  } else {
    a.at = map + firstLine * all.stride * mapLine + firstPixel * all.stride * pixelBytes
  }
  a.width = pixels
  a.pixelStep = all.stride * pixelBytes
  a.lineStep = all.stride * mapLine
  a.segments = all.kernelHeight
  a.segmentStep = mapLine
  a.run = all.kernelWidth * pixelBytes
}

// The stretch of the map that some pixels of the result see; what is outside the map is 0.
function copyWithBorder(
  all: Convolution, map: usize, firstLine: usize, firstPixel: usize, lines: usize, to: usize, lineBytes: usize,
): void {
  const pixelBytes = all.channels << 2
  const pixels = <isize>(lineBytes / pixelBytes)
  const begin = <isize>(firstPixel * all.stride) - <isize>all.left
  const from = max<isize>(begin, 0), end = min<isize>(begin + pixels, <isize>all.width)
  const before = <usize>(from - begin) * pixelBytes
  const inside = <usize>max<isize>(end - from, 0) * pixelBytes
  const count = (lines - 1) * all.stride + all.kernelHeight
  let line = <isize>(firstLine * all.stride) - <isize>all.top
  for (let i: usize = 0; i < count; i++, line++, to += lineBytes) {
    if (line < 0 || line >= <isize>all.height || inside == 0) {
      memory.fill(to, 0, lineBytes)
      continue
    }
    memory.fill(to, 0, before)
    copy(map + (<usize>line * all.width + <usize>from) * pixelBytes, to + before, inside)
    memory.fill(to + before + inside, 0, lineBytes - before - inside)
  }
}
