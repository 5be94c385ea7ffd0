import { bell, logistic, normalCdf, normalDensity, notTooLow, storeTimesGelus, storeXLogistics, xLogistic } from './functions'
import { Job } from './jobs'
import { constants, jobArguments, numbersAtOnce, partsOf, runAll } from './pool'

@unmanaged
class Elements {
  dy: usize = 0
  x: usize = 0
  out: usize = 0
  size: usize = 0
  /** Of a row of the result. */
  width: usize = 0
  scale: f32 = 0
}

function run(job: Job, dy: usize, x: usize, out: usize, size: usize, width: usize, scale: f32): void {
  const all = changetype<Elements>(jobArguments())
  all.dy = dy
  all.x = x
  all.out = out
  all.size = size
  all.width = width
  all.scale = scale
  const each = rowsAtOnce(width) * width
  runAll(job, <i32>partsOf(size, each))
}

@inline function rowsAtOnce(width: usize): usize { return max<usize>(1, numbersAtOnce / width) }

/** `y = x σ(scale x)`. */
export function swish(x: usize, size: usize, scale: f32, y: usize): void {
  run(Job.swish, 0, x, y, size, 1, scale)
}
/** `dx = dy (σ + scale x σ (1 − σ))`. */
export function swishGrad(dy: usize, x: usize, size: usize, scale: f32, dx: usize): void {
  run(Job.swishGrad, dy, x, dx, size, 1, scale)
}
/** `y = x Φ(x)`. */
export function gelu(x: usize, size: usize, y: usize): void {
  run(Job.gelu, 0, x, y, size, 1, 0)
}
/** `dx = dy (Φ(x) + x φ(x))`. */
export function geluGrad(dy: usize, x: usize, size: usize, dx: usize): void {
  run(Job.geluGrad, dy, x, dx, size, 1, 0)
}
/** `y = a b Φ(b)` of rows `[a, b]`, `width` each. */
export function geglu(x: usize, rows: usize, width: usize, y: usize): void {
  run(Job.geglu, 0, x, y, rows * width, width, 0)
}
/** `da = dy b Φ(b)`, `db = dy a (Φ(b) + b φ(b))`. */
export function gegluGrad(dy: usize, x: usize, rows: usize, width: usize, dx: usize): void {
  run(Job.gegluGrad, dy, x, dx, rows * width, width, 0)
}

@inline function swishOf(x: v128, scale: v128, table: usize): v128 { return xLogistic(x, f32x4.mul(x, scale), table) }

// σ + s x σ (1 − σ)
@inline function swishSlope(x: v128, scale: v128, table: usize): v128 {
  const scaled = notTooLow(f32x4.mul(x, scale), table), s = logistic(scaled, table)
  return f32x4.add(s, f32x4.mul(scaled, f32x4.sub(s, f32x4.mul(s, s))))
}

@inline function geluOf(x: v128, table: usize): v128 { return f32x4.mul(x, normalCdf(x, bell(x, table), table)) }

@inline function geluSlope(x: v128, table: usize): v128 {
  const b = bell(x, table)
  return f32x4.add(normalCdf(x, b, table), f32x4.mul(x, normalDensity(b, table)))
}

// Numbers that do not fill a vector are one with three copies.
@inline function put(at: usize, v: v128): void { store<f32>(at, f32x4.extract_lane(v, 0)) }

export function swishChunk(chunk: i32): void { forwards(chunk, true) }
export function geluChunk(chunk: i32): void { forwards(chunk, false) }
export function swishGradChunk(chunk: i32): void { backwards(chunk, true) }
export function geluGradChunk(chunk: i32): void { backwards(chunk, false) }

// Inlined, so that which of the two it is is not asked in the loop.
@inline function valueOf(x: v128, swish: bool, scale: v128, table: usize): v128 {
  return swish ? swishOf(x, scale, table) : geluOf(x, table)
}

@inline function slopeOf(x: v128, swish: bool, scale: v128, table: usize): v128 {
  return swish ? swishSlope(x, scale, table) : geluSlope(x, table)
}

@inline function forwards(chunk: i32, swish: bool): void {
  const all = changetype<Elements>(jobArguments()), table = constants(), scale = f32x4.splat(all.scale)
  const x = all.x, out = all.out
  let i = <usize>chunk * numbersAtOnce
  const end = min(all.size, i + numbersAtOnce)
  if (swish) {
    for (; i + 8 <= end; i += 8) {
      const a = v128.load(x + (i << 2)), b = v128.load(x + (i << 2), 16)
      storeXLogistics(out + (i << 2), a, b, f32x4.mul(a, scale), f32x4.mul(b, scale), table)
    }
  }
  for (; i + 4 <= end; i += 4) v128.store(out + (i << 2), valueOf(v128.load(x + (i << 2)), swish, scale, table))
  for (; i < end; i++) put(out + (i << 2), valueOf(v128.load32_splat(x + (i << 2)), swish, scale, table))
}

@inline function backwards(chunk: i32, swish: bool): void {
  const all = changetype<Elements>(jobArguments()), table = constants(), scale = f32x4.splat(all.scale)
  let i = <usize>chunk * numbersAtOnce
  const end = min(all.size, i + numbersAtOnce)
  for (; i + 4 <= end; i += 4) {
    const at = i << 2, slope = slopeOf(v128.load(all.x + at), swish, scale, table)
    v128.store(all.out + at, f32x4.mul(v128.load(all.dy + at), slope))
  }
  for (; i < end; i++) {
    const at = i << 2, slope = slopeOf(v128.load32_splat(all.x + at), swish, scale, table)
    put(all.out + at, f32x4.mul(v128.load32_splat(all.dy + at), slope))
  }
}

export function gegluChunk(chunk: i32): void {
  const all = changetype<Elements>(jobArguments()), table = constants(), width = all.width, rowBytes = width << 2
  const first = <usize>chunk * rowsAtOnce(width), rows = all.size / width
  for (let row = first; row < min(rows, first + rowsAtOnce(width)); row++) {
    let a = all.x + 2 * row * rowBytes, y = all.out + row * rowBytes
    const end = a + rowBytes
    for (; a + 32 <= end; a += 32, y += 32) {
      const gate = a + rowBytes
      storeTimesGelus(y, v128.load(a), v128.load(a, 16), v128.load(gate), v128.load(gate, 16), table)
    }
    for (; a + 16 <= end; a += 16, y += 16)
      v128.store(y, f32x4.mul(v128.load(a), geluOf(v128.load(a + rowBytes), table)))
    for (; a < end; a += 4, y += 4)
      put(y, f32x4.mul(v128.load32_splat(a), geluOf(v128.load32_splat(a + rowBytes), table)))
  }
}

export function gegluGradChunk(chunk: i32): void {
  const all = changetype<Elements>(jobArguments()), table = constants(), width = all.width, rowBytes = width << 2
  const first = <usize>chunk * rowsAtOnce(width), rows = all.size / width
  for (let row = first; row < min(rows, first + rowsAtOnce(width)); row++) {
    let a = all.x + 2 * row * rowBytes, da = all.out + 2 * row * rowBytes, dy = all.dy + row * rowBytes
    const end = a + rowBytes
    for (; a + 16 <= end; a += 16, da += 16, dy += 16) {
      const b = v128.load(a + rowBytes), d = v128.load(dy)
      v128.store(da, f32x4.mul(d, geluOf(b, table)))
      v128.store(da + rowBytes, f32x4.mul(f32x4.mul(d, v128.load(a)), geluSlope(b, table)))
    }
    for (; a < end; a += 4, da += 4, dy += 4) {
      const b = v128.load32_splat(a + rowBytes), d = v128.load32_splat(dy)
      put(da, f32x4.mul(d, geluOf(b, table)))
      put(da + rowBytes, f32x4.mul(f32x4.mul(d, v128.load32_splat(a)), geluSlope(b, table)))
    }
  }
}
