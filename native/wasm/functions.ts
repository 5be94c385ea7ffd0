/*
 * Constants are read from memory: engines make a vector constant anew wherever it is used, in four instructions and more.
 */

const enum C {
  one,
  minusHalf,
  log2e,
  shifter,
  ln2High,
  ln2Low,
  exp5,
  exp4,
  exp3,
  exp2,
  exp1,
  exp0,
  lowest,
  tailStep,
  tail8,
  tail7,
  tail6,
  tail5,
  tail4,
  tail3,
  tail2,
  tail1,
  tail0,
  density,
  sign,
  farthest,
}

/** Writes the constants of this file: a block of 128 bytes. */
export function writeConstants(at: usize): void {
  put(at, C.one, 1)
  put(at, C.minusHalf, -0.5)
  put(at, C.log2e, 1.44269504)
  put(at, C.shifter, 12582912)
  put(at, C.ln2High, 0.693359375)
  put(at, C.ln2Low, 2.12194440e-4)
  put(at, C.exp5, 1.9875691500e-4)
  put(at, C.exp4, 1.3981999507e-3)
  put(at, C.exp3, 8.3334519073e-3)
  put(at, C.exp2, 4.1665795894e-2)
  put(at, C.exp1, 1.6666665459e-1)
  put(at, C.exp0, 5.0000001201e-1)
  put(at, C.lowest, -87)
  put(at, C.tailStep, 0.35)
  put(at, C.tail8, -0.029114523902535439)
  put(at, C.tail7, 0.1438162922859192)
  put(at, C.tail6, -0.25538715720176697)
  put(at, C.tail5, 0.15879277884960175)
  put(at, C.tail4, -0.022841233760118484)
  put(at, C.tail3, 0.10539138317108154)
  put(at, C.tail2, 0.11986324191093445)
  put(at, C.tail1, 0.13985754549503326)
  put(at, C.tail0, 0.13962166011333466)
  put(at, C.density, 0.39894228)
  put(at, C.sign, -0.0)
  put(at, C.farthest, -1e4)
}

@inline function put(at: usize, i: C, value: f32): void { store<f32>(at + (<usize>i << 2), value) }
@inline function constant(table: usize, i: C): v128 { return v128.load32_splat(table + (<usize>i << 2)) }
/** `c + d x` of two constants: polynomials are sums of such, which a processor makes at once (Estrin 1960). */
@inline function line(table: usize, x: v128, c: C, d: C): v128 {
  return f32x4.add(constant(table, c), f32x4.mul(x, constant(table, d)))
}

/**
 * `exp(x)` of numbers from −87 to 87, within 2 units of the last place.
 *
 * `e^x = 2^n e^r` with `n` the nearest integer to `x / ln 2`: adding 1.5 · 2²³ rounds to it and leaves it in the lowest bits.
 * `e^r` is the minimax polynomial of Cephes' expf.
 *
 * @param table - {@link constants}, as everywhere here
 */
@inline function expWithin(x: v128, table: usize): v128 {
  const shifter = constant(table, C.shifter)
  const shifted = f32x4.add(f32x4.mul(x, constant(table, C.log2e)), shifter)
  const n = f32x4.sub(shifted, shifter)
  const high = f32x4.sub(x, f32x4.mul(n, constant(table, C.ln2High)))
  const r = f32x4.add(high, f32x4.mul(n, constant(table, C.ln2Low)))
  return i32x4.add(expOfRest(r, table), i32x4.shl(shifted, 23))
}

/** `e^r` of what is left. */
@inline function expOfRest(r: v128, table: usize): v128 {
  const r2 = f32x4.mul(r, r)
  const low = line(table, r, C.exp0, C.exp1), middle = line(table, r, C.exp2, C.exp3)
  const p = f32x4.add(low, f32x4.mul(r2, f32x4.add(middle, f32x4.mul(r2, line(table, r, C.exp4, C.exp5)))))
  return f32x4.add(f32x4.add(constant(table, C.one), r), f32x4.mul(r2, p))
}

/** `exp(x)` of numbers up to 87; 0 below −87. */
@inline export function expOfNegative(x: v128, table: usize): v128 {
  return v128.andnot(expWithin(x, table), f32x4.lt(x, constant(table, C.lowest)))
}

/** {@link expOfNegative} of two vectors, to memory. Step by step, as {@link storeXLogistics}. */
@inline export function storeExpsOfNegatives(to: usize, a: v128, b: v128, table: usize): void {
  const shifter = constant(table, C.shifter), log2e = constant(table, C.log2e)
  const shiftedA = f32x4.add(f32x4.mul(a, log2e), shifter), shiftedB = f32x4.add(f32x4.mul(b, log2e), shifter)
  const nA = f32x4.sub(shiftedA, shifter), nB = f32x4.sub(shiftedB, shifter)
  const high = constant(table, C.ln2High), low = constant(table, C.ln2Low)
  const rA = f32x4.add(f32x4.sub(a, f32x4.mul(nA, high)), f32x4.mul(nA, low))
  const rB = f32x4.add(f32x4.sub(b, f32x4.mul(nB, high)), f32x4.mul(nB, low))
  const eA = expOfRest(rA, table), eB = expOfRest(rB, table)
  const lowest = constant(table, C.lowest)
  v128.store(to, v128.andnot(i32x4.add(eA, i32x4.shl(shiftedA, 23)), f32x4.lt(a, lowest)))
  v128.store(to, v128.andnot(i32x4.add(eB, i32x4.shl(shiftedB, 23)), f32x4.lt(b, lowest)), 16)
}

/** `1 + exp(−x)`, which is finite. */
@inline function onePlusExp(x: v128, table: usize): v128 {
  const lowest = constant(table, C.lowest), sign = constant(table, C.sign)
  const within = f32x4.pmin(f32x4.pmax(x, lowest), v128.xor(lowest, sign))
  return f32x4.add(constant(table, C.one), expWithin(v128.xor(within, sign), table))
}

/** `σ(x) = 1 / (1 + exp(−x))`; 1.6e-38 below −87. */
@inline export function logistic(x: v128, table: usize): v128 {
  return f32x4.div(constant(table, C.one), onePlusExp(x, table))
}

/** `x σ(s x)` from `s x`. */
@inline export function xLogistic(x: v128, scaled: v128, table: usize): v128 {
  return f32x4.div(notTooLow(x, table), onePlusExp(scaled, table))
}

/**
 * {@link xLogistic} of two vectors, to memory. Step by step for both: a processor looks only so far ahead, and would wait for
 * the first.
 */
@inline export function storeXLogistics(
  to: usize, a: v128, b: v128, scaledA: v128, scaledB: v128, table: usize,
): void {
  const lowest = constant(table, C.lowest), sign = constant(table, C.sign), highest = v128.xor(lowest, sign)
  const xA = v128.xor(f32x4.pmin(f32x4.pmax(scaledA, lowest), highest), sign)
  const xB = v128.xor(f32x4.pmin(f32x4.pmax(scaledB, lowest), highest), sign)
  const shifter = constant(table, C.shifter), log2e = constant(table, C.log2e)
  const shiftedA = f32x4.add(f32x4.mul(xA, log2e), shifter), shiftedB = f32x4.add(f32x4.mul(xB, log2e), shifter)
  const nA = f32x4.sub(shiftedA, shifter), nB = f32x4.sub(shiftedB, shifter)
  const high = constant(table, C.ln2High), low = constant(table, C.ln2Low)
  const rA = f32x4.add(f32x4.sub(xA, f32x4.mul(nA, high)), f32x4.mul(nA, low))
  const rB = f32x4.add(f32x4.sub(xB, f32x4.mul(nB, high)), f32x4.mul(nB, low))
  const eA = expOfRest(rA, table), eB = expOfRest(rB, table)
  const one = constant(table, C.one)
  const sumA = f32x4.add(one, i32x4.add(eA, i32x4.shl(shiftedA, 23)))
  const sumB = f32x4.add(one, i32x4.add(eB, i32x4.shl(shiftedB, 23)))
  v128.store(to, f32x4.div(notTooLow(a, table), sumA))
  v128.store(to, f32x4.div(notTooLow(b, table), sumB), 16)
}

/** `x`, or what times {@link logistic} is nothing for all that is below. */
@inline export function notTooLow(x: v128, table: usize): v128 { return f32x4.pmax(x, constant(table, C.farthest)) }

/** `exp(−x² / 2)`. */
@inline export function bell(x: v128, table: usize): v128 {
  return expOfNegative(f32x4.mul(f32x4.mul(x, x), constant(table, C.minusHalf)), table)
}

/**
 * `Φ(x)` of the standard normal distribution, within 3 units of the last place in both tails. The tail is
 * `exp(−x² / 2) R(|x|)` with `R` a polynomial of `t = 1 / (1 + 0.35 |x|)`, fitted by `fit-tail.py`.
 *
 * @param bellOfX - `exp(−x² / 2)`
 */
@inline export function normalCdf(x: v128, bellOfX: v128, table: usize): v128 {
  const one = constant(table, C.one)
  const t = f32x4.div(one, f32x4.add(one, f32x4.mul(v128.andnot(x, constant(table, C.sign)), constant(table, C.tailStep))))
  const tail = f32x4.mul(f32x4.mul(tailOf(t, table), t), bellOfX)
  return v128.bitselect(f32x4.sub(one, tail), tail, f32x4.gt(x, f32x4.splat(0)))
}

/** `R / t` of {@link normalCdf}. */
@inline function tailOf(t: v128, table: usize): v128 {
  const t2 = f32x4.mul(t, t), t4 = f32x4.mul(t2, t2)
  const low = f32x4.add(line(table, t, C.tail0, C.tail1), f32x4.mul(t2, line(table, t, C.tail2, C.tail3)))
  const high = f32x4.add(line(table, t, C.tail4, C.tail5), f32x4.mul(t2, line(table, t, C.tail6, C.tail7)))
  return f32x4.add(low, f32x4.mul(t4, f32x4.add(high, f32x4.mul(t4, constant(table, C.tail8)))))
}

/**
 * `a x Φ(x)` of two vectors each, to memory, by {@link normalCdf}. Step by step, as {@link storeXLogistics}.
 */
@inline export function storeTimesGelus(to: usize, a: v128, b: v128, xA: v128, xB: v128, table: usize): void {
  const one = constant(table, C.one), sign = constant(table, C.sign), step = constant(table, C.tailStep)
  const tA = f32x4.div(one, f32x4.add(one, f32x4.mul(v128.andnot(xA, sign), step)))
  const tB = f32x4.div(one, f32x4.add(one, f32x4.mul(v128.andnot(xB, sign), step)))
  const minusHalf = constant(table, C.minusHalf)
  storeExpsOfNegatives(to, f32x4.mul(f32x4.mul(xA, xA), minusHalf), f32x4.mul(f32x4.mul(xB, xB), minusHalf), table)
  const tailA = f32x4.mul(f32x4.mul(tailOf(tA, table), tA), v128.load(to))
  const tailB = f32x4.mul(f32x4.mul(tailOf(tB, table), tB), v128.load(to, 16))
  const zero = f32x4.splat(0)
  const cdfA = v128.bitselect(f32x4.sub(one, tailA), tailA, f32x4.gt(xA, zero))
  const cdfB = v128.bitselect(f32x4.sub(one, tailB), tailB, f32x4.gt(xB, zero))
  v128.store(to, f32x4.mul(a, f32x4.mul(xA, cdfA)))
  v128.store(to, f32x4.mul(b, f32x4.mul(xB, cdfB)), 16)
}

/** `φ(x)` of the standard normal distribution from `exp(−x² / 2)`. */
@inline export function normalDensity(bellOfX: v128, table: usize): v128 {
  return f32x4.mul(bellOfX, constant(table, C.density))
}

/** The natural logarithm of a positive number, within 2 units of the last place: `ln m 2^n = n ln 2 + 2 artanh((m − 1) / (m + 1))`. */
export function log(x: f32): f32 {
  // With m between √½ and √2.
  const bits = reinterpret<i32>(x) - 0x3f3504f3
  const n = bits >> 23
  const m = <f64>reinterpret<f32>((bits & 0x7fffff) + 0x3f3504f3)
  const z = (m - 1) / (m + 1), z2 = z * z
  const series = z * (2 + z2 * (2.0 / 3 + z2 * (2.0 / 5 + z2 * (2.0 / 7 + z2 * (2.0 / 9)))))
  return <f32>(<f64>n * 0.6931471805599453 + series)
}

@inline export function sumOf(v: v128): f32 {
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3))
}
