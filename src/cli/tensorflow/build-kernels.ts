import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { nativeKernelsFile } from '../../backend/index.js'
import { libraries } from './library.js'
import { type Outcome, run } from './run.js'

/** The folder of this library's kernels for TensorFlow, in its own package. */
const sources = join(
  dirname(createRequire(import.meta.url).resolve('contrafact/package.json')),
  'native/tensorflow',
)

/** What the kernels' sources come to: other sources, other kernels. */
export function kernelsDigest(): string {
  const hash = createHash('sha256')
  for (const name of readdirSync(sources).sort()) hash.update(readFileSync(join(sources, name)))
  return hash.digest('hex')
}

/** The flags of the addon's compilation that the operations need as well. */
export interface Compilation {
  /** A C++17 compiler. */
  readonly compiler: string
  /** Flags for headers of Node and of TensorFlow. */
  readonly headers: readonly string[]
  /** The folder of TensorFlow's libraries. */
  readonly library: string
}

/**
 * Compiles the kernels into a package that carries the addon.
 *
 * The arithmetic is compiled for the processor of this machine, all that it has; the operations around it for any, so that
 * loading them elsewhere is refused and does not crash.
 *
 * @param folder - the package
 * @returns how the first step that failed ended, or the last one
 */
export async function buildKernels(
  folder: string,
  { compiler, headers, library }: Compilation,
): Promise<Outcome> {
  const output = join(folder, nativeKernelsFile)
  const objects = join(folder, 'kernels')
  mkdirSync(objects)
  const compile = (name: string) => {
    const isArithmetic = name !== 'operations.cc'
    // What Eigen of TensorFlow 2.21 has for processors with half precision does not compile.
    const machine = isArithmetic ? ['-O3', '-march=native', '-U__AVX512FP16__', '-DNDEBUG'] : ['-O2']
    const object = join(objects, `${basename(name, '.cc')}.o`)
    const flags = ['-std=c++17', '-w', '-fPIC', '-fvisibility=hidden', ...machine, ...headers]
    return run(compiler, [...flags, '-c', join(sources, name), '-o', object])
  }
  const names = readdirSync(sources).filter((name) => name.endsWith('.cc'))
  const compiled = await Promise.all(names.map(compile))
  const failed = compiled.find(({ code }) => code !== 0)
  if (failed) {
    rmSync(objects, { recursive: true })
    return failed
  }
  const linked = await run(compiler, [
    ...['-shared', ...readdirSync(objects).map((name) => join(objects, name))],
    ...libraries.map((name) => join(library, name)),
    ...['-Wl,-rpath,$ORIGIN/../deps/lib', '-o', output],
  ])
  rmSync(objects, { recursive: true })
  return linked
}
