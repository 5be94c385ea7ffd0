import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { BackendError } from '../../core/index.js'
import { libraryFolder, type Plan } from './plan.js'
import type { Tools } from './requirements.js'
import { run, tail } from './run.js'

/** The two shared libraries of the wheel that the addon links to. */
export const libraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'] as const

/**
 * Takes TensorFlow from PyPI: its library, its headers and, with CUDA, the libraries of NVIDIA that it loads from
 * beside itself. Renamed into place when it is whole.
 *
 * @throws BackendError when pip fails, or the package is not laid out as expected
 */
export async function unpackTensorflow(plan: Plan, { python }: Tools): Promise<void> {
  const temporary = mkdtempSync(join(plan.cache, 'tmp-'))
  try {
    const all = join(temporary, 'all')
    // The CPU library is whole in its own wheel; that with CUDA needs the wheels it depends on.
    const alone = plan.gpu ? [] : ['--no-deps']
    const from = plan.findLinks ? ['--find-links', plan.findLinks] : []
    const pip = [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      '--no-compile',
      ...alone,
      ...from,
    ]
    const { code, output } = await run(python, [...pip, '--target', all, plan.requirement])
    if (code !== 0) throw pipFailed(plan, output)
    const absent = [...libraries, 'include'].filter((name) => !existsSync(join(all, 'tensorflow', name)))
    if (absent.length > 0)
      throw pipFailed(plan, `a package without tensorflow/${absent.join(', tensorflow/')}`)
    const kept = join(temporary, 'kept')
    mkdirSync(join(kept, 'tensorflow'), { recursive: true })
    for (const name of [...libraries, 'include'])
      renameSync(join(all, 'tensorflow', name), join(kept, 'tensorflow', name))
    // TensorFlow finds these by a path relative to its own.
    if (existsSync(join(all, 'nvidia'))) renameSync(join(all, 'nvidia'), join(kept, 'nvidia'))
    renameSync(kept, libraryFolder(plan))
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}

function pipFailed(plan: Plan, output: string): BackendError {
  return new BackendError({
    rule: `install-tensorflow needs pip to install ${plan.requirement}`,
    got: tail(output),
    mend: 'Nothing was changed. Check the network, or name a folder of wheels with --find-links; --tensorflow takes another version.',
  })
}
