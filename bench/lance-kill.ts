/**
 * Kills a run at random moments and lets it go on: `npx tsx bench/lance-kill.ts [--kills 20] [--seed 1]`.
 *
 * A process runs LANCE's runner on a toy model and is sent SIGKILL at a random moment of the time that a whole run
 * takes; the next process goes on in the same folder. When all kills are spent, a last process finishes. The records
 * must equal those of a run that was never interrupted, to the last digit, and so must every file.
 */
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { useBackend } from '../src/backend/index.js'
import { torchRandn } from '../src/core/index.js'
import { runProcess } from '../test/lance/kill.js'
import { toyFolder } from '../test/lance/toy-run.js'

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '20' }, seed: { type: 'string', default: '1' } },
})
await useBackend('wasm')
const kills = Number(values.kills)
const folder = mkdtempSync(join(tmpdir(), 'contrafact-kill-'))
const [images, whole, killed] = ['images', 'whole', 'killed'].map((name) => join(folder, name)) as [
  string,
  string,
  string,
]
await toyFolder(images, 6)
const { ms } = await runProcess(images, whole)
console.log(`a whole run: ${ms.toFixed(0)} ms, ${linesOf(whole)} records`)

// Each process lives for up to a sixth of a whole run, so that 20 kills fall all over it.
const random = torchRandn(Number(values.seed))
let afterEnd = 0
for (let kill = 0; kill < kills; kill++) {
  const moment = random.uniform(1)[0]! * (ms / 6)
  const { finished } = await runProcess(images, killed, moment)
  afterEnd += Number(finished)
  // A finished run has nothing left to kill: begin again elsewhere in the order of files.
  if (finished) rmSync(killed, { recursive: true })
}
await runProcess(images, killed)

const differing = filesOf(whole).filter((file) => hashOf(whole, file) !== hashOf(killed, file))
const extra = filesOf(killed).filter((file) => !filesOf(whole).includes(file))
console.log(
  `${kills} kills (${afterEnd} came after the end), ${linesOf(killed)} records, ${filesOf(killed).length} files`,
)
console.log(
  differing.length + extra.length === 0
    ? 'equal, to the last byte'
    : `DIFFERENT: ${[...differing, ...extra].join(', ')}`,
)
rmSync(folder, { recursive: true })
if (differing.length + extra.length > 0) process.exitCode = 1

function filesOf(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) =>
    statSync(join(root, file)).isFile(),
  )
}

function hashOf(root: string, file: string): string {
  try {
    return createHash('sha256')
      .update(readFileSync(join(root, file)))
      .digest('hex')
  } catch {
    return 'missing'
  }
}

function linesOf(root: string): number {
  return readFileSync(join(root, 'records.jsonl'), 'utf8').trim().split('\n').length
}
