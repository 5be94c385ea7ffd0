import type * as tf from '@tensorflow/tfjs'
import {
  type Block,
  blocksOf,
  firstMap,
  gatherInto,
  type Heads,
  type Inputs,
  mixInto,
  type Sides,
  scoresOf,
  sidesOf,
} from './attention-blocks.js'
import { flatGroups, groupsOfThreads, type Program, type ProgramBackend, runProgram } from './program.js'
import { entry, flatGroup, perThread, together } from './wgsl.js'

// What a program is told of a block of scores.
const blockSizes = ['keys', 'row', 'rows', 'firstRow', 'queries', 'firstMap', 'causal'] as const
const valuesOf = (sides: Sides, block: Block, causal: boolean): number[] => [
  ...[sides.keys, sides.row, block.rows, block.row, sides.queries],
  ...[firstMap(sides, block), Number(causal)],
]

// A workgroup is a row; its place among the rows of all heads and samples is where its sum goes.
const rowThreads = 64
const softmaxProgram: Program = {
  name: 'Softmax of scores',
  inputs: {},
  outputs: { scores: 'f32', logSums: 'f32' },
  sizes: ['total', ...blockSizes],
  reals: ['scale'],
  code: `${together('mostOver', rowThreads, 'f32', (a, b) => `max(${a}, ${b})`)}
${together('sumOver', rowThreads, 'f32', (a, b) => `${a} + ${b}`)}
${entry(
  rowThreads,
  `
  let line = ${flatGroup};
  if (line >= sizes.total) { return; }
  let query = sizes.firstRow + line % sizes.rows;
  let seen = select(sizes.keys, min(sizes.keys, query + 1u), sizes.causal == 1u);
  let start = line * sizes.row;
  var largest = -3.4028234e38;
  for (var e = thread; e < seen; e += ${rowThreads}u) { largest = max(largest, scores[start + e] * sizes.scale); }
  let most = mostOver(largest, thread);
  var part = 0.0;
  for (var e = thread; e < seen; e += ${rowThreads}u) { part += exp(scores[start + e] * sizes.scale - most); }
  let sum = sumOver(part, thread);
  for (var e = thread; e < sizes.row; e += ${rowThreads}u) {
    scores[start + e] = select(0.0, exp(scores[start + e] * sizes.scale - most) / sum, e < seen);
  }
  if (thread == 0u) { logSums[(sizes.firstMap + line / sizes.rows) * sizes.queries + query] = most + log(sum); }`,
)}`,
}

/** `softmax(Q Kᵀ s) V` and the logarithms of its sums, by products of blocks. */
export function attentionByProducts(
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
      sizes: [total, ...valuesOf(sides, block, causal)],
      reals: [scale],
      groups: flatGroups(backend.device, total),
    })
    mixInto(backend, sides, block, { left: scores, right: v, into: out })
    backend.disposeData(scores.dataId)
  }
  return [out, logSums]
}

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
  sizes: ['size', ...blockSizes],
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
      sizes: [size, ...valuesOf(sides, block, causal)],
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
