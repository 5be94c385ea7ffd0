import { Job } from './jobs'
import { expOfNegative, log, storeExpsOfNegatives, sumOf } from './functions'
import { multiply, nothing, packedBytes, packMatrix, Pixels, pixelsBytes, strip, turn } from './product'
import { constants, jobArguments, partsOf, room, runAll, scratchOf, threads } from './pool'

/*
 * Dao et al. 2022, "FlashAttention": the scores of some queries are made, used and forgotten in the cache. A head is a matrix
 * whose rows lie `channels` apart.
 */

@unmanaged
class Attention {
  q: usize = 0
  k: usize = 0
  v: usize = 0
  out: usize = 0
  logSums: usize = 0
  dOut: usize = 0
  dq: usize = 0
  dk: usize = 0
  dv: usize = 0
  heads: usize = 0
  queries: usize = 0
  keys: usize = 0
  depth: usize = 0
  blocks: usize = 0
  scale: f32 = 0
  causal: bool = false
  scratch: usize = 0
  scratchBytes: usize = 0
  packed: usize = 0
  packedBytes: usize = 0
}

const queriesAtOnce: usize = 16
// A block of the gradient is also the depth of two of its products.
const queriesOfGrad: usize = 32

@inline function padded(count: usize): usize { return count + 7 & ~7 }
/** Where the head's channels of a sample's first token are. */
@inline function headOf(all: Attention, x: usize, tokens: usize, map: usize): usize {
  return x + (map / all.heads * tokens * all.heads + map % all.heads) * (all.depth << 2)
}
@inline function tokenBytes(all: Attention): usize { return all.heads * all.depth << 2 }

/** What both jobs are told. */
@inline function jobOf(
  q: usize, k: usize, v: usize, out: usize, logSums: usize,
  heads: usize, queries: usize, keys: usize, depth: usize, scale: f32, causal: bool,
): Attention {
  const all = changetype<Attention>(jobArguments())
  all.q = q
  all.k = k
  all.v = v
  all.out = out
  all.logSums = logSums
  all.heads = heads
  all.queries = queries
  all.keys = keys
  all.depth = depth
  all.scale = scale
  all.causal = causal
  return all
}

/**
 * `softmax(scale Q Kᵀ) V` of every head.
 *
 * @param logSums - `[batch, heads, queries]`: logarithms of the softmax's sums; at 0 they are not written
 */
export function attention(
  q: usize, k: usize, v: usize, batch: usize, heads: usize, queries: usize, keys: usize, depth: usize,
  scale: f32, causal: bool, out: usize, logSums: usize,
): void {
  const all = jobOf(q, k, v, out, logSums, heads, queries, keys, depth, scale, causal)
  all.blocks = partsOf(queries, queriesAtOnce)
  all.packedBytes = packedBytes(depth, keys) + packedBytes(keys, depth)
  all.scratchBytes = pixelsBytes + (queriesAtOnce * (padded(keys) + 1) << 2) + 63 & ~63
  const maps = batch * heads
  all.packed = room(maps * all.packedBytes + threads * all.scratchBytes)
  all.scratch = all.packed + maps * all.packedBytes
  runAll(Job.attentionPack, <i32>maps)
  runAll(Job.attention, <i32>(maps * all.blocks))
}

export function attentionPackChunk(chunk: i32): void {
  const all = changetype<Attention>(jobArguments())
  const map = <usize>chunk, keys = all.keys, depth = all.depth, step = tokenBytes(all)
  const to = all.packed + map * all.packedBytes
  packMatrix(headOf(all, all.k, keys, map), depth, keys, 4, step, to)
  packMatrix(headOf(all, all.v, keys, map), keys, depth, step, 4, to + packedBytes(depth, keys))
}

/** Rows of a matrix as pixels of one line. */
@inline function rowsOf(a: Pixels, at: usize, count: usize, step: usize, depth: usize): Pixels {
  a.at = at
  a.width = count
  a.pixelStep = step
  a.lineStep = 0
  a.segments = 1
  a.segmentStep = 0
  a.run = depth << 2
  return a
}

export function attentionChunk(chunk: i32, thread: i32): void {
  const all = changetype<Attention>(jobArguments())
  const map = <usize>chunk / all.blocks, first = <usize>chunk % all.blocks * queriesAtOnce
  const keys = all.keys, depth = all.depth, step = tokenBytes(all)
  const count = min(queriesAtOnce, all.queries - first)
  const scratch = scratchOf(all.scratch, all.scratchBytes, thread)
  const a = changetype<Pixels>(scratch)
  const scores = scratch + pixelsBytes, scoreStep = padded(keys) << 2
  const turnedKeys = all.packed + map * all.packedBytes, values = turnedKeys + packedBytes(depth, keys)

  rowsOf(a, headOf(all, all.q, all.queries, map) + first * step, count, step, depth)
  multiply(a, count, turnedKeys, depth * strip << 2, keys, 0, scores, scoreStep, nothing)
  const sums = scores + queriesAtOnce * scoreStep
  for (let i: usize = 0; i < count; i++) {
    const seen = all.causal ? min(keys, first + i + 1) : keys
    const logSum = all.logSums ? all.logSums + (map * all.queries + first + i << 2) : 0
    store<f32>(sums + (i << 2), exponentials(scores + i * scoreStep, seen, keys, all.scale, logSum))
  }
  rowsOf(a, scores, count, scoreStep, keys)
  const out = headOf(all, all.out, all.queries, map) + first * step
  multiply(a, count, values, keys * strip << 2, depth, 0, out, step, nothing)
  // There are fewer channels than keys.
  for (let i: usize = 0; i < count; i++) divide(out + i * step, depth, load<f32>(sums + (i << 2)))
}

function divide(row: usize, count: usize, divisor: f32): void {
  const share: f32 = 1 / divisor, shares = f32x4.splat(share), end = row + (count << 2)
  for (; row + 16 <= end; row += 16) v128.store(row, f32x4.mul(v128.load(row), shares))
  for (; row < end; row += 4) store<f32>(row, load<f32>(row) * share)
}

/**
 * Exponentials of what scores, times their scale, are apart from the largest, in their place; none for those from `seen` on.
 *
 * @param logSum - where the logarithm of the sum of the scores' own exponentials goes; at 0 nowhere
 * @returns the sum
 */
function exponentials(scores: usize, seen: usize, keys: usize, scale: f32, logSum: usize): f32 {
  const end = scores + (seen << 2), even = scores + ((seen & ~3) << 2)
  let most = f32x4.splat(-f32.MAX_VALUE)
  let at = scores
  for (; at < even; at += 16) most = f32x4.pmax(most, v128.load(at))
  let peak = max(max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
                 max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)))
  for (; at < end; at += 4) peak = max(peak, load<f32>(at))
  // What is beyond the last key counts for nothing in the sum.
  for (at = end; at < scores + (padded(keys) << 2); at += 4) store<f32>(at, -Infinity)

  const factor = f32x4.splat(scale), centre = f32x4.splat(peak)
  const table = constants()
  let sums = f32x4.splat(0)
  for (at = scores; at < end; at += 32) {
    const a = f32x4.mul(f32x4.sub(v128.load(at), centre), factor)
    const b = f32x4.mul(f32x4.sub(v128.load(at, 16), centre), factor)
    storeExpsOfNegatives(at, a, b, table)
    sums = f32x4.add(sums, f32x4.add(v128.load(at), v128.load(at, 16)))
  }
  for (at = end; at < scores + (keys << 2); at += 4) store<f32>(at, 0)
  const sum = sumOf(sums)
  if (logSum) store<f32>(logSum, scale * peak + log(sum))
  return sum
}

/**
 * The gradient: with `P` the probabilities and `D` the row sums of `dO ∘ O` it is `dS = scale P ∘ (dO Vᵀ − D)`,
 * `dQ = dS K`, `dK = dSᵀ Q` and `dV = Pᵀ dO`. Scores are made turned, a row for each key.
 */
export function attentionGrad(
  dOut: usize, q: usize, k: usize, v: usize, out: usize, logSums: usize,
  batch: usize, heads: usize, queries: usize, keys: usize, depth: usize,
  scale: f32, causal: bool, dq: usize, dk: usize, dv: usize,
): void {
  const all = jobOf(q, k, v, out, logSums, heads, queries, keys, depth, scale, causal)
  all.dOut = dOut
  all.dq = dq
  all.dk = dk
  all.dv = dv
  const blocks = (keys * 3 + 1) * (queriesOfGrad << 2)
  const packs = packedBytes(keys, depth) + (packedBytes(depth, queriesOfGrad) + packedBytes(queriesOfGrad, depth)) * 2
  all.scratchBytes = pixelsBytes + blocks + packs + 63 & ~63
  all.scratch = room(threads * all.scratchBytes)
  runAll(Job.attentionGrad, <i32>(batch * heads))
}

export function attentionGradChunk(chunk: i32, thread: i32): void {
  const all = changetype<Attention>(jobArguments())
  const map = <usize>chunk, keys = all.keys, depth = all.depth, step = tokenBytes(all)
  const wide = queriesOfGrad << 2, square = keys * wide
  const scratch = scratchOf(all.scratch, all.scratchBytes, thread)
  const a = changetype<Pixels>(scratch)
  const probabilities = scratch + pixelsBytes
  const dScores = probabilities + square
  const turned = dScores + square
  const own = turned + square
  const packedKeys = own + wide
  const turnedQueries = packedKeys + packedBytes(keys, depth)
  const turnedDOut = turnedQueries + packedBytes(depth, queriesOfGrad)
  const packedQueries = turnedDOut + packedBytes(depth, queriesOfGrad)
  const packedDOut = packedQueries + packedBytes(queriesOfGrad, depth)
  const k = headOf(all, all.k, keys, map), v = headOf(all, all.v, keys, map)
  const dk = headOf(all, all.dk, keys, map), dv = headOf(all, all.dv, keys, map)
  packMatrix(k, keys, depth, step, 4, packedKeys)

  for (let first: usize = 0; first < all.queries; first += queriesOfGrad) {
    const count = min(queriesOfGrad, all.queries - first)
    const q = headOf(all, all.q, all.queries, map) + first * step
    const out = headOf(all, all.out, all.queries, map) + first * step
    const dOut = headOf(all, all.dOut, all.queries, map) + first * step
    packMatrix(q, depth, count, 4, step, turnedQueries)
    packMatrix(dOut, depth, count, 4, step, turnedDOut)
    packMatrix(q, count, depth, step, 4, packedQueries)
    packMatrix(dOut, count, depth, step, 4, packedDOut)
    for (let i: usize = 0; i < count; i++) store<f32>(own + (i << 2), dot(dOut + i * step, out + i * step, depth))

    rowsOf(a, k, keys, step, depth)
    multiply(a, keys, turnedQueries, depth * strip << 2, count, 0, probabilities, wide, nothing)
    rowsOf(a, v, keys, step, depth)
    multiply(a, keys, turnedDOut, depth * strip << 2, count, 0, dScores, wide, nothing)
    const logSums = all.logSums + (map * all.queries + first << 2)
    for (let key: usize = 0; key < keys; key++) {
      const unseen = all.causal && key > first ? key - first : 0
      scoreGradients(probabilities + key * wide, dScores + key * wide, count, unseen, logSums, own, all.scale)
    }
    // What the queries before came to is in its place already.
    const before: usize = first > 0 ? 0 : nothing
    rowsOf(a, probabilities, keys, wide, count)
    multiply(a, keys, packedDOut, count * strip << 2, depth, 0, dv, step, before)
    rowsOf(a, dScores, keys, wide, count)
    multiply(a, keys, packedQueries, count * strip << 2, depth, 0, dk, step, before)
    turn(dScores, keys, queriesOfGrad, turned)
    rowsOf(a, turned, count, keys << 2, keys)
    const dq = headOf(all, all.dq, all.queries, map) + first * step
    multiply(a, count, packedKeys, keys * strip << 2, depth, 0, dq, step, nothing)
  }
}

// A key's probabilities and gradients of scores in place of its scores and `dO Vᵀ`; none for the first `unseen` queries.
function scoreGradients(
  scores: usize, dScores: usize, queries: usize, unseen: usize, logSums: usize, own: usize, scale: f32,
): void {
  const factor = f32x4.splat(scale), table = constants()
  let i: usize = 0
  for (; i + 4 <= queries; i += 4) {
    const at = i << 2
    const p = expOfNegative(f32x4.sub(f32x4.mul(v128.load(scores + at), factor), v128.load(logSums + at)), table)
    v128.store(scores + at, p)
    const d = f32x4.sub(v128.load(dScores + at), v128.load(own + at))
    v128.store(dScores + at, f32x4.mul(f32x4.mul(p, d), factor))
  }
  for (; i < queries; i++) {
    const at = i << 2
    const logit = load<f32>(scores + at) * scale - load<f32>(logSums + at)
    const p = f32x4.extract_lane(expOfNegative(f32x4.splat(logit), table), 0)
    store<f32>(scores + at, p)
    store<f32>(dScores + at, p * (load<f32>(dScores + at) - load<f32>(own + at)) * scale)
  }
  for (i = 0; i < min(unseen, queries); i++) {
    store<f32>(scores + (i << 2), 0)
    store<f32>(dScores + (i << 2), 0)
  }
}

function dot(a: usize, b: usize, count: usize): f32 {
  let sum: f32 = 0
  for (let i: usize = 0; i < count; i++) sum += load<f32>(a + (i << 2)) * load<f32>(b + (i << 2))
  return sum
}
