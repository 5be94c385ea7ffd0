import { sumOf } from './functions'
import { Job } from './jobs'
import { jobArguments, numbersAtOnce, partsOf, runAll } from './pool'

@unmanaged
class LayerNorm {
  dy: usize = 0
  x: usize = 0
  weight: usize = 0
  bias: usize = 0
  out: usize = 0
  rows: usize = 0
  width: usize = 0
  rowsAtOnce: usize = 0
  epsilon: f32 = 0
}

function run(
  job: Job, dy: usize, x: usize, weight: usize, bias: usize, rows: usize, width: usize, epsilon: f32, out: usize,
): void {
  const all = changetype<LayerNorm>(jobArguments())
  all.dy = dy
  all.x = x
  all.weight = weight
  all.bias = bias
  all.rows = rows
  all.width = width
  all.epsilon = epsilon
  all.out = out
  all.rowsAtOnce = max<usize>(1, numbersAtOnce / width)
  runAll(job, <i32>partsOf(rows, all.rowsAtOnce))
}

/** `y = (x − μ) / √(σ² + ε) · weight + bias`, row by row. */
export function layerNorm(
  x: usize, weight: usize, bias: usize, rows: usize, width: usize, epsilon: f32, y: usize,
): void {
  run(Job.layerNorm, 0, x, weight, bias, rows, width, epsilon, y)
}

/** With `n` the normalised row and `dn = dy w`: `dx = (dn − mean(dn) − n mean(dn n)) / √(σ² + ε)`. */
export function layerNormGrad(
  dy: usize, x: usize, weight: usize, rows: usize, width: usize, epsilon: f32, dx: usize,
): void {
  run(Job.layerNormGrad, dy, x, weight, 0, rows, width, epsilon, dx)
}

function meanOf(row: usize, width: usize): f32 {
  const end = row + (width << 2)
  let sums = f32x4.splat(0), at = row
  for (; at + 16 <= end; at += 16) sums = f32x4.add(sums, v128.load(at))
  let sum = sumOf(sums)
  for (; at < end; at += 4) sum += load<f32>(at)
  return sum / <f32>width
}

function inverseOf(row: usize, width: usize, mean: f32, epsilon: f32): f32 {
  const end = row + (width << 2), centre = f32x4.splat(mean)
  let sums = f32x4.splat(0), at = row
  for (; at + 16 <= end; at += 16) {
    const apart = f32x4.sub(v128.load(at), centre)
    sums = f32x4.add(sums, f32x4.mul(apart, apart))
  }
  let sum = sumOf(sums)
  for (; at < end; at += 4) sum += (load<f32>(at) - mean) * (load<f32>(at) - mean)
  return 1 / Mathf.sqrt(sum / <f32>width + epsilon)
}

export function layerNormChunk(chunk: i32): void {
  const all = changetype<LayerNorm>(jobArguments()), width = all.width, bytes = width << 2
  const first = <usize>chunk * all.rowsAtOnce, end = min(all.rows, first + all.rowsAtOnce)
  for (let row = first; row < end; row++) {
    const x = all.x + row * bytes, y = all.out + row * bytes
    const mean = meanOf(x, width), inverse = inverseOf(x, width, mean, all.epsilon)
    const means = f32x4.splat(mean), inverses = f32x4.splat(inverse)
    let i: usize = 0
    for (; i + 16 <= bytes; i += 16) {
      const n = f32x4.mul(f32x4.sub(v128.load(x + i), means), inverses)
      v128.store(y + i, f32x4.add(f32x4.mul(n, v128.load(all.weight + i)), v128.load(all.bias + i)))
    }
    for (; i < bytes; i += 4)
      store<f32>(y + i, (load<f32>(x + i) - mean) * inverse * load<f32>(all.weight + i) + load<f32>(all.bias + i))
  }
}

export function layerNormGradChunk(chunk: i32): void {
  const all = changetype<LayerNorm>(jobArguments()), width = all.width, bytes = width << 2
  const first = <usize>chunk * all.rowsAtOnce, end = min(all.rows, first + all.rowsAtOnce)
  for (let row = first; row < end; row++) {
    const x = all.x + row * bytes, dy = all.dy + row * bytes, dx = all.out + row * bytes
    const mean = meanOf(x, width), inverse = inverseOf(x, width, mean, all.epsilon)
    const means = f32x4.splat(mean), inverses = f32x4.splat(inverse)
    let sums = f32x4.splat(0), products = sums
    let i: usize = 0
    for (; i + 16 <= bytes; i += 16) {
      const dn = f32x4.mul(v128.load(dy + i), v128.load(all.weight + i))
      sums = f32x4.add(sums, dn)
      products = f32x4.add(products, f32x4.mul(dn, f32x4.mul(f32x4.sub(v128.load(x + i), means), inverses)))
    }
    let sum = sumOf(sums), product = sumOf(products)
    for (; i < bytes; i += 4) {
      const dn = load<f32>(dy + i) * load<f32>(all.weight + i)
      sum += dn
      product += dn * (load<f32>(x + i) - mean) * inverse
    }
    const average = sum / <f32>width, along = product / <f32>width
    const averages = f32x4.splat(average), alongs = f32x4.splat(along)
    for (i = 0; i + 16 <= bytes; i += 16) {
      const dn = f32x4.mul(v128.load(dy + i), v128.load(all.weight + i))
      const n = f32x4.mul(f32x4.sub(v128.load(x + i), means), inverses)
      v128.store(dx + i, f32x4.mul(f32x4.sub(f32x4.sub(dn, averages), f32x4.mul(n, alongs)), inverses))
    }
    for (; i < bytes; i += 4) {
      const dn = load<f32>(dy + i) * load<f32>(all.weight + i)
      store<f32>(dx + i, (dn - average - (load<f32>(x + i) - mean) * inverse * along) * inverse)
    }
  }
}
