import * as tf from '@tensorflow/tfjs'

/** The time that one kind of call took, its own kernels aside. */
export interface KernelTime {
  /** The kernel, with the shapes of its arguments where they were asked for. */
  readonly kernel: string
  readonly calls: number
  readonly seconds: number
}

/**
 * Where the time of a run goes, kernel by kernel. The backends on which this is meaningful compute within the call:
 * tensorflow and wasm.
 *
 * @param run - what is profiled
 * @param shapes - tell calls of one kernel with different shapes apart
 * @returns the slowest first, and last what JavaScript took between the kernels
 */
export async function kernelTimes(
  run: () => Promise<void> | void,
  shapes: boolean,
): Promise<readonly KernelTime[]> {
  const times = new Map<string, { calls: number; seconds: number }>()
  let inner = 0
  const originals = tf.getKernelsForBackend(tf.getBackend())
  for (const kernel of originals) {
    replace(kernel, (call) => {
      const [started, before] = [performance.now(), inner]
      inner = 0
      const result = kernel.kernelFunc(call)
      const whole = performance.now() - started
      const name = kernel.kernelName + (shapes ? ` ${describe(call)}` : '')
      const entry = times.get(name) ?? { calls: 0, seconds: 0 }
      times.set(name, { calls: entry.calls + 1, seconds: entry.seconds + (whole - inner) / 1000 })
      inner = before + whole
      return result
    })
  }
  const started = performance.now()
  try {
    await run()
  } finally {
    for (const kernel of originals) replace(kernel, kernel.kernelFunc)
  }
  const whole = (performance.now() - started) / 1000
  const rows = [...times].map(([kernel, time]) => ({ kernel, ...time }))
  const between = whole - rows.reduce((sum, { seconds }) => sum + seconds, 0)
  return [
    ...rows.sort((a, b) => b.seconds - a.seconds),
    { kernel: '(between kernels)', calls: 1, seconds: between },
  ]
}

function replace(kernel: tf.KernelConfig, kernelFunc: tf.KernelFunc): void {
  tf.unregisterKernel(kernel.kernelName, kernel.backendName)
  tf.registerKernel({ ...kernel, kernelFunc })
}

function describe({ inputs, attrs }: Parameters<tf.KernelFunc>[0]): string {
  const sizes = Object.values(inputs).map((input) => (input as tf.TensorInfo | undefined)?.shape?.join('×'))
  const axis = (attrs as { axis?: unknown; perm?: unknown } | undefined)?.perm
  return [...sizes, axis && `(${axis})`].filter(Boolean).join(' · ')
}
