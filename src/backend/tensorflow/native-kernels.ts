import type * as tf from '@tensorflow/tfjs'
import type { OwnKernel } from '../../core/index.js'
import { type Attribute, flag, integer, list, real, type TensorflowBackend, text } from './operations.js'

/** Where install-tensorflow puts the compiled kernels, in the package that carries the addon. */
export const nativeKernelsFile = 'lib/contrafact_kernels.node'

let problem: string | undefined = 'no native kernels: contrafact install-tensorflow compiles them'

/** Why TensorFlow runs without this library's kernels; nothing if it has them. */
export const nativeKernelsProblem = (): string | undefined => problem

/**
 * Makes this library's kernels for TensorFlow (`native/tensorflow`) known to the process, where they were compiled beside the addon.
 * Everything works without them, more slowly.
 *
 * @param packageName - whose addon runs TensorFlow
 */
export async function loadNativeKernels(packageName: string): Promise<void> {
  const { createRequire } = await import('node:module')
  const { existsSync } = await import('node:fs')
  const { dirname, join } = await import('node:path')
  const { resolve } = createRequire(import.meta.url)
  const file = join(dirname(resolve(`${packageName}/package.json`)), nativeKernelsFile)
  if (!problem || !existsSync(file)) return
  try {
    process.dlopen({ exports: {} }, file)
    problem = undefined
  } catch (error) {
    problem = `native kernels do not load: ${(error as Error).message.split('\n')[0]}`
  }
}

/** An operation of `native/tensorflow/operations.cc`: names of its inputs in order, how many results, its attributes. */
interface Operation {
  /** Left out: lists of tensors, `N` of every kind, in the order in which they come. */
  readonly inputs?: readonly string[]
  readonly results: number
  /** So many results for every tensor of a list. */
  readonly perTensor?: true
  readonly attributes?: Readonly<
    Record<string, (backend: TensorflowBackend, name: string, value: never) => Attribute>
  >
}

const attention = { heads: integer, scale: real, causal: flag }

/** Every kernel of `native/tensorflow`, by its name without `Contrafact`. */
const operations: Readonly<Partial<Record<OwnKernel, Operation>>> = {
  AdamW: { results: 3, perTensor: true, attributes: { N: integer } },
  Attention: { inputs: ['q', 'k', 'v'], results: 2, attributes: attention },
  AttentionGrad: { inputs: ['dOut', 'q', 'k', 'v', 'out', 'logSums'], results: 3, attributes: attention },
  Geglu: { inputs: ['x'], results: 1 },
  GegluGrad: { inputs: ['dy', 'x'], results: 1 },
  Gelu: { inputs: ['x'], results: 1 },
  GeluGrad: { inputs: ['dy', 'x'], results: 1 },
  GlobalNorm: { results: 1, attributes: { N: integer } },
  GroupNorm: { inputs: ['x', 'weight', 'bias'], results: 3, attributes: { groups: integer, epsilon: real } },
  GroupNormGrad: {
    inputs: ['dy', 'x', 'weight', 'mean', 'inverse'],
    results: 3,
    attributes: { groups: integer },
  },
  LayerNorm: { inputs: ['x', 'weight', 'bias'], results: 1, attributes: { epsilon: real } },
  LayerNormGrad: { inputs: ['dy', 'x', 'weight'], results: 1, attributes: { epsilon: real } },
  Linear: { inputs: ['x', 'weight', 'bias'], results: 1 },
  Mix: { results: 1, perTensor: true, attributes: { N: integer } },
  ReadParameter: { inputs: ['begin'], results: 1, attributes: { file: text, dtype: text, shape: list } },
  Split: { inputs: ['x'], results: 1, perTensor: true, attributes: { N: integer, widths: list } },
  SumRows: { inputs: ['x'], results: 1 },
  Swish: { inputs: ['x'], results: 1, attributes: { scale: real } },
  SwishGrad: { inputs: ['dy', 'x'], results: 1, attributes: { scale: real } },
  TorchNormal: { inputs: ['state'], results: 2, attributes: { shape: list } },
  Winograd: { inputs: ['x', 'filter', 'bias'], results: 1, attributes: { pads: list, backwards: flag } },
}

/** The native kernels as tfjs registers kernels; none where they are not loaded. */
export function nativeKernels(backend: TensorflowBackend): Map<string, tf.KernelFunc> {
  if (problem) return new Map()
  const kernels = Object.entries(operations).map(([name, operation]): [string, tf.KernelFunc] => [
    name,
    ({ inputs, attrs }) => {
      const values = attrs as unknown as Record<string, never>
      const attributes = Object.entries(operation.attributes ?? {}).map(([key, make]) =>
        make(backend, key, values[key]!),
      )
      const operands =
        operation.inputs?.map((input) => inputs[input]!) ?? (Object.values(inputs) as tf.TensorInfo[])
      const results = operation.results * (operation.perTensor ? Number(values.N) : 1)
      return backend.executeMultipleOutputs(`Contrafact${name}`, attributes, operands, results)
    },
  ])
  return new Map(kernels)
}
