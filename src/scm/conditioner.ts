import * as tf from '@tensorflow/tfjs'
import { ArgumentError, expectNumber, expectShape, torchRandn } from '../core/index.js'
import { type LinearParameters, linear, type NamedParameters } from '../nn/index.js'
import { joinParents, type Parents } from './mechanism.js'

/** The quantities that an equation needs, by name: `{ location: { shape: [1], initial: 0 } }`. */
export type Heads = Readonly<Record<string, Head>>

/** One quantity of an equation: a constant to learn, or an output of the network over the parents. */
export interface Head {
  /** Its shape for one value. */
  readonly shape: readonly number[]
  /** What it starts from, in every element. */
  readonly initial: number
}

/** The heads' values: `[1, ...shape]` without parents, `[batch, ...shape]` with. */
export type HeadValues<H extends Heads> = { readonly [K in keyof H]: tf.Tensor }

/** How an equation's quantities depend on the parents. */
export interface ConditionerOptions {
  /** Width of the joined parents; 0, the default, learns one constant per quantity. */
  readonly parents?: number
  /** Widths of the dense network's hidden layers; none, the default, is a linear map. */
  readonly hidden?: readonly number[]
  /** Non-linearity of the hidden layers; `'relu'`, as Pyro's `DenseNN`; causal-gen's findings use `'sigmoid'`. */
  readonly activation?: 'relu' | 'sigmoid' | 'tanh'
  /** Seed of the first weights; 0. */
  readonly seed?: number
  /** Weights to use instead, borrowed: names and shapes are checked. */
  readonly parameters?: NamedParameters
}

/** Parents to the quantities of an equation. */
export interface Conditioner<H extends Heads> {
  /** Width of the joined parents. */
  readonly parents: number
  /** The weights: of the options, or fresh ones that the caller owns. */
  readonly parameters: NamedParameters
  /** The quantities under given weights; owned by the caller. */
  apply(parameters: NamedParameters, parents: Parents): HeadValues<H>
}

/**
 * The network between a variable's parents and its equation: constants where there are no parents, else a dense
 * net whose outputs are split among the heads in their order, as Pyro's `DenseNN(…, param_dims)`.
 *
 * Weights are named `net.<layer>.weight` `[in, out]` and `net.<layer>.bias`, constants by their head, all after
 * `prefix`. Hidden layers start as PyTorch's linear; the last starts a tenth as wide around the heads' initial values.
 *
 * @param heads - what the equation needs
 * @param options - parents, hidden layers, weights
 * @param prefix - put before every weight's name
 * @throws ArgumentError on widths that are not whole numbers, or weights of other names
 * @throws ShapeError on weights of other shapes
 */
export function conditioner<H extends Heads>(
  heads: H,
  options: ConditionerOptions = {},
  prefix = '',
): Conditioner<H> {
  const { parents: width = 0, hidden = [], activation = 'relu', seed = 0 } = options
  expectNumber(width, { integer: true, min: 0 }, 'conditioner', 'parents')
  for (const n of hidden) expectNumber(n, { integer: true, min: 1 }, 'conditioner', 'every hidden width')
  const names = Object.keys(heads)
  const sizes = names.map((name) => heads[name]!.shape.reduce((a, b) => a * b, 1))
  const widths = [width, ...hidden, sizes.reduce((a, b) => a + b, 0)]
  const layers = widths.length - 1
  const shapes = width === 0 ? constantShapes(heads, prefix) : netShapes(widths, prefix)
  if (options.parameters) expectParameters(options.parameters, shapes)
  const parameters = options.parameters ?? (width === 0 ? constants() : net())

  function constants(): NamedParameters {
    return new Map(
      names.map((name) => [`${prefix}${name}`, tf.fill([...heads[name]!.shape], heads[name]!.initial)]),
    )
  }

  function net(): NamedParameters {
    const random = torchRandn(seed)
    const draw = (shape: number[], bound: number) =>
      tf.tensor(
        random.uniform(shape.reduce((a, b) => a * b, 1)).map((u) => (2 * u - 1) * bound),
        shape,
      )
    const fresh = new Map<string, tf.Tensor>()
    for (let i = 0; i < layers; i++) {
      const [from, to] = [widths[i]!, widths[i + 1]!]
      const last = i === layers - 1
      fresh.set(`${prefix}net.${i}.weight`, draw([from, to], (last ? 0.1 : 1) * from ** -0.5))
      const initial = names.flatMap((name, k) => new Array<number>(sizes[k]!).fill(heads[name]!.initial))
      fresh.set(`${prefix}net.${i}.bias`, last ? tf.tensor1d(initial) : draw([to], from ** -0.5))
    }
    return fresh
  }

  function apply(weights: NamedParameters, parents: Parents): HeadValues<H> {
    return tf.tidy(() => {
      if (width === 0) {
        return record(names.map((name) => weights.get(`${prefix}${name}`)!.expandDims(0)))
      }
      let y: tf.Tensor2D = joinParents(parents)
      expectShape(y, [null, width], 'conditioner', 'the joined parents')
      for (let i = 0; i < layers; i++) {
        const layer = {
          weight: weights.get(`${prefix}net.${i}.weight`)!,
          bias: weights.get(`${prefix}net.${i}.bias`)!,
        } as LinearParameters
        y = linear(layer, y)
        if (i < layers - 1) y = ACTIVATIONS[activation](y)
      }
      const parts = names.length === 1 ? [y] : tf.split(y, sizes, 1)
      return record(parts.map((part, k) => part.reshape([-1, ...heads[names[k]!]!.shape])))
    })
  }

  const record = (values: tf.Tensor[]) =>
    Object.fromEntries(names.map((name, k) => [name, values[k]!])) as HeadValues<H>

  return Object.freeze({ parents: width, parameters, apply })
}

const ACTIVATIONS = { relu: tf.relu, sigmoid: tf.sigmoid, tanh: tf.tanh } as const

type Shapes = ReadonlyMap<string, readonly number[]>

const constantShapes = (heads: Heads, prefix: string): Shapes =>
  new Map(Object.entries(heads).map(([name, { shape }]) => [`${prefix}${name}`, shape]))

const netShapes = (widths: readonly number[], prefix: string): Shapes =>
  new Map(
    widths.slice(1).flatMap((to, i): [string, readonly number[]][] => [
      [`${prefix}net.${i}.weight`, [widths[i]!, to]],
      [`${prefix}net.${i}.bias`, [to]],
    ]),
  )

function expectParameters(parameters: NamedParameters, shapes: Shapes): void {
  for (const [name, shape] of shapes) {
    const tensor = parameters.get(name)
    if (tensor) expectShape(tensor, shape, 'this mechanism', name)
    else {
      throw new ArgumentError({
        rule: `this mechanism needs weights named ${[...shapes.keys()].join(', ')}`,
        got: [...parameters.keys()].join(', ') || 'none',
        mend: `Add ${name} of shape [${shape.join(', ')}]; linear weights are [in, out].`,
      })
    }
  }
}
