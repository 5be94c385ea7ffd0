import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join, relative } from 'node:path'
import { BackendError } from '../../core/index.js'
import { buildKernels } from './build-kernels.js'
import { libraries } from './library.js'
import { made, marker } from './marker.js'
import { libraryFolder, type Plan, workPrefix } from './plan.js'
import type { Tools } from './requirements.js'
import { run, tail } from './run.js'

/** The Node-API version that tfjs-node 4.22 is written for; addons of one version load in every later Node. */
const napi = 8
const nodeFlags = [`-DNAPI_VERSION=${napi}`, '-DBUILDING_NODE_EXTENSION']

/**
 * Makes the package, whole, in a folder of its own beside the cache: from npm with its install script off, its
 * dependencies inside it, its addon and this library's kernels compiled against the kept TensorFlow.
 *
 * @returns the folder, to be renamed into place, with kernels or why there are none: everything works without them
 * @throws BackendError when npm or the compiler fails at the addon; what was made is gone then
 */
export async function buildAddon(
  plan: Plan,
  tools: Tools,
): Promise<{ readonly folder: string; readonly kernelsProblem: string | undefined }> {
  // As deep as its final place, so that the links to TensorFlow, which are relative, hold in both.
  const temporary = mkdtempSync(workPrefix(plan))
  try {
    const folder = await fetchPackage(plan, temporary)
    const library = join(libraryFolder(plan), 'tensorflow')
    const deps = join(folder, 'deps', 'lib')
    mkdirSync(deps, { recursive: true })
    for (const name of libraries) symlinkSync(relative(deps, join(library, name)), join(deps, name))
    const output = join(folder, 'lib', `napi-v${napi}`)
    mkdirSync(output, { recursive: true })
    const headers = [`-I${tools.headers}`, `-I${join(library, 'include')}`]
    const compiled = await run(
      tools.compiler,
      [
        ...['-std=c++17', '-O2', '-fPIC', '-shared', ...nodeFlags],
        ...[...headers, '-I..'],
        ...['binding/tfjs_backend.cc', 'binding/tfjs_binding.cc'],
        ...libraries.map((name) => join(library, name)),
        '-Wl,-rpath,$ORIGIN/../../deps/lib',
        ...['-o', join(output, 'tfjs_binding.node')],
      ],
      folder,
    )
    if (compiled.code !== 0) throw failed('the compiler to accept the addon', compiled.output)
    const how = { compiler: tools.compiler, headers: [...nodeFlags, ...headers], library }
    const kernels = await buildKernels(folder, how)
    writeFileSync(join(folder, marker), JSON.stringify(made(plan)))
    return { folder, kernelsProblem: kernels.code === 0 ? undefined : tail(kernels.output) }
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true })
    throw error
  }
}

async function fetchPackage(plan: Plan, temporary: string): Promise<string> {
  writeFileSync(join(temporary, 'package.json'), '{ "private": true }')
  const flags = [
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--legacy-peer-deps',
    '--prefer-offline',
    '--loglevel=error',
  ]
  const { code, output } = await run(
    'npm',
    ['install', ...flags, `${plan.package}@${plan.version}`],
    temporary,
  )
  if (code !== 0) throw failed(`npm to fetch ${plan.package}@${plan.version}`, output)
  const modules = join(temporary, 'node_modules')
  const fetched = join(modules, plan.package)
  // Its own dependencies go with it; tfjs itself must be the project's, so that there is one engine.
  const inside = join(fetched, 'node_modules')
  mkdirSync(inside, { recursive: true })
  for (const name of readdirSync(modules)) {
    if (name.startsWith('.') || name === '@tensorflow') continue
    if (existsSync(join(inside, name)))
      cpSync(join(modules, name), join(inside, name), { recursive: true, force: false })
    else renameSync(join(modules, name), join(inside, name))
  }
  const folder = join(temporary, 'built')
  renameSync(fetched, folder)
  rmSync(modules, { recursive: true })
  return folder
}

function failed(what: string, output: string): BackendError {
  return new BackendError({
    rule: `install-tensorflow needs ${what}`,
    got: tail(output),
    mend: 'Nothing was changed. Mend that and run it again.',
  })
}
