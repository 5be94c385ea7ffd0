import { spawn } from 'node:child_process'
import { join } from 'node:path'

const child = join(import.meta.dirname, 'run-child.ts')

/**
 * Runs the toy run in a process of its own.
 *
 * @param killAfter - milliseconds from the run's start to SIGKILL; without it the run may finish
 * @returns whether it finished, and how long it took from its start
 */
export function runProcess(
  images: string,
  out: string,
  killAfter?: number,
): Promise<{ finished: boolean; ms: number }> {
  return new Promise((resolve, reject) => {
    const running = spawn(process.execPath, ['--import', 'tsx', child, images, out], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [started, finished, errors] = [0, false, '']
    running.stderr.on('data', (text) => {
      errors += text
    })
    running.stdout.on('data', (text: Buffer) => {
      if (text.includes('started')) {
        started = performance.now()
        if (killAfter !== undefined) setTimeout(() => running.kill('SIGKILL'), killAfter)
      }
      finished ||= text.includes('finished')
    })
    running.on('error', reject)
    running.on('exit', (code, signal) => {
      if (code !== 0 && signal !== 'SIGKILL') reject(new Error(`the run ended with ${code}: ${errors}`))
      else resolve({ finished, ms: performance.now() - started })
    })
  })
}
