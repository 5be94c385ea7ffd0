import * as tf from '@tensorflow/tfjs'

/** The time that one kind of call took, its own kernels aside. */
export interface KernelTime {
  /** The kernel, with the shapes of its arguments where they were asked for. */
  readonly kernel: string
  readonly calls: number
  /** Of all threads together, so that other work on the machine does not count. */
  readonly cpuSeconds: number
}

/**
 * Where the processor time of a run goes, kernel by kernel. Meaningful on backends that compute within the call:
 * tensorflow and wasm.
 *
 * @param run - what is profiled
 * @param shapes - tell calls of one kernel with different shapes apart
 * @returns the slowest first, and last what JavaScript took between the kernels
 */
export async function kernelTimes(run: () => unknown, shapes: boolean): Promise<readonly KernelTime[]> {
  const times = new Map<string, { calls: number; cpuSeconds: number }>()
  let inner = 0
  const started = cpu()
  await replacingKernels(run, (kernel) => (call) => {
    const [began, before] = [cpu(), inner]
    inner = 0
    const result = kernel.kernelFunc(call)
    const whole = cpu() - began
    const name = kernel.kernelName + (shapes ? ` ${describe(call)}` : '')
    const { calls, cpuSeconds } = times.get(name) ?? { calls: 0, cpuSeconds: 0 }
    times.set(name, { calls: calls + 1, cpuSeconds: cpuSeconds + whole - inner })
    inner = before + whole
    return result
  })
  const whole = cpu() - started
  const rows = [...times].map(([kernel, time]) => ({ kernel, ...time }))
  const between = whole - rows.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0)
  return [
    ...rows.sort((a, b) => b.cpuSeconds - a.cpuSeconds),
    { kernel: '(between kernels)', calls: 1, cpuSeconds: between },
  ]
}

/** Runs something and shows every outermost kernel call that it makes, with its result. */
export async function aroundKernels(
  run: () => unknown,
  show: (kernelName: string, call: Parameters<tf.KernelFunc>[0], result: unknown) => void,
): Promise<void> {
  let depth = 0
  await replacingKernels(run, (kernel) => (call) => {
    depth++
    try {
      const result = kernel.kernelFunc(call)
      if (depth === 1) show(kernel.kernelName, call, result)
      return result
    } finally {
      depth--
    }
  })
}

async function replacingKernels(
  run: () => unknown,
  replacement: (kernel: tf.KernelConfig) => tf.KernelFunc,
): Promise<void> {
  const originals = tf.getKernelsForBackend(tf.getBackend())
  const register = (kernel: tf.KernelConfig) => {
    tf.unregisterKernel(kernel.kernelName, kernel.backendName)
    tf.registerKernel(kernel)
  }
  for (const kernel of originals) register({ ...kernel, kernelFunc: replacement(kernel) })
  try {
    await run()
  } finally {
    for (const kernel of originals) register(kernel)
  }
}

function cpu(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

function describe({ inputs, attrs }: Parameters<tf.KernelFunc>[0]): string {
  const sizes = Object.values(inputs).map((input) => (input as tf.TensorInfo | undefined)?.shape?.join('×'))
  const order = (attrs as { perm?: unknown } | undefined)?.perm
  return [...sizes, order && `(${order})`].filter(Boolean).join(' · ')
}
