import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, test } from 'vitest'

// Who may import whom; see docs/architecture.md. Every room may import core, and itself.
const arrows: Record<string, readonly string[]> = {
  core: [],
  backend: [],
  nn: [],
  checkpoint: ['nn'],
  text: [],
  image: [],
  schedulers: [],
  guidance: [],
  models: ['nn', 'checkpoint', 'text'],
  inversion: ['schedulers', 'guidance'],
  editing: ['schedulers', 'guidance', 'inversion', 'text'],
  metrics: ['nn', 'checkpoint', 'image'],
  lance: ['schedulers', 'guidance', 'inversion', 'editing', 'text', 'image', 'checkpoint', 'metrics'],
  scm: ['nn', 'checkpoint'],
  training: ['nn', 'models', 'schedulers', 'checkpoint', 'scm'],
  cli: ['backend', 'checkpoint', 'image', 'models', 'training', 'metrics', 'lance', 'scm'],
}

// Which rooms may use what lies outside.
const outside: Record<string, readonly string[]> = {
  sharp: ['image'],
  // backend reads the wasm module of the package, to start it with threads.
  'node:fs': ['core', 'backend', 'checkpoint', 'image', 'lance', 'metrics', 'cli'],
}

const source = join(import.meta.dirname, '../../src')
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
)
const importsOf = (file: string) =>
  [...readFileSync(join(source, file), 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(
    ([, target]) => target!,
  )
const roomOf = (file: string) => (file.includes('/') ? file.split('/')[0]! : 'index')

test('every room is in the table', () => {
  const rooms = readdirSync(source, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  )
  expect(rooms.sort()).toEqual(Object.keys(arrows).sort())
})

test.each(files)('%s imports only in the direction of the arrows', (file) => {
  const room = roomOf(file)
  for (const target of importsOf(file)) {
    if (!target.startsWith('.')) {
      const owners = Object.entries(outside).find(
        ([name]) => target === name || target.startsWith(`${name}/`),
      )?.[1]
      if (owners) expect(owners, `${file} imports ${target}`).toContain(room)
      continue
    }
    const path = relative(source, join(source, dirname(file), target))
    const other = roomOf(path)
    if (other === room || room === 'index') continue
    expect(['core', ...(arrows[room] ?? [])], `${file} imports ${path}`).toContain(other)
    expect(path, `${file} reaches past another room's index`).toBe(`${other}/index.js`)
  }
})

test.each(files)('%s uses the network only where its room may', (file) => {
  if (['checkpoint', 'lance'].includes(roomOf(file))) return
  const text = readFileSync(join(source, file), 'utf8')
  expect(text).not.toMatch(/\bfetch\(|'node:(https?|net|tls|dns)'|\bWebSocket\b|\bXMLHttpRequest\b/)
})

test('no file imports in a circle', () => {
  const graph = new Map(
    files.map((file) => [
      file,
      importsOf(file)
        .filter((target) => target.startsWith('.'))
        .map((target) => relative(source, join(source, dirname(file), target)).replace(/\.js$/, '.ts')),
    ]),
  )
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): void => {
    expect(path, `a circle through ${file}`).not.toContain(file)
    if (done.has(file)) return
    for (const next of graph.get(file) ?? []) visit(next, [...path, file])
    done.add(file)
  }
  for (const file of files) visit(file, [])
})

test('files stay small enough to read', () => {
  const long = files.filter((file) => readFileSync(join(source, file), 'utf8').split('\n').length > 300)
  expect(long).toEqual([])
})
