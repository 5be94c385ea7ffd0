import { spawn } from 'node:child_process'

/** How a program ended. */
export interface Outcome {
  /** Its exit code; 127 when there is no such program, 128 and more when a signal ended it. */
  readonly code: number
  /** Both of its streams, in the order of arrival. */
  readonly output: string
}

/** Runs a program to its end and keeps what it says. Never throws. */
export function run(program: string, args: readonly string[], folder?: string): Promise<Outcome> {
  return new Promise((done) => {
    const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const keep = (chunk: Buffer) => {
      output += chunk
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.on('error', (error) => done({ code: 127, output: error.message }))
    child.on('close', (code, signal) =>
      done({ code: code ?? 128, output: signal ? `${output}\n${signal}` : output }),
    )
  })
}

/** The last lines of what a program said, for an error. */
export function tail(output: string, lines = 5): string {
  return output.trim().split('\n').slice(-lines).join('\n')
}
