import type { Tensor } from '@tensorflow/tfjs'
import { torchRandn } from '../core/index.js'
import type { ParameterShapes } from '../models/index.js'
import { fromTorch, type NamedParameters } from '../nn/index.js'

/**
 * Fresh weights by PyTorch's defaults: linear and convolution weights and biases uniform within `1/√fan-in`,
 * embeddings normal with deviation 0.02, norms the identity.
 *
 * @param shapes - names and PyTorch shapes, e.g. of `unetShapes(config)`
 * @param seed - the same seed gives the same weights
 * @returns in this library's layout, owned by the caller
 */
export function initialParameters(shapes: ParameterShapes, seed: number): NamedParameters {
  const random = torchRandn(seed)
  const uniform = (count: number, bound: number) => random.uniform(count).map((u) => (2 * u - 1) * bound)
  const parameters = new Map<string, Tensor>()
  for (const [name, shape] of shapes) {
    const count = shape.reduce((a, b) => a * b, 1)
    const weight = shapes.get(name.replace(/bias$/, 'weight')) ?? shape
    const fanIn = weight.slice(1).reduce((a, b) => a * b, 1)
    const values = /_embedding\.weight$/.test(name)
      ? random.normal(count).map((x) => 0.02 * x)
      : weight.length === 1
        ? new Float32Array(count).fill(name.endsWith('.bias') ? 0 : 1)
        : uniform(count, fanIn ** -0.5)
    parameters.set(name, fromTorch(name, shape, values))
  }
  return parameters
}
