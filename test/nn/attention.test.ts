import * as tf from '@tensorflow/tfjs'
import { valueAndGradients } from 'contrafact/core'
import { attention } from 'contrafact/nn'
import { describe, expect, it } from 'vitest'

// Shapes on both sides of a block: several maps at once, single maps, and stretches of one map.
const shapes = [
  { batch: 2, queries: 6, keys: 5, heads: 2, depth: 4 },
  { batch: 1, queries: 1500, keys: 1100, heads: 3, depth: 2 },
  { batch: 1, queries: 2100, keys: 2100, heads: 1, depth: 2 },
]

describe.each(shapes)('attention of $batch × $heads × $queries × $keys', (shape) => {
  const { batch, queries, keys, heads, depth } = shape
  const inputs = () => [
    tf.randomNormal([batch, queries, heads * depth], 0, 1, 'float32', 1),
    tf.randomNormal([batch, keys, heads * depth], 0, 1, 'float32', 2),
    tf.randomNormal([batch, keys, heads * depth], 0, 1, 'float32', 3),
    tf.randomNormal([batch, queries, heads * depth], 0, 1, 'float32', 4),
  ]
  // A control that changes nothing takes the path on which the scores are written out.
  const run = (control?: (p: tf.Tensor4D) => tf.Tensor4D) => {
    const [q, k, v, weights] = inputs()
    const { value, gradients } = valueAndGradients(
      (...qkv) => tf.sum(tf.mul(attention(...(qkv as Qkv), heads, { control }), weights!)) as tf.Scalar,
      [q!, k!, v!],
    )
    const out = attention(q as tf.Tensor3D, k as tf.Tensor3D, v as tf.Tensor3D, heads, { control })
    const data = [out, value, ...gradients].map((t) => t.dataSync())
    tf.dispose([q!, k!, v!, weights!, out, value, ...gradients])
    return data
  }

  it('in blocks equals attention with all its scores, gradients included', () => {
    const [blocks, whole] = [run(), run((p) => p)]
    for (const [i, values] of blocks.entries())
      for (const [j, value] of values.entries()) {
        const expected = whole[i]![j]!
        if (!(Math.abs(value - expected) <= 2e-5 * Math.max(1, Math.abs(expected))))
          expect.fail(`result ${i}, value ${j}: ${value}, not ${expected}`)
      }
  })
})

type Qkv = [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D]
