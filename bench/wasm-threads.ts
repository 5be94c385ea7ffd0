/**
 * The shipped checkpoint's UNet on wasm with several threads beside one, in alternating processes' runs:
 *
 *   npx tsx bench/wasm-threads.ts [--threads 2] [--batch 2] [--runs 20] [--steps 5] [--json]
 *
 * A run is a few evaluations. Outputs are compared, bit by bit, before anything is timed. `ratio` is the speed with
 * threads over that of one.
 */
import { fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs'
import { useBackend } from 'contrafact'
import { torchRandn } from 'contrafact/core'
import { loadStableDiffusion } from 'contrafact/models'

const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '2' },
    batch: { type: 'string', default: '2' },
    runs: { type: 'string', default: '20' },
    steps: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
    side: { type: 'string' },
  },
})
const [batch, steps] = [Number(values.batch), Number(values.steps)]

await (values.side ? answer(Number(values.side)) : compare(Number(values.threads)))

async function compare(threads: number): Promise<void> {
  const [several, one] = [begin(threads), begin(1)]
  try {
    const digests = [await several.ask('digest'), await one.ask('digest')]
    if (digests[0] !== digests[1]) throw new Error(`${threads} threads compute something else than one`)
    const ratios: number[] = []
    const seconds: number[][] = [[], []]
    for (let i = -1; i < Number(values.runs); i++) {
      const [fast, slow] = [Number(await several.ask('run')), Number(await one.ask('run'))]
      if (i < 0) continue // the warm-up
      ratios.push(slow / fast)
      seconds[0]!.push(fast)
      seconds[1]!.push(slow)
    }
    const result = {
      name: 'wasm-threads',
      backend: 'wasm',
      shape: `shipped UNet, batch ${batch}, latents 16×16`,
      threads,
      secondsPerStep: median(seconds[0]!) / steps,
      secondsPerStepOneThread: median(seconds[1]!) / steps,
      ratio: median(ratios),
      ratioOfBest: Math.min(...seconds[1]!) / Math.min(...seconds[0]!),
      spread: [Math.min(...ratios), Math.max(...ratios)],
      maxAbsDifference: 0,
    }
    console.log(values.json ? JSON.stringify(result) : result)
  } finally {
    several.end()
    one.end()
  }
}

function begin(threads: number) {
  const child = fork(
    import.meta.filename,
    ['--side', String(threads), `--batch=${batch}`, `--steps=${steps}`],
    {
      execArgv: ['--import', 'tsx'],
    },
  )
  return {
    ask: (order: string) =>
      new Promise<string>((done, failed) => {
        child.once('message', (reply) => done(String(reply)))
        child.once('exit', (code) => failed(new Error(`a side ended with ${code}`)))
        child.send(order)
      }),
    end: () => child.kill(),
  }
}

async function answer(threads: number): Promise<void> {
  await useBackend('wasm', { threads })
  const sd = await loadStableDiffusion(join(import.meta.dirname, '../examples/phantom/model'))
  const context = sd.encodePrompts(new Array(batch).fill('Chest X-ray with cardiomegaly'))
  const noise = torchRandn(1).normal(batch * 16 * 16 * 4)
  const x = tf.tensor4d(noise, [batch, 16, 16, 4])
  const denoise = () => sd.denoise(x, 500, context)
  process.on('message', async (order) => {
    const started = performance.now()
    if (order === 'run') {
      for (let i = 0; i < steps; i++) denoise().dispose()
      process.send!((performance.now() - started) / 1000)
    } else {
      const output = denoise()
      process.send!(
        createHash('sha256')
          .update(new Uint8Array((await output.data()).slice().buffer))
          .digest('hex'),
      )
      output.dispose()
    }
  })
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[sorted.length >> 1]!
}
