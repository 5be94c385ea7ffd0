import * as tf from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import { actionOf, affine, answerByEditor, answerByScm, bernoulli, causalGraph } from '../../src/scm/index.js'

const sex = { attribute: 'sex', from: 'male', to: 'female' } as const
const codes = {
  sex: {
    encode: (v: unknown) => Number(v === 'female'),
    decode: ([x]: readonly number[]) => (x ? 'female' : 'male'),
  },
}

test('contradictory interventions are refused', () => {
  expect(actionOf([sex], { sex: 'male' }, codes)).toEqual({ sex: 1 })
  expect(() => actionOf([sex, { ...sex, to: 'male' }])).toThrow('do(sex = female) and do(sex = male)')
  expect(() => actionOf([sex], { sex: 'female' })).toThrow('sex from male where it is female')
  expect(() => actionOf([{ ...sex, to: null }])).toThrow('do(sex = null)')
})

test('an SCM and an editor answer one question in one form', async () => {
  using graph = causalGraph({
    sex: { mechanism: bernoulli() },
    pixel: { parents: ['sex'], mechanism: affine({ parents: 1, seed: 3 }) },
  })
  const image = tf.fill([1, 1, 1, 1], 0.5) as tf.Tensor4D
  const question = { image, attributes: { sex: 'male' }, interventions: [sex] }
  const scm = answerByScm(graph, {
    variable: 'pixel',
    codes,
    seed: 0,
    toValue: (x) => x.reshape([1, 1]),
    toImage: (x) => x.reshape([1, 1, 1, 1]),
  })
  const editor = answerByEditor({
    caption: (attributes) => `an X-ray of a ${attributes.sex} subject`,
    edit: async (x) => ({ reconstruction: x.clone(), image: x.mul(0.5) }),
  })
  const answers = [await scm(question), await editor(question)]
  expect(Object.keys(answers[0]!).sort()).toEqual(Object.keys(answers[1]!).sort())
  for (const answer of answers) {
    expect(answer.attributes).toEqual({ sex: 'female' })
    expect(answer.reconstruction.dataSync()[0]).toBeCloseTo(0.5, 5)
    expect(answer.image.dataSync()[0]).not.toBeCloseTo(0.5, 3)
    tf.dispose([answer.factual, answer.reconstruction, answer.image])
  }
  expect(answers[1]!.provenance.target).toBe('an X-ray of a female subject')
  image.dispose()
})
