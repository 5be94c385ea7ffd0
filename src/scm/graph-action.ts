import * as tf from '@tensorflow/tfjs'
import { ArgumentError } from '../core/index.js'
import { expectActable, expectSupport } from './graph-checks.js'
import type { Action, Variable, Variables } from './graph-variable.js'
import type { Value } from './mechanism.js'

/**
 * An action's values as tensors `[batch, ...event]`, owned by the caller.
 *
 * @throws ArgumentError on an unknown variable, a value of another shape or outside the support
 */
export function actionValues(action: Action, variables: Variables, batch: number): Record<string, Value> {
  expectActable(action, variables)
  const entries = Object.entries(action).map(([name, value]) => {
    const { mechanism } = variables[name]!
    const one = typeof value === 'object' ? value : plain(name, value, mechanism)
    const [rows, ...event] = one.shape
    if ((rows !== 1 && rows !== batch) || event.join() !== mechanism.event.join()) {
      throw new ArgumentError({
        rule: `do(${name}) needs a value of shape [1 or ${batch}, ${mechanism.event.join(', ')}]`,
        got: `[${one.shape.join(', ')}]`,
        mend: 'Pass one value, or one for each row of the observation.',
      })
    }
    expectSupport(`do(${name})`, one, mechanism)
    return [name, tf.add(tf.zeros([batch, ...mechanism.event]), one)] as const
  })
  return Object.fromEntries(entries)
}

function plain(name: string, value: number | boolean, mechanism: Variable['mechanism']): Value {
  if (mechanism.encode) return tf.tensor([...mechanism.encode(value)], [1, ...mechanism.event])
  if (mechanism.event.join() === '1' && Number.isFinite(Number(value))) return tf.tensor2d([[Number(value)]])
  throw new ArgumentError({
    rule: `do(${name}) needs ${mechanism.event.join() === '1' ? 'a finite number' : 'a tensor'}`,
    got: String(value),
    mend: `Pass a tensor of shape [1, ${mechanism.event.join(', ')}].`,
  })
}
