import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Tensor4D } from '@tensorflow/tfjs'
import { fileExists, readJson, writeJson } from '../../checkpoint/index.js'
import { ArgumentError, type Tokenizer } from '../../core/index.js'
import { CaptionError } from '../caption-error.js'
import { whyUnchanged } from '../edit/skip.js'
import type { Perturbation } from '../perturbation.js'
import type { LanceRunOptions } from './options.js'

/** One edit that is to be made. */
export interface PlannedEdit {
  /** Its name within the picture, fit for a file. */
  readonly id: string
  /** The captions. */
  readonly perturbation: Perturbation
  /** Why it need not be made. */
  readonly skip?: string
}

/** What is to be done with one picture, fixed before its first edit so that a resumed run does the same. */
export interface PicturePlan {
  /** The file's name. */
  readonly picture: string
  /** Of the file's bytes. */
  readonly sha256: string
  /** Why the file is no picture; then there is nothing else. */
  readonly unreadable?: string
  /** What describes it. */
  readonly caption?: string
  /** Why its caption cannot be changed, where a captioner or perturber said so. */
  readonly unperturbed?: string
  /** In order. */
  readonly edits: readonly PlannedEdit[]
  /** Batch rows of one call of the network: fixed too, since a batch of another size rounds differently. */
  readonly rows: number
}

/**
 * Reads the plan of a picture if there is one, for a file that has not changed since.
 *
 * @param folder - of the picture's results
 * @param file - the picture
 * @throws ArgumentError when the file has changed
 */
export async function readPlan(folder: string, file: string): Promise<PicturePlan | undefined> {
  const path = join(folder, 'plan.json')
  if (!(await fileExists(path))) return undefined
  const plan = (await readJson(path)) as unknown as PicturePlan
  if (plan.sha256 === (await hashOf(file))) return plan
  throw new ArgumentError({
    rule: 'runLance resumes with the pictures it was begun with',
    got: `another content of ${file} than when it was planned`,
    mend: `Bring the picture back, or delete ${folder} to edit the new one.`,
  })
}

/** Writes the plan of a picture that cannot be read. */
export async function planUnreadable(
  folder: string,
  file: string,
  name: string,
  error: Error,
): Promise<PicturePlan> {
  const plan = { picture: name, sha256: await hashOf(file), unreadable: error.message, edits: [], rows: 3 }
  await writeJson(join(folder, 'plan.json'), plan)
  return plan
}

/**
 * Captions and perturbs a picture, names its edits, and writes the plan.
 *
 * Two edits of one name are numbered; of two edits to one caption the second is not made.
 */
export async function planPicture(
  folder: string,
  file: string,
  name: string,
  image: Tensor4D,
  rows: number,
  {
    model,
    caption: describe,
    perturb,
    signal,
  }: Pick<LanceRunOptions, 'model' | 'caption' | 'perturb' | 'signal'>,
): Promise<PicturePlan> {
  const sha256 = await hashOf(file)
  let caption: string | undefined
  let edits: PlannedEdit[] = []
  let unperturbed: string | undefined
  try {
    caption = await describe({ name, path: file, image }, { signal })
    edits = nameEdits(caption, await perturb(caption), model.tokenizer)
  } catch (error) {
    // A caption that cannot be read is a result like any other; an endpoint that is down is not.
    if (!(error instanceof CaptionError)) throw error
    unperturbed = error.message
  }
  const plan: PicturePlan = {
    ...{ picture: name, sha256, edits, rows },
    ...(caption !== undefined && { caption }),
    ...(unperturbed !== undefined && { unperturbed }),
  }
  await writeJson(join(folder, 'plan.json'), JSON.parse(JSON.stringify(plan)))
  return plan
}

/** Gives every perturbation of a caption a name of its own, and says which need not be made. */
export function nameEdits(
  caption: string,
  perturbations: readonly Perturbation[],
  tokenizer: Tokenizer,
): PlannedEdit[] {
  const names = new Map<string, number>()
  const made = new Map<string, string>()
  return perturbations.map((perturbation) => {
    if (perturbation.source !== caption) throw otherSource(caption, perturbation)
    const stem = slug(perturbation)
    let id = stem
    for (let n = 2; names.has(id); n++) id = `${stem}-${n}`
    names.set(id, 1)
    const twin = made.get(perturbation.target)
    const skip = twin ? `the same caption as ${twin}` : whyUnchanged(tokenizer, perturbation)
    if (skip === undefined) made.set(perturbation.target, id)
    return { id, perturbation, ...(skip !== undefined && { skip }) }
  })
}

function slug({ kind, intervention, words, target }: Perturbation): string {
  const changed = [...words.inserted, ...words.replaced.map(([, to]) => to)]
  const what = intervention
    ? `${intervention.attribute} ${String(intervention.to)}`
    : changed.length > 0
      ? `${kind} ${changed.join(' ')}`
      : `${kind} without ${words.deleted.join(' ') || target}`
  const plain = what
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return plain.slice(0, 60).replace(/-+$/, '') || 'edit'
}

async function hashOf(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex')
}

function otherSource(caption: string, { source }: Perturbation): ArgumentError {
  return new ArgumentError({
    rule: 'a perturber changes the caption that it is given',
    got: `a perturbation of ${JSON.stringify(source)} for the caption ${JSON.stringify(caption)}`,
    mend: 'Set source to the caption as it came, letter by letter.',
  })
}
