import * as tf from '@tensorflow/tfjs'

/** The time that one kind of program took on the device. */
export interface ProgramTime {
  readonly program: string
  readonly calls: number
  readonly milliseconds: number
}

interface Timed {
  activeTimers: { name: string; query: Promise<number> }[] | null
}

/**
 * Where the time of a run goes on the webgpu backend, program by program, by the device's own clock. Each program has a
 * pass of its own meanwhile, so that what runs side by side otherwise runs one after the other here.
 *
 * @param run - what is profiled
 * @returns the slowest first; then how long JavaScript took to record the programs in a run of its own
 */
export async function programTimes(run: () => unknown): Promise<readonly ProgramTime[]> {
  const backend = tf.backend() as unknown as Timed
  const timers: NonNullable<Timed['activeTimers']> = []
  backend.activeTimers = timers
  await run()
  backend.activeTimers = null
  const times = new Map<string, { calls: number; milliseconds: number }>()
  for (const { name, query } of timers) {
    const { calls, milliseconds } = times.get(name) ?? { calls: 0, milliseconds: 0 }
    times.set(name, { calls: calls + 1, milliseconds: milliseconds + (await query) })
  }
  const started = performance.now()
  const end = run()
  const recording = performance.now() - started
  await end
  const rows = [...times].map(([program, time]) => ({ program, ...time }))
  return [
    ...rows.sort((a, b) => b.milliseconds - a.milliseconds),
    { program: '(recording)', calls: timers.length, milliseconds: recording },
  ]
}
