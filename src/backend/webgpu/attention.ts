import type * as tf from '@tensorflow/tfjs'
import type { Heads, Inputs } from './attention-blocks.js'
import { attentionByProducts } from './attention-by-products.js'
import { type Program, type ProgramBackend, runProgram } from './program.js'
import { entry, lines, once, range } from './wgsl.js'

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
${entry(
  flashThreads,
  `
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
  )}`,
)}`,
  }
}
