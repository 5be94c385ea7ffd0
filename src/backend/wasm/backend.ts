import type * as tf from '@tensorflow/tfjs'

/** The part of tfjs's wasm backend that kernels written here work with. */
export interface WasmKernelBackend {
  /** Emscripten's module. */
  readonly wasm: {
    /** The heap; replaced when it grows. */
    readonly HEAPU8: Uint8Array
    /** What C++ knows of tensors: an id stands for a place and a number of values. */
    readonly tfjs: {
      registerTensor(id: number, size: number, offset: number): void
      disposeData(id: number): void
    }
    cwrap(
      name: string,
      returns: null,
      parameters: readonly ('number' | 'array')[],
    ): (...args: unknown[]) => void
  }
  readonly dataIdMap: { get(dataId: object): { readonly id: number; readonly memoryOffset: number } }
  /** The next id that is free. */
  dataIdNextNumber: number
  /** Room for a result. */
  makeOutput(shape: readonly number[], dtype: tf.DataType): tf.TensorInfo
  /** A tensor's values where they lie; good until the heap grows, so after every output is made. */
  typedArrayFromHeap(tensor: tf.TensorInfo): Float32Array
}
