import { join } from 'node:path'
import { CheckpointError } from '../core/index.js'
import { refuseOtherFamilies } from './families.js'
import { isPickleName, pickleError } from './foreign.js'
import { fileExists, folderExists, listFolder, listNames } from './paths.js'
import { readJsonObject } from './text-files.js'

/** One component as `model_index.json` names it. */
export interface ModelComponent {
  /** Python library that defines the class: `diffusers`, `transformers`, ... */
  readonly library: string
  /** Python class: `UNet2DConditionModel`, `PNDMScheduler`, ... */
  readonly className: string
}

/** A model folder in the diffusers layout, checked to be complete and of a supported kind; no weights read. */
export interface ModelFolder {
  /** The folder. */
  readonly path: string
  /** The pipeline that saved it: `StableDiffusionPipeline`, ... */
  readonly pipeline: string
  /** Components that are present; those saved as "none" are left out. */
  readonly components: ReadonlyMap<string, ModelComponent>
  /** `model_index.json` as it was read. */
  readonly index: Readonly<Record<string, unknown>>
}

const requiredComponents = ['unet', 'vae', 'text_encoder', 'tokenizer', 'scheduler']

/**
 * Opens a Stable Diffusion 1.x or 2.x folder in the diffusers layout: reads its index and checks that every
 * component is there.
 *
 * @param path - the folder that holds `model_index.json`
 * @throws CheckpointError listing what was found and what was expected, or naming the family that is not supported
 */
export async function openModelFolder(path: string): Promise<ModelFolder> {
  const indexPath = join(path, 'model_index.json')
  if (!(await fileExists(indexPath))) throw await notAModelFolder(path)
  const index = await readJsonObject(indexPath)
  const { pipeline, components } = checkPipeline(path, index)

  const missing: string[] = []
  for (const component of requiredComponents) {
    if (!components.has(component)) missing.push(`${component} (not in model_index.json)`)
    else if (!(await folderExists(join(path, component)))) missing.push(`${component}/`)
  }
  if (missing.length > 0)
    throw new CheckpointError({
      rule: `A model folder holds ${requiredComponents.join(', ')}`,
      got: `${path} without ${missing.join(', ')}; it holds ${listNames(await listFolder(path))}`,
      mend: 'Complete the download or the copy of the folder.',
    })
  return { path, pipeline, components, index }
}

/**
 * Checks by `model_index.json` alone that a model is of a supported family, before anything large is read.
 *
 * @param path - the folder, or the id on the Hub; named in the error
 * @param index - `model_index.json` as it was read
 * @throws CheckpointError naming the family that is not supported
 */
export function checkPipeline(
  path: string,
  index: Readonly<Record<string, unknown>>,
): Pick<ModelFolder, 'pipeline' | 'components'> {
  const pipeline =
    typeof index._class_name === 'string' ? index._class_name : 'a pipeline without _class_name'
  const components = listComponents(index)
  refuseOtherFamilies(path, pipeline, components)
  return { pipeline, components }
}

/**
 * Reads the config of one component, as it is: `config.json`, or the file that the component has in its place.
 *
 * @param path - the model folder
 * @param component - `unet`, `vae`, `text_encoder`, `scheduler`, `tokenizer`, `feature_extractor`
 * @throws CheckpointError when there is none, or it is not a JSON object
 */
export function readComponentConfig(
  path: string,
  component: string,
): Promise<Readonly<Record<string, unknown>>> {
  return readJsonObject(join(path, component, configNames[component] ?? 'config.json'))
}

const configNames: Readonly<Record<string, string>> = {
  scheduler: 'scheduler_config.json',
  tokenizer: 'tokenizer_config.json',
  feature_extractor: 'preprocessor_config.json',
}

// Values are [library, class], [null, null] for a component left out on purpose, or plain settings.
function listComponents(index: Readonly<Record<string, unknown>>): ReadonlyMap<string, ModelComponent> {
  const components = new Map<string, ModelComponent>()
  for (const [name, value] of Object.entries(index)) {
    if (!Array.isArray(value)) continue
    const [library, className] = value as unknown[]
    if (typeof library === 'string' && typeof className === 'string')
      components.set(name, { library, className })
  }
  return components
}

async function notAModelFolder(path: string): Promise<CheckpointError> {
  if (isPickleName(path)) return pickleError(path)
  const found = await listFolder(path)
  const pickle = found.find((name) => name.endsWith('.ckpt'))
  if (pickle) return pickleError(join(path, pickle))
  const single = path.endsWith('.safetensors') ? path : found.find((name) => name.endsWith('.safetensors'))
  return new CheckpointError({
    rule: 'A model is a folder in the diffusers layout, with model_index.json in it',
    got: (await folderExists(path))
      ? `${path}, which holds ${listNames(found)}`
      : `${path}, which is no folder`,
    mend: single
      ? `Convert a single-file checkpoint once, in Python: python -c "from diffusers import StableDiffusionPipeline as P; P.from_single_file('${single}').save_pretrained('model')"`
      : 'Pass the folder that diffusers saved with save_pretrained, or that a download made.',
  })
}
