import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { freemem, totalmem } from 'node:os'
import { join } from 'node:path'
import { type BackendName, candidates } from '../../backend/index.js'
import { estimateMemory, publishedModels } from '../../models/index.js'
import type { BackendReport } from './probe.js'

/** Everything that `contrafact doctor` finds out. */
export interface DoctorReport {
  /** Whether at least one backend passed a forward and a backward pass. */
  readonly ok: boolean
  /** Node's version. */
  readonly node: string
  /** `linux x64` */
  readonly platform: string
  /** The backend that `useBackend()` would take. */
  readonly chosen: string | null
  /** One for each backend, the fastest first. */
  readonly backends: readonly BackendReport[]
  /** Bytes of the machine. */
  readonly memory: { readonly total: number; readonly free: number }
  /** What an edit takes with published models, the largest first, and the backends that have it. */
  readonly models: readonly ModelFit[]
  /** Other packages: their version, or null. */
  readonly packages: Readonly<Record<string, string | null>>
}

/** Whether an edit with a model fits. */
export interface ModelFit {
  /** The model and the side of its pictures in pixels. */
  readonly model: string
  /** Bytes that an edit takes at its peak, by backend. */
  readonly bytes: Readonly<Record<string, number>>
  /** The backends whose memory is enough. */
  readonly fits: readonly string[]
}

const names = ['tensorflow', 'webgpu', 'wasm'] as const satisfies readonly BackendName[]

/** Tries every backend and looks around. */
export async function diagnose(): Promise<DoctorReport> {
  const backends = await Promise.all(names.map(probeApart))
  const works = backends.filter((report) => report.works)
  const memory = { total: totalmem(), free: freemem() }
  const others = [
    'sharp',
    '@tensorflow/tfjs',
    'webgpu',
    ...new Set(candidates.map((candidate) => candidate.package)),
  ]
  return {
    ok: works.length > 0,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    chosen: works[0]?.backend ?? null,
    backends,
    memory,
    models: modelFits(works, memory.total),
    packages: Object.fromEntries(others.map((name) => [name, versionOf(name)])),
  }
}

function modelFits(works: readonly BackendReport[], total: number): ModelFit[] {
  const sizes = [
    ['Stable Diffusion 2.1', 768],
    ['Stable Diffusion 1.5', 512],
    ['Stable Diffusion 1.5', 256],
  ] as const
  return sizes.map(([name, side]) => {
    const needs = works.map(({ backend, memoryBudget }) => {
      const task = { kind: 'edit', size: [side, side], backend: backend as BackendName } as const
      const { peak } = estimateMemory(publishedModels[name], task)
      return { backend, peak, fits: peak <= (memoryBudget ?? total) }
    })
    return {
      model: `${name} at ${side} × ${side}`,
      bytes: Object.fromEntries(needs.map(({ backend, peak }) => [backend, peak])),
      fits: needs.flatMap(({ backend, fits }) => (fits ? [backend] : [])),
    }
  })
}

// In a process of its own: an addon may crash, and one backend's clean-up is not another's business.
function probeApart(backend: string): Promise<BackendReport> {
  return new Promise((done) => {
    const args = [...process.execArgv, process.argv[1] ?? '', 'doctor', '--probe', backend]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let [out, err] = ['', '']
    child.stdout.on('data', (chunk) => {
      out += chunk
    })
    child.stderr.on('data', (chunk) => {
      err += chunk
    })
    // A driver may hang; a busy machine may take a minute.
    const timer = setTimeout(() => child.kill('SIGKILL'), 240_000)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      const last = out.trim().split('\n').at(-1) ?? ''
      if (code === 0 && last.startsWith('{')) return done(JSON.parse(last))
      const end = signal ? `its process was ended by ${signal}` : `its process ended with ${code}`
      const said = err.trim().split('\n').at(-1)
      const { install } = candidates.findLast((candidate) => candidate.backend === backend)!
      done({
        backend,
        works: false,
        why: said ? `${end}: ${said}` : end,
        mend: `Install it again: ${install}.`,
      })
    })
  })
}

function versionOf(name: string): string | null {
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? []
  const file = folders.map((folder) => join(folder, name, 'package.json')).find((path) => existsSync(path))
  return file ? JSON.parse(readFileSync(file, 'utf8')).version : null
}
