import type * as tf from '@tensorflow/tfjs'
import { multiply } from './product.js'
import { flatGroups, groupsOfThreads, type Program, type ProgramBackend, runProgram } from './program.js'
import { flatGroup, lines, once, perThread, range } from './wgsl.js'

/** How attention is computed. */
export interface Heads {
  readonly heads: number
  readonly scale: number
  readonly causal: boolean
}

type Inputs<Name extends string> = Readonly<Record<Name, tf.TensorInfo>>

/** A query and what it gathers must lie in the registers of a thread. */
const deepestQuery = 160

/**
 * `softmax(Q Kᵀ s) V`, and the logarithms of the softmax's sums `[batch, heads, queries]`; both owned by the caller.
 *
 * Every thread takes a query past all keys, a few at a time, and scales what it gathered down when it meets a larger score
 * (Milakov & Gimelshein 2018; Dao et al. 2022): scores are never written. Heads too deep for that go by products.
 */
export function attention(
  backend: ProgramBackend,
  { q, k, v }: Inputs<'q' | 'k' | 'v'>,
  options: Heads,
): readonly tf.TensorInfo[] {
  const { heads, scale, causal } = options
  const [batch, queries, channels] = q.shape as [number, number, number]
  const depth = channels / heads
  if (depth % 4 !== 0 || depth > deepestQuery) return attentionByProducts(backend, { q, k, v }, options)
  const each = depth <= deepestPair && queries * batch * heads >= manyQueries ? 2 : 1
  return runProgram(backend, flashProgram(depth / 4, each), {
    inputs: [q, k, v],
    shapes: [q.shape, [batch, heads, queries]],
    sizes: [queries, k.shape[1]!, heads, channels / 4, Number(causal)],
    reals: [scale],
    groups: [Math.ceil(queries / flashThreads / each), batch * heads, 1],
  })
}

const flashThreads = 64
const keysAtOnce = 8
const sharedBytes = 2 ** 14
/** Two queries to a thread read keys and values half as often; their numbers must lie in its registers. */
const deepestPair = 48
const manyQueries = 2 ** 14

const flash = once<Program>()

const flashProgram = (quads: number, each: number): Program =>
  flash(`${quads},${each}`, () => makeFlash(quads, each))

function makeFlash(quads: number, each: number): Program {
  const keys = Math.max(keysAtOnce, 2 ** Math.floor(Math.log2(sharedBytes / (2 * 16 * quads))))
  const [parts, eight] = [range(quads), range(keysAtOnce)]
  const forEach = (of: (query: number) => string) => lines(range(each), of)
  const score = (query: number, key: number) =>
    parts.map((j) => `dot(query${query}_${j}, keyTile[first + ${key * quads + j}u])`).join(' + ')
  const scores = (query: number, half: number) => `select(
        vec4f(lowest),
        vec4f(${range(4)
          .map((key) => score(query, 4 * half + key))
          .join(',\n          ')}),
        vec4i(${4 * half}, ${4 * half + 1}, ${4 * half + 2}, ${4 * half + 3}) < vec4i(i32(seen${query}) - i32(tile + i)),
      )`
  const gathered = (query: number, j: number) =>
    eight
      .map((key) => `p${query}_${key >> 2}[${key % 4}] * valueTile[first + ${key * quads + j}u]`)
      .join(' + ')
  return {
    name: 'Attention',
    inputs: { q: 'vec4f', k: 'vec4f', v: 'vec4f' },
    outputs: { out: 'vec4f', logSums: 'f32' },
    sizes: ['queries', 'keys', 'heads', 'quads', 'causal'],
    reals: ['scale'],
    code: `
var<workgroup> keyTile: array<vec4f, ${keys * quads}>;
var<workgroup> valueTile: array<vec4f, ${keys * quads}>;
const lowest = -3.4028234e38;

@compute @workgroup_size(${flashThreads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let head = group.y % sizes.heads;
  let batch = group.y / sizes.heads;
  // Powers of 2 are the device's own.
  let factor = sizes.scale * 1.4426950408889634;
  ${forEach(
    (n) => `let query${n} = group.x * ${flashThreads * each}u + ${flashThreads * n}u + thread;
  let at${n} = (batch * sizes.queries + min(query${n}, sizes.queries - 1u)) * sizes.quads + head * ${quads}u;
  let seen${n} = select(sizes.keys, min(sizes.keys, query${n} + 1u), sizes.causal == 1u);
  ${lines(parts, (j) => `let query${n}_${j} = q[at${n} + ${j}u] * factor; var sum${n}_${j} = vec4f();`)}
  var most${n} = lowest;
  var total${n} = 0.0;`,
  )}
  let end = select(sizes.keys, min(sizes.keys, (group.x + 1u) * ${flashThreads * each}u), sizes.causal == 1u);
  for (var tile = 0u; tile < end; tile += ${keys}u) {
    workgroupBarrier();
    for (var e = thread; e < ${keys * quads}u; e += ${flashThreads}u) {
      let key = tile + e / ${quads}u;
      let place = (batch * sizes.keys + key) * sizes.quads + head * ${quads}u + e % ${quads}u;
      if (key < sizes.keys) {
        keyTile[e] = k[place];
        valueTile[e] = v[place];
      } else {
        keyTile[e] = vec4f();
        valueTile[e] = vec4f();
      }
    }
    workgroupBarrier();
    for (var i = 0u; i < ${keys}u && tile + i < end; i += ${keysAtOnce}u) {
      let first = i * ${quads}u;
      ${forEach(
        (n) => `let s${n}_0 = ${scores(n, 0)};
      let s${n}_1 = ${scores(n, 1)};
      let high${n} = max(s${n}_0, s${n}_1);
      let now${n} = max(most${n}, max(max(high${n}.x, high${n}.y), max(high${n}.z, high${n}.w)));
      let shrink${n} = exp2(most${n} - now${n});
      let p${n}_0 = exp2(s${n}_0 - now${n});
      let p${n}_1 = exp2(s${n}_1 - now${n});
      total${n} = total${n} * shrink${n} + dot(p${n}_0 + p${n}_1, vec4f(1.0));
      most${n} = now${n};`,
      )}
      ${lines(parts, (j) => forEach((n) => `sum${n}_${j} = sum${n}_${j} * shrink${n} + ${gathered(n, j)};`))}
    }
  }
  ${forEach(
    (n) => `if (query${n} < sizes.queries) {
    ${lines(parts, (j) => `out[at${n} + ${j}u] = sum${n}_${j} / total${n};`)}
    logSums[group.y * sizes.queries + query${n}] = (most${n} + log2(total${n})) * 0.6931471805599453;
  }`,
  )}
}`,
  }
}

/** Bytes of scores that are there at once. */
const blockBytes = 2 ** 27

/** Some rows of some heads of one sample. */
interface Block {
  readonly sample: number
  readonly head: number
  readonly heads: number
  readonly row: number
  readonly rows: number
}

interface Sides {
  readonly batch: number
  readonly heads: number
  readonly queries: number
  readonly keys: number
  readonly channels: number
  readonly depth: number
  /** Rows of scores begin at a multiple of four. */
  readonly row: number
}

function sidesOf(q: tf.TensorInfo, k: tf.TensorInfo, heads: number): Sides {
  const [batch, queries, channels] = q.shape as [number, number, number]
  const keys = k.shape[1]!
  return { batch, heads, queries, keys, channels, depth: channels / heads, row: 4 * Math.ceil(keys / 4) }
}

function blocksOf({ batch, heads, queries, row }: Sides): Block[] {
  const rowsAtOnce = Math.max(1, Math.min(queries, Math.floor(blockBytes / 4 / row)))
  const headsAtOnce = Math.max(1, Math.min(heads, Math.floor(blockBytes / 4 / row / queries)))
  const blocks: Block[] = []
  for (let sample = 0; sample < batch; sample++) {
    for (let head = 0; head < heads; head += headsAtOnce) {
      for (let first = 0; first < queries; first += rowsAtOnce) {
        const rows = Math.min(rowsAtOnce, queries - first)
        blocks.push({ sample, head, heads: Math.min(headsAtOnce, heads - head), row: first, rows })
      }
    }
  }
  return blocks
}

// Where a block's part of queries, or of what has their shape, begins and how it goes on; then of keys.
const ofQueries = ({ queries, channels, depth }: Sides, { sample, head, row }: Block) => ({
  first: (sample * queries + row) * channels + head * depth,
  row: channels,
  head: depth,
})
const ofKeys = ({ keys, channels, depth }: Sides, { sample, head }: Block) => ({
  first: sample * keys * channels + head * depth,
  row: channels,
  head: depth,
})
const ofScores = ({ row }: Sides, { rows }: Block) => ({ first: 0, row, head: rows * row })

type Place = ReturnType<typeof ofQueries>
const at = (left: Place, right: Place, result: Place) => ({
  ...{ leftFirst: left.first, leftRow: left.row, leftHead: left.head },
  ...{ rightFirst: right.first, rightRow: right.row, rightHead: right.head },
  ...{ resultFirst: result.first, resultRow: result.row, resultHead: result.head },
})

const keyOf = (name: string, sides: Sides, block: Block): string =>
  `${name}${Object.values(sides)};${Object.values(block)}`

const scoresOf = (
  backend: ProgramBackend,
  sides: Sides,
  block: Block,
  left: tf.TensorInfo,
  right: tf.TensorInfo,
): tf.TensorInfo =>
  multiply(backend, { left, right }, keyOf('scores', sides, block), () => ({
    ...{ left: 'rows', right: 'turned', shape: [block.heads, block.rows, sides.row] },
    ...{ m: block.rows, n: sides.keys, channels: sides.depth, heads: block.heads },
    sizes: at(ofQueries(sides, block), ofKeys(sides, block), ofScores(sides, block)),
  }))

// Scores by keys, or by what has their shape, into what has the shape of queries.
const mixInto = (
  backend: ProgramBackend,
  sides: Sides,
  block: Block,
  operands: Readonly<Record<'left' | 'right' | 'into', tf.TensorInfo>>,
): tf.TensorInfo =>
  multiply(backend, operands, keyOf('mix', sides, block), () => ({
    ...{ left: 'rows', right: 'rows', shape: operands.into.shape },
    ...{ m: block.rows, n: sides.depth, channels: sides.keys, heads: block.heads },
    sizes: at(ofScores(sides, block), ofKeys(sides, block), ofQueries(sides, block)),
  }))

// A workgroup is a row; its place among the rows of all heads and samples is where its sum goes.
const softmaxProgram: Program = {
  name: 'Softmax of scores',
  inputs: {},
  outputs: { scores: 'f32', logSums: 'f32' },
  sizes: ['total', 'keys', 'row', 'rows', 'firstRow', 'queries', 'firstMap', 'causal'],
  reals: ['scale'],
  code: `
var<workgroup> partial: array<f32, 64>;
@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let line = ${flatGroup};
  if (line >= sizes.total) { return; }
  let query = sizes.firstRow + line % sizes.rows;
  let seen = select(sizes.keys, min(sizes.keys, query + 1u), sizes.causal == 1u);
  let start = line * sizes.row;
  var most = -3.4028234e38;
  for (var e = thread; e < seen; e += 64u) { most = max(most, scores[start + e] * sizes.scale); }
  partial[thread] = most;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) { partial[thread] = max(partial[thread], partial[thread + half]); }
  }
  workgroupBarrier();
  most = partial[0];
  workgroupBarrier();
  var sum = 0.0;
  for (var e = thread; e < seen; e += 64u) { sum += exp(scores[start + e] * sizes.scale - most); }
  partial[thread] = sum;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) { partial[thread] += partial[thread + half]; }
  }
  workgroupBarrier();
  sum = partial[0];
  for (var e = thread; e < sizes.row; e += 64u) {
    scores[start + e] = select(0.0, exp(scores[start + e] * sizes.scale - most) / sum, e < seen);
  }
  if (thread == 0u) { logSums[(sizes.firstMap + line / sizes.rows) * sizes.queries + query] = most + log(sum); }
}`,
}

function attentionByProducts(
  backend: ProgramBackend,
  { q, k, v }: Inputs<'q' | 'k' | 'v'>,
  { heads, scale, causal }: Heads,
): readonly tf.TensorInfo[] {
  const sides = sidesOf(q, k, heads)
  const out = backend.makeTensorInfo(q.shape, 'float32')
  const logSums = backend.makeTensorInfo([sides.batch, heads, sides.queries], 'float32')
  for (const block of blocksOf(sides)) {
    const scores = scoresOf(backend, sides, block, q, k)
    const total = block.heads * block.rows
    runProgram(backend, softmaxProgram, {
      inputs: [],
      into: [scores, logSums],
      sizes: [
        ...[total, sides.keys, sides.row, block.rows, block.row, sides.queries],
        firstMap(sides, block),
        Number(causal),
      ],
      reals: [scale],
      groups: flatGroups(backend.device, total),
    })
    mixInto(backend, sides, block, { left: scores, right: v, into: out })
    backend.disposeData(scores.dataId)
  }
  return [out, logSums]
}

const firstMap = ({ heads }: Sides, { sample, head }: Block): number => sample * heads + head

// Of every query and head, the sum of dO ∘ O.
const rowSumsProgram: Program = {
  name: 'AttentionGrad sums',
  inputs: { dOut: 'f32', out: 'f32' },
  outputs: { sums: 'f32' },
  sizes: ['size', 'queries', 'heads', 'depth'],
  code: perThread(`let map = i / sizes.queries;
  let pixel = map / sizes.heads * sizes.queries + i % sizes.queries;
  let start = (pixel * sizes.heads + map % sizes.heads) * sizes.depth;
  var sum = 0.0;
  for (var e = start; e < start + sizes.depth; e++) { sum += dOut[e] * out[e]; }
  sums[i] = sum;`),
}

// Scores become probabilities, and the gradient of the probabilities that of the scores.
const slopesProgram: Program = {
  name: 'AttentionGrad scores',
  inputs: { logSums: 'f32', sums: 'f32' },
  outputs: { scores: 'f32', slopes: 'f32' },
  sizes: ['size', 'keys', 'row', 'rows', 'firstRow', 'queries', 'firstMap', 'causal'],
  reals: ['scale'],
  code: perThread(`let key = i % sizes.row;
  let line = i / sizes.row;
  let query = sizes.firstRow + line % sizes.rows;
  let sum = (sizes.firstMap + line / sizes.rows) * sizes.queries + query;
  let seen = key < sizes.keys && (sizes.causal == 0u || key <= query);
  let p = select(0.0, exp(min(scores[i] * sizes.scale - logSums[sum], 0.0)), seen);
  scores[i] = p;
  slopes[i] = select(0.0, p * (slopes[i] - sums[sum]) * sizes.scale, seen);`),
}

// Turned scores by queries, or by what has their shape, into what has the shape of keys; stretches of one head add up.
const gatherInto = (
  backend: ProgramBackend,
  sides: Sides,
  block: Block,
  operands: Readonly<Record<'left' | 'right' | 'into', tf.TensorInfo>>,
): tf.TensorInfo =>
  multiply(backend, operands, keyOf('gather', sides, block), () => ({
    ...{ left: 'turned', right: 'rows', shape: operands.into.shape, more: block.row > 0 },
    ...{ m: sides.keys, n: sides.depth, channels: block.rows, heads: block.heads },
    sizes: at(ofScores(sides, block), ofQueries(sides, block), ofKeys(sides, block)),
  }))

/**
 * The gradients by `q`, `k` and `v`, owned by the caller (Dao et al. 2022, algorithm 4): with `P` the probabilities, made once
 * more, `dP = dO Vᵀ` and `D` the row sums of `dO ∘ O`, it is `dS = P ∘ (dP − D) s`, `dQ = dS K`, `dK = dSᵀ Q`, `dV = Pᵀ dO`.
 */
export function attentionGrad(
  backend: ProgramBackend,
  { dOut, q, k, v, out, logSums }: Inputs<'dOut' | 'q' | 'k' | 'v' | 'out' | 'logSums'>,
  { heads, scale, causal }: Heads,
): readonly tf.TensorInfo[] {
  const sides = sidesOf(q, k, heads)
  const [dq, dk, dv] = [q, k, v].map(({ shape }) => backend.makeTensorInfo(shape, 'float32'))
  const count = sides.batch * heads * sides.queries
  const [sums] = runProgram(backend, rowSumsProgram, {
    inputs: [dOut, out],
    shapes: [[sides.batch, heads, sides.queries]],
    sizes: [count, sides.queries, heads, sides.depth],
    groups: groupsOfThreads(backend.device, count),
  })
  for (const block of blocksOf(sides)) {
    const scores = scoresOf(backend, sides, block, q, k)
    const slopes = scoresOf(backend, sides, block, dOut, v)
    const size = block.heads * block.rows * sides.row
    runProgram(backend, slopesProgram, {
      inputs: [logSums, sums!],
      into: [scores, slopes],
      sizes: [
        ...[size, sides.keys, sides.row, block.rows, block.row, sides.queries],
        firstMap(sides, block),
        Number(causal),
      ],
      reals: [scale],
      groups: groupsOfThreads(backend.device, size),
    })
    mixInto(backend, sides, block, { left: slopes, right: k, into: dq! })
    gatherInto(backend, sides, block, { left: slopes, right: q, into: dk! })
    gatherInto(backend, sides, block, { left: scores, right: dOut, into: dv! })
    backend.disposeData(scores.dataId)
    backend.disposeData(slopes.dataId)
  }
  backend.disposeData(sums!.dataId)
  return [dq!, dk!, dv!]
}
