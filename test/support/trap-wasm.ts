import * as tf from '@tensorflow/tfjs'

/** Makes the wasm backend trap at its next allocation, and at every later one. */
export function trapWasm(): void {
  const { wasm } = tf.backend() as unknown as { wasm: { _malloc: (bytes: number) => number } }
  wasm._malloc = () => {
    throw new WebAssembly.RuntimeError('unreachable')
  }
}
