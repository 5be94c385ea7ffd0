import * as tf from '@tensorflow/tfjs'
import { withGradient } from '../core/index.js'
import { mergeHeads, splitHeads } from './heads.js'

// 16 MiB of scores: they stay in the cache between the product, the softmax and the next product.
const scoresAtOnce = 2 ** 22

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
      const maps = matricesOf(q, k, v, heads, scale)
      const parts = blocksOf(maps).map((block) =>
        tf.tidy(() => tf.matMul<tf.Tensor3D>(probabilitiesOf(maps, block), mapsOf(maps.values, block))),
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

/** One matrix per image and head. The keys are turned, the form that every backend multiplies fast. */
interface Matrices {
  /** Scaled, `[maps, queries, depth]`. */
  readonly queries: tf.Tensor3D
  /** `[maps, depth, keys]` */
  readonly turnedKeys: tf.Tensor3D
  /** `[maps, keys, depth]` */
  readonly values: tf.Tensor3D
}

function matricesOf(q: tf.Tensor3D, k: tf.Tensor3D, v: tf.Tensor3D, heads: number, scale: number): Matrices {
  const flat = (t: tf.Tensor4D): tf.Tensor3D => tf.reshape(t, [-1, t.shape[2], t.shape[3]])
  return {
    queries: flat(splitHeads(tf.mul(q, scale), heads)),
    turnedKeys: flat(splitHeads(k, heads, 'turned')),
    values: flat(splitHeads(v, heads)),
  }
}

/** Some rows of some maps: either whole maps, or a stretch of a single one. */
interface Block {
  readonly map: number
  readonly maps: number
  readonly row: number
  readonly rows: number
}

function blocksOf({ queries, turnedKeys }: Matrices): Block[] {
  const [maps, height] = queries.shape
  const rowsAtOnce = Math.max(1, Math.floor(scoresAtOnce / turnedKeys.shape[2]))
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

const mapsOf = (t: tf.Tensor3D, { map, maps }: Block): tf.Tensor3D =>
  maps === t.shape[0] ? t : tf.slice(t, [map, 0, 0], [maps, t.shape[1], t.shape[2]])

const rowsOf = (t: tf.Tensor3D, { map, maps, row, rows }: Block): tf.Tensor3D =>
  maps === t.shape[0] && rows === t.shape[1] ? t : tf.slice(t, [map, row, 0], [maps, rows, t.shape[2]])

const probabilitiesOf = ({ queries, turnedKeys }: Matrices, block: Block): tf.Tensor3D =>
  tf.softmax(tf.matMul<tf.Tensor3D>(rowsOf(queries, block), mapsOf(turnedKeys, block)))

function gradientsOf(
  [q, k, v]: readonly [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D],
  dy: tf.Tensor3D,
  out: tf.Tensor3D,
  heads: number,
  scale: number,
): tf.Tensor3D[] {
  const maps = matricesOf(q, k, v, heads, scale)
  const dOut: tf.Tensor3D = tf.reshape(splitHeads(dy, heads), maps.queries.shape)
  const rowSums = tf.sum(tf.mul(dOut, tf.reshape(splitHeads(out, heads), dOut.shape)), 2, true) as tf.Tensor3D
  // One more column on both sides: their product is dP − D.
  const dOutAndSums = tf.concat([dOut, tf.neg(rowSums)], 2)
  const valuesAndOnes = tf.concat([maps.values, tf.onesLike(tf.slice(maps.values, 0, [-1, -1, 1]))], 2)
  const [dq, dk, dv]: [tf.Tensor3D[], tf.Tensor3D[], tf.Tensor3D[]] = [[], [], []]
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
      ] as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D]
    })
    dq.push(parts[0])
    // The stretches of one map add up.
    const add = block.row === 0 ? (sums: tf.Tensor3D[], t: tf.Tensor3D) => void sums.push(t) : addToLast
    add(dk, parts[1])
    add(dv, parts[2])
  }
  return [
    tf.mul(joinHeads(dq, q.shape, heads), scale),
    joinHeads(dk, k.shape, heads, 'turned'),
    joinHeads(dv, v.shape, heads, 'turned'),
  ]
}

function addToLast(sums: tf.Tensor3D[], term: tf.Tensor3D): void {
  const sum = sums.pop()!
  sums.push(tf.add(sum, term))
  tf.dispose([sum, term])
}

// Blocks lie one after the other in memory as the whole does.
function joinHeads(
  parts: readonly tf.Tensor3D[],
  [batch, tokens, channels]: readonly [number, number, number],
  heads: number,
  form?: 'turned',
): tf.Tensor3D {
  const depth = channels / heads
  const flat = parts.map((part) => tf.reshape(part, [-1, part.shape[2]]) as tf.Tensor2D)
  const whole = flat.length === 1 ? flat[0]! : tf.concat(flat)
  const shape = form === 'turned' ? ([depth, tokens] as const) : ([tokens, depth] as const)
  return mergeHeads(tf.reshape(whole, [batch, heads, ...shape]), form)
}
