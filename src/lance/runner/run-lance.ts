import { readdir, rm } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { writeJson } from '../../checkpoint/index.js'
import { ArgumentError, throwIfAborted, writeAtomically } from '../../core/index.js'
import { resolveSettings } from '../edit/options.js'
import type { LanceRunOptions } from './options.js'
import { renderLancePage } from './page.js'
import { type EditRecord, writeRecords } from './records.js'
import { runPicture } from './run-picture.js'
import { claimFolder, settingsOf } from './settings.js'
import { type LanceSummary, summarise } from './summary.js'

/** What {@link runLance} returns; the same is in its folder. */
export interface LanceRun {
  /** One record an edit, in order of pictures and edits: `records.jsonl`. */
  readonly records: readonly EditRecord[]
  /** Counts, pass rates, sensitivities and costs: `summary.json`. */
  readonly summary: LanceSummary
  /** The page for a person: `index.html`. */
  readonly page: string
}

const endings = new Set(['.png', '.jpg', '.jpeg', '.webp', '.tif', '.tiff'])

/**
 * LANCE over a folder of pictures: caption, perturb, edit, gate, record.
 *
 * ```text
 * out/run.json                      the settings; a folder of other settings is refused
 * out/pictures/<file>/plan.json     caption and edits, fixed before the first edit
 * out/pictures/<file>/*.png         original, reconstruction, every edit and its difference map
 * out/pictures/<file>/*.safetensors the inversion, and every edit's latents, float32
 * out/pictures/<file>/records.jsonl one record an edit
 * out/records.jsonl, summary.json, index.html     when all is done
 * ```
 *
 * Every file is written whole or not at all, and records come after what they speak of. A run that was killed or
 * aborted goes on when it is called again: no edit is repeated but those of the picture that was under way, and the
 * records are those of a run that was never interrupted. Edits that the gates reject are kept and recorded like the
 * others. A file that is no picture is recorded; errors of captioner, perturber, embedder and model end the run.
 *
 * One process at a time may use a folder.
 *
 * @param options - model, folders, captioner, perturber, embedder, gates, settings
 * @throws ArgumentError when `out` belongs to another run (each difference is named), or `images` holds no picture
 * @throws AbortError when `signal` is aborted; call again to go on
 */
export async function runLance(options: LanceRunOptions): Promise<LanceRun> {
  const { images, out, signal, onProgress } = options
  resolveSettings(options.edit)
  throwIfAborted(signal, 'runLance')
  const names = await picturesIn(images)
  if (await claimFolder(out, settingsOf(options))) await sweepTemporaries(out)

  const records: EditRecord[] = []
  for (const [i, name] of names.entries()) {
    throwIfAborted(signal, 'runLance')
    records.push(...(await runPicture(join(images, name), name, options)))
    onProgress?.({ stage: 'pictures', done: i + 1, total: names.length, detail: name })
  }

  const summary = summarise(records)
  const page = join(out, 'index.html')
  await writeRecords(join(out, 'records.jsonl'), records)
  await writeJson(join(out, 'summary.json'), summary)
  await writeAtomically(page, await renderLancePage(out, records, summary, options))
  return { records, summary, page }
}

async function picturesIn(folder: string): Promise<string[]> {
  let found: string[]
  try {
    const entries = await readdir(folder, { withFileTypes: true })
    found = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name)
  } catch (cause) {
    throw noPictures(`${folder} (${(cause as NodeJS.ErrnoException).code})`, cause)
  }
  const pictures = found.filter((name) => endings.has(extname(name).toLowerCase()) && !name.startsWith('.'))
  if (pictures.length === 0) throw noPictures(`${folder} with ${found.length} other files`)
  return pictures.sort()
}

// What a kill left half written.
async function sweepTemporaries(out: string): Promise<void> {
  for (const file of await readdir(out, { recursive: true }))
    if (file.endsWith('.tmp')) await rm(join(out, file), { force: true })
}

function noPictures(got: string, cause?: unknown): ArgumentError {
  return new ArgumentError({
    rule: `runLance needs a folder of pictures (${[...endings].join(', ')})`,
    got,
    mend: 'Pass the folder that holds the files themselves; sub-folders are not looked at.',
    cause,
  })
}
