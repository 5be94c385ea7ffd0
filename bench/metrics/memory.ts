/**
 * Resident memory while two folders of 10,000 pictures are scored.
 *
 *     npx tsx bench/metrics/memory.ts [pictures] [side]
 */
import { link, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { type BackendName, useBackend } from '../../src/backend/index.js'
import { writeImage } from '../../src/image/index.js'
import { folderGaussian, l1, scoreFolders, ssim } from '../../src/metrics/index.js'

const [count = 10_000, side = 64] = process.argv.slice(2).map(Number)
await useBackend((process.env.CONTRAFACT_BACKEND ?? 'wasm') as BackendName)
const root = await mkdtemp(join(tmpdir(), 'contrafact-memory-'))
try {
  for (const folder of ['a', 'b']) {
    await mkdir(join(root, folder))
    const image = tf.randomUniform<tf.Rank.R4>([1, side, side, 3])
    const first = join(root, folder, 'picture.png')
    await writeImage(first, image)
    image.dispose()
    // One file under many names: the reader decodes each of them.
    for (let i = 1; i < count; i++) await link(first, join(root, folder, `${String(i).padStart(6, '0')}.png`))
  }
  const sample = (done: number) => {
    if (done % Math.ceil(count / 10) !== 0) return
    const resident = Math.round(process.memoryUsage.rss() / 2 ** 20)
    console.log(`${done} pictures: ${resident} MiB resident, ${tf.memory().numTensors} tensors`)
  }
  console.log('pairs')
  await scoreFolders(join(root, 'a'), join(root, 'b'), [l1(), ssim()], {
    onProgress: ({ done }) => sample(done),
  })
  console.log('features')
  const features = (x: tf.Tensor4D) => tf.tidy(() => tf.mean(x, [1, 2]) as tf.Tensor2D)
  const network = { features, width: 3 }
  await folderGaussian(join(root, 'a'), network, { onProgress: ({ done }) => sample(done) })
} finally {
  await rm(root, { recursive: true })
}
