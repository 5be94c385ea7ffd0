/**
 * The same prompt and seed through this library and through Python diffusers, on one model folder:
 *
 *   npx tsx scripts/compare-with-diffusers.ts [--model FOLDER] [--prompt TEXT] [--seeds 0,1,2] [--python python3]
 *
 * Prints the largest difference of each picture and fails above 1/255. Python needs torch, diffusers, transformers.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { loadStableDiffusion, useBackend } from 'contrafact'
import { textToImage } from 'contrafact/editing'
import { schedulerFromConfig } from 'contrafact/schedulers'

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: join(import.meta.dirname, '../examples/phantom/model') },
    prompt: { type: 'string', default: 'Chest X-ray with cardiomegaly and support devices' },
    seeds: { type: 'string', default: '0,1,2' },
    steps: { type: 'string', default: '20' },
    guidance: { type: 'string', default: '5' },
    python: { type: 'string', default: 'python3' },
    backend: { type: 'string' },
  },
})
const allowed = 1 / 255
const { model, prompt, python } = values
const [steps, guidance] = [Number(values.steps), Number(values.guidance)]

const { backend } = await useBackend(values.backend as 'wasm' | undefined)
const sd = await loadStableDiffusion(model)
const { scheduler } = schedulerFromConfig(sd.configs.scheduler, { steps, method: 'ddim' })
const folder = mkdtempSync(join(tmpdir(), 'contrafact-'))
let worst = 0
try {
  for (const seed of values.seeds.split(',').map(Number)) {
    const { image, latents } = await textToImage(sd, { prompt, scheduler, guidance, seed })
    const ours = await image.data()
    image.dispose()
    latents.dispose()
    const theirs = byDiffusers({ prompt, steps, guidance, seed })
    if (theirs.length !== ours.length)
      throw new Error(`pictures of ${ours.length} and ${theirs.length} values`)
    const difference = theirs.reduce((largest, value, i) => Math.max(largest, Math.abs(value - ours[i]!)), 0)
    worst = Math.max(worst, difference)
    console.log(
      `seed ${seed}: largest difference ${difference.toExponential(2)} (${(255 * difference).toFixed(4)}/255)`,
    )
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
  sd.dispose()
}
console.log(
  `${worst <= allowed ? 'equal' : 'DIFFERENT'}: at most ${(255 * worst).toFixed(4)}/255 on ${backend}, allowed 1/255`,
)
if (worst > allowed) process.exitCode = 1

function byDiffusers(request: object): Float32Array {
  const out = join(folder, 'picture.f32')
  const script = join(import.meta.dirname, 'diffusers_text_to_image.py')
  execFileSync(python, [script, model, out, JSON.stringify(request)], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const bytes = readFileSync(out)
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
}
