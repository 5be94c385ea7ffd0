import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import { conditioner } from '../../src/scm/conditioner.js'
import {
  type HeadValues,
  linearRationalSpline,
  linearRationalSplineTransform,
  rationalQuadraticSpline,
  rationalQuadraticSplineTransform,
  type Transform,
} from '../../src/scm/index.js'

interface Case {
  readonly name: string
  readonly order: 'linear' | 'quadratic'
  readonly size: number
  readonly bins: number
  readonly bound: number
  readonly parameters: Record<string, { shape: number[]; values: number[] }>
  readonly context?: { width: number; hidden: number[]; values: number[] }
  readonly x: number[]
  readonly forward: number[]
  readonly forwardLog: number[]
  readonly inverse: number[]
  readonly inverseLog: number[]
  readonly float32: Record<'forward' | 'forwardLog' | 'inverse' | 'inverseLog', number>
}

const cases: Case[] = JSON.parse(readFileSync(join(import.meta.dirname, '../fixtures/splines.json'), 'utf8'))

function worst(got: tf.Tensor, want: readonly number[]): number {
  const values = got.dataSync()
  expect(values.length).toBe(want.length)
  return Math.max(...want.map((x, i) => Math.abs(x - values[i]!)))
}

test.each(cases)('$name equals Pyro', ({ order, size, context, x: inputs, ...want }) => {
  tf.tidy(() => {
    const make = order === 'linear' ? linearRationalSplineTransform : rationalQuadraticSplineTransform
    const transform = make(want) as Transform
    const parameters = new Map(
      Object.entries(want.parameters).map(([name, { shape, values }]) => [name, tf.tensor(values, shape)]),
    )
    const options = { parameters, parents: context?.width ?? 0, hidden: context?.hidden ?? [] }
    const parents: Record<string, tf.Tensor> = context
      ? { context: tf.tensor(context.values, [context.values.length / context.width, context.width]) }
      : {}
    const heads = conditioner(transform.heads(size), options).apply(parameters, parents) as HeadValues<never>
    const x = tf.tensor2d(inputs, [inputs.length / size, size])
    const forward = transform.forward(heads, x)
    const inverse = transform.inverse(heads, x)
    const errors = {
      forward: worst(forward.value, want.forward),
      forwardLog: worst(forward.logDerivative, want.forwardLog),
      inverse: worst(inverse.value, want.inverse),
      inverseLog: worst(inverse.logDerivative, want.inverseLog),
    }
    if (process.env.SHOW) console.log(want.name, errors, want.float32)
    expect(errors.forward, 'forward').toBeLessThan(1e-6)
    expect(errors.inverse, 'inverse').toBeLessThan(1e-6)
    // A logarithm of a steep bin's slope: 1e-6 too, or what Pyro's own float32 is off by.
    expect(errors.forwardLog, 'forwardLog').toBeLessThan(Math.max(1e-6, want.float32.forwardLog))
    expect(errors.inverseLog, 'inverseLog').toBeLessThan(Math.max(1e-6, want.float32.inverseLog))
  })
})

test.each([
  ['linear', linearRationalSpline],
  ['quadratic', rationalQuadraticSpline],
] as const)('a fresh %s spline is the identity, and a rough one inverts', (_, make) => {
  const spline = make({ size: 2, bins: 5 })
  tf.tidy(() => {
    const e = tf.linspace(-3.5, 3.5, 64).reshape([-1, 2])
    expect(worst(spline.predict({ e }, {}), [...e.dataSync()])).toBeLessThan(2e-3)
    // tfjs takes seed 0 for none.
    const rough = new Map(
      [...spline.parameters].map(([name, p], i) => [
        name,
        tf.randomNormal(p.shape, 0, 0.7, 'float32', i + 1),
      ]),
    )
    const other = spline.with(rough)
    const x = other.predict({ e }, {})
    expect(worst(other.abduct(x, {}, undefined as never).e!, [...e.dataSync()])).toBeLessThan(1e-5)
  })
  tf.dispose([...spline.parameters.values()])
})
