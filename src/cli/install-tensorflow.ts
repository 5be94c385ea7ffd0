import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { BackendError } from '../core/index.js'
import { buildAddon } from './tensorflow/build-addon.js'
import { unpackTensorflow } from './tensorflow/library.js'
import { withLock } from './tensorflow/lock.js'
import { putInPlace, recover, removeInstalled, sweep } from './tensorflow/place.js'
import { libraryFolder, type Plan, planFor } from './tensorflow/plan.js'
import { requireTools } from './tensorflow/requirements.js'
import { problemWith, works } from './tensorflow/verify.js'
import type { Terminal } from './terminal.js'

/**
 * `contrafact install-tensorflow`: the tensorflow backend without Google's download.
 *
 * 1. checks for python3, pip, a C++ compiler, Node's headers and disk space, and names all that is missing;
 * 2. takes TensorFlow from PyPI with pip, and keeps its library and headers;
 * 3. takes the package tfjs-node from npm with its install script off, and compiles its addon against them;
 * 4. runs a forward and a backward pass with it, and only then puts it in its place.
 *
 * @param argv - options; see the usage
 * @param terminal - gets one line per stage
 * @returns 0 when the backend is in place and works (or is removed)
 */
export async function installCommand(argv: string[], terminal: Terminal): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: {
      gpu: { type: 'boolean', default: false },
      remove: { type: 'boolean', default: false },
      tensorflow: { type: 'string' },
      'find-links': { type: 'string' },
      headers: { type: 'string' },
      project: { type: 'string' },
    },
  })
  const project = values.project ? resolve(values.project) : nearestProject(process.cwd())
  const plan = planFor({
    project,
    gpu: values.gpu,
    tensorflow: values.tensorflow,
    findLinks: values['find-links'] && resolve(values['find-links']),
    headers: values.headers && resolve(values.headers),
  })
  return withLock(plan.cache, () => (values.remove ? remove(plan, terminal) : install(plan, terminal)))
}

async function install(plan: Plan, terminal: Terminal): Promise<number> {
  recover(plan)
  if (await works(plan, plan.place)) {
    terminal.out(`${plan.package} on TensorFlow ${plan.tensorflow} is in place and works: nothing to do.`)
    return 0
  }
  const tools = await requireTools(plan)
  if (!existsSync(libraryFolder(plan))) {
    terminal.err(`TensorFlow ${plan.tensorflow} from PyPI ...`)
    await unpackTensorflow(plan, tools)
  }
  terminal.err(`Building ${plan.package}@${plan.version} ...`)
  const { folder: built, kernelsProblem } = await buildAddon(plan, tools)
  const problem = await problemWith(built)
  if (problem) {
    sweep(plan)
    throw new BackendError({
      rule: 'install-tensorflow puts an addon in place only when a forward and a backward pass run with it',
      got: problem,
      mend: 'Nothing was changed. Try another --tensorflow version; 2.21.0 is known to work.',
    })
  }
  putInPlace(plan, built)
  if (kernelsProblem)
    terminal.err(
      `Without this library's own kernels, so more slowly: the compiler did not accept them.\n${kernelsProblem}`,
    )
  terminal.out(`${plan.package} on TensorFlow ${plan.tensorflow} works. useBackend() will find it.`)
  return 0
}

async function remove(plan: Plan, terminal: Terminal): Promise<number> {
  recover(plan)
  const removed = removeInstalled(plan)
  terminal.out(
    removed ? `${plan.package} and its TensorFlow are removed.` : 'Nothing of install-tensorflow is here.',
  )
  return 0
}

function nearestProject(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder
    if (dirname(folder) === folder) break
  }
  throw new BackendError({
    rule: 'install-tensorflow needs a project: a folder with a package.json, here or above',
    got: from,
    mend: 'Run it in your project, or name one with --project.',
  })
}
