import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writeImage } from '../../src/image/index.js'
import { fid, folderGaussian, l1, pictures, psnr, scoreFolders, ssim } from '../../src/metrics/index.js'

let root = ''
const left = () => join(root, 'edited')
const right = () => join(root, 'originals')
const features = (x: tf.Tensor4D) => tf.tidy(() => tf.mean(x, [1, 2]) as tf.Tensor2D)

async function save(folder: string, name: string, size: number, level: (i: number) => number): Promise<void> {
  const values = Float32Array.from({ length: size * size * 3 }, (_, i) => level(i))
  const image = tf.tensor4d(values, [1, size, size, 3])
  await mkdir(join(folder, name, '..'), { recursive: true })
  await writeImage(join(folder, name), image)
  image.dispose()
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'contrafact-folders-'))
  for (const [k, name] of ['a.png', 'b.png', 'below/c.png'].entries()) {
    await save(right(), name, 16, (i) => ((i * (k + 1)) % 200) / 255)
    await save(left(), name, 16, (i) => ((i * (k + 1)) % 200) / 255 + (k === 0 ? 0 : 51 / 255))
  }
  await save(left(), 'only.png', 16, () => 0)
  await save(right(), 'broken.png', 16, () => 0)
  await writeFile(join(left(), 'broken.png'), 'not a picture')
  await writeFile(join(left(), 'notes.txt'), 'not a picture either')
})
afterAll(() => rm(root, { recursive: true }))

test('pairs by path; what could not be scored is named and counted', async () => {
  const seen: string[] = []
  const onProgress = ({ detail }: { detail?: string }) => void seen.push(detail!)
  const scores = await scoreFolders(left(), right(), [l1(), ssim(), psnr()], { onProgress })
  expect(scores.names).toEqual(['a.png', 'b.png', 'below/c.png'])
  expect(scores.unpaired).toEqual(['only.png'])
  expect(scores.unreadable).toEqual([
    { name: `${left()}/broken.png`, reason: expect.stringMatching(/broken\.png|picture/) },
  ])
  const [difference, similarity, ratio] = scores.results
  expect(difference!.perImage![0]).toBe(0)
  expect(difference!.perImage![1]).toBeCloseTo(0.2, 6)
  expect(similarity!.perImage![0]).toBeCloseTo(1, 9)
  expect(difference!.warnings).toEqual([
    expect.stringMatching(/1 unreadable/),
    expect.stringMatching(/1 files are in one folder only/),
  ])
  expect(ratio!.warnings.at(-1)).toMatch(/infinite/)
  expect(seen).toEqual(['a.png', 'b.png', 'below/c.png'])
})

test('FID of folders, and its unreadable files', async () => {
  const network = { features, width: 3 }
  const [a, b] = [await folderGaussian(left(), network), await folderGaussian(right(), network)]
  expect([a.summary.n, b.summary.n]).toEqual([4, 4])
  expect(a.unreadable.map(({ name }) => name)).toEqual(['broken.png'])
  expect((await fid(a.summary, b.summary)).value).toBeGreaterThan(0)
})

test('an aborted or abandoned walk leaves nothing behind', async () => {
  for await (const { image } of pictures(right())) if (image) break
  const signal = AbortSignal.abort()
  await expect(scoreFolders(left(), right(), [l1()], { signal })).rejects.toThrow(/abort/)
})

test('folders without pairs, without pictures, or of other sizes', async () => {
  const [empty, strange, large] = [join(root, 'empty'), join(root, 'strange'), join(root, 'large')]
  await mkdir(empty)
  await save(strange, 'z.png', 16, () => 0)
  await save(large, 'a.png', 20, () => 0)
  await expect(scoreFolders(empty, right(), [l1()])).rejects.toThrow(/at least one/)
  await expect(scoreFolders(join(root, 'nowhere'), right(), [l1()])).rejects.toThrow(/must exist/)
  await expect(scoreFolders(strange, right(), [l1()])).rejects.toThrow(/at least one pair/)
  await expect(scoreFolders(large, right(), [l1()])).rejects.toThrow(/^a\.png: .*one shape/)
  expect((await scoreFolders(large, right(), [l1()], { size: 16 })).names).toEqual(['a.png'])
})
