import type * as tf from '@tensorflow/tfjs'
import { multiply } from './product.js'
import type { ProgramBackend } from './program.js'

/** How attention is computed. */
export interface Heads {
  readonly heads: number
  readonly scale: number
  readonly causal: boolean
}

/** By name. */
export type Inputs<Name extends string> = Readonly<Record<Name, tf.TensorInfo>>

/** Bytes of scores that are there at once. */
const blockBytes = 2 ** 27

/** Some rows of some heads of one sample. */
export interface Block {
  readonly sample: number
  readonly head: number
  readonly heads: number
  readonly row: number
  readonly rows: number
}

/** Sizes of an attention. */
export interface Sides {
  readonly batch: number
  readonly heads: number
  readonly queries: number
  readonly keys: number
  readonly channels: number
  readonly depth: number
  /** Rows of scores begin at a multiple of four. */
  readonly row: number
}

/** The sizes of an attention. */
export function sidesOf(q: tf.TensorInfo, k: tf.TensorInfo, heads: number): Sides {
  const [batch, queries, channels] = q.shape as [number, number, number]
  const keys = k.shape[1]!
  return { batch, heads, queries, keys, channels, depth: channels / heads, row: 4 * Math.ceil(keys / 4) }
}

/** The blocks of an attention, one after the other. */
export function blocksOf({ batch, heads, queries, row }: Sides): Block[] {
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

/** `Q Kᵀ` of a block, or of what has the shapes of queries and keys; owned by the caller. */
export const scoresOf = (
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

/** Scores by keys, or by what has their shape, into what has the shape of queries. */
export const mixInto = (
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

/** Turned scores by queries, or by what has their shape, into what has the shape of keys; stretches of one head add up. */
export const gatherInto = (
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

/** The number of a block's first map, among those of all samples and heads. */
export const firstMap = ({ heads }: Sides, { sample, head }: Block): number => sample * heads + head
