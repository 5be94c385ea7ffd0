import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const packages = ['torch', 'diffusers', 'transformers', 'safetensors', 'numpy']

/** The Python of the peer: the one given, or an environment outside the package that is made once. */
export function peerPython(cache: string, given: string | undefined): string {
  if (given) return given
  const environment = join(cache, 'python')
  const python = join(environment, 'bin', 'python')
  if (existsSync(python)) return python
  mkdirSync(cache, { recursive: true })
  const building = `${environment}.part`
  rmSync(building, { recursive: true, force: true })
  process.stderr.write(`making a Python environment for the peer in ${environment}\n`)
  execFileSync('python3', ['-m', 'venv', '--copies', building], { stdio: 'inherit' })
  execFileSync(join(building, 'bin', 'python'), ['-m', 'pip', 'install', '-q', ...packages], {
    stdio: 'inherit',
  })
  renameSync(building, environment)
  return python
}
