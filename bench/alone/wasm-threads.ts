import { fork } from 'node:child_process'
import { join } from 'node:path'
import { type AloneOptions, type AloneResult, median, spreadOf } from './alone.js'
import { betweenCores } from './between-cores.js'

/**
 * The shipped checkpoint's UNet on wasm with several threads beside one, each in a process of its own. Outputs are compared,
 * bit by bit, before anything is timed; then they take turns. `ratio` is the speed with threads over that of one, turn by
 * turn, of the best of a few evaluations: threads wait for one another, so that whatever else the machine does counts twice.
 * `ratioOfProcesses` is what as many processes of one thread each get done at once, over what one does alone: more than that
 * the machine does not give. `nanosecondsBetweenCores` are those of a word's way, of which every kernel takes some.
 */
export async function wasmThreads({ runs, threads }: AloneOptions): Promise<AloneResult> {
  const several = begin(threads)
  const processes = Array.from({ length: threads }, () => begin(1))
  const one = processes[0]!
  const sides = [several, ...processes]
  const cores = betweenCores()
  try {
    const digests = new Set<string>()
    for (const side of sides) digests.add(await side.ask('digest'))
    if (digests.size > 1) throw new Error(`${threads} threads compute something else than one`)
    const turns: { several: number; one: number; together: number; nanoseconds: number }[] = []
    for (let i = 0; i < 4 * runs; i++) {
      turns.push({
        several: Number(await several.ask('run')),
        one: Number(await one.ask('run')),
        together: median(await Promise.all(processes.map(async (side) => Number(await side.ask('run'))))),
        nanoseconds: cores.measure(),
      })
    }
    const ratios = turns.map((turn) => turn.one / turn.several)
    return {
      name: 'wasm-threads',
      backend: 'wasm',
      shape: `shipped UNet, batch 2, latents 16×16, ${threads} threads`,
      measure: 'speed over that of one thread',
      seconds: median(turns.map((turn) => turn.several)),
      secondsOfOne: median(turns.map((turn) => turn.one)),
      ratio: median(ratios),
      spread: spreadOf(ratios),
      ratioOfProcesses: median(turns.map((turn) => (threads * turn.one) / turn.together)),
      nanosecondsBetweenCores: median(turns.map((turn) => turn.nanoseconds)),
      peakBytes: Number(await several.ask('peak')),
      maxAbsDifference: 0,
      must: 'at least 1.6',
      met: median(ratios) >= 1.6,
    }
  } finally {
    for (const side of sides) side.end()
    cores.end()
  }
}

function begin(threads: number) {
  const side = join(import.meta.dirname, 'wasm-threads-side.ts')
  const child = fork(side, [String(threads)], { execArgv: ['--import', 'tsx'] })
  return {
    ask: (order: string) =>
      new Promise<string>((done, failed) => {
        const ended = (code: number | null) => failed(new Error(`a side ended with ${code}`))
        child.once('exit', ended)
        child.once('message', (reply) => {
          child.off('exit', ended)
          done(String(reply))
        })
        child.send(order)
      }),
    end: () => child.kill(),
  }
}
