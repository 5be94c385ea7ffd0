import { fork } from 'node:child_process'
import { join } from 'node:path'
import { type AloneOptions, type AloneResult, median, spreadOf } from './alone.js'

/**
 * The shipped checkpoint's UNet on wasm with several threads beside one, each in a process of its own. Outputs are compared,
 * bit by bit, before anything is timed; then the two take turns. `ratio` is the speed with threads over that of one, turn by
 * turn, of the best of a few evaluations: threads wait for one another, so that whatever else the machine does counts twice.
 */
export async function wasmThreads({ runs, threads }: AloneOptions): Promise<AloneResult> {
  const [several, one] = [begin(threads), begin(1)]
  try {
    const digests = [await several.ask('digest'), await one.ask('digest')]
    if (digests[0] !== digests[1]) throw new Error(`${threads} threads compute something else than one`)
    const seconds: { several: number; one: number }[] = []
    for (let i = 0; i < 4 * runs; i++)
      seconds.push({ several: Number(await several.ask('run')), one: Number(await one.ask('run')) })
    const ratios = seconds.map((turn) => turn.one / turn.several)
    return {
      name: 'wasm-threads',
      backend: 'wasm',
      shape: `shipped UNet, batch 2, latents 16×16, ${threads} threads`,
      measure: 'speed over that of one thread',
      seconds: median(seconds.map((turn) => turn.several)),
      secondsOfOne: median(seconds.map((turn) => turn.one)),
      ratio: median(ratios),
      spread: spreadOf(ratios),
      maxAbsDifference: 0,
      must: 'at least 1.6',
      met: median(ratios) >= 1.6,
    }
  } finally {
    several.end()
    one.end()
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
