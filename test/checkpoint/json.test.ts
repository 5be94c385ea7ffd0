import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readJson } from '../../src/checkpoint/index.js'

test('reads what Python writes for infinite floats, and leaves strings alone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'contrafact-json-'))
  const path = join(folder, 'scheduler_config.json')
  await writeFile(path, '{"a": -Infinity, "b": [NaN, Infinity], "c": "NaN, \\"Infinity\\"", "d": 1.5}')
  expect(await readJson(path)).toEqual({ a: null, b: [null, null], c: 'NaN, "Infinity"', d: 1.5 })
  await writeFile(path, '{"a": infinity}')
  await expect(readJson(path)).rejects.toMatchObject({ code: 'checkpoint' })
  await rm(folder, { recursive: true })
})
