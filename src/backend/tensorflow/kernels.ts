import * as tf from '@tensorflow/tfjs'
import { replaceKernel } from '../replace-kernel.js'
import {
  biasedConv2d,
  conv2dAsProduct,
  conv2dByWinograd,
  conv2dInSlices,
  conv2dOfPixels,
  inputGradientAsProduct,
  inputGradientByWinograd,
} from './conv2d.js'
import { nativeKernels } from './native-kernels.js'
import { float, matrixProduct, type TensorflowBackend, text, whole, works } from './operations.js'

/**
 * Calls TensorFlow's faster kernels where tfjs-node calls slower ones. Idempotent; for TensorFlow on a CPU, other
 * backends and devices are left alone.
 *
 * - `Conv2D` and its gradient by the input: a matrix product where the map is small and the kernel large; slice by
 *   slice where the channels are a power of two;
 * - `FusedConv2D` takes the same ways, and elsewhere oneDNN's convolution that adds the bias itself;
 * - `BatchMatMul` of two matrices: `MatMul` is the faster of TensorFlow's two products;
 * - `Reshape`: nothing to the same shape, and the shape as a tensor made once, not at every call;
 * - `SplitV` of the last axis by rows;
 * - `Softmax`: oneDNN's takes half as long as Eigen's;
 * - `Conv2D` of 3 × 3 and its gradient: by Winograd's algorithm, on maps that are not small;
 * - attention, norms and activations with their gradients: this library's own, where they were compiled (`native/tensorflow`).
 */
export function installTensorflowKernels(): void {
  const backend = tf.backend() as unknown as TensorflowBackend
  if (installed || backend.isUsingGpuDevice) return
  installed = true
  const own = nativeKernels(backend)
  const [linear, winograd] = [own.get('Linear'), own.get('Winograd')]
  if (linear) own.set('Linear', (call) => ofFewRows(linear, call) ?? ofManyRows(call))
  for (const [kernelName, kernelFunc] of own)
    tf.registerKernel({ kernelName, backendName: 'tensorflow', kernelFunc })
  const { kernelFunc: convolve } = tf.getKernel('Conv2D', 'tensorflow')
  const byProducts = (call: Call) => conv2dAsProduct(backend, call) ?? conv2dInSlices(convolve, call)
  const faster = (call: Call) => (winograd && conv2dByWinograd(winograd, call)) ?? byProducts(call)
  replaceKernel('tensorflow', 'Conv2D', () => (call) => faster(call) ?? convolve(call))
  replaceKernel('tensorflow', 'FusedConv2D', (general) => {
    const picture = () => ({ x: tf.zeros([1, 2, 2, 3]), filter: tf.zeros([1, 1, 3, 2]), bias: tf.zeros([2]) })
    const plain = { strides: 1, pad: 'same', dataFormat: 'NHWC', dilations: 1, activation: 'linear' }
    const biased = (call: Call) => biasedConv2d(backend, call)
    const hasBiased = works(() => biased({ inputs: picture(), attrs: plain as never, backend }))
    return (call) => {
      const { activation } = call.attrs as unknown as { activation: string }
      if (activation !== 'linear' || !call.inputs.bias) return general(call)
      const own = (linear && conv2dOfPixels(linear, call)) ?? (winograd && conv2dByWinograd(winograd, call))
      if (own) return own
      const y = byProducts(call) as tf.Tensor | undefined
      if (!y) return (hasBiased ? biased(call) : undefined) ?? general(call)
      const biasedY = tf.add(y, call.inputs.bias as tf.Tensor)
      y.dispose()
      return biasedY
    }
  })
  replaceKernel(
    'tensorflow',
    'Conv2DBackpropInput',
    (general) => (call) =>
      (winograd && inputGradientByWinograd(winograd, call)) ??
      inputGradientAsProduct(backend, call) ??
      general(call),
  )
  const ownSplit = own.get('Split')
  if (ownSplit)
    replaceKernel('tensorflow', 'SplitV', (general) => (call) => splitLast(ownSplit, call) ?? general(call))
  replaceKernel('tensorflow', 'Reshape', (general) => reshape(backend, general))
  replaceKernel(
    'tensorflow',
    'BatchMatMul',
    (general) => (call) => productOfTwo(backend, call) ?? general(call),
  )
  const rows = () => tf.zeros<tf.Rank.R3>([2, 1, 3])
  if (works(() => softmax(backend, rows()))) {
    replaceKernel('tensorflow', 'Softmax', () => (call) => softmax(backend, call.inputs.logits!))
  }
}

type Call = Parameters<tf.KernelFunc>[0]

// Below it calls cost more than they compute.
const fewRows = 256

/** This library's `Linear` where a call costs more than it computes: with a bias, for few rows. */
function ofFewRows(linear: tf.KernelFunc, call: Call) {
  const { x, weight, bias } = call.inputs as { x: tf.Tensor; weight: tf.Tensor2D; bias?: tf.Tensor1D }
  return bias && x.size <= fewRows * weight.shape[0] ? linear(call) : undefined
}

/** `Linear` by TensorFlow's product. */
function ofManyRows({ inputs }: Call): tf.Tensor {
  const { x, weight, bias } = inputs as { x: tf.Tensor; weight: tf.Tensor2D; bias?: tf.Tensor1D }
  const [width, out] = weight.shape
  return tf.tidy(() => {
    const a = tf.reshape<tf.Rank.R2>(x, [-1, width])
    const y = bias ? tf.fused.matMul({ a, b: weight, bias }) : tf.matMul(a, weight)
    return tf.reshape(y, [...x.shape.slice(0, -1), out])
  })
}

let installed = false

/** `SplitV` of the last axis of floats, which TensorFlow copies number by number. */
function splitLast(split: tf.KernelFunc, { inputs, attrs, backend }: Call): tf.TensorInfo[] | undefined {
  const x = inputs.x as tf.Tensor
  const { numOrSizeSplits, axis } = attrs as unknown as {
    numOrSizeSplits: number | number[]
    axis: number
  }
  const [last] = tf.util.parseAxisParam(axis, x.shape)
  if (x.dtype !== 'float32' || last !== x.rank - 1) return undefined
  const widths = tf.backend_util.prepareSplitSize(x, numOrSizeSplits, last)
  return [split({ inputs: { x }, attrs: { N: widths.length, widths } as never, backend })].flat()
}

// TensorFlow takes the new shape as a tensor, which tfjs-node makes and frees at every call.
function reshape(backend: TensorflowBackend, general: tf.KernelFunc): tf.KernelFunc {
  const { kernelFunc: identity } = tf.getKernel('Identity', 'tensorflow')
  const shapes = new Map<string, tf.TensorInfo>()
  const shapeTensor = (shape: number[]): tf.TensorInfo => {
    const key = shape.join()
    const known = shapes.get(key)
    if (known) return known
    const [values, size] = [Int32Array.from(shape), [shape.length]]
    const made = { dataId: backend.write(values, size, 'int32'), shape: size, dtype: 'int32' } as const
    shapes.set(key, made)
    return made
  }
  return (call) => {
    const [x, { shape }] = [call.inputs.x as tf.Tensor, call.attrs as unknown as { shape: number[] }]
    if (x.dtype !== 'float32') return general(call)
    const full = tf.util.inferFromImplicitShape(shape, tf.util.sizeFromShape(x.shape))
    if (full.join() === x.shape.join()) return identity({ inputs: { x }, backend })
    const attributes = [float(backend), whole(backend, 'Tshape')]
    return backend.executeSingleOutput('Reshape', attributes, [x, shapeTensor(full)])
  }
}

function productOfTwo(backend: TensorflowBackend, { inputs, attrs }: Call): tf.TensorInfo | undefined {
  const { transposeA, transposeB } = attrs as unknown as { transposeA: boolean; transposeB: boolean }
  const [a, b] = [inputs.a as tf.Tensor, inputs.b as tf.Tensor]
  if (a.dtype !== 'float32' || a.size !== lastTwo(a) || b.size !== lastTwo(b)) return undefined
  return tf.tidy(() => {
    const product = matrixProduct(backend, matrix(a), matrix(b), { transposeA, transposeB })
    if (a.rank + b.rank === 4) return product
    const outer = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2))
    return tf.reshape(product, [...outer, ...product.shape])
  })
}

const lastTwo = ({ shape }: tf.Tensor): number => shape.at(-2)! * shape.at(-1)!

const matrix = (t: tf.Tensor): tf.Tensor2D =>
  t.rank === 2 ? (t as tf.Tensor2D) : tf.reshape(t, [t.shape.at(-2)!, t.shape.at(-1)!])

// The label is how TensorFlow itself asks for oneDNN's kernel of this name.
const softmax = (backend: TensorflowBackend, logits: tf.TensorInfo): tf.Tensor =>
  backend.executeSingleOutput(
    '_MklSoftmax',
    [float(backend), text(backend, '_kernel', 'MklNameChangeOp')],
    [logits],
  )
