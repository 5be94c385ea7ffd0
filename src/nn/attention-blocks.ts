import * as tf from '@tensorflow/tfjs'
import { withGradient } from '../core/index.js'
import { mergeHeads, splitHeads } from './heads.js'

/** Bytes of scores that are there at once: they stay in the cache between the product, the softmax and the next product. */
export const attentionBlockBytes = 2 ** 24

/**
 * `softmax(Q Kᵀ s) V` in blocks: no more than 16 MiB of scores are there at once, or one row of them.
 *
 * The gradient makes the scores of a block once more instead of keeping them (Dao et al. 2022, algorithm 4): with
 * `P` the probabilities, `dP = dO Vᵀ` and `D` the row sums of `dO ∘ O`, it is `dS = P ∘ (dP − D)`, `dQ = s dS K`,
 * `dK = dSᵀ Q s` and `dV = Pᵀ dO`.
 *
 * @param q - queries `[batch, queries, channels]`, borrowed
 * @param k - keys `[batch, keys, channels]`, borrowed
 * @param v - values `[batch, keys, channels]`, borrowed
 * @param heads - divides the channels
 * @param scale - `s`
 * @returns `[batch, queries, channels]`, owned by the caller
 */
export function blockwiseAttention(
  q: tf.Tensor3D,
  k: tf.Tensor3D,
  v: tf.Tensor3D,
  heads: number,
  scale: number,
): tf.Tensor3D {
  return withGradient<tf.Tensor3D>([q, k, v], {
    forward: (save) => {
      const maps = mapsFrom(q, k, v, heads, scale)
      const parts = blocksOf(maps).map((block) =>
        tf.tidy(() => tf.matMul(probabilitiesOf(maps, block), mapsOf(maps.values, block))),
      )
      const out = joinHeads(parts, q.shape, heads)
      save([q, k, v, out])
      return out
    },
    backward: (dy, [query, key, value, out]) => {
      const inputs = [query as tf.Tensor3D, key as tf.Tensor3D, value as tf.Tensor3D] as const
      const gradients = tf.tidy(() => gradientsOf(inputs, dy, out as tf.Tensor3D, heads, scale))
      return gradients.map((gradient) => () => gradient)
    },
  })
}

/** One matrix per image and head, and their rows one after the other. */
interface Matrices {
  readonly each: tf.Tensor3D
  readonly rows: tf.Tensor2D
}

/** The keys are turned, the form that every backend multiplies fast. */
interface Maps {
  /** `[maps, queries, depth]` */
  readonly queries: Matrices
  /** Scaled, for at most places there are fewer of them than of queries; `[maps, depth, keys]`. */
  readonly turnedKeys: Matrices
  /** `[maps, keys, depth]` */
  readonly values: Matrices
}

function matrices(each: tf.Tensor): Matrices {
  const [, rows, columns] = each.shape.slice(-3) as [number, number, number]
  return { each: tf.reshape(each, [-1, rows, columns]), rows: tf.reshape(each, [-1, columns]) }
}

const mapsFrom = (q: tf.Tensor3D, k: tf.Tensor3D, v: tf.Tensor3D, heads: number, scale: number): Maps => ({
  queries: matrices(splitHeads(q, heads)),
  turnedKeys: matrices(splitHeads(tf.mul(k, scale), heads, 'turned')),
  values: matrices(splitHeads(v, heads)),
})

/** Some rows of some maps: either whole maps, or a stretch of a single one. */
interface Block {
  readonly map: number
  readonly maps: number
  readonly row: number
  readonly rows: number
}

function blocksOf({ queries, turnedKeys }: Maps): Block[] {
  const [maps, height] = queries.each.shape
  const rowsAtOnce = Math.max(1, Math.floor(attentionBlockBytes / 4 / turnedKeys.each.shape[2]))
  const mapsAtOnce = Math.max(1, Math.floor(rowsAtOnce / height))
  const blocks: Block[] = []
  for (let map = 0; map < maps; map += mapsAtOnce) {
    for (let row = 0; row < height; row += rowsAtOnce) {
      const size = { maps: Math.min(mapsAtOnce, maps - map), rows: Math.min(rowsAtOnce, height - row) }
      blocks.push({ map, row, ...size })
    }
  }
  return blocks
}

const mapsOf = (of: Matrices, { map, maps }: Block): tf.Tensor =>
  rowsOf(of, { map, maps, row: 0, rows: of.each.shape[1] })

// A single matrix is taken as one: products of two axes need no reshape.
function rowsOf({ each, rows: lines }: Matrices, { map, maps, row, rows }: Block): tf.Tensor {
  const [all, height, width] = each.shape
  if (maps === all && rows === height) return each
  return maps === 1
    ? tf.slice(lines, [map * height + row, 0], [rows, width])
    : tf.slice(each, [map, row, 0], [maps, rows, width])
}

const probabilitiesOf = ({ queries, turnedKeys }: Maps, block: Block): tf.Tensor =>
  tf.softmax(tf.matMul(rowsOf(queries, block), mapsOf(turnedKeys, block)))

function gradientsOf(
  [q, k, v]: readonly [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D],
  dy: tf.Tensor3D,
  out: tf.Tensor3D,
  heads: number,
  scale: number,
): tf.Tensor3D[] {
  const maps = mapsFrom(q, k, v, heads, scale)
  const dOut = matrices(splitHeads(dy, heads))
  const rowSums = tf.sum(tf.mul(dOut.each, matrices(splitHeads(out, heads)).each), 2, true)
  // One more column on both sides: their product is dP − D.
  const dOutAndSums = matrices(tf.concat([dOut.each, tf.neg(rowSums)], 2))
  const ones = tf.onesLike(tf.slice(maps.values.each, 0, [-1, -1, 1]))
  const valuesAndOnes = matrices(tf.concat([maps.values.each, ones], 2))
  const [dq, dk, dv]: [tf.Tensor[], tf.Tensor[], tf.Tensor[]] = [[], [], []]
  for (const block of blocksOf(maps)) {
    const parts = tf.tidy(() => {
      const p = probabilitiesOf(maps, block)
      const dPMinusD = tf.matMul(rowsOf(dOutAndSums, block), mapsOf(valuesAndOnes, block), false, true)
      const dS = tf.mul(p, dPMinusD)
      // Those of keys and values turned: it is the narrow matrix that is turned for a product, not the scores.
      return [
        tf.matMul(dS, mapsOf(maps.turnedKeys, block), false, true),
        tf.matMul(rowsOf(maps.queries, block), dS, true, false),
        tf.matMul(rowsOf(dOut, block), p, true, false),
      ] as [tf.Tensor, tf.Tensor, tf.Tensor]
    })
    dq.push(parts[0])
    // The stretches of one map add up.
    const add = block.row === 0 ? (sums: tf.Tensor[], t: tf.Tensor) => void sums.push(t) : addToLast
    add(dk, parts[1])
    add(dv, parts[2])
  }
  return [
    joinHeads(dq, q.shape, heads),
    tf.mul(joinHeads(dk, k.shape, heads, 'turned'), scale),
    joinHeads(dv, v.shape, heads, 'turned'),
  ]
}

function addToLast(sums: tf.Tensor[], term: tf.Tensor): void {
  const sum = sums.pop()!
  sums.push(tf.add(sum, term))
  tf.dispose([sum, term])
}

// Blocks lie one after the other in memory as the whole does.
function joinHeads(
  parts: readonly tf.Tensor[],
  [batch, tokens, channels]: readonly [number, number, number],
  heads: number,
  form?: 'turned',
): tf.Tensor3D {
  const depth = channels / heads
  const flat = parts.map((part) => tf.reshape(part, [-1, part.shape.at(-1)!]) as tf.Tensor2D)
  const whole = flat.length === 1 ? flat[0]! : tf.concat(flat)
  const shape = form === 'turned' ? ([depth, tokens] as const) : ([tokens, depth] as const)
  return mergeHeads(tf.reshape(whole, [batch, heads, ...shape]), form)
}
