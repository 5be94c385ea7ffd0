import * as tf from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import { fromTorch } from '../../src/nn/index.js'

// At many places, for a backend may take some arrays as they lie and copy others.
test.each([
  ['a linear weight', 'a.weight', [2, 3], [3, 2], [0, 3, 1, 4, 2, 5]],
  ['a bias', 'a.bias', [6], [6], [0, 1, 2, 3, 4, 5]],
  ['a table of embeddings', 'token_embedding.weight', [3, 2], [3, 2], [0, 1, 2, 3, 4, 5]],
  ['a convolution', 'c.weight', [1, 2, 3, 1], [3, 1, 2, 1], [0, 3, 1, 4, 2, 5]],
  ['a convolution to one channel', 'lin.weight', [1, 6, 1, 1], [1, 1, 6, 1], [0, 1, 2, 3, 4, 5]],
  ['a linear weight of one column', 'a.weight', [6, 1], [1, 6], [0, 1, 2, 3, 4, 5]],
  ['a linear weight of one row', 'a.weight', [1, 6], [6, 1], [0, 1, 2, 3, 4, 5]],
])('%s is turned, and its values may be overwritten afterwards', (_, name, shape, turned, wanted) => {
  for (let offset = 0; offset < 16; offset++) {
    const room = new Float32Array(32).subarray(offset, offset + 6)
    room.set([0, 1, 2, 3, 4, 5])
    const tensor = fromTorch(name, shape, room)
    room.fill(Number.NaN)
    const sum = tf.add(tensor, 0)
    expect([tensor.shape, ...tensor.dataSync(), ...sum.dataSync()]).toEqual([turned, ...wanted, ...wanted])
    tf.dispose([tensor, sum])
  }
})
