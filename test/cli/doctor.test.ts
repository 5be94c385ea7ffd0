import { describe, expect, test } from 'vitest'
import { render } from '../../src/cli/doctor/render.js'
import { main } from '../../src/cli/main.js'
import { cli } from './run-cli.js'

const gpu = '@tensorflow/tfjs-node-gpu'
const cpu = '@tensorflow/tfjs-node'
const webgpu = '@tensorflow/tfjs-backend-webgpu'
const wasm = '@tensorflow/tfjs-backend-wasm'
const noneButWasm = { [gpu]: 'missing', [cpu]: 'missing', [webgpu]: 'missing' }

async function doctor(standIns: object) {
  const { code, out } = await cli(['doctor', '--json'], { standIns })
  const report = JSON.parse(out)
  const backend = (name: string) => report.backends.find((one: { backend: string }) => one.backend === name)
  return { code, report, backend }
}

// Each runs four processes that load the library: seconds on idle cores, minutes on busy ones.
describe('doctor', { timeout: 300_000 }, () => {
  test('with wasm alone: it works, computes, and the others have their install line', async () => {
    const { code, report, backend } = await doctor(noneButWasm)
    expect(code).toBe(0)
    expect(report).toMatchObject({ ok: true, chosen: 'wasm', node: process.version })
    expect(backend('wasm')).toMatchObject({ works: true, package: wasm })
    expect(backend('wasm').memoryBudget).toBeLessThan(2 ** 32)
    expect(backend('tensorflow').mend).toMatch(/npm install @tensorflow\/tfjs-node@4.*install-tensorflow/)
    expect(backend('webgpu').mend).toContain(`npm install ${webgpu}@`)
    expect(report.models.every(({ fits }: { fits: string[] }) => !fits.includes('wasm'))).toBe(true)
    expect(report.packages.sharp).toMatch(/^\d/)
  })

  test('with nothing: exit code 1, and a way out for each', async () => {
    const { code, report } = await doctor({ ...noneButWasm, [wasm]: 'missing' })
    expect(code).toBe(1)
    expect(report).toMatchObject({ ok: false, chosen: null })
    for (const { works, why, mend } of report.backends) {
      expect(works).toBe(false)
      expect(why).toMatch(/not installed/)
      expect(mend).toContain('npm install')
    }
  })

  test.runIf(process.env.CONTRAFACT_BACKEND === 'tensorflow')(
    'without wasm it goes on with tensorflow, and says how to get wasm',
    async () => {
      const { code, report, backend } = await doctor({
        [gpu]: 'missing',
        [webgpu]: 'missing',
        [wasm]: 'missing',
      })
      expect(code).toBe(0)
      expect(report).toMatchObject({ ok: true, chosen: 'tensorflow' })
      expect(backend('tensorflow')).toMatchObject({ works: true, package: cpu })
      expect(backend('wasm')).toMatchObject({ works: false, why: expect.stringMatching(/not installed/) })
      expect(backend('wasm').mend).toContain(`npm install ${wasm}@`)
    },
  )

  test('with a damaged addon, one of another Node and one that kills its process: it says so, and goes on', async () => {
    const { code, report, backend } = await doctor({ [gpu]: 'damaged', [cpu]: 'foreign', [webgpu]: 'deadly' })
    expect(code).toBe(0)
    expect(backend('tensorflow').works).toBe(false)
    expect(backend('tensorflow').why).toMatch(
      /gpu: its addon is damaged .*node: its addon was built for another version/,
    )
    expect(backend('tensorflow').mend).toMatch(/node_modules.*install/)
    expect(backend('webgpu')).toMatchObject({
      works: false,
      why: expect.stringMatching(/SIGSEGV|no adapter/),
    })
    expect(backend('wasm').works).toBe(true)
    const page = render(report)
    expect(page).toMatch(/✗ tensorflow: .*damaged/)
    expect(page).toMatch(/✓ wasm: SIMD, .*forward and backward pass right/)
    expect(page).toContain('useBackend() takes wasm.')
  })
})

test('what is not understood is exit code 2, and help is 0', async () => {
  const said: Record<'out' | 'err', string[]> = { out: [], err: [] }
  const terminal = { out: (line: string) => said.out.push(line), err: (line: string) => said.err.push(line) }
  expect(await main(['docter'], terminal)).toBe(2)
  expect(await main(['doctor', '--jsn'], terminal)).toBe(2)
  expect(await main(['constructor'], terminal)).toBe(2)
  expect(said.out).toEqual([])
  expect(await main(['--help'], terminal)).toBe(0)
  expect(said.out.join()).toContain('install-tensorflow')
})
