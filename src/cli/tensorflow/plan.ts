import { join } from 'node:path'
import { version_core } from '@tensorflow/tfjs'

/** The TensorFlow that is taken unless another is asked for: one that was tried. */
export const knownTensorflow = '2.21.0'

/** What is going to be installed, from where, to where. */
export interface Plan {
  /** The user's project: the folder of its package.json. */
  readonly project: string
  /** CUDA or CPU. */
  readonly gpu: boolean
  /** The npm package whose addon is built. */
  readonly package: string
  /** Its version: that of the tfjs that this library uses. */
  readonly version: string
  /** The version of TensorFlow's Python package. */
  readonly tensorflow: string
  /** What pip is asked for. */
  readonly requirement: string
  /** A folder of wheels to look in beside PyPI. */
  readonly findLinks: string | undefined
  /** A folder with node_api.h, instead of Node's own. */
  readonly headers: string | undefined
  /** Where the package goes. */
  readonly place: string
  /** Where TensorFlow's library is kept, and everything is made. npm leaves folders with a dot alone. */
  readonly cache: string
}

/** What the user may ask for. */
export type Wish = Pick<Plan, 'project' | 'gpu' | 'findLinks' | 'headers'> & {
  readonly tensorflow: string | undefined
}

/** Fixes every name and folder of an installation. */
export function planFor({ tensorflow = knownTensorflow, ...wish }: Wish): Plan {
  const name = wish.gpu ? '@tensorflow/tfjs-node-gpu' : '@tensorflow/tfjs-node'
  const modules = join(wish.project, 'node_modules')
  return {
    ...wish,
    package: name,
    version: version_core,
    tensorflow,
    requirement: wish.gpu ? `tensorflow[and-cuda]==${tensorflow}` : `tensorflow-cpu==${tensorflow}`,
    place: join(modules, name),
    cache: join(modules, '.cache', 'contrafact'),
  }
}

/** How the folders begin in which packages are made: in node_modules, hidden from npm by the dot. */
export function workPrefix({ project }: Plan): string {
  return join(project, 'node_modules', '.contrafact-')
}

/** Where TensorFlow of a version is kept; it exists only when it is whole. */
export function libraryFolder({ cache, tensorflow, gpu }: Plan): string {
  return join(cache, `tensorflow-${gpu ? 'gpu' : 'cpu'}-${tensorflow}`)
}
