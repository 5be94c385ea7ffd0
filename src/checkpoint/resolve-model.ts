import { CheckpointError } from '../core/index.js'
import { type DownloadOptions, downloadModel, isHubId } from './hub.js'
import { folderExists } from './paths.js'

/**
 * The folder of a model: the one named, where it exists, or else a download of the Hub's model of that name.
 *
 * @param idOrFolder - a folder in the diffusers layout, or `organisation/name`
 * @param options - for the download
 * @returns the folder's path
 * @throws CheckpointError when it is neither
 */
export async function resolveModel(idOrFolder: string, options: DownloadOptions = {}): Promise<string> {
  if (await folderExists(idOrFolder)) return idOrFolder
  if (!isHubId(idOrFolder))
    throw new CheckpointError({
      rule: 'A model is a folder that exists, or organisation/name on the Hugging Face Hub',
      got: `${JSON.stringify(idOrFolder)}, which is neither`,
      mend: `Relative folders count from ${process.cwd()}.`,
    })
  try {
    const { path } = await downloadModel(idOrFolder, options)
    return path
  } catch (cause) {
    if (!(cause instanceof CheckpointError)) throw cause
    throw new CheckpointError({
      rule: 'A model is a folder that exists, or organisation/name on the Hugging Face Hub',
      got: `${JSON.stringify(idOrFolder)}: no such folder, and as a model of the Hub: ${cause.message}`,
      mend: `If you meant a folder: relative ones count from ${process.cwd()}.`,
      cause,
    })
  }
}
