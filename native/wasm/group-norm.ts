import { storeXLogistics, xLogistic } from './functions'
import { Job } from './jobs'
import { constants, jobArguments, partsOf, room, runAll, scratchOf, threads } from './pool'

/*
 * A chunk is some groups of a sample: some neighbouring channels of all its pixels. Sums over pixels are one number per
 * channel, in float32 for a stretch of pixels and in doubles over the stretches.
 */

@unmanaged
class GroupNorm {
  dy: usize = 0
  x: usize = 0
  weight: usize = 0
  bias: usize = 0
  mean: usize = 0
  inverse: usize = 0
  out: usize = 0
  dWeight: usize = 0
  dBias: usize = 0
  pixels: usize = 0
  channels: usize = 0
  groups: usize = 0
  groupsAtOnce: usize = 0
  blocks: usize = 0
  epsilon: f32 = 0
  silu: bool = false
  scratch: usize = 0
  scratchBytes: usize = 0
}

const stretch: usize = 64
// A line of the cache, several times.
const channelsAtOnce: usize = 32

/** Groups that are whole vectors together, two by two. */
@inline function wholeGroups(width: usize): usize { return 8 >> min(3, ctz(width)) }

@inline function share(all: GroupNorm, batch: usize, job: Job): void {
  const width = all.channels / all.groups
  const whole = wholeGroups(width)
  all.groupsAtOnce = min(all.groups, max(whole, channelsAtOnce / width / whole * whole))
  all.blocks = partsOf(all.groups, all.groupsAtOnce)
  // Per channel: two doubles, and three numbers for the pass that writes.
  all.scratchBytes = all.groupsAtOnce * width * 28 + 63 & ~63
  all.scratch = room(all.scratchBytes * threads)
  runAll(job, <i32>(batch * all.blocks))
}

/**
 * `y = (x − μ) / √(σ² + ε) · weight + bias`, `μ` and `σ²` of a sample's groups; `inverse` is `1 / √(σ² + ε)`.
 *
 * @param silu - whether it is `y σ(y)` that is written
 * @param mean - at 0 neither it nor `inverse` is written
 */
export function groupNorm(
  x: usize, weight: usize, bias: usize, batch: usize, pixels: usize, channels: usize, groups: usize, epsilon: f32,
  silu: bool, y: usize, mean: usize, inverse: usize,
): void {
  const all = changetype<GroupNorm>(jobArguments())
  all.x = x
  all.weight = weight
  all.bias = bias
  all.pixels = pixels
  all.channels = channels
  all.groups = groups
  all.epsilon = epsilon
  all.silu = silu
  all.out = y
  all.mean = mean
  all.inverse = inverse
  share(all, batch, Job.groupNorm)
}

/**
 * With `n` the normalised pixels and ⟨·⟩ the mean over a group: `dx = (w dy − ⟨w dy⟩ − n ⟨w dy n⟩) / √(σ² + ε)`.
 *
 * @param dWeight - `[batch, channels]`: sums of `dy n` over the pixels
 * @param dBias - `[batch, channels]`: sums of `dy`
 */
export function groupNormGrad(
  dy: usize, x: usize, weight: usize, mean: usize, inverse: usize,
  batch: usize, pixels: usize, channels: usize, groups: usize, dx: usize, dWeight: usize, dBias: usize,
): void {
  const all = changetype<GroupNorm>(jobArguments())
  all.dy = dy
  all.x = x
  all.weight = weight
  all.mean = mean
  all.inverse = inverse
  all.pixels = pixels
  all.channels = channels
  all.groups = groups
  all.out = dx
  all.dWeight = dWeight
  all.dBias = dBias
  share(all, batch, Job.groupNormGrad)
}

@inline function addTo(sums: usize, channel: usize, v: f32): void {
  store<f64>(sums + (channel << 3), load<f64>(sums + (channel << 3)) + <f64>v)
}

@inline function addLanes(sums: usize, channel: usize, v: v128): void {
  const at = sums + (channel << 3)
  v128.store(at, f64x2.add(v128.load(at), f64x2.promote_low_f32x4(v)))
  v128.store(at + 16, f64x2.add(v128.load(at + 16), f64x2.promote_low_f32x4(i32x4.shuffle(v, v, 2, 3, 2, 3))))
}

// Sums of the numbers of each channel, or of the squares of what they are apart from the channel's centre.
function channelSums(
  x: usize, pixels: usize, step: usize, channels: usize, centres: usize, squares: bool, sums: usize,
): void {
  memory.fill(sums, 0, channels << 3)
  for (let first: usize = 0; first < pixels; first += stretch) {
    const begin = x + first * step, end = x + min(pixels, first + stretch) * step
    let c: usize = 0
    for (; c + 4 <= channels; c += 4) {
      let sum = f32x4.splat(0)
      const offset = c << 2
      if (squares) {
        const centre = v128.load(centres + offset)
        for (let at = begin + offset; at < end; at += step) {
          const apart = f32x4.sub(v128.load(at), centre)
          sum = f32x4.add(sum, f32x4.mul(apart, apart))
        }
      } else {
        for (let at = begin + offset; at < end; at += step) sum = f32x4.add(sum, v128.load(at))
      }
      addLanes(sums, c, sum)
    }
    for (; c < channels; c++) {
      let sum: f32 = 0
      const centre = squares ? load<f32>(centres + (c << 2)) : 0
      for (let at = begin + (c << 2); at < end; at += step) {
        const apart = load<f32>(at) - centre
        sum += squares ? apart * apart : apart
      }
      addTo(sums, c, sum)
    }
  }
}

@inline function fill(at: usize, count: usize, value: f32): void {
  for (let i: usize = 0; i < count; i++) store<f32>(at + (i << 2), value)
}

function groupMean(sums: usize, width: usize, count: f64): f64 {
  let sum: f64 = 0
  for (let c: usize = 0; c < width; c++) sum += load<f64>(sums + (c << 3))
  return sum / count
}

export function groupNormChunk(chunk: i32, thread: i32): void {
  const all = changetype<GroupNorm>(jobArguments())
  const width = all.channels / all.groups, step = all.channels << 2
  const sample = <usize>chunk / all.blocks, firstGroup = <usize>chunk % all.blocks * all.groupsAtOnce
  const groups = min(all.groupsAtOnce, all.groups - firstGroup), channels = groups * width
  const firstChannel = firstGroup * width
  const x = all.x + sample * all.pixels * step + (firstChannel << 2)
  const y = all.out + sample * all.pixels * step + (firstChannel << 2)
  const sums = scratchOf(all.scratch, all.scratchBytes, thread)
  const factors = sums + (channels << 3), terms = factors + (channels << 2)
  const count = <f64>(all.pixels * width)

  channelSums(x, all.pixels, step, channels, 0, false, sums)
  for (let g: usize = 0; g < groups; g++) {
    const mean = <f32>groupMean(sums + (g * width << 3), width, count)
    if (all.mean) store<f32>(all.mean + (sample * all.groups + firstGroup + g << 2), mean)
    fill(terms + (g * width << 2), width, mean)
  }
  channelSums(x, all.pixels, step, channels, terms, true, sums)
  for (let g: usize = 0; g < groups; g++) {
    const variance = groupMean(sums + (g * width << 3), width, count)
    const inverse = <f32>(1 / Math.sqrt(variance + <f64>all.epsilon))
    if (all.mean) store<f32>(all.inverse + (sample * all.groups + firstGroup + g << 2), inverse)
    for (let c = g * width; c < (g + 1) * width; c++) {
      const factor = load<f32>(all.weight + (firstChannel + c << 2)) * inverse
      const mean = load<f32>(terms + (c << 2))
      store<f32>(factors + (c << 2), factor)
      store<f32>(terms + (c << 2), load<f32>(all.bias + (firstChannel + c << 2)) - mean * factor)
    }
  }
  if (all.silu) scale(x, y, all.pixels, step, channels, factors, terms, true)
  else scale(x, y, all.pixels, step, channels, factors, terms, false)
}

/** `y = factor x + term` of every channel, or its SiLU. */
@inline function scale(
  x: usize, y: usize, pixels: usize, step: usize, channels: usize, factors: usize, terms: usize, silu: bool,
): void {
  const table = constants()
  for (let p: usize = 0; p < pixels; p++, x += step, y += step) {
    let c: usize = 0
    if (silu) {
      for (; c + 8 <= channels; c += 8) {
        const at = c << 2
        const a = f32x4.add(f32x4.mul(v128.load(x + at), v128.load(factors + at)), v128.load(terms + at))
        const b = f32x4.add(f32x4.mul(v128.load(x + at, 16), v128.load(factors + at, 16)), v128.load(terms + at, 16))
        storeXLogistics(y + at, a, b, a, b, table)
      }
    }
    for (; c + 4 <= channels; c += 4) {
      const at = c << 2
      const n = f32x4.add(f32x4.mul(v128.load(x + at), v128.load(factors + at)), v128.load(terms + at))
      v128.store(y + at, silu ? xLogistic(n, n, table) : n)
    }
    for (; c < channels; c++) {
      const at = c << 2
      let n = load<f32>(x + at) * load<f32>(factors + at) + load<f32>(terms + at)
      if (silu) n = f32x4.extract_lane(xLogistic(f32x4.splat(n), f32x4.splat(n), table), 0)
      store<f32>(y + at, n)
    }
  }
}

// Sums over the pixels of `dy` and of `dy (x − μ)`.
function gradientSums(
  dy: usize, x: usize, pixels: usize, step: usize, channels: usize, centres: usize, sums: usize, products: usize,
): void {
  memory.fill(sums, 0, channels << 3)
  memory.fill(products, 0, channels << 3)
  const across = x - dy
  for (let first: usize = 0; first < pixels; first += stretch) {
    const begin = dy + first * step, end = dy + min(pixels, first + stretch) * step
    let c: usize = 0
    for (; c + 4 <= channels; c += 4) {
      const centre = v128.load(centres + (c << 2))
      let sum = f32x4.splat(0), product = sum
      for (let at = begin + (c << 2); at < end; at += step) {
        const d = v128.load(at)
        sum = f32x4.add(sum, d)
        product = f32x4.add(product, f32x4.mul(d, f32x4.sub(v128.load(at + across), centre)))
      }
      addLanes(sums, c, sum)
      addLanes(products, c, product)
    }
    for (; c < channels; c++) {
      const centre = load<f32>(centres + (c << 2))
      let sum: f32 = 0, product: f32 = 0
      for (let at = begin + (c << 2); at < end; at += step) {
        const d = load<f32>(at)
        sum += d
        product += d * (load<f32>(at + across) - centre)
      }
      addTo(sums, c, sum)
      addTo(products, c, product)
    }
  }
}

export function groupNormGradChunk(chunk: i32, thread: i32): void {
  const all = changetype<GroupNorm>(jobArguments())
  const width = all.channels / all.groups, step = all.channels << 2
  const sample = <usize>chunk / all.blocks, firstGroup = <usize>chunk % all.blocks * all.groupsAtOnce
  const groups = min(all.groupsAtOnce, all.groups - firstGroup), channels = groups * width
  const firstChannel = firstGroup * width
  const offset = sample * all.pixels * step + (firstChannel << 2)
  const dy = all.dy + offset, x = all.x + offset, dx = all.out + offset
  const sums = scratchOf(all.scratch, all.scratchBytes, thread)
  const products = sums + (channels << 3)
  const factors = products + (channels << 3), slopes = factors + (channels << 2), terms = slopes + (channels << 2)
  const count = <f64>(all.pixels * width)
  const numbers = sample * all.groups + firstGroup << 2

  for (let g: usize = 0; g < groups; g++)
    fill(terms + (g * width << 2), width, load<f32>(all.mean + numbers + (g << 2)))
  gradientSums(dy, x, all.pixels, step, channels, terms, sums, products)
  // dx = factor dy + slope x + term, a number of each per channel.
  for (let g: usize = 0; g < groups; g++) {
    const mean = <f64>load<f32>(all.mean + numbers + (g << 2))
    const inverse = <f64>load<f32>(all.inverse + numbers + (g << 2))
    let ofProducts: f64 = 0, ofSums: f64 = 0
    for (let c = g * width; c < (g + 1) * width; c++) {
      const channel = firstChannel + c, weight = <f64>load<f32>(all.weight + (channel << 2))
      const product = load<f64>(products + (c << 3)) * inverse, sum = load<f64>(sums + (c << 3))
      store<f32>(all.dWeight + (sample * all.channels + channel << 2), <f32>product)
      store<f32>(all.dBias + (sample * all.channels + channel << 2), <f32>sum)
      ofProducts += weight * product
      ofSums += weight * sum
    }
    const slope = -inverse * inverse * ofProducts / count
    for (let c = g * width; c < (g + 1) * width; c++) {
      const weight = <f64>load<f32>(all.weight + (firstChannel + c << 2))
      store<f32>(factors + (c << 2), <f32>(weight * inverse))
      store<f32>(slopes + (c << 2), <f32>slope)
      store<f32>(terms + (c << 2), <f32>(-mean * slope - inverse * ofSums / count))
    }
  }
  for (let p: usize = 0; p < all.pixels; p++) {
    const at = p * step
    let c: usize = 0
    for (; c + 4 <= channels; c += 4) {
      const i = c << 2
      const own = f32x4.mul(v128.load(dy + at + i), v128.load(factors + i))
      const along = f32x4.mul(v128.load(x + at + i), v128.load(slopes + i))
      v128.store(dx + at + i, f32x4.add(f32x4.add(own, along), v128.load(terms + i)))
    }
    for (; c < channels; c++) {
      const i = c << 2
      const own = load<f32>(dy + at + i) * load<f32>(factors + i)
      store<f32>(dx + at + i, own + load<f32>(x + at + i) * load<f32>(slopes + i) + load<f32>(terms + i))
    }
  }
}
