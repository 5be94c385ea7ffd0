import type * as tf from '@tensorflow/tfjs'

/** The part of tfjs's wasm backend that kernels written here work with. */
export interface WasmKernelBackend {
  /** Emscripten's module. */
  readonly wasm: {
    /** The heap; replaced when it grows. */
    readonly HEAPU8: Uint8Array
    /** Its memory, of a module with threads. */
    readonly wasmMemory?: WebAssembly.Memory
    /** Its exports, the memory among them of a module without threads. */
    readonly asm?: { readonly memory: WebAssembly.Memory }
    _malloc(bytes: number): number
    _free(at: number): void
  }
  readonly dataIdMap: {
    get(dataId: object): { readonly memoryOffset: number }
    delete(dataId: object): boolean
  }
  dispose(): void
  /** Room for a result. */
  makeOutput(shape: readonly number[], dtype: tf.DataType): tf.TensorInfo
}

/** Where a tensor's values lie; 0 where there is no tensor. */
export const addressOf = (backend: WasmKernelBackend, tensor: tf.TensorInfo | undefined): number =>
  tensor ? backend.dataIdMap.get(tensor.dataId).memoryOffset : 0
