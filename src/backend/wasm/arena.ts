import type { WasmKernelBackend } from './backend.js'

/**
 * A block of wasm's memory that grows with what is asked of it and is used again and again.
 *
 * @returns a function that gives the address of so many bytes; what an earlier call gave is gone
 */
export function arena({ wasm }: WasmKernelBackend): (bytes: number) => number {
  let [at, size] = [0, 0]
  return (bytes) => {
    if (bytes >>> 0 > size) {
      wasm._free(at)
      ;[at, size] = [0, 0]
      at = wasm._malloc(bytes >>> 0) >>> 0
      size = bytes >>> 0
    }
    return at
  }
}
