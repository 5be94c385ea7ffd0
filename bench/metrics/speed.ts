/**
 * FID of 500 against 500 features of 2048, SSIM and LPIPS (alex) of 64 pictures of 256 × 256, beside torchmetrics,
 * lpips and pytorch-fid in one run.
 *
 *     CONTRAFACT_BACKEND=tensorflow npx tsx bench/metrics/speed.ts <python>
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { type BackendName, useBackend } from '../../src/backend/index.js'
import { fid, lpips, lpipsShapes, ssim } from '../../src/metrics/index.js'
import { fromTorch } from '../../src/nn/index.js'

const [python = 'python3', threads = '2'] = process.argv.slice(2)
const backend = await useBackend((process.env.CONTRAFACT_BACKEND ?? 'tensorflow') as BackendName)

async function best(run: () => Promise<unknown>, times: number): Promise<number> {
  const seconds: number[] = []
  for (let i = 0; i < times; i++) {
    const start = performance.now()
    await run()
    seconds.push((performance.now() - start) / 1000)
  }
  return Math.min(...seconds)
}

const [x, y] = [
  tf.randomUniform<tf.Rank.R4>([64, 256, 256, 3]),
  tf.randomUniform<tf.Rank.R4>([64, 256, 256, 3]),
]
const [a, b] = [tf.randomNormal<tf.Rank.R2>([500, 2048]), tf.randomNormal<tf.Rank.R2>([500, 2048])]
const weights = new Map(
  [...lpipsShapes('alex')].map(([name, shape]) => {
    const size = shape.reduce((product, n) => product * n, 1)
    return [
      name,
      fromTorch(
        name,
        shape,
        Float32Array.from({ length: size }, () => Math.random() / 10),
      ),
    ]
  }),
)
const perceptual = lpips(weights)
const structural = ssim({ dialect: 'torchmetrics-1.9' })

const ours = {
  ssim: await best(() => structural(x, y), 3),
  lpips: await best(() => perceptual(x, y), 3),
  fid: await best(() => fid(a, b), 1),
}
const printed = execFileSync(python, [join(import.meta.dirname, 'peer.py'), threads], { encoding: 'utf8' })
const peer = JSON.parse(printed.trim().split('\n').at(-1)!) as typeof ours
console.log(`backend ${JSON.stringify(backend)}, ${threads} threads for the peer`)
for (const name of ['ssim', 'lpips', 'fid'] as const) {
  const ratio = (peer[name] / ours[name]).toFixed(2)
  console.log(
    `${name}: ${ours[name].toFixed(2)} s, peer ${peer[name].toFixed(2)} s, ${ratio} of the peer's speed`,
  )
}
