import { join } from 'node:path'
import type { Tensor4D } from '@tensorflow/tfjs'
import * as tf from '@tensorflow/tfjs'
import { fileExists, writeSafetensors } from '../../checkpoint/index.js'
import { geometryOf, ImageError, type LatentDiffusion, throwIfAborted } from '../../core/index.js'
import { differenceMap, readImage, renderDifferenceMap, writeImage } from '../../image/index.js'
import { type Counterfactual, editTogether } from '../edit/edit-together.js'
import type { CounterfactualOptions } from '../edit/options.js'
import { rowsWithinBudget } from '../edit/rows.js'
import { closePicture, openPicture, replayPicture, type SourcePicture } from '../edit/source-picture.js'
import { loadInversion, saveInversion } from './inversion-file.js'
import type { LanceRunOptions } from './options.js'
import { type PicturePlan, type PlannedEdit, planPicture, planUnreadable, readPlan } from './plan.js'
import { type EditFiles, type EditRecord, type Prediction, readRecords, writeRecords } from './records.js'

// Changes of this size get the full colour in every difference map, so that maps can be compared.
const mapRange = 0.5

/**
 * Everything that is to be done with one picture: plan, invert, edit, record. Each step is skipped when its file is
 * there, so that a run goes on where it was killed; a picture's records appear together, after its edits.
 *
 * @param file - the picture
 * @param name - its file name
 * @param options - of the run
 * @returns one record an edit
 */
export async function runPicture(
  file: string,
  name: string,
  options: LanceRunOptions,
): Promise<EditRecord[]> {
  const folder = join(options.out, 'pictures', name)
  const recordsFile = join(folder, 'records.jsonl')
  let plan = await readPlan(folder, file)
  const records = await readRecords(recordsFile)
  if (plan && records.length >= Math.max(1, plan.edits.length)) return records

  const image =
    plan?.unreadable === undefined ? await readOrExplain(file, options) : new Error(plan.unreadable)
  if (image instanceof Error) {
    plan ??= await planUnreadable(folder, file, name, image)
    const record: EditRecord = { picture: name, edit: null, status: 'unreadable', reason: image.message }
    await writeRecords(recordsFile, [record])
    return [record]
  }
  try {
    plan ??= await planPicture(folder, file, name, image, rowsFor(options, image), options)
    await editPlanned(folder, plan, image, records, options, () => writeRecords(recordsFile, records))
    return records
  } finally {
    image.dispose()
  }
}

async function editPlanned(
  folder: string,
  plan: PicturePlan,
  image: Tensor4D,
  records: EditRecord[],
  options: LanceRunOptions,
  save: () => Promise<void>,
): Promise<void> {
  const { picture, edits, caption, unperturbed = 'nothing in the caption could be changed' } = plan
  if (edits.length === 0 || caption === undefined) {
    records.push({
      picture,
      edit: null,
      status: 'unperturbed',
      ...(caption !== undefined && { caption }),
      reason: unperturbed,
    })
    return save()
  }
  throwIfAborted(options.signal, 'runLance')
  const wanted = edits.filter(({ skip }) => skip === undefined)
  const made = wanted.length > 0 ? await makeEdits(folder, plan, image, wanted, options) : []
  for (const { id, perturbation, skip } of edits) {
    const record = made.find(({ edit }) => edit === id)
    records.push(record ?? { picture, edit: id, status: 'skipped', reason: skip!, caption, perturbation })
  }
  await save()
}

async function makeEdits(
  folder: string,
  plan: PicturePlan,
  image: Tensor4D,
  wanted: readonly PlannedEdit[],
  options: LanceRunOptions,
): Promise<EditRecord[]> {
  const source = await openOrResume(folder, image, plan, options)
  try {
    return await editAll(folder, plan, wanted, source, options)
  } finally {
    closePicture(source)
  }
}

async function openOrResume(
  folder: string,
  image: Tensor4D,
  plan: PicturePlan,
  options: LanceRunOptions,
): Promise<SourcePicture & { readonly counted: number }> {
  const { model, edit } = options
  const path = join(folder, 'inversion.safetensors')
  if (await fileExists(path)) {
    const inversion = await loadInversion(path, edit.scheduler)
    return {
      ...(await replayPicture(model, image, inversion, loopOptions(options, plan))),
      counted: inversion.evaluations,
    }
  }
  const { counted, rows } = countRows(model)
  const source = await openPicture(counted, image, plan.caption!, loopOptions(options, plan))
  const evaluations = rows()
  await writeImage(join(folder, 'original.png'), image)
  await writeImage(join(folder, 'reconstruction.png'), source.reconstruction)
  // Last: a resumed run that finds it takes the pictures for written.
  await saveInversion(path, { ...source.path, evaluations })
  return { ...source, counted: evaluations }
}

async function editAll(
  folder: string,
  plan: PicturePlan,
  planned: readonly PlannedEdit[],
  source: SourcePicture & { readonly counted: number },
  options: LanceRunOptions,
): Promise<EditRecord[]> {
  const { picture } = plan
  const { counted, rows } = countRows(options.model)
  const perturbations = planned.map(({ perturbation }) => perturbation)
  const { edits } = await editTogether(counted, source, perturbations, loopOptions(options, plan))
  const evaluations = { inversion: source.counted, edits: rows(), sharedBy: edits.length }
  try {
    const records: EditRecord[] = []
    const before = await predict(options, source.original, source.reconstruction)
    for (const [i, edit] of edits.entries()) {
      const { id } = planned[i]!
      const files = await writeEdit(folder, picture, id, edit, source)
      const [edited] = await predict(options, edit.image)
      const predictions = edited && { original: before[0]!, reconstruction: before[1]!, edited }
      records.push(
        recordOf(picture, id, edit, source, { files, evaluations, ...(predictions && { predictions }) }),
      )
    }
    return records
  } finally {
    for (const { image, latents } of edits) tf.dispose([image, latents])
  }
}

function recordOf(
  picture: string,
  id: string,
  edit: Counterfactual,
  { path }: SourcePicture,
  rest: Pick<EditRecord, 'files' | 'evaluations' | 'predictions'>,
): EditRecord {
  const { perturbation, control, emphasised, tries, truncated, passed } = edit
  const kept = tries.find(({ selfReplace }) => selfReplace === edit.selfReplace)!
  const cut = path.truncated !== '' || truncated !== ''
  return {
    ...{ picture, edit: id, status: passed ? 'passed' : 'rejected', caption: path.prompt },
    ...(cut && { truncated: { source: path.truncated, target: truncated } }),
    ...{ perturbation, control, emphasised, kept, tries },
    ...rest,
  }
}

async function writeEdit(
  folder: string,
  picture: string,
  id: string,
  { image, latents }: Counterfactual,
  { reconstruction }: SourcePicture,
): Promise<EditFiles> {
  const difference = differenceMap(reconstruction, image)
  const map = await renderDifferenceMap(difference, { range: mapRange })
  try {
    await writeImage(join(folder, `${id}.png`), image)
    await writeImage(join(folder, `${id}-difference.png`), map)
    const tensor = { shape: latents.shape, data: async () => latents.data<'float32'>() }
    await writeSafetensors(join(folder, `${id}.safetensors`), new Map([['latents', tensor]]))
  } finally {
    tf.dispose([difference, map])
  }
  const at = (name: string) => `pictures/${picture}/${name}`
  return {
    original: at('original.png'),
    reconstruction: at('reconstruction.png'),
    edited: at(`${id}.png`),
    difference: at(`${id}-difference.png`),
    latents: at(`${id}.safetensors`),
  }
}

async function predict(
  { underTest }: LanceRunOptions,
  ...pictures: readonly Tensor4D[]
): Promise<readonly Prediction[]> {
  if (!underTest) return []
  const batch = tf.concat([...pictures])
  try {
    return await underTest(batch)
  } finally {
    batch.dispose()
  }
}

// Batch rows of one call of the network; a number that JSON can hold where nothing limits them.
function rowsFor({ edit, model }: LanceRunOptions, image: Tensor4D): number {
  const { factor } = geometryOf(model)
  const latentSize = [Math.ceil(image.shape[1] / factor), Math.ceil(image.shape[2] / factor)] as const
  return Math.min(edit.rows ?? rowsWithinBudget(latentSize), 1e9)
}

function loopOptions(options: LanceRunOptions, { rows }: PicturePlan): CounterfactualOptions {
  const { edit, embedder, gates, signal, onProgress } = options
  return { ...edit, rows, embedder, gates, signal, onProgress }
}

// The model with a counter of the batch rows that its network is asked for.
function countRows(model: LatentDiffusion): {
  readonly counted: LatentDiffusion
  readonly rows: () => number
} {
  let rows = 0
  const { prepare } = model.denoise
  const counting: LatentDiffusion['denoise'] = (x, ...rest) => {
    rows += x.shape[0]
    return model.denoise(x, ...rest)
  }
  const denoise = Object.assign(counting, prepare && { prepare })
  const { tokenizer, geometry } = model
  const counted: LatentDiffusion = {
    ...{ denoise, tokenizer, ...(geometry && { geometry }) },
    encodePrompts: (prompts) => model.encodePrompts(prompts),
    encodeImage: (image) => model.encodeImage(image),
    decodeLatents: (latents) => model.decodeLatents(latents),
  }
  return { counted, rows: () => rows }
}

// A file that is no picture is a result like any other; everything else that goes wrong ends the run.
async function readOrExplain(file: string, { read, model }: LanceRunOptions): Promise<Tensor4D | ImageError> {
  try {
    return await readImage(file, read ?? { size: [...geometryOf(model).size] })
  } catch (error) {
    if (error instanceof ImageError) return error
    throw error
  }
}
