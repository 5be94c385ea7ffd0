import * as tf from '@tensorflow/tfjs'
import type { OwnKernel } from '../../core/index.js'
import { addressOf, type WasmKernelBackend } from './backend.js'
import { resnetBlock, transformer } from './blocks.js'
import { conv2d } from './convolutions.js'
import { linear } from './products.js'
import { type At, simdOf } from './simd.js'

/*
 * This library's kernels by those of `native/wasm`: what is checked and what it means is said at the layers of `nn` that run
 * them, and how it is computed in `native/wasm`.
 */

type Inputs<Name extends string> = Readonly<Record<Name, tf.TensorInfo>>

const sizeOf = (t: tf.TensorInfo): number => tf.util.sizeFromShape(t.shape)

/** A kernel whose results have given shapes. */
function kernel<Name extends string, Attributes>(
  shapesOf: (inputs: Inputs<Name>, attributes: Attributes) => readonly (readonly number[])[],
  run: (
    simd: ReturnType<typeof simdOf>,
    at: Readonly<Record<Name, At>>,
    out: readonly At[],
    inputs: Inputs<Name>,
    attributes: Attributes,
  ) => void,
): tf.KernelFunc {
  return ({ inputs: given, attrs, backend: host }) => {
    const [inputs, attributes] = [given as unknown as Inputs<Name>, attrs as unknown as Attributes]
    const backend = host as WasmKernelBackend
    const results = shapesOf(inputs, attributes).map((shape) => backend.makeOutput(shape, 'float32'))
    const at = {} as Record<Name, At>
    for (const name in inputs) at[name] = addressOf(backend, inputs[name])
    const out = results.map((result) => addressOf(backend, result))
    if (sizeOf(results[0]!) > 0) run(simdOf(backend), at, out, inputs, attributes)
    return results.length === 1 ? results[0]! : results
  }
}

const like =
  <Name extends string>(...names: Name[]) =>
  (inputs: Inputs<Name>) =>
    names.map((name) => inputs[name].shape)

interface Heads {
  readonly heads: number
  readonly scale: number
  readonly causal: boolean
}

// [batch, heads, queries, keys, depth]
function sidesOf(q: tf.TensorInfo, k: tf.TensorInfo, heads: number) {
  const [batch, queries, channels] = q.shape as [number, number, number]
  return [batch, heads, queries, k.shape[1]!, channels / heads] as const
}

interface Groups {
  readonly groups: number
  readonly epsilon: number
}

const perSample = (x: tf.TensorInfo, count: number) => [x.shape[0]!, 1, count]
// [batch, pixels, channels]
function pixelsOf(x: tf.TensorInfo) {
  const [batch, channels] = [x.shape[0]!, x.shape.at(-1)!]
  return [batch, sizeOf(x) / (batch * channels), channels] as const
}
const rowsOf = (x: tf.TensorInfo) => [sizeOf(x) / x.shape.at(-1)!, x.shape.at(-1)!] as const
const halved = (x: tf.TensorInfo) => [...x.shape.slice(0, -1), x.shape.at(-1)! / 2]

/** By name. */
export const ownKernels = {
  Convolve: (call) => conv2d(call)!,
  Linear: linear,
  LinearPlus: linear,
  ResnetBlock: resnetBlock,
  Transformer: transformer,
  Attention: kernel<'q' | 'k' | 'v', Heads>(
    ({ q }, { heads }) => [q.shape, [q.shape[0]!, heads, q.shape[1]!]],
    (simd, { q, k, v }, [out, logSums], inputs, { heads, scale, causal }) =>
      simd.attention(q, k, v, ...sidesOf(inputs.q, inputs.k, heads), scale, causal, out!, logSums!),
  ),
  AttentionGrad: kernel<'dOut' | 'q' | 'k' | 'v' | 'out' | 'logSums', Heads>(
    like('q', 'k', 'v'),
    (simd, { dOut, q, k, v, out, logSums }, [dq, dk, dv], inputs, { heads, scale, causal }) => {
      const sides = sidesOf(inputs.q, inputs.k, heads)
      simd.attentionGrad(dOut, q, k, v, out, logSums, ...sides, scale, causal, dq!, dk!, dv!)
    },
  ),
  GroupNorm: kernel<'x' | 'weight' | 'bias', Groups>(
    ({ x }, { groups }) => [x.shape, perSample(x, groups), perSample(x, groups)],
    (simd, { x, weight, bias }, [y, mean, inverse], inputs, { groups, epsilon }) =>
      simd.groupNorm(x, weight, bias, ...pixelsOf(inputs.x), groups, epsilon, false, y!, mean!, inverse!),
  ),
  GroupNormSilu: kernel<'x' | 'weight' | 'bias', Groups>(
    like('x'),
    (simd, { x, weight, bias }, [y], inputs, { groups, epsilon }) =>
      simd.groupNorm(x, weight, bias, ...pixelsOf(inputs.x), groups, epsilon, true, y!, 0, 0),
  ),
  GroupNormGrad: kernel<'dy' | 'x' | 'weight' | 'mean' | 'inverse', Groups>(
    ({ x }) => [x.shape, perSample(x, x.shape.at(-1)!), perSample(x, x.shape.at(-1)!)],
    (simd, { dy, x, weight, mean, inverse }, [dx, dWeight, dBias], inputs, { groups }) => {
      const sides = pixelsOf(inputs.x)
      simd.groupNormGrad(dy, x, weight, mean, inverse, ...sides, groups, dx!, dWeight!, dBias!)
    },
  ),
  LayerNorm: kernel<'x' | 'weight' | 'bias', Groups>(
    like('x'),
    (simd, { x, weight, bias }, [y], inputs, { epsilon }) =>
      simd.layerNorm(x, weight, bias, ...rowsOf(inputs.x), epsilon, y!),
  ),
  LayerNormGrad: kernel<'dy' | 'x' | 'weight', Groups>(
    like('x'),
    (simd, { dy, x, weight }, [dx], inputs, { epsilon }) =>
      simd.layerNormGrad(dy, x, weight, ...rowsOf(inputs.x), epsilon, dx!),
  ),
  Swish: kernel<'x', { scale: number }>(like('x'), (simd, { x }, [y], inputs, { scale }) =>
    simd.swish(x, sizeOf(inputs.x), scale, y!),
  ),
  SwishGrad: kernel<'dy' | 'x', { scale: number }>(like('x'), (simd, { dy, x }, [dx], inputs, { scale }) =>
    simd.swishGrad(dy, x, sizeOf(inputs.x), scale, dx!),
  ),
  Gelu: kernel<'x', object>(like('x'), (simd, { x }, [y], inputs) => simd.gelu(x, sizeOf(inputs.x), y!)),
  GeluGrad: kernel<'dy' | 'x', object>(like('x'), (simd, { dy, x }, [dx], inputs) =>
    simd.geluGrad(dy, x, sizeOf(inputs.x), dx!),
  ),
  Geglu: kernel<'x', object>(
    ({ x }) => [halved(x)],
    (simd, { x }, [y], inputs) => {
      const [rows, width] = rowsOf(inputs.x)
      simd.geglu(x, rows, width / 2, y!)
    },
  ),
  GegluGrad: kernel<'dy' | 'x', object>(like('x'), (simd, { dy, x }, [dx], inputs) => {
    const [rows, width] = rowsOf(inputs.dy)
    simd.gegluGrad(dy, x, rows, width, dx!)
  }),
} satisfies Partial<Record<OwnKernel, tf.KernelFunc>>
