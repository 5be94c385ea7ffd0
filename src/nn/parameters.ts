import type { Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs'

/** A linear layer; `weight` is `[in, out]`, the transpose of PyTorch's. */
export interface LinearParameters {
  /** `[in, out]` */
  readonly weight: Tensor2D
  /** `[out]` */
  readonly bias?: Tensor1D
}

/** A convolution; `weight` is `[kernel height, kernel width, in, out]`. */
export interface ConvParameters {
  /** `[kernel height, kernel width, in, out]` */
  readonly weight: Tensor4D
  /** `[out]` */
  readonly bias?: Tensor1D
}

/** Scale and shift of a norm. */
export interface NormParameters {
  /** `[channels]` */
  readonly weight: Tensor1D
  /** `[channels]` */
  readonly bias: Tensor1D
}

/** Named parameters, keyed as in the checkpoint: `down_blocks.0.resnets.0.norm1.weight`. */
export type NamedParameters = ReadonlyMap<string, Tensor>

/** A branch of the parameter tree. Runs of numbered keys are arrays. */
export type ParameterTree = { readonly [key: string]: ParameterTree | Tensor } | readonly ParameterTree[]

type Branch = { [key: string]: Branch | Tensor }

/**
 * Nests flat checkpoint names into the module tree that the layers read: `a.0.weight` becomes `a[0].weight`.
 *
 * @typeParam T - the module's parameter interface; the names decide whether it holds, so validate them first
 * @param named - flat names to tensors; borrowed, the tree shares the tensors
 */
export function parameterTree<T>(named: NamedParameters): T {
  const root: Branch = {}
  for (const [name, tensor] of named) {
    const path = name.split('.')
    const leaf = path.pop()!
    let branch = root
    for (const key of path) {
      branch[key] ??= {}
      branch = branch[key] as Branch
    }
    branch[leaf] = tensor
  }
  return withArrays(root) as T
}

function withArrays(branch: Branch): unknown {
  const entries = Object.entries(branch).map(
    ([key, value]) => [key, isTensor(value) ? value : withArrays(value)] as const,
  )
  const numbered = entries.length > 0 && entries.every(([key], i) => key === String(i))
  return numbered ? entries.map(([, value]) => value) : Object.fromEntries(entries)
}

function isTensor(value: Branch | Tensor): value is Tensor {
  return 'dataId' in value
}
