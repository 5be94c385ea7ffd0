import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly files: readonly string[]
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
}

test('what is bundled rather than installed is named in the notice that ships', () => {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  const imported = files
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [
      ...readFileSync(join(root, 'src', file), 'utf8').matchAll(/^(?:import|export) .*from '([^'.]+)'/gm),
    ])
    .map(([, target]) => /^(?:@[^/]+\/)?[^/]+/.exec(target!)![0])
  const installed = new Set(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }))
  const bundled = [...new Set(imported)].filter((name) => !name.startsWith('node:') && !installed.has(name))
  const notice = readFileSync(join(root, 'NOTICE'), 'utf8')
  expect(bundled.length).toBeGreaterThan(0)
  for (const name of bundled) expect(notice).toContain(name.replace(/\/.*/, '/'))
  expect(manifest.files).toContain('NOTICE')
})
