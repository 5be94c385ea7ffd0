import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { alone } from './alone/index.js'
import { shapesOf } from './inputs.js'

const namesIn = <T extends object>(benches: T) => Object.keys(benches) as (keyof T & string)[]
const [withPeer, withoutPeer] = [namesIn(shapesOf), namesIn(alone)]

const usage = `npm run bench -- NAME [options]
  ${withPeer.join(', ').padEnd(54)}   beside the peer
  ${withoutPeer.join(', ').padEnd(54)}   without one
  --backend NAME    fastest, tensorflow, webgpu or wasm    (tensorflow)
  --peer NAME       diffusers or none                      (diffusers)
  --device NAME     where the peer runs, cpu or cuda       (cpu)
  --threads N       of both sides                          (2)
  --size N          side of the latents                    (64)
  --dtype NAME      of the files, f32 or f16               (f32)
  --runs N          that are timed                         (5)
  --warmup N        that are not                           (1)
  --recompute       null-text keeps no results of blocks
  --profile         where the time of one more run goes
  --python FILE     the peer's Python                      (an environment of its own in the cache)
  --cache FOLDER    random weights and that environment    (~/.cache/contrafact-bench)
  --json            one object, as the last line`

const count = z.coerce.number().int()
const rules = z.object({
  name: z.enum([...withPeer, ...withoutPeer]),
  backend: z.enum(['fastest', 'tensorflow', 'webgpu', 'wasm']).default('tensorflow'),
  peer: z.enum(['diffusers', 'none']).default('diffusers'),
  device: z.enum(['cpu', 'cuda']).default('cpu'),
  threads: count.min(1).default(2),
  // The network halves its map three times.
  size: count.min(8).multipleOf(8).default(64),
  dtype: z.enum(['f32', 'f16']).default('f32'),
  runs: count.min(1).default(5),
  warmup: count.min(0).default(1),
  recompute: z.boolean().default(false),
  profile: z.boolean().default(false),
  python: z.string().optional(),
  cache: z.string().default(join(homedir(), '.cache', 'contrafact-bench')),
  json: z.boolean().default(false),
})

/** What is asked of a bench. */
export type Options = z.infer<typeof rules>

/** Reads the command line; one that asks for help, or is not understood, ends the process. */
export function readOptions(args: readonly string[]): Options {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...{ backend: text, peer: text, device: text, threads: text, size: text, dtype: text },
        ...{ runs: text, warmup: text, python: text, cache: text },
        ...{ recompute: flag, profile: flag, json: flag, help: flag },
      },
    })
    const { help, ...given } = values
    if (help) return end(0, usage)
    if (positionals.length > 1)
      return end(2, `one bench at a time, not ${positionals.join(' and ')}\n\n${usage}`)
    const read = rules.safeParse({ name: positionals[0], ...given })
    return read.success ? read.data : end(2, `${z.prettifyError(read.error)}\n\n${usage}`)
  } catch (error) {
    if (!(error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS')) throw error
    return end(2, `${(error as Error).message}\n\n${usage}`)
  }
}

function end(code: number, text: string): never {
  process[code === 0 ? 'stdout' : 'stderr'].write(`${text}\n`)
  process.exit(code)
}
