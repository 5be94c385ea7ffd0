import * as tf from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import type { AttentionControl, AttentionSite } from '../../src/core/index.js'
import { type UNetParameters, unet, unetShapes } from '../../src/models/index.js'
import { parameterTree } from '../../src/nn/index.js'
import { attentiveUnet as config } from '../support/attentive-unet.js'
import { hashWeights } from '../support/name-hash.js'

function run(wants?: AttentionControl['wants']) {
  const shown: AttentionSite[] = []
  const show = (probabilities: tf.Tensor4D, site: AttentionSite) => {
    shown.push(site)
    return probabilities
  }
  const weights = hashWeights(unetShapes(config))
  const [x, context] = [tf.ones<tf.Rank.R4>([2, 8, 8, 4]), tf.ones<tf.Rank.R3>([2, 5, 6])]
  const attention: AttentionControl = wants ? Object.assign(show, { wants }) : show
  const y = unet(parameterTree<UNetParameters>(weights), config, x, { timestep: 7, context, attention })
  const values = [...y.dataSync()]
  tf.dispose([...weights.values(), x, context, y])
  return { shown, values }
}

test('a control that wants some maps is shown those, under the names and numbers that they have among all', () => {
  const all = run()
  expect(all.shown.map(({ layer }) => layer)).toEqual(all.shown.map((_, i) => i))
  const asked: AttentionSite[] = []
  const wanted = ({ kind, height }: AttentionSite) => kind === 'cross' || height <= 4
  const some = run((site) => {
    asked.push(site)
    return wanted(site)
  })
  expect(asked).toEqual(all.shown)
  expect(some.shown).toEqual(all.shown.filter(wanted))
  expect(some.shown.length).toBeLessThan(all.shown.length)
  for (const [i, value] of some.values.entries()) expect(value).toBeCloseTo(all.values[i]!, 4)
})

test('a control that wants none is no error: the network does have attention', () => {
  expect(run(() => false).shown).toEqual([])
})
