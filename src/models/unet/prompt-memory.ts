import type { Tensor3D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import { type ContextOrigin, contextOrigins, contextRows, type Owned } from '../../core/index.js'
import { type AttentionParameters, type KeysAndValues, keysAndValues } from '../../nn/index.js'

/** The keys and values of prompts that stay for many calls of the network. */
export interface PromptMemory {
  /** Remembers those of a context until what is returned is disposed of. */
  prepare(context: Tensor3D): Owned
  /** Those of one layer, for rows some of which are remembered; nothing if none is. Belong to the tidy around. */
  recall(layer: AttentionParameters, context: Tensor3D): KeysAndValues | undefined
}

type Layers = Map<AttentionParameters, KeysAndValues>

/** A memory without prompts. */
export function promptMemory(): PromptMemory {
  const remembered = new Map<Tensor3D, Layers>()
  return {
    prepare(context) {
      const layers: Layers = new Map()
      remembered.set(context, layers)
      return {
        dispose() {
          for (const { keys, values } of layers.values()) tf.dispose([keys, values])
          layers.clear()
          if (remembered.get(context) === layers) remembered.delete(context)
        },
      }
    },
    recall(layer, context) {
      if (remembered.size === 0) return undefined
      const runs = runsOf(contextOrigins(context))
      if (!runs.some(({ source }) => remembered.has(source))) return undefined
      const parts = runs.map(({ source, row, at, count }) => {
        const layers = remembered.get(source)
        if (!layers) return keysAndValues(layer, contextRows(context, at, count))
        const whole = layers.get(layer) ?? remember(layers, layer, source)
        if (count === source.shape[0]) return whole
        const rows = (t: Tensor3D) => tf.slice(t, [row, 0, 0], [count, -1, -1])
        return { keys: rows(whole.keys), values: rows(whole.values) }
      })
      if (parts.length === 1) return parts[0]
      return {
        keys: tf.concat(parts.map(({ keys }) => keys)),
        values: tf.concat(parts.map(({ values }) => values)),
      }
    },
  }
}

function remember(layers: Layers, layer: AttentionParameters, source: Tensor3D): KeysAndValues {
  const { keys, values } = keysAndValues(layer, source)
  const kept = { keys: tf.keep(keys), values: tf.keep(values) }
  layers.set(layer, kept)
  return kept
}

/** Rows that follow one another both in a context and where they come from. */
interface Run extends ContextOrigin {
  readonly at: number
  readonly count: number
}

function runsOf(rows: readonly ContextOrigin[]): Run[] {
  const runs: Run[] = []
  for (const [at, { source, row }] of rows.entries()) {
    const last = runs.at(-1)
    if (last && last.source === source && last.row + last.count === row)
      runs[runs.length - 1] = { ...last, count: last.count + 1 }
    else runs.push({ source, row, at, count: 1 })
  }
  return runs
}
