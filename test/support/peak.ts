import * as tf from '@tensorflow/tfjs'

/** The most bytes or tensors that the engine holds while something runs, tensors made before included. */
export function peakOf(what: 'numBytes' | 'numTensors', work: () => void): number {
  const engine = tf.engine() as unknown as {
    runKernelFunc(call: object): unknown
    state: Readonly<Record<'numBytes' | 'numTensors', number>>
  }
  const { runKernelFunc, state } = engine
  let peak = state[what]
  engine.runKernelFunc = (call) => {
    const result = runKernelFunc.call(engine, call)
    peak = Math.max(peak, state[what])
    return result
  }
  try {
    work()
  } finally {
    engine.runKernelFunc = runKernelFunc
  }
  return peak
}
