import { existsSync, mkdirSync, statfsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { BackendError, formatBytes } from '../../core/index.js'
import { libraryFolder, type Plan } from './plan.js'
import { run } from './run.js'

/** The programs that an installation runs. */
export interface Tools {
  /** python3, with pip. */
  readonly python: string
  /** A C++17 compiler. */
  readonly compiler: string
  /** The folder of node_api.h. */
  readonly headers: string
}

const gibi = 2 ** 30

/**
 * Finds everything that an installation needs, before it starts.
 *
 * @returns the tools
 * @throws BackendError that names all that is missing at once, and how to get each
 */
export async function requireTools(plan: Plan): Promise<Tools> {
  const missing: string[] = []
  if (process.platform !== 'linux')
    missing.push(`Linux (this is ${process.platform}: npm install ${plan.package})`)
  const python = process.env.PYTHON || 'python3'
  if ((await run(python, ['--version'])).code !== 0)
    missing.push('python3 (apt-get install python3 python3-pip)')
  else if ((await run(python, ['-m', 'pip', '--version'])).code !== 0)
    missing.push('pip (apt-get install python3-pip)')
  const compiler = process.env.CXX || 'c++'
  if ((await run(compiler, ['--version'])).code !== 0) missing.push('a C++ compiler (apt-get install g++)')
  const headers = findHeaders(plan)
  if (!headers)
    missing.push(
      "Node's headers (npm install --no-save node-api-headers, or --headers <folder of node_api.h>)",
    )
  if (!hasTfjs(plan))
    missing.push(`@tensorflow/tfjs in ${plan.project}, which the addon loads (npm install @tensorflow/tfjs)`)
  const need = (existsSync(libraryFolder(plan)) ? 0.2 : plan.gpu ? 16 : 3) * gibi
  mkdirSync(plan.cache, { recursive: true })
  const { bavail, bsize } = statfsSync(plan.cache)
  if (bavail * bsize < need)
    missing.push(
      `disk space (${formatBytes(need)} at ${plan.cache}, ${formatBytes(bavail * bsize)} are free)`,
    )
  if (missing.length === 0) return { python, compiler, headers: headers! }
  throw new BackendError({
    rule: 'install-tensorflow needs python3 with pip, a C++ compiler, the headers of Node, @tensorflow/tfjs and disk space',
    got: `a machine without ${missing.join('; without ')}`,
    mend: 'Nothing was changed. Get what is missing and run it again.',
  })
}

function hasTfjs({ project }: Plan): boolean {
  try {
    return Boolean(createRequire(join(project, 'package.json')).resolve('@tensorflow/tfjs'))
  } catch {
    return false
  }
}

function findHeaders({ headers, project }: Plan): string | undefined {
  const folders = headers
    ? [headers]
    : [
        join(dirname(process.execPath), '..', 'include', 'node'),
        join(String(process.config.variables.node_prefix ?? ''), 'include', 'node'),
        join(project, 'node_modules', 'node-api-headers', 'include'),
      ]
  return folders.find((folder) => existsSync(join(folder, 'node_api.h')))
}
