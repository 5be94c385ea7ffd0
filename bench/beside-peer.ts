import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median, spreadOf } from './alone/alone.js'
import type { Case } from './case.js'
import { compareFiles, shapesOf, writeInputs } from './inputs.js'
import type { Options } from './options.js'
import { peerPython } from './python.js'
import { ours, peer, type Side } from './side.js'
import { randomStableDiffusion } from './weights.js'

/** What a bench beside the peer answers; without one, the peer's numbers are left out. */
export type PeerResult = Awaited<ReturnType<typeof besidePeer>>

/**
 * Both sides load the same random Stable Diffusion 1.5, take the same inputs and the same number of threads. Their outputs are
 * compared before anything is timed; then runs alternate. `ratio` is our speed over the peer's.
 */
export async function besidePeer(name: keyof typeof shapesOf, options: Options) {
  const { threads, runs, size, dtype, device, recompute } = options
  const scratch = mkdtempSync(join(tmpdir(), 'contrafact-bench-'))
  const sides: Side[] = []
  const begin = async (starting: Promise<Side>): Promise<Side> => {
    const side = await starting
    sides.push(side)
    return side
  }
  try {
    const folder = await randomStableDiffusion(options.cache, dtype)
    const { shape, inputs } = shapesOf[name](size, dtype)
    const of: Case = { name, shape, folder, inputs: writeInputs(scratch, inputs), device, recompute }
    const us = await begin(ours(of, options.backend, threads))
    const them =
      options.peer === 'none'
        ? undefined
        : await begin(peer(of, peerPython(options.cache, options.python), threads))
    const maxAbsDifference = them && (await compare(us, them, scratch))

    const [seconds, peerSeconds, tensors]: [number[], number[], (number | undefined)[]] = [[], [], []]
    for (let i = -options.warmup; i < runs; i++) {
      const mine = await us.run()
      const theirs = await them?.run()
      if (i < 0) continue
      seconds.push(mine.seconds)
      tensors.push(mine.tensors)
      if (theirs) peerSeconds.push(theirs.seconds)
    }
    const ratios = peerSeconds.map((their, i) => their / seconds[i]!)
    return {
      name,
      backend: us.ready,
      peer: them?.ready,
      shape,
      threads,
      runs,
      seconds: median(seconds),
      peerSeconds: them && median(peerSeconds),
      ratio: them && median(ratios),
      spread: them && spreadOf(ratios),
      peakBytes: await us.peak(),
      peerPeakBytes: await them?.peak(),
      maxAbsDifference,
      leakedTensors: tensors.at(-1)! - tensors[0]!,
      profile: options.profile ? await us.profile() : undefined,
    }
  } finally {
    for (const side of sides) side.stop()
    rmSync(scratch, { recursive: true, force: true })
  }
}

async function compare(us: Side, them: Side, scratch: string): Promise<number> {
  const [mine, theirs] = [join(scratch, 'ours.f32'), join(scratch, 'theirs.f32')]
  await us.output(mine)
  await them.output(theirs)
  return compareFiles(mine, theirs)
}
