import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import type { Case } from './case.js'

/** A worker process that has loaded a case. */
export interface Side {
  /** What it runs on. */
  readonly ready: string
  /** Seconds of one run, and the tensors alive after it (ours). */
  readonly run: () => Promise<{ readonly seconds: number; readonly tensors?: number }>
  /** Writes the result as raw float32. */
  readonly output: (path: string) => Promise<void>
  /** Where the time of one more run goes (ours), a row for every kind of call. */
  readonly profile: () => Promise<readonly object[]>
  /** Largest resident size so far, in bytes. */
  readonly peak: () => Promise<number>
  readonly stop: () => void
}

/** Our worker. */
export const ours = (of: Case, backend: string, threads: number): Promise<Side> =>
  start(
    process.execPath,
    ['--import', 'tsx', join(import.meta.dirname, 'worker.ts'), backend, JSON.stringify(of)],
    threads,
  )

/** The peer's worker. */
export const peer = (of: Case, python: string, threads: number): Promise<Side> =>
  start(python, [join(import.meta.dirname, 'peer/worker.py'), JSON.stringify(of), String(threads)], threads)

async function start(command: string, args: readonly string[], threads: number): Promise<Side> {
  const env = {
    ...process.env,
    OMP_NUM_THREADS: String(threads),
    TF_NUM_INTRAOP_THREADS: String(threads),
    TF_CPP_MIN_LOG_LEVEL: '3',
    HF_HUB_OFFLINE: '1',
  }
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env })
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-2000)
  })
  const answers = answersOf(child, createInterface({ input: child.stdout }), () => complaint)
  const ask = async <T>(order: string): Promise<T> => {
    child.stdin.write(`${order}\n`)
    return (await answers()) as T
  }
  const { ready } = (await answers()) as { ready: string }
  return {
    ready,
    run: () => ask('run'),
    output: async (path) => void (await ask(`output ${path}`)),
    profile: async () => (await ask<{ profile: readonly object[] }>('profile')).profile,
    peak: async () => (await ask<{ peak: number }>('peak')).peak,
    stop: () => void child.kill(),
  }
}

// Answers are lines that start with @; whatever a library prints beside them is passed over.
function answersOf(child: ChildProcess, lines: Interface, complaint: () => string): () => Promise<unknown> {
  const waiting: { resolve: (answer: unknown) => void; reject: (error: Error) => void }[] = []
  const ready: unknown[] = []
  let ended: Error | undefined
  lines.on('line', (line) => {
    if (!line.startsWith('@')) return
    const answer: unknown = JSON.parse(line.slice(1))
    const next = waiting.shift()
    if (next) next.resolve(answer)
    else ready.push(answer)
  })
  child.on('exit', (code, signal) => {
    ended = new Error(`a bench worker ended with ${signal ?? code}:\n${complaint()}`)
    for (const { reject } of waiting.splice(0)) reject(ended)
  })
  return () =>
    new Promise((resolve, reject) => {
      if (ready.length > 0) resolve(ready.shift())
      else if (ended) reject(ended)
      else waiting.push({ resolve, reject })
    })
}
