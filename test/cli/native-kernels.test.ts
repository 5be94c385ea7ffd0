import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { loadNativeKernels, nativeKernelsProblem } from '../../src/backend/tensorflow/native-kernels.js'
import { buildKernels, kernelsDigest } from '../../src/cli/tensorflow/build-kernels.js'
import { isMade, made, marker } from '../../src/cli/tensorflow/marker.js'
import { planFor } from '../../src/cli/tensorflow/plan.js'

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'contrafact-kernels-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('a compiler that refuses the kernels leaves no trace, and says why', async () => {
  const folder = temporary()
  const compiler = join(folder, 'compiler')
  writeFileSync(compiler, '#!/bin/sh\necho "no such intrinsic" >&2\nexit 1\n', { mode: 0o755 })
  const { code, output } = await buildKernels(folder, { compiler, headers: [], library: folder })
  expect(code).toBe(1)
  expect(output).toContain('no such intrinsic')
  expect(readdirSync(folder)).toEqual(['compiler'])
})

test('a package made of other kernels, or of another TensorFlow, is made again', () => {
  const folder = temporary()
  const plan = planFor({
    project: folder,
    gpu: false,
    tensorflow: undefined,
    findLinks: undefined,
    headers: undefined,
  })
  expect(kernelsDigest()).toMatch(/^[0-9a-f]{64}$/)
  expect(isMade(plan, folder)).toBe(false)
  const written = (content: object) => writeFileSync(join(folder, marker), JSON.stringify(content))
  written(made(plan))
  expect(isMade(plan, folder)).toBe(true)
  written({ ...made(plan), kernels: 'of yesterday' })
  expect(isMade(plan, folder)).toBe(false)
  written({ ...made(plan), tensorflow: '2.0.0' })
  expect(isMade(plan, folder)).toBe(false)
})

test.skipIf(process.env.CONTRAFACT_BACKEND === 'tensorflow')(
  'kernels that are no library are passed over with the reason',
  async () => {
    const folder = temporary()
    const home = join(folder, 'node_modules', 'some-addon')
    mkdirSync(join(home, 'lib'), { recursive: true })
    writeFileSync(join(home, 'package.json'), '{"name":"some-addon","version":"1.0.0"}')
    writeFileSync(join(home, 'lib', 'contrafact_kernels.node'), 'not a library')
    expect(nativeKernelsProblem()).toMatch(/install-tensorflow/)
    await loadNativeKernels(home)
    expect(nativeKernelsProblem()).toMatch(/native kernels do not load: /)
  },
)
