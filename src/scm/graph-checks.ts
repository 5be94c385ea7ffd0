import * as tf from '@tensorflow/tfjs'
import { ArgumentError, expectShape } from '../core/index.js'
import type { ParentNames } from './graph-order.js'
import type { Action, Variables } from './graph-variable.js'
import type { Mechanism, Value } from './mechanism.js'

/** The mechanism takes as many numbers as its parents have. @throws ArgumentError naming the arrows */
export function expectMechanism(name: string, variables: Variables): void {
  const { parents = [], mechanism } = variables[name]!
  const widths = parents.map((parent) => variables[parent]!.mechanism.event.reduce((a, b) => a * b, 1))
  const width = widths.reduce((a, b) => a + b, 0)
  if (mechanism.parents === null || mechanism.parents === width) return
  throw new ArgumentError({
    rule: `the ${mechanism.name} mechanism of "${name}" joins parents of width ${mechanism.parents}`,
    got: parents.length
      ? parents.map((parent, i) => `${parent} (${widths[i]}) -> ${name}`).join(', ')
      : 'no parents',
    mend: `Make it with parents: ${width}.`,
  })
}

/** Every name is a variable. @throws ArgumentError with the graph's names */
export function expectVariables(names: readonly string[], variables: Variables, where = 'a value'): void {
  const unknown = names.find((name) => !(name in variables))
  if (unknown === undefined) return
  throw new ArgumentError({
    rule: `${where} is of one of the variables ${Object.keys(variables).join(', ')}`,
    got: `"${unknown}"`,
    mend: 'Use a name of the graph.',
  })
}

/** The action sets known variables that are not set already. @throws ArgumentError naming the variable */
export function expectActable(action: Action, variables: Variables): void {
  expectVariables(Object.keys(action), variables, 'do(.)')
  for (const name of Object.keys(action)) {
    const { parents = [], mechanism } = variables[name]!
    if (mechanism.name !== 'deterministic' || parents.length > 0) continue
    throw new ArgumentError({
      rule: 'do(.) sets a variable once',
      got: `do(${name}) on a graph in which ${name} is a constant already`,
      mend: 'Start from the graph without that action, or leave one of the two out.',
    })
  }
}

/**
 * The observed variables in causal order, every value checked.
 * @throws ArgumentError on none, an unknown variable or a value outside its support; ShapeError on another shape
 */
export function expectObserved(
  observation: Readonly<Record<string, Value>>,
  variables: Variables,
  order: readonly string[],
): readonly string[] {
  expectVariables(Object.keys(observation), variables, 'an observation')
  const names = order.filter((name) => observation[name] !== undefined)
  if (names.length === 0) {
    throw new ArgumentError({
      rule: 'an observation has at least one variable',
      got: 'none',
      mend: 'Pass values by name.',
    })
  }
  const batch = observation[names[0]!]!.shape[0]!
  for (const name of names) {
    const { mechanism } = variables[name]!
    expectShape(observation[name]!, [batch, ...mechanism.event], 'an observation', `"${name}"`)
    expectSupport(`"${name}"`, observation[name]!, mechanism)
  }
  return names
}

/** All parents of `names` have values. @throws ArgumentError naming the arrow */
export function expectObservedParents(
  names: readonly string[],
  values: Readonly<Record<string, unknown>>,
  parents: ParentNames,
): void {
  for (const name of names) {
    for (const parent of parents.get(name)!) {
      if (values[parent] !== undefined) continue
      throw new ArgumentError({
        rule: `"${name}" is answered from the values of all its parents`,
        got: `no value of "${parent}" in ${parent} -> ${name}`,
        mend: `Observe "${parent}", set it by do(.), or leave "${name}" out.`,
      })
    }
  }
}

/** Every element is possible. @throws ArgumentError with the domain and the first offender */
export function expectSupport(where: string, x: Value, mechanism: Mechanism): void {
  const offender = tf.tidy(() => {
    const finite = tf.isFinite(x)
    const inside = (mechanism.support ? finite.logicalAnd(mechanism.support(x)) : finite).dataSync()
    const index = inside.findIndex((ok) => !ok)
    return index < 0 ? undefined : { index, value: x.dataSync()[index]! }
  })
  if (!offender) return
  throw new ArgumentError({
    rule: `${where} of a ${mechanism.name} mechanism is ${mechanism.domain}`,
    got: `${offender.value} at element ${offender.index}`,
    mend: 'Correct or leave out that row.',
  })
}
