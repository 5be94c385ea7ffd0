import * as tf from '@tensorflow/tfjs'
import { replaceKernel } from '../replace-kernel.js'
import { tensorOf } from '../tensor-of.js'
import { ownKernels } from './own-kernels.js'
import { conv2d, conv2dInputGradient, matMul } from './products.js'
import { runsAtOnce } from './program.js'

/**
 * Gives the webgpu backend this library's kernels, and mends two of its own. Idempotent; other backends are left alone.
 *
 * - `Conv2D`, `FusedConv2D`, `Conv2DBackpropInput`, `BatchMatMul`, `_FusedMatMul`: see `products.ts`;
 * - attention, norms and activations with their gradients: see `own-kernels.ts`;
 * - `AddN` binds one storage buffer for each of its terms, and WebGPU promises no more than 8 for a shader: a longer sum
 *   (a clipped gradient, an ensemble) makes an invalid pipeline, whose result is whatever the buffer held. Here it is
 *   summed seven at a time.
 * - `Transpose` of whole numbers is a program that the device refuses, with the same end. Here it goes through
 *   float32, which is exact up to 2²⁴.
 */
export function installWebgpuKernels(): void {
  if (addAtOnce) return
  tf.env().set('WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE', runsAtOnce)
  replaceKernel('webgpu', 'AddN', (general) => {
    addAtOnce = general
    return addN
  })
  replaceKernel('webgpu', 'Transpose', transposeOf)
  for (const name of ['Conv2D', 'FusedConv2D']) replaceKernel('webgpu', name, unlessOther(conv2d))
  for (const name of ['BatchMatMul', '_FusedMatMul']) replaceKernel('webgpu', name, unlessOther(matMul))
  replaceKernel('webgpu', 'Conv2DBackpropInput', unlessOther(conv2dInputGradient))
  for (const [kernelName, kernelFunc] of Object.entries(ownKernels))
    tf.registerKernel({ kernelName, backendName: 'webgpu', kernelFunc })
}

// What this library's kernel does not take goes to the one that was there.
const unlessOther =
  (own: (call: Parameters<tf.KernelFunc>[0]) => tf.TensorInfo | undefined) =>
  (general: tf.KernelFunc): tf.KernelFunc =>
  (call) =>
    own(call) ?? general(call)

let addAtOnce: tf.KernelFunc | undefined

// Eight buffers, less one for the result.
const most = 7

const addN: tf.KernelFunc = ({ inputs, attrs, backend }) => {
  const terms = inputs as unknown as tf.Tensor[]
  const sum = (some: readonly tf.Tensor[]): tf.Tensor =>
    tensorOf(addAtOnce!({ inputs: some as unknown as tf.NamedTensorInfoMap, attrs: attrs ?? {}, backend }))
  return tf.tidy(() => {
    let total = sum(terms.slice(0, most))
    for (let i = most; i < terms.length; i += most - 1) total = sum([total, ...terms.slice(i, i + most - 1)])
    return total
  })
}

const transposeOf =
  (transpose: tf.KernelFunc): tf.KernelFunc =>
  (call) => {
    const x = call.inputs.x as tf.Tensor
    if (x.dtype === 'float32' || x.dtype === 'complex64') return transpose(call)
    const { perm } = call.attrs as unknown as { perm: number[] }
    return tf.tidy(() => tf.cast(tf.transpose(tf.cast(x, 'float32'), perm), x.dtype))
  }
