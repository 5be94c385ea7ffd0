import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { main } from '../../src/cli/main.js'
import { withLock } from '../../src/cli/tensorflow/lock.js'
import { marker } from '../../src/cli/tensorflow/marker.js'
import { putInPlace, recover, removeInstalled } from '../../src/cli/tensorflow/place.js'
import { planFor } from '../../src/cli/tensorflow/plan.js'
import { BackendError } from '../../src/core/index.js'
import { cli } from './run-cli.js'

// In this process: quicker than one of its own.
async function install(args: readonly string[], env: Record<string, string> = {}) {
  const lines: string[] = []
  const say = (line: string) => lines.push(line)
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  const code = await main(['install-tensorflow', ...args], { out: say, err: say })
  return { code, said: lines.join('\n') }
}

let project: string
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'contrafact-install-'))
  writeFileSync(join(project, 'package.json'), '{}')
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(project, { recursive: true, force: true })
})

const plan = () =>
  planFor({ project, gpu: false, tensorflow: undefined, findLinks: undefined, headers: undefined })

// What the requirements look for beside the tools.
function giveTfjs(): void {
  const folder = join(project, 'node_modules/@tensorflow/tfjs')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'index.js'), '')
}

function folderWith(path: string, content: string, ours = true): string {
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, 'content'), content)
  if (ours) writeFileSync(join(path, marker), '{}')
  return path
}
const contentOf = (path: string) => readFileSync(join(path, 'content'), 'utf8')

describe('before anything starts', () => {
  test('all that is missing is named at once', async () => {
    const env = { PYTHON: 'no-such-python', CXX: 'no-such-compiler' }
    const { code, said } = await install(['--headers', '/nowhere', '--project', project], env)
    expect(code).toBe(1)
    expect(said).toMatch(/python3 .*compiler .*Node's headers .*@tensorflow\/tfjs in .*Nothing was changed/s)
    expect(existsSync(plan().place)).toBe(false)
  })

  test('pip that fails leaves no trace', async () => {
    giveTfjs()
    const python = join(project, 'python')
    writeFileSync(python, '#!/bin/sh\ncase "$*" in *install*) echo "no network" >&2; exit 1;; esac\n', {
      mode: 0o755,
    })
    const { code, said } = await install(['--project', project], { PYTHON: python })
    expect(code).toBe(1)
    expect(said).toMatch(/no network/)
    expect(readdirSync(plan().cache)).toEqual([])
    expect(existsSync(plan().place)).toBe(false)
  })
})

describe('the lock', () => {
  test('lets one of two in, and the next after it', async () => {
    const first = withLock(project, () => new Promise((done) => setTimeout(done, 200)))
    await expect(withLock(project, async () => 'second')).rejects.toThrow(BackendError)
    await first
    expect(await withLock(project, async () => 'third')).toBe('third')
    expect(readdirSync(project)).toEqual(['package.json'])
  })

  test('is taken over from a process that is gone, and freed by work that throws', async () => {
    writeFileSync(join(project, 'install.lock'), '999999999')
    const failing = async () => {
      throw new Error('broken')
    }
    await expect(withLock(project, failing)).rejects.toThrow('broken')
    expect(await withLock(project, async () => 'after')).toBe('after')
  })

  test('holds between processes: exactly one of two works', async () => {
    giveTfjs()
    const python = join(project, 'python')
    writeFileSync(python, '#!/bin/sh\ncase "$*" in *install*) sleep 3; exit 1;; esac\n', { mode: 0o755 })
    // From a folder inside the project: it is found above.
    const start = () => cli(['install-tensorflow'], { cwd: inside, env: { PYTHON: python } })
    const inside = join(project, 'inside')
    mkdirSync(inside)
    const ended = await Promise.all([start(), start()])
    const refused = ended.filter(({ err }) => /once at a time/.test(err))
    expect(refused).toHaveLength(1)
    expect(ended.map(({ code }) => code)).toEqual([1, 1])
  })
})

describe('the exchange', () => {
  test('puts the new in place of the old and leaves nothing else', () => {
    mkdirSync(plan().cache, { recursive: true })
    folderWith(plan().place, 'old')
    const built = folderWith(join(project, 'node_modules', '.contrafact-x', 'built'), 'new')
    putInPlace(plan(), built)
    expect(contentOf(plan().place)).toBe('new')
    expect(readdirSync(plan().cache)).toEqual([])
    expect(readdirSync(join(project, 'node_modules')).sort()).toEqual(['.cache', '@tensorflow'])
  })

  test('interrupted between its two renames, gives the old back', () => {
    folderWith(join(plan().cache, 'previous'), 'old')
    mkdirSync(join(project, 'node_modules', '@tensorflow'), { recursive: true })
    folderWith(join(project, 'node_modules', '.contrafact-x', 'built'), 'half')
    recover(plan())
    expect(contentOf(plan().place)).toBe('old')
    expect(readdirSync(join(project, 'node_modules')).sort()).toEqual(['.cache', '@tensorflow'])
  })

  test('is undone by --remove, which leaves what it did not make', async () => {
    folderWith(plan().place, 'theirs', false)
    expect(removeInstalled(plan())).toBe(false)
    expect(contentOf(plan().place)).toBe('theirs')
    writeFileSync(join(plan().place, marker), '{}')
    const { code, said } = await install(['--remove', '--project', project])
    expect(code).toBe(0)
    expect(said).toMatch(/removed/)
    expect(existsSync(plan().place)).toBe(false)
    expect((await install(['--remove', '--project', project])).said).toMatch(/Nothing/)
  })
})
