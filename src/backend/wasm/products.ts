import * as tf from '@tensorflow/tfjs'
import type { WasmKernelBackend } from './backend.js'

/**
 * `BatchMatMul`, and `_FusedMatMul` where there is but a bias to add. Only a product of two 2-D matrices, neither
 * turned, takes XNNPACK's path in tfjs, 10 to 40 times faster than its loops: so transposes are written out, and a batch
 * is taken matrix by matrix, each where it lies in its tensor.
 */
export const batchMatMul: tf.KernelFunc = (call) => {
  const backend = call.backend as WasmKernelBackend
  const { transposeA, transposeB } = call.attrs as unknown as { transposeA: boolean; transposeB: boolean }
  const [a, b] = [call.inputs.a as tf.Tensor, call.inputs.b as tf.Tensor]
  const outer = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2))
  const [rows, columns] = [a.shape.at(transposeA ? -1 : -2)!, b.shape.at(transposeB ? -2 : -1)!]
  const out = backend.makeOutput([...outer, rows, columns], 'float32')
  tf.tidy(() => {
    const [left, right] = [matrices(a, outer, transposeA), matrices(b, outer, transposeB)]
    const product = productOf(backend, call.inputs.bias)
    multiply(backend, product, left, right, {
      tensor: out,
      count: tf.util.sizeFromShape(outer),
      rows,
      columns,
    })
  })
  return out
}

/** Matrices one after the other in memory. */
interface Matrices {
  readonly tensor: tf.TensorInfo
  readonly count: number
  readonly rows: number
  readonly columns: number
}

// One matrix per outer index, or a single one for all of them.
function matrices(t: tf.Tensor, outer: readonly number[], turned: boolean): Matrices {
  const own = t.shape.slice(0, -2)
  const shared = own.every((n) => n === 1)
  const whole =
    shared || own.join() === outer.join() ? t : tf.broadcastTo(t, [...outer, ...t.shape.slice(-2)])
  const axes = [...whole.shape.keys()]
  const tensor = turned ? tf.transpose(whole, [...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!]) : whole
  const [rows, columns] = tensor.shape.slice(-2) as [number, number]
  return { tensor, count: tensor.size / (rows * columns), rows, columns }
}

function multiply(
  backend: WasmKernelBackend,
  product: Product,
  left: Matrices,
  right: Matrices,
  out: Matrices,
): void {
  const [leftShape, rightShape] = [shapeBytes(left), shapeBytes(right)]
  const [a, b, c] = [matrixReader(backend, left), matrixReader(backend, right), matrixReader(backend, out)]
  for (let i = 0; i < out.count; i++) {
    try {
      product(a.at(i), leftShape, b.at(i), rightShape, c.at(i))
    } finally {
      a.release()
      b.release() // and with it XNNPACK's copy of the matrix
      c.release()
    }
  }
}

const shapeBytes = ({ rows, columns }: Matrices) => new Uint8Array(new Int32Array([1, rows, columns]).buffer)

/** Ids under which C++ finds single matrices: the tensor's own where it is one matrix, and its packing is kept. */
function matrixReader(backend: WasmKernelBackend, { tensor, count, rows, columns }: Matrices) {
  const { id, memoryOffset } = backend.dataIdMap.get(tensor.dataId)
  if (count === 1) return { at: () => id, release: () => {} }
  const { tfjs } = backend.wasm
  const size = rows * columns
  const view = backend.dataIdNextNumber++
  return {
    at: (i: number) => {
      tfjs.registerTensor(view, size, memoryOffset + 4 * size * i)
      return view
    },
    release: () => tfjs.disposeData(view),
  }
}

type Product = (a: number, aShape: Uint8Array, b: number, bShape: Uint8Array, out: number) => void

// One function of C++ for both kernels: a bias of 0 is none.
function productOf(backend: WasmKernelBackend, bias: tf.TensorInfo | undefined): Product {
  const call = compiledOf(backend)
  const id = bias ? backend.dataIdMap.get(bias.dataId).id : 0
  // No activation, whose number is 0, and no slopes for one.
  return (a, aShape, b, bShape, out) => call(a, aShape, 3, b, bShape, 3, false, false, 0, id, 0, 0, out)
}

type Compiled = (...args: unknown[]) => void
const compiled = new WeakMap<object, Compiled>()

function compiledOf(backend: WasmKernelBackend): Compiled {
  const known = compiled.get(backend)
  if (known) return known
  const matrix = ['number', 'array', 'number'] as const // id, shape, rank
  const rest = new Array<'number'>(7).fill('number') // two transposes, activation, bias, slopes, leak, result
  const made = backend.wasm.cwrap('_FusedMatMul', null, [...matrix, ...matrix, ...rest])
  compiled.set(backend, made)
  return made
}
