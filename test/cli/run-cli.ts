import { spawn } from 'node:child_process'

const path = (relative: string) => new URL(relative, import.meta.url).href

/** How a command ended. */
export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs the command-line program in a process of its own. */
export function cli(
  args: readonly string[],
  { standIns = {}, env = {}, cwd }: { standIns?: object; env?: Record<string, string>; cwd?: string } = {},
): Promise<Ended> {
  const main = new URL('../../src/cli/index.ts', import.meta.url).pathname
  const node = ['--import', import.meta.resolve('tsx'), '--import', path('./stand-ins.mjs'), main, ...args]
  return new Promise((done) => {
    const child = spawn(process.execPath, node, {
      cwd,
      env: { ...process.env, STAND_INS: JSON.stringify(standIns), ...env },
    })
    let [out, err] = ['', '']
    child.stdout.on('data', (chunk) => {
      out += chunk
    })
    child.stderr.on('data', (chunk) => {
      err += chunk
    })
    child.on('close', (code) => done({ code, out, err }))
  })
}
